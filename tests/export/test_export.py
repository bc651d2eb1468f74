"""What is exported drives as the driver does."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from sb3_contrib import RecurrentPPO

import lanekeep.export
from lanekeep.cli.main import main
from lanekeep.reinforcement.gymnasium_task import made
from lanekeep.reinforcement.lane_keeping_task import SB3VecEnv
from lanekeep.reinforcement.rewards import Rewards
from lanekeep_policies import CORES, Driver, DriverSpec
from lanekeep_policies.checkpoint import save_driver


def saved(folder: Path, core: str, **settings: object) -> Driver:
    """A driver with an initial state of its own, in a checkpoint."""
    given = {"camera_height": 40, "camera_width": 96, "curvature_limit_per_m": 0.02, **settings}
    driver = Driver.build(DriverSpec(core=core, learned_start=True, **given), 1)  # type: ignore[arg-type]
    assert driver.core.start is not None
    torch.nn.init.uniform_(driver.core.start, -0.5, 0.5)
    save_driver(folder, driver, {})
    return driver


def drives_the_same(driver: Driver, file: Path, observations: np.ndarray) -> None:
    model = onnx.load(file)
    told = {entry.key: entry.value for entry in model.metadata_props}
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    theirs = np.array([json.loads(told["initial_state"])], np.float32)
    names, state = {given.name for given in session.get_inputs()}, None
    for seen in observations:
        expected, state = driver.predict(seen[None], state)
        given = {"frame": seen[None], "state": theirs}
        action, theirs = session.run(None, {name: given[name] for name in names})
        np.testing.assert_allclose(np.clip(action, -1.0, 1.0), expected, atol=1e-4)
    np.testing.assert_allclose(theirs, state[0], atol=1e-4)  # type: ignore[index]
    assert told["core"] == driver.spec.core and float(told["dt_s"]) == 0.05


@pytest.mark.parametrize("core", [c if c == "ncp" else pytest.param(c, marks=pytest.mark.slow) for c in CORES])
def test_onnx_drives_as_torch_does(tmp_path: Path, core: str, capsys: pytest.CaptureFixture[str]) -> None:
    driver = saved(tmp_path / "driver", core)
    assert main(["export", str(tmp_path / "driver"), "--onnx", str(tmp_path / "it.onnx")]) == 0
    assert "opset" in (said := capsys.readouterr().out) and "200 chained steps differ" in said
    frames = np.random.default_rng(0).integers(0, 256, (30, 40, 96, 3), np.uint8)
    drives_the_same(driver, tmp_path / "it.onnx", frames)


def test_a_driver_of_numbers_with_several_actions_is_exported_too(tmp_path: Path) -> None:
    driver = saved(
        tmp_path / "driver", "gru", camera_height=0, camera_width=0, numbers=5, actions=3, env_id="Elsewhere-v0"
    )
    assert main(["export", str(tmp_path / "driver"), "--onnx", str(tmp_path / "it.onnx")]) == 0
    drives_the_same(driver, tmp_path / "it.onnx", np.random.default_rng(0).standard_normal((20, 5)).astype(np.float32))


def test_onnx_that_does_not_do_as_torch_does_is_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path / "driver", "gru", camera_height=0, camera_width=0, numbers=14)
    monkeypatch.setattr(lanekeep.export, "TOLERANCE", 0.0)
    assert main(["export", str(tmp_path / "driver"), "--onnx", str(tmp_path / "it.onnx")]) == 2
    assert "was not written" in capsys.readouterr().err and not (tmp_path / "it.onnx").exists()


def test_a_nan_is_a_difference() -> None:
    class Broken:
        def get_inputs(self) -> list[object]:
            return []

        def run(self, _: None, given: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
            return np.full((1, 1), np.nan), np.zeros((1, driver.state_size), np.float32)

    spec = DriverSpec(core="gru", camera_height=0, camera_width=0, numbers=14, curvature_limit_per_m=0.02)
    driver = Driver.build(spec, 0)
    seen = np.zeros((3, 1, 14), np.float32)
    assert np.isnan(lanekeep.export.compare(driver, Broken(), seen)[0])


def test_a_zip_of_a_driver_that_is_told_numbers_goes_on_learning(tmp_path: Path) -> None:
    told = {"camera_height": 0, "camera_width": 0}
    saved(tmp_path / "a", "gru", numbers=14, **told)
    saved(tmp_path / "b", "gru", numbers=3, env_id="Pendulum-v1", **told)
    worlds = {"a": SB3VecEnv(1, Rewards(), scenario="country", observation="state"), "b": made("Pendulum-v1")}
    for name, env in worlds.items():
        assert main(["export", str(tmp_path / name), "--sb3", str(tmp_path / f"{name}.zip")]) == 0
        RecurrentPPO.load(tmp_path / f"{name}.zip", env=env, device="cpu").learn(128)


@pytest.mark.parametrize("core", ["ncp", "lstm"])
def test_the_zip_of_stable_baselines3_drives_as_the_driver_does(tmp_path: Path, core: str) -> None:
    driver = saved(tmp_path / "driver", core)
    assert main(["export", str(tmp_path / "driver"), "--sb3", str(tmp_path / "it.zip")]) == 0
    model, state, theirs = RecurrentPPO.load(tmp_path / "it.zip", device="cpu"), None, None
    start = np.ones(2, np.bool_)
    for frames in np.random.default_rng(0).integers(0, 256, (10, 2, 40, 96, 3), np.uint8):
        expected, state = driver.predict(frames, state, start)
        action, theirs = model.predict(frames.transpose(0, 3, 1, 2), theirs, start, deterministic=True)
        np.testing.assert_allclose(action, expected, atol=1e-6)
        start = np.zeros(2, np.bool_)


def test_what_cannot_be_exported_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for argv, said in (
        (["ncp"], "export where to?"),
        (["ncp", "--sb3", str(tmp_path / "it.pkl")], "expected a name that ends in .zip"),
        (["ncp", "--onnx", str(tmp_path / "no" / "it.onnx")], "there is no folder for"),
        (["npc", "--onnx", str(tmp_path / "it.onnx")], "did you mean ncp?"),
    ):
        assert main(["export", *argv]) == 2
        assert said in capsys.readouterr().err and not list(tmp_path.iterdir())
