"""A driver's door: what numpy, OpenCV and torch hand over, in every memory layout and precision."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch

from lanekeep_policies import CORES, Driver, DriverSpec, Lesions, lesioned

Layout = Callable[[np.ndarray], np.ndarray]


def make(core: str = "ncp") -> Driver:
    return Driver.build(DriverSpec(core=core, camera_height=16, camera_width=32, curvature_limit_per_m=0.02), 0)


def frames(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*shape, 16, 32, 3), np.uint8)


def read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


LAYOUTS: dict[str, Layout] = {
    "reversed colours": lambda x: x[..., ::-1].copy()[..., ::-1],
    "upside down": lambda x: np.flip(np.flip(x, -3).copy(), -3),
    "read-only": read_only,
    "fortran": np.asfortranarray,
    "cut out": lambda x: np.pad(x, [(0, 0)] * (x.ndim - 3) + [(3, 5), (7, 1), (0, 1)])[..., 3:-5, 7:-1, :-1],
    "every second": lambda x: np.repeat(x, 2, -2)[..., ::2, :],
    "planes first": lambda x: np.moveaxis(np.moveaxis(x, -1, 0).copy(), 0, -1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_memory_layout_is_the_same_frame(layout: str) -> None:
    driver, seen = make(), LAYOUTS[layout](frames(2))
    expected, start = driver.predict(frames(2)), driver.initial_state(2)
    np.testing.assert_array_equal(driver.predict(seen)[0], expected[0])
    np.testing.assert_array_equal(driver.predict(seen, (read_only(expected[1][0])[:, ::-1][:, ::-1],))[0],
                                  driver.predict(frames(2), expected[1])[0])  # fmt: skip
    np.testing.assert_array_equal(driver.step(seen, start)[0], driver.step(frames(2), start)[0])
    np.testing.assert_array_equal(driver.stepper()(seen, start)[0], driver.stepper()(frames(2), start)[0])
    np.testing.assert_array_equal(driver.predict(LAYOUTS[layout](frames()))[0], driver.predict(frames())[0])


def test_opencvs_colours_are_taken_by_a_flag() -> None:
    driver, seen = make("cnn"), frames(2)
    expected, _ = driver.predict(seen)
    for bgr in (seen[..., ::-1], seen[..., ::-1].copy()):
        np.testing.assert_array_equal(driver.predict(bgr, bgr=True)[0], expected)
        np.testing.assert_array_equal(driver.step(bgr, driver.initial_state(2), bgr=True)[0].clip(-1, 1), expected)
    assert np.abs(driver.predict(seen, bgr=True)[0] - expected).max() > 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint16, np.int8, np.bool_, object, "U1"])
def test_frames_of_other_numbers_are_refused_with_the_way_out(dtype: Any) -> None:
    with pytest.raises(ValueError, match="reads uint8 frames of 16x32x3, not .* of 16x32x3: .* uint8$"):
        make().predict(frames(2).astype(dtype))


@pytest.mark.parametrize("dtype", [">f4", np.float16, np.int32, np.uint16, np.float64, np.longdouble, np.bool_])
def test_numbers_are_taken_in_any_kind_and_byte_order(dtype: Any) -> None:
    spec = DriverSpec(core="ncp", camera_height=0, camera_width=0, curvature_limit_per_m=0.02, numbers=3)
    driver, told = Driver.build(spec, 0), np.array([[1, 0, 1], [0, 1, 1]])
    expected, _ = driver.predict(told.astype(np.float32))
    np.testing.assert_array_equal(driver.predict(told.astype(dtype)[:, ::-1][:, ::-1])[0], expected)
    with pytest.raises(ValueError, match="holds numbers, not"):
        driver.predict(np.array([["1", "0", "1"]]))
    with pytest.raises(ValueError, match="bgr"):
        driver.predict(told, bgr=True)


PRECISIONS = {"half": (torch.float16, 0.02), "bfloat16": (torch.bfloat16, 0.1), "float64": (torch.float64, 1e-5)}


@pytest.mark.parametrize("precision", [*PRECISIONS, "autocast"])
@pytest.mark.parametrize("core", CORES)
def test_every_core_drives_and_learns_in_every_precision(core: str, precision: str) -> None:
    driver, seen = make(core), frames(2, 3)
    expected, expected_state = driver.predict(seen[:, 0])
    dtype, near = PRECISIONS.get(precision, (torch.float32, 0.0))
    driver = driver.to(dtype)
    with torch.autocast("cpu", torch.bfloat16) if precision == "autocast" else nullcontext():
        found, state = driver.predict(seen[:, 0])
        np.testing.assert_allclose(found, expected, atol=near)
        assert np.isfinite(driver.predict(seen[:, 1], state)[0]).all()
        start = driver.initial_state(2)
        np.testing.assert_allclose(driver.step(seen[:, 0], start)[0].clip(-1.0, 1.0), expected, atol=near)
        np.testing.assert_allclose(driver.stepper()(seen[:, 0], start)[0].clip(-1.0, 1.0), expected, atol=near + 1e-6)
        actions, last = driver(torch.from_numpy(seen), start)
        assert last.dtype == dtype
        loss = torch.nn.functional.mse_loss(actions, torch.ones_like(actions))
    loss.backward()
    slopes = [p.grad for p in driver.parameters() if p.grad is not None]
    assert slopes and all(bool(g.isfinite().all()) for g in slopes) and any(bool(g.any()) for g in slopes)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("core", ["ncp", "lstm"])
def test_a_clamped_driver_changes_its_precision_as_a_whole(core: str, dtype: torch.dtype) -> None:
    hurt = lesioned(make(core), Lesions(clamped={1: 0.5})).to(dtype)
    assert np.isfinite(hurt.predict(frames(2))[0]).all()


SETTINGS: dict[str, Callable[[], Any]] = {
    "float64": lambda: torch.set_default_dtype(torch.float64),
    "bfloat16": lambda: torch.set_default_dtype(torch.bfloat16),
    "meta": lambda: torch.set_default_device("meta"),
    "no grad": lambda: torch.set_grad_enabled(False),
    "numpy": lambda: np.seterr(all="raise"),
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("core", CORES)
def test_a_driver_is_built_and_drives_the_same_under_any_global_setting(core: str, setting: str) -> None:
    expected, seen = make(core), frames(2)
    actions, _ = expected.predict(seen)
    errors = np.geterr()
    try:
        SETTINGS[setting]()
        driver = make(core)
        found, _ = driver.predict(seen)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
        torch.set_grad_enabled(True)
        np.seterr(**errors)
    np.testing.assert_array_equal(found, actions)
    for name, value in expected.state_dict().items():
        assert torch.equal(driver.state_dict()[name], value) and driver.state_dict()[name].dtype == value.dtype
    trained = torch.from_numpy(seen)[:, None]
    driver(trained, driver.initial_state(2))[0].sum().backward()


def test_a_driver_built_in_inference_mode_can_be_trained() -> None:
    with torch.inference_mode():
        driver = make()
    driver(torch.from_numpy(frames(2, 1)), driver.initial_state(2))[0].sum().backward()
