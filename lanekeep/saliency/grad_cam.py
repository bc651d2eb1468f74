"""Grad-CAM: the feature maps of one convolution, weighed by what they do to the steering, enlarged to the frame.

    map = sum_c A_c mean_p da/dA_c     of the feature maps A [C, H', W']

Without the ReLU of the paper, because to the right is no less than to the left.  Selvaraju et al., ICCV 2017.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from lanekeep.saliency.steering import Steering, standardised

LAYER = 2  # the last convolution before the pictures get too small to point at anything


def grad_cam(steering: Steering, images: Tensor, states: Tensor, layer: int = LAYER) -> Tensor:
    """Images [N, 3, H, W] and memories [N, S] to maps [N, H, W] of the convolution `layer`."""
    head = steering.head
    with torch.enable_grad():
        maps = head.feature_maps(standardised(images.detach()).requires_grad_())
        actions = steering.act(head.read(maps[-1]), states)
        slopes = torch.autograd.grad(actions.sum(), maps[layer])[0].mean((2, 3), keepdim=True)
    found = (slopes * maps[layer].detach()).sum(1, keepdim=True)
    return F.interpolate(found, images.shape[2:], mode="bilinear", align_corners=False)[:, 0]
