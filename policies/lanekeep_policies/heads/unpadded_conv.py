"""Convolutions without padding, made for frames of one size: what the heads of two published networks are.

    x = standardised frame         x = relu(conv(x)), no padding ("VALID")        features = flatten(x)

Without padding, a stride leaves the rows and columns over that do not fill a whole window: nothing reads the pixels at
the lower and the right border of a frame of the published size.  `window` is the part that is read.  A frame of another
size is resized to it (bilinear, antialiased), so that no pixel of it is blind and the network is the published one.
A frame of the published size is left as it is, with its blind border.
Shapes: N frames, H W pixels, C channels.  No state.
"""

from abc import ABC
from collections.abc import Sequence

from torch import Tensor

from lanekeep_policies.heads.convolutional import ConvolutionalHead, FrameSize


class UnpaddedHead(ConvolutionalHead, ABC):
    """Frames [N, H, W, 3] to features [N, features], all >= 0; a subclass names the network."""

    def __init__(
        self, name: str, layers: Sequence[tuple[int, int, int]], published: FrameSize, frame: FrameSize
    ) -> None:
        """`layers` are (channels, square kernel, stride); `published` is the size they were made for."""
        super().__init__(name, layers, frame, padded=False)
        last = FrameSize(*(_last_map(layers, side) for side in published))
        self.window = FrameSize(*(_read(layers, side) for side in last))
        self.resized_to = None if frame == published else self.window
        self.features = layers[-1][0] * last.height * last.width

    def read(self, last_maps: Tensor) -> Tensor:
        return last_maps.flatten(1)


def _last_map(layers: Sequence[tuple[int, int, int]], side: int) -> int:
    for _, kernel, stride in layers:
        side = (side - kernel) // stride + 1
    return side


def _read(layers: Sequence[tuple[int, int, int]], side: int) -> int:
    """How much of a side the last map is made from, going back layer by layer."""
    for _, kernel, stride in reversed(layers):
        side = (side - 1) * stride + kernel
    return side
