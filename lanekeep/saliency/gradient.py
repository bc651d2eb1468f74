"""The gradient of the steering: what it does if a pixel grows brighter, in action per full brightness.

    map = sum_c da/dx_c     of the image x in 0..1, summed over its colours

Simonyan, Vedaldi, Zisserman, Deep inside convolutional networks, arXiv 1312.6034; with its sign.
"""

import torch
from torch import Tensor

from lanekeep.saliency.steering import Steering


@torch.enable_grad()
def gradient(steering: Steering, images: Tensor, states: Tensor) -> Tensor:
    """Images [N, 3, H, W] and memories [N, S] to maps [N, H, W]."""
    images = images.detach().requires_grad_()
    return torch.autograd.grad(steering(images, states).sum(), images)[0].sum(1)
