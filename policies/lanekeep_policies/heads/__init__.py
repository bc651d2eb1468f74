"""The part of a driver that sees: frames or numbers to features."""

from typing import Protocol

from torch import Tensor


class Head(Protocol):
    """Frames [N, H, W, 3], or numbers [N, D], to features [N, F]."""

    @property
    def features(self) -> int:
        """F."""

    def __call__(self, frames: Tensor) -> Tensor: ...
