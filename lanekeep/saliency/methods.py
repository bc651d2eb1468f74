"""All maps by name, each of them frames [N, H, W, 3] and memories [N, S] to maps [N, H, W]."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lanekeep.saliency.gradients import grad_cam, gradient, integrated_gradients, smooth_gradient
from lanekeep.saliency.perturbation import local_blur, occlusion
from lanekeep.saliency.steering import F32, U8
from lanekeep.saliency.visual_backprop import visual_backprop, visual_backprop_of_flight
from lanekeep_policies import Driver


class Method(NamedTuple):
    """A kind of map."""

    title: str
    run: Callable[[Driver, Tensor, Tensor], Tensor]
    signed: bool  # whether a number says to which side its pixel steers, or how it would if it were brighter
    attributes: bool  # whether the sign is that of the pixel's share in the steering
    slow: bool = False  # hundreds of forward passes for a frame


METHODS = {
    "visual-backprop": Method("VisualBackProp", lambda d, x, h: visual_backprop(d, x), False, False),
    "visual-backprop-flight": Method(
        "VisualBackProp, flight papers", lambda d, x, h: visual_backprop_of_flight(d, x), False, False
    ),
    "gradient": Method("gradient", gradient, True, False),
    "smooth-gradient": Method("SmoothGrad", smooth_gradient, True, False),
    "integrated-gradients": Method("integrated gradients", integrated_gradients, True, True),
    "grad-cam": Method("Grad-CAM", grad_cam, True, True),
    "occlusion": Method("occlusion", occlusion, True, True, True),
    "blur": Method("local blur", local_blur, True, True, True),
}
AT_ONCE = 32  # frames


def maps(method: str, driver: Driver, frames: U8, states: Tensor) -> F32:
    """Maps [N, H, W] of frames [N, H, W, 3], each seen with a memory of states [N, S]; KeyError for an unknown method."""
    run, shown = METHODS[method].run, torch.from_numpy(np.ascontiguousarray(frames))
    memories = states.detach().clone()  # those of a drive come from inference mode, where no gradient can be taken
    parts = zip(torch.split(shown, AT_ONCE), torch.split(memories, AT_ONCE), strict=True)
    return np.concatenate([run(driver, x, h).numpy().astype(np.float32) for x, h in parts])


def scale_of(shown: Sequence[F32]) -> float:
    """The number that one scale for several maps ends at: the 99.5th percentile of what is farthest from zero.

    The largest number of all would let a single pixel turn all others dark.
    """
    together = np.concatenate([np.abs(m).ravel() for m in shown])
    return float(np.percentile(together, 99.5)) or 1.0
