"""Maps against second sources: a literal transcription, captum, finite differences, scikit-image."""

from typing import Any

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor, nn

from lanekeep.saliency import METHODS, Steering, images_of, integrated_gradients, maps, ssim, states_along, through_time
from lanekeep.saliency.grad_cam import LAYER, grad_cam
from lanekeep.saliency.gradient import gradient
from lanekeep.saliency.local_blur import gaussian_blur
from lanekeep.saliency.visual_backprop import min_max, visual_backprop, visual_backprop_of_flight
from lanekeep_policies import Driver, DriverSpec
from lanekeep_policies.heads.convolutional import standardise

CORES = ("ncp", "lstm", "cnn", "pilotnet")


def driver_of(core: str, height: int = 24, width: int = 40, seed: int = 0) -> Driver:
    spec = DriverSpec(core=core, camera_height=height, camera_width=width, curvature_limit_per_m=0.02)
    return Driver.build(spec, seed).eval()


def frames_of(count: int, height: int = 24, width: int = 40) -> np.ndarray[Any, Any]:
    return np.random.default_rng(5).integers(0, 256, (count, height, width, 3), np.uint8)


def transcribed(driver: Driver, frame: np.ndarray[Any, Any], flight: bool) -> np.ndarray[Any, Any]:
    """VisualBackProp number by number, as algorithm 1 says it: average, scale up, multiply."""
    head: Any = driver.head
    x = standardise(torch.from_numpy(frame[None])).double()
    averages = []
    for convolution in head.convolutions:
        x = torch.relu(nn.functional.conv2d(
            x, convolution.weight.double(), convolution.bias.double(), convolution.stride, convolution.padding
        ))  # fmt: skip
        average = x[0].mean(0).detach().numpy()
        if flight:
            average = (average - average.min()) / (average.max() - average.min()) + 1e-6
        averages.append(average)
    found = averages[-1]
    for k in reversed(range(len(averages))):
        (kernel, _), (stride, _), (padding, _) = (
            head.convolutions[k].kernel_size, head.convolutions[k].stride, head.convolutions[k].padding,
        )  # fmt: skip
        height, width = averages[k - 1].shape if k else frame.shape[:2]
        larger = np.zeros((height, width))
        for i in range(found.shape[0]):
            for j in range(found.shape[1]):
                for u in range(kernel):
                    for v in range(kernel):
                        row, column = i * stride - padding + u, j * stride - padding + v
                        if 0 <= row < height and 0 <= column < width:
                            larger[row, column] += found[i, j]
        found = larger * averages[k - 1] if k else larger
    return found


@pytest.mark.parametrize("flight", [False, True])
@pytest.mark.parametrize("size", [(24, 40), (17, 31)])
def test_visual_backprop_is_the_published_algorithm(size: tuple[int, int], flight: bool) -> None:
    driver, frame = driver_of("ncp", *size), frames_of(1, *size)
    method = visual_backprop_of_flight if flight else visual_backprop
    ours = method(Steering(driver), images_of(frame, driver), driver.initial_state(1))[0].numpy()
    theirs = transcribed(driver, frame[0], flight)
    np.testing.assert_allclose(ours / ours.max(), theirs / theirs.max(), atol=2e-5)


def test_visual_backprop_never_looks_at_the_controller() -> None:
    ncp, lstm = driver_of("ncp"), driver_of("lstm", seed=1)
    lstm.head.load_state_dict(ncp.head.state_dict())
    frames = frames_of(3)
    states = [states_along(d, frames)[:-1] for d in (ncp, lstm)]
    ours, theirs = (
        [maps(method, d, frames, h) for d, h in zip((ncp, lstm), states, strict=True)]
        for method in ("visual-backprop", "gradient")
    )
    assert np.array_equal(*ours)
    assert abs(np.corrcoef(theirs[0].ravel(), theirs[1].ravel())[0, 1]) < 0.99


@pytest.mark.parametrize("core", CORES)
def test_the_gradient_is_that_of_finite_differences(core: str) -> None:
    driver = driver_of(core).double()
    frame, state = frames_of(1), driver.initial_state(1)
    for _ in range(3):
        _, state = driver(torch.from_numpy(frame)[:, None], state)
    state = state.detach()
    steering, image, step = Steering(driver), images_of(frame, driver), 1e-6
    found = gradient(steering, image, state)[0]
    for row, column in ((3, 7), (12, 20), (16, 33)):
        off = torch.zeros_like(image)
        off[:, :, row, column] = step
        with torch.no_grad():
            slope = (steering(image + off, state) - steering(image - off, state)) / (2.0 * step)
        assert found[row, column].item() == pytest.approx(slope.item(), rel=1e-4, abs=1e-9)


