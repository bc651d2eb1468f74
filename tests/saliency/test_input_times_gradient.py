"""Input times gradient against finite differences, and why it is one of the standardised image."""

import numpy as np
import pytest
import torch

from lanekeep.saliency import METHODS, Steering, images_of, maps, states_along
from lanekeep.saliency.steering import FromStandardised, standardised
from lanekeep_policies import Driver, DriverSpec


def driver_of(core: str) -> Driver:
    spec = DriverSpec(core=core, camera_height=24, camera_width=40, curvature_limit_per_m=0.02)
    return Driver.build(spec, 0).double().eval()


@pytest.mark.parametrize("core", ["ncp", "lstm", "cnn"])
def test_the_shares_add_up_to_what_more_contrast_would_do(core: str) -> None:
    """sum x da/dx is da(k x)/dk at k = 1; for each half of the frame as well."""
    driver, frames = driver_of(core), np.random.default_rng(5).integers(0, 256, (2, 24, 40, 3), np.uint8)
    states = states_along(driver, frames)[:-1]
    found = maps("input-times-gradient", driver, frames, states)
    steering, x, step = FromStandardised(Steering(driver)), standardised(images_of(frames, driver)), 1e-6
    for part in (slice(0, 12), slice(12, 24), slice(0, 24)):
        more = torch.zeros_like(x)
        more[:, :, part] = step * x[:, :, part]
        with torch.no_grad():
            slope = (steering(x + more, states) - steering(x - more, states)) / (2.0 * step)
        np.testing.assert_allclose(found[:, part].sum((1, 2)), slope, rtol=1e-3, atol=1e-6)


def test_on_images_as_they_are_the_shares_would_add_up_to_nothing() -> None:
    driver, frame = driver_of("ncp"), np.random.default_rng(5).integers(0, 256, (1, 24, 40, 3), np.uint8)
    state, image = driver.initial_state(1), images_of(frame, driver).requires_grad_()
    shares = image * torch.autograd.grad(Steering(driver)(image, state).sum(), image)[0]
    assert abs(shares.sum().item()) < 1e-9 < 1e-3 < shares.abs().sum().item()
    assert abs(maps("input-times-gradient", driver, frame, state)[0].sum()) > 1e-3


def test_a_comparison_marks_the_maps_that_were_published() -> None:
    assert not METHODS["input-times-gradient"].judged
