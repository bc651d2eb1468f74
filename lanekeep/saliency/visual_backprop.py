"""VisualBackProp: where the convolutions of a driver are active, from the last of them back to the frame.

    M_L = mean_c X_L      M_{i-1} = mean_c X_{i-1} * D_i(M_i)      map = D_1(M_1)

X_i are the outputs of convolution i after its ReLU, D_i the transposed convolution with the kernel size, stride and padding
of convolution i and ones for weights.  The map depends on the head alone: neither core nor read-out nor the sign of the
steering have any part in it, so that two drivers with one head have the same map, whatever they steer by.  The controls
of `lanekeep compare` show what that is worth.

`visual_backprop` returns the product; the published picture is that, brought to 0..1 in each frame (`min_max`).
`visual_backprop_of_flight` is what papers on flight with liquid networks show under the same name: every M_i is brought to
0..1 before it is multiplied, which makes another method of it.

Bojarski et al., VisualBackProp, ICRA 2018, arXiv 1611.05418, algorithm 1; Chahine et al., Robust flight navigation out of
distribution with liquid neural networks, Science Robotics 8 (2023).
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lanekeep.saliency.steering import Steering, standardised

ADDED = 1e-6  # to the layers of the flight papers, which would else be erased where they are least


def visual_backprop(steering: Steering, images: Tensor, states: Tensor) -> Tensor:
    """Images [N, 3, H, W] to maps [N, H, W], none below zero, whatever the memories."""
    return _backwards(steering, images, lambda layer: layer)


def visual_backprop_of_flight(steering: Steering, images: Tensor, states: Tensor) -> Tensor:
    """VisualBackProp with every layer brought to 0..1 first."""
    return _backwards(steering, images, lambda layer: min_max(layer) + ADDED)


def min_max(maps: Tensor) -> Tensor:
    """Maps [N, ...] brought to 0..1, each by its own extremes; 0 where it is flat."""
    flat = maps.flatten(1)
    low, high = flat.amin(1), flat.amax(1)
    shape = (-1, *[1] * (maps.ndim - 1))
    scale = torch.where(high > low, high - low, torch.ones_like(high))
    return (maps - low.view(shape)) / scale.view(shape)


@torch.no_grad()
def _backwards(steering: Steering, images: Tensor, seen: Callable[[Tensor], Tensor]) -> Tensor:
    head = steering.head
    window = head.resized_to or images.shape[2:]  # of the frame that the convolutions get
    layers = [seen(maps.mean(1, keepdim=True)) for maps in head.feature_maps(standardised(images))]
    found = layers[-1]
    for k in range(len(layers) - 1, -1, -1):
        found = _enlarged(found, head.convolutions[k], layers[k - 1].shape[2:] if k else window)
        found = found * layers[k - 1] if k else found
    if tuple(window) != tuple(images.shape[2:]):
        found = F.interpolate(found, images.shape[2:], mode="bilinear", align_corners=False)
    return found[:, 0]


def _enlarged(maps: Tensor, convolution: Any, size: Any) -> Tensor:
    """Each number spread over the window of pixels it was made from, the windows added up."""
    kernel, stride, padding = convolution.kernel_size, convolution.stride, convolution.padding
    rest = [
        size[i] - ((maps.shape[2 + i] - 1) * stride[i] - 2 * padding[i] + kernel[i]) for i in range(2)
    ]  # what the stride left over
    ones = maps.new_ones(1, 1, *kernel)
    return F.conv_transpose2d(maps, ones, stride=stride, padding=padding, output_padding=rest)