def test_the_gradient_through_time_is_that_of_finite_differences() -> None:
    driver, frames = driver_of("ncp").double(), frames_of(4)
    found = through_time(driver, torch.from_numpy(frames), driver.initial_state(1))
    shown = torch.from_numpy(frames).double()

    @torch.no_grad()
    def steers(pixels: Tensor) -> float:
        actions, _ = driver.act(driver.head(pixels)[None], driver.initial_state(1))
        return float(actions[0, -1, 0])

    for t, row, column in ((0, 12, 20), (2, 5, 9), (3, 12, 20)):
        off = torch.zeros_like(shown)
        off[t, row, column] = 1e-3
        slope = 255.0 * (steers(shown + off) - steers(shown - off)) / 2e-3
        assert found[t, row, column].item() == pytest.approx(slope, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("core", CORES)
def test_integrated_gradients_add_up_to_the_steering(core: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sundararajan's axiom of completeness, as closely as so many points on the way come."""
    monkeypatch.setattr(integrated_gradients, "POINTS", 200)
    driver, frames = driver_of(core), frames_of(2)
    states = states_along(driver, frames)[:-1]
    found = maps("integrated-gradients", driver, frames, states).sum((1, 2))
    images, steering = images_of(frames, driver), Steering(driver)
    with torch.no_grad():
        whole = (steering(images, states) - steering(torch.full_like(images, 0.5), states)).numpy()
    np.testing.assert_allclose(found, whole, atol=0.03 * np.abs(whole).max())


def test_grad_cam_is_captums() -> None:
    from captum.attr import LayerGradCam

    driver, frames = driver_of("lstm"), frames_of(2)
    states = states_along(driver, frames)[:-1]

    steering = Steering(driver)
    cam = LayerGradCam(steering, steering.head.relus[LAYER])
    theirs = cam.attribute(images_of(frames, driver), additional_forward_args=(states,))
    theirs = nn.functional.interpolate(theirs, (24, 40), mode="bilinear", align_corners=False)[:, 0]
    ours = grad_cam(Steering(driver), images_of(frames, driver), states)
    torch.testing.assert_close(ours, theirs.detach(), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("core", CORES)
def test_every_map_of_every_driver_is_that_of_each_frame_alone(core: str, method: str) -> None:
    driver, frames = driver_of(core), frames_of(3)
    states = states_along(driver, frames)[:-1]
    together = maps(method, driver, frames, states)
    assert together.shape == (3, 24, 40) and np.isfinite(together).all()
    assert METHODS[method].signed == bool((together < 0.0).any())
    if method != "smooth-gradient":  # its noise is that of the batch
        alone = maps(method, driver, frames[1:2], states[1:2])
        np.testing.assert_allclose(together[1], alone[0], atol=1e-5 * np.abs(alone).max())


def test_occlusion_and_blur_find_the_only_thing_there_is() -> None:
    """A bright and a dark square on the mean grey are all that can steer: to cover anything else changes nothing."""
    driver = driver_of("lstm")
    frame = np.full((1, 24, 40, 3), 100, np.uint8)
    frame[:, 8:16, 20:24], frame[:, 8:16, 24:28] = 200, 0
    found = {m: np.abs(maps(m, driver, frame, driver.initial_state(1).detach()))[0] for m in ("occlusion", "blur")}
    reached = np.zeros((24, 40), np.bool_)
    reached[1:23, 13:35] = True  # by a window that covers a part of them
    assert found["occlusion"][~reached].max() < 1e-6 < found["occlusion"].max()
    for one in found.values():
        assert reached[np.unravel_index(one.argmax(), one.shape)]


def test_a_blur_keeps_what_is_flat_and_is_that_of_scipy() -> None:
    from scipy.ndimage import gaussian_filter

    image = torch.from_numpy(np.random.default_rng(0).random((1, 1, 20, 30)))
    theirs = gaussian_filter(image[0, 0].numpy(), 2.0, mode="nearest", truncate=3.0)
    np.testing.assert_allclose(gaussian_blur(image, 2.0)[0, 0].numpy(), theirs, atol=1e-12)


def test_min_max_of_a_flat_map_is_zero() -> None:
    both = min_max(torch.stack([torch.full((3, 4), 7.0), torch.arange(12.0).view(3, 4)]))
    assert both[0].abs().max() == 0.0 and both[1].min() == 0.0 and both[1].max() == 1.0


@pytest.mark.parametrize("noise", [0.0, 0.1, 1.0])
def test_ssim_is_that_of_scikit_image(noise: float) -> None:
    generator = np.random.default_rng(3)
    a = generator.random((24, 40))
    b = a + noise * generator.standard_normal(a.shape)
    theirs = structural_similarity(a, b, data_range=1.7)
    assert ssim(a, b, 1.7) == pytest.approx(theirs, abs=1e-12)


def test_ssim_refuses_what_has_no_window() -> None:
    with pytest.raises(ValueError, match="7x7"):
        ssim(np.zeros((6, 40)), np.zeros((6, 40)), 1.0)


def test_a_driver_that_sees_no_frames_has_no_map() -> None:
    blind = Driver.build(
        DriverSpec(core="ncp", camera_height=0, camera_width=0, curvature_limit_per_m=0.02, numbers=14), 0
    )
    with pytest.raises(ValueError, match="frames"):
        Steering(blind)
