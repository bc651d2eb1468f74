"""What tools that hook modules find in a driver: every ReLU is a module of its own, used once."""

from collections import Counter

import numpy as np
import pytest
import torch
from captum.attr import Deconvolution, DeepLift, GuidedBackprop, Saliency
from torch import Tensor, nn

from lanekeep.saliency import METHODS, Steering, images_of, maps, states_along, through_time
from lanekeep_policies import CORES, Driver, DriverSpec

pytestmark = [  # captum tells that it sets hooks
    pytest.mark.filterwarnings("ignore:Setting (forward, )?backward hooks"),
    pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require"),
]
RECTIFIED = ("lstm", "ncp", "cnn", "pilotnet")  # a core each that torch, this project and ReLUs make


def driver_of(core: str, **changes: int) -> Driver:
    spec = {"camera_height": 24, "camera_width": 40, **changes}
    return Driver.build(DriverSpec(core=core, curvature_limit_per_m=0.02, **spec), 0)  # type: ignore[arg-type]


def seen_by(driver: Driver) -> tuple[np.ndarray, Tensor, Tensor]:
    """Frames [2, H, W, 3], the images of them, and memories."""
    frames = np.random.default_rng(5).integers(0, 256, (2, 24, 40, 3), np.uint8)
    return frames, images_of(frames, driver), states_along(driver, frames)[:-1].clone()


def by_hand(
    steering: Steering, images: Tensor, states: Tensor, monkeypatch: pytest.MonkeyPatch, guided: bool
) -> Tensor:
    """The gradient with a rule of one's own in the place of every ReLU's: `guided` or that of deconvolution."""

    class Rule(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):  # type: ignore[no-untyped-def]
            ctx.save_for_backward(x)
            return x.clamp(min=0.0)

        @staticmethod
        def backward(ctx, slope):  # type: ignore[no-untyped-def]
            (x,) = ctx.saved_tensors
            return slope.clamp(min=0.0) * (x > 0.0 if guided else 1.0)

    with monkeypatch.context() as patch:
        patch.setattr(nn.ReLU, "forward", lambda _, x: Rule.apply(x))
        images = images.clone().requires_grad_()
        return torch.autograd.grad(steering(images, states).sum(), images)[0]


@pytest.mark.parametrize(("tool", "guided"), [(GuidedBackprop, True), (Deconvolution, False)])
@pytest.mark.parametrize("core", RECTIFIED)
def test_captums_hooks_find_every_relu(core: str, tool: type, guided: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    steering = Steering(driver_of(core))
    _, images, states = seen_by(steering.driver)
    theirs = tool(steering).attribute(images.requires_grad_(), additional_forward_args=(states,))
    ours = by_hand(steering, images.detach(), states, monkeypatch, guided)
    torch.testing.assert_close(theirs, ours, rtol=1e-5, atol=1e-9)
    plain = Saliency(steering).attribute(images, abs=False, additional_forward_args=(states,))
    assert (theirs - plain).abs().max() > 0.1 * plain.abs().max()


def test_deep_lift_adds_up_to_the_difference_of_the_features() -> None:
    """Of a head from standardised images on: DeepLift's shares sum to what is beyond the reference, if it sees the ReLUs."""

    class Feature(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = driver_of("cnn").head

        def forward(self, images: Tensor) -> Tensor:
            return self.head.read(self.head.feature_maps(images)[-1]).sum(1)  # type: ignore[operator]

    feature, images = Feature(), torch.randn(2, 3, 24, 40, generator=torch.Generator().manual_seed(0))
    nothing = torch.zeros_like(images)
    shares = DeepLift(feature).attribute(images, nothing)
    torch.testing.assert_close(shares.sum((1, 2, 3)), feature(images) - feature(nothing), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("sees", ["frames", "numbers"])
def test_every_activation_is_used_once_in_a_pass_and_none_in_place(core: str, sees: str) -> None:
    told = {"camera_height": 0, "camera_width": 0, "numbers": 5} if sees == "numbers" else {}
    driver, used = driver_of(core, **told), Counter[nn.Module]()
    activations = [m for m in driver.modules() if isinstance(m, (nn.ReLU, nn.ELU))]
    assert activations
    for module in activations:
        assert not module.inplace
        module.register_forward_hook(lambda module, *_: used.update([module]))
    seen = torch.zeros(1, 1, 5) if told else torch.zeros(1, 1, 24, 40, 3, dtype=torch.uint8)
    driver(seen, driver.initial_state(1))
    assert used == Counter(activations)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
@pytest.mark.parametrize("method", METHODS)
def test_a_map_is_the_same_in_any_grad_mode(method: str, mode: type) -> None:
    driver = driver_of("lstm").train()
    frames, _, states = seen_by(driver)
    expected = maps(method, driver, frames, states)
    with mode():
        np.testing.assert_array_equal(maps(method, driver, frames, states.clone()), expected)
    np.testing.assert_array_equal(maps(method, driver.requires_grad_(False), frames, states), expected)
    np.testing.assert_array_equal(maps(method, driver.eval(), frames, states.requires_grad_()), expected)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_gradient_through_time_is_the_same_in_any_grad_mode(mode: type) -> None:
    driver = driver_of("ncp")
    frames = torch.from_numpy(seen_by(driver)[0])
    expected = through_time(driver, frames, driver.initial_state(1))
    with mode():
        found = through_time(driver, frames.clone(), driver.initial_state(1))
    assert torch.equal(found, expected)
