"""The steering of a driver as a function of pixels, its memory held where it is.

    a(x, h)     images x [N, 3, H, W] in 0..1 and memories h [N, S] to raw actions [N], before any clipping

This is what every map explains, and the module to hand to captum, whose methods pass the memory along with the images:

    steering = Steering(open_driver("ncp"))
    captum.attr.Saliency(steering).attribute(images, additional_forward_args=(state,))

The heads standardise every frame, so that on the straight way from a frame of one colour to an image the steering
changes in the first moment and never again: methods that go this way (integrated gradients) take `FromStandardised`.
The action is positive to the left, in units of the driver's `curvature_limit_per_m`.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from lanekeep_policies import ConvolutionalHead, Driver, standardise, tensor_of

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


class Steering(nn.Module):
    """A driver that sees frames, as images [N, 3, H, W] in 0..1 and memories [N, S] to actions [N]."""

    def __init__(self, driver: Driver) -> None:
        """ValueError for a driver that sees no frames, or that has more than one action, of which none is the steering."""
        super().__init__()
        if driver.spec.numbers or driver.spec.actions != 1:
            raise ValueError("only the steering of a driver that sees frames can be explained by its pixels")
        self.driver = driver.eval()

    @property
    def head(self) -> ConvolutionalHead:
        """The convolutions, for maps that look inside."""
        return cast(ConvolutionalHead, self.driver.head)

    def forward(self, images: Tensor, states: Tensor) -> Tensor:
        return self.act(self.head(frames_of(images)), states)

    def act(self, features: Tensor, states: Tensor) -> Tensor:
        """Features [N, F] and memories [N, S] to actions [N]."""
        actions, _ = self.driver.act(features[:, None], states)
        return actions[:, 0, 0]


class FromStandardised(nn.Module):
    """The steering from standardised images [N, 3, H, W] on, where zero is a frame of one colour."""

    def __init__(self, steering: Steering) -> None:
        super().__init__()
        self.steering = steering

    def forward(self, images: Tensor, states: Tensor) -> Tensor:
        head = self.steering.head
        return self.steering.act(head.read(head.feature_maps(images)[-1]), states)


def images_of(frames: U8 | Tensor, like: nn.Module) -> Tensor:
    """Frames [N, H, W, 3] of bytes to images [N, 3, H, W] in 0..1, of a module's precision."""
    return tensor_of(frames).permute(0, 3, 1, 2).to(next(like.parameters()).dtype) / 255.0


def frames_of(images: Tensor) -> Tensor:
    """Images [N, 3, H, W] in 0..1 to frames [N, H, W, 3] in 0..255 that keep their gradient."""
    return 255.0 * images.permute(0, 2, 3, 1)


def standardised(images: Tensor) -> Tensor:
    """Images [N, 3, H, W] in 0..1 to what the first convolution gets, [N, 3, H, W] of mean 0 and deviation 1."""
    return standardise(frames_of(images), images.dtype)
