"""Convolutions without padding, made for frames of one size: what the heads of two published networks are.

    x = standardised frame (as in conv.py)         x = relu(conv(x)), no padding ("VALID")        features = flatten(x)

Without padding, a stride leaves the rows and columns over that do not fill a whole window: nothing reads the pixels at
the lower and the right border of a frame of the published size.  `window` is the part that is read.  A frame of another
size is resized to it (bilinear, antialiased), so that no pixel of it is blind and the network is the published one.
A frame of the published size is left as it is, with its blind border.
Shapes: N frames, H W pixels, C channels.  No state.  float frames keep their gradient.
"""

from abc import ABC
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lanekeep_policies.heads.ncp_conv import LARGEST_FRAME, SMALLEST_FRAME, standardise


class Size(NamedTuple):
    """Of a frame or a feature map [pixels]."""

    height: int
    width: int


class UnpaddedHead(nn.Module, ABC):
    """Frames [N, H, W, 3] to features [N, features], all >= 0; a subclass names the network."""

    def __init__(self, name: str, layers: Sequence[tuple[int, int, int]], published: Size, frame: Size) -> None:
        """`layers` are (channels, square kernel, stride); `published` is the size they were made for."""
        super().__init__()
        if min(frame) < SMALLEST_FRAME or max(frame) > LARGEST_FRAME:
            raise ValueError(
                f"{name} reads frames from {SMALLEST_FRAME}x{SMALLEST_FRAME} to {LARGEST_FRAME}x{LARGEST_FRAME}"
                f" pixels (height x width), not {frame.height}x{frame.width}."
            )
        last = Size(*(_last_map(layers, side) for side in published))
        self.window = Size(*(_read(layers, side) for side in last))
        self.resized_to = None if frame == published else self.window
        self.features = layers[-1][0] * last.height * last.width
        channels = (3, *(layer[0] for layer in layers))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, kernel, stride)
            for inputs, (outputs, kernel, stride) in zip(channels, layers, strict=False)
        )
        for convolution in self.convolutions:  # He et al., Delving deep into rectifiers (2015), eq. 10
            nn.init.kaiming_normal_(convolution.get_parameter("weight"), nonlinearity="relu")
            nn.init.constant_(convolution.get_parameter("bias"), 0.01)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """Standardised images [N, 3, H, W] to the output of each convolution [N, C, H', W'], after its ReLU."""
        if self.resized_to is not None:
            images = F.interpolate(images, self.resized_to, mode="bilinear", align_corners=False, antialias=True)
        maps = []
        for convolution in self.convolutions:
            images = F.relu_(convolution(images))
            maps.append(images)
        return maps

    def read(self, last_maps: Tensor) -> Tensor:
        """The last feature maps [N, C, H', W'] to features [N, features]."""
        return last_maps.flatten(1)

    def forward(self, frames: Tensor) -> Tensor:
        dtype = self.convolutions[0].get_parameter("bias").dtype
        return self.read(self.feature_maps(standardise(frames, dtype))[-1])


def _last_map(layers: Sequence[tuple[int, int, int]], side: int) -> int:
    for _, kernel, stride in layers:
        side = (side - kernel) // stride + 1
    return side


def _read(layers: Sequence[tuple[int, int, int]], side: int) -> int:
    """How much of a side the last map is made from, going back layer by layer."""
    for _, kernel, stride in reversed(layers):
        side = (side - 1) * stride + kernel
    return side
