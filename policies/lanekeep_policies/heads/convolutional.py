"""What the heads that see frames share: the standardisation of a frame, and convolutions with a ReLU after each.

    x = (frame - mean) / max(std, 1/sqrt(HW3))     per frame, over all pixels and channels, of a frame in [0, 1]
    x = relu(conv(x))                              for each layer (channels, square kernel, stride)

Shapes: N frames, H W pixels, C channels.  No state.  Float frames keep their gradient.
The standardisation is tf.image.per_image_standardization.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SMALLEST_FRAME: Final = 16  # [pixels] a side: below it the last feature maps have a single row or column
LARGEST_FRAME: Final = 4096  # [pixels] a side: a foreign checkpoint cannot ask for all the memory


class FrameSize(NamedTuple):
    """Of a frame or a feature map [pixels]."""

    height: int
    width: int


def standardise(frames: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Grey levels [N, H, W, 3] (0..255, uint8 or float) to images [N, 3, H, W] of mean 0 and deviation 1.

    A contiguous frame is already channels_last in memory, so the permutation copies nothing. Float frames keep their
    gradient: a saliency map may differentiate with respect to pixels.
    """
    pixels = frames.flatten(1).to(torch.promote_types(dtype, torch.float32))  # in half precision the sum overflows
    mean = pixels.mean(1, keepdim=True)
    # whole numbers have no gradient and were copied just now: in place, the rest takes half the time
    centred = pixels - mean if frames.is_floating_point() else pixels.sub_(mean)
    root = math.sqrt(pixels.shape[1])
    deviation = (torch.linalg.vector_norm(centred, dim=1, keepdim=True) / root).clamp_min(255.0 / root)
    standard = centred / deviation if frames.is_floating_point() else centred.div_(deviation)
    return standard.view(frames.shape).permute(0, 3, 1, 2).to(dtype)


class ConvolutionalHead(nn.Module, ABC):
    """Frames [N, H, W, 3] to features [N, features], all >= 0; a subclass says what is made of the last feature maps."""

    features: int
    resized_to: FrameSize | None = None  # the size that the convolutions get, where it is not the frame's

    def __init__(self, name: str, layers: Sequence[tuple[int, int, int]], frame: FrameSize, padded: bool) -> None:
        """`padded` convolutions get (kernel - 1) // 2 zeros on each side; ValueError for a frame of another size."""
        super().__init__()
        if min(frame) < SMALLEST_FRAME or max(frame) > LARGEST_FRAME:
            raise ValueError(
                f"{name} reads frames from {SMALLEST_FRAME}x{SMALLEST_FRAME} to {LARGEST_FRAME}x{LARGEST_FRAME}"
                f" pixels (height x width), not {frame.height}x{frame.width}."
            )
        channels = (3, *(layer[0] for layer in layers))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2 if padded else 0)
            for inputs, (outputs, kernel, stride) in zip(channels, layers, strict=False)
        )
        for convolution in self.convolutions:  # He et al., Delving deep into rectifiers (2015), eq. 10
            nn.init.kaiming_normal_(convolution.get_parameter("weight"), nonlinearity="relu")
            nn.init.constant_(convolution.get_parameter("bias"), 0.01)
        self.relus = nn.ModuleList(nn.ReLU() for _ in layers)  # modules, each used once, as tools that hook them expect
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """Standardised images [N, 3, H, W] to the output of each convolution [N, C, H', W'], after its ReLU."""
        if self.resized_to is not None:
            precise = images.to(torch.promote_types(images.dtype, torch.float32))  # torch resizes no half precision
            precise = F.interpolate(precise, self.resized_to, mode="bilinear", align_corners=False, antialias=True)
            images = precise.to(images.dtype)
        # in place, 8 % faster, where nobody asks for gradients: the tools that hook activations do
        in_place, maps = not torch.is_grad_enabled(), []
        for convolution, relu in zip(self.convolutions, self.relus, strict=True):
            images = F.relu_(convolution(images)) if in_place else relu(convolution(images))
            maps.append(images)
        return maps

    @abstractmethod
    def read(self, last_maps: Tensor) -> Tensor:
        """The last feature maps [N, C, H', W'] to features [N, features]."""

    def forward(self, frames: Tensor) -> Tensor:
        dtype = self.convolutions[0].get_parameter("bias").dtype
        return self.read(self.feature_maps(standardise(frames, dtype))[-1])


class UnpaddedHead(ConvolutionalHead, ABC):
    """Convolutions without padding, made for frames of one size: the head of a published network, which a subclass names.

    A stride leaves the rows and columns over that do not fill a whole window: nothing reads the pixels at the lower and the
    right border of a frame of the published size.  `window` is the part that is read.  A frame of another size is resized
    to it (bilinear, antialiased), so that no pixel of it is blind and the network is the published one.  A frame of the
    published size is left as it is, with its blind border.  The features are the last maps, flattened.
    """

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
