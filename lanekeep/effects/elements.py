"""Elements to take away from the scene, one by one or in groups.

A group is absent as a whole.  The eight groups hold every removable element once, so that all of them together are the
whole scene but land, road and sky; a Shapley value over them needs 2^8 pictures.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs import REMOVABLE, Element, Frame, Remove


def removal_of(elements: Sequence[Element]) -> tuple[Remove, ...]:
    """The variant of a scene without them."""
    return tuple(Remove(element) for element in elements)


def seen_in(frame: Frame) -> tuple[Element, ...]:
    """The removable elements that have a share in any of a picture's pixels."""
    bits = int(np.bitwise_or.reduce(frame.contributors, axis=None))
    return tuple(element for element in REMOVABLE if bits & (1 << element))


def changed(whole: NDArray[np.uint8], without: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels [..., H, W] that differ between frames [..., H, W, 3]: where an element is, its shadow included."""
    return np.asarray((whole != without).any(-1))
