"""The one list of maps.

A map is a file in this folder with a function
    name(steering, images [N, 3, H, W] in 0..1, states [N, S]) -> [N, H, W]
and a row here, from which every command knows it.  `steering` is `Steering`, so that steering(images, states) -> [N]; of
its head and its driver a map may look at more.  What a map returns carries no gradient.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lanekeep.saliency.grad_cam import grad_cam
from lanekeep.saliency.gradient import gradient
from lanekeep.saliency.input_times_gradient import input_times_gradient
from lanekeep.saliency.integrated_gradients import integrated_gradients
from lanekeep.saliency.local_blur import local_blur
from lanekeep.saliency.occlusion import occlusion
from lanekeep.saliency.smooth_gradient import smooth_gradient
from lanekeep.saliency.steering import F32, U8, Steering, images_of
from lanekeep.saliency.visual_backprop import visual_backprop, visual_backprop_of_flight
from lanekeep_policies import Driver, array_of, tensor_of


class Method(NamedTuple):
    """A kind of map: a row of METHODS."""

    title: str
    run: Callable[[Steering, Tensor, Tensor], Tensor]
    signed: bool = True  # whether a number says to which side its pixel steers, or how it would if it were brighter
    attributes: bool = False  # whether the sign is that of the pixel's share in the steering
    slow: bool = False  # whether it takes hundreds of forward passes for a frame
    live: bool = False  # whether a drive that is watched shows it
    layer: bool = False  # whether the page of a comparison shows it over the drives
    noisy: bool = False  # whether a comparison asks what noise in the frame does to it
    judged: bool = True  # whether a comparison marks it by the truth


METHODS = {
    "visual-backprop": Method("VisualBackProp", visual_backprop, signed=False, live=True, layer=True, noisy=True),
    "visual-backprop-flight": Method("VisualBackProp, flight papers", visual_backprop_of_flight, signed=False),
    "gradient": Method("gradient", gradient, live=True, layer=True, noisy=True),
    "smooth-gradient": Method("SmoothGrad", smooth_gradient),
    "input-times-gradient": Method("input times gradient", input_times_gradient, attributes=True, judged=False),
    "integrated-gradients": Method("integrated gradients", integrated_gradients, attributes=True, layer=True),
    "grad-cam": Method("Grad-CAM", grad_cam, attributes=True, live=True, layer=True, noisy=True),
    "occlusion": Method("occlusion", occlusion, attributes=True, slow=True),
    "blur": Method("local blur", local_blur, attributes=True, slow=True),
}
AT_ONCE = 32  # frames


def methods_with(column: str) -> list[str]:
    """The names of the maps whose row says yes in a column: signed, attributes, slow, live, layer, noisy or judged."""
    return [name for name, method in METHODS.items() if getattr(method, column)]


@torch.inference_mode(False)
@torch.enable_grad()
def maps(method: str, driver: Driver, frames: U8, states: Tensor) -> F32:
    """Maps [N, H, W] of frames [N, H, W, 3], each seen with a memory of states [N, S]; KeyError for an unknown method.

    Whether the caller takes gradients makes no difference.
    """
    run, steering, shown = METHODS[method].run, Steering(driver), tensor_of(frames)
    memories = states.detach().clone()  # those of a drive come from inference mode, where no gradient can be taken
    parts = zip(torch.split(shown, AT_ONCE), torch.split(memories, AT_ONCE), strict=True)
    found = np.concatenate([array_of(run(steering, images_of(x, driver), h)).astype(np.float32) for x, h in parts])
    if found.shape != shown.shape[:3]:
        raise ValueError(f"a map of frames {list(shown.shape)} is {list(shown.shape[:3])}, not {list(found.shape)}")
    return found


def scale_of(shown: Sequence[F32]) -> float:
    """The number that one scale for several maps ends at: the 99.5th percentile of what is farthest from zero.

    The largest number of all would let a single pixel turn all others dark.
    """
    together = np.concatenate([np.abs(m).ravel() for m in shown])
    return float(np.percentile(together, 99.5)) or 1.0
