"""Occlusion: the steering with a window of the frame covered, its memory held where it is.

    a(x) - a(x with a window of WINDOW x WINDOW in the frame's mean colour), every STRIDE pixels

A pixel gets the mean of the windows over it; it is positive where the part steers to the left.  captum's; it takes hundreds
of forward passes for a frame.  Zeiler, Fergus, ECCV 2014.
"""

import torch
from torch import Tensor

from lanekeep.saliency.steering import Steering

WINDOW, STRIDE = 8, 5  # [pixels]
AT_ONCE = 128  # images in a forward pass


@torch.no_grad()
def occlusion(steering: Steering, images: Tensor, states: Tensor) -> Tensor:
    """Images [N, 3, H, W] and memories [N, S] to maps [N, H, W]."""
    from captum.attr import Occlusion

    found: Tensor = Occlusion(steering).attribute(
        images,
        (3, WINDOW, WINDOW),
        strides=(3, STRIDE, STRIDE),
        baselines=images.mean((1, 2, 3), keepdim=True).expand_as(images),
        additional_forward_args=(states,),
        perturbations_per_eval=max(1, AT_ONCE // len(images)),
    )
    return found[:, 0]
