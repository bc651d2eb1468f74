"""By-products of a picture: which element dominates a pixel, which have a share in it, and how far away it is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import inline_always


class Aov(NamedTuple):
    """Arbitrary output variables of a picture, as wide as the work space (elements.py, `Frame`); empty if not asked for.

    Empty and not None: each None would be another program to compile.
    """

    elements: NDArray[np.uint8]  # [H, W]
    contributors: NDArray[np.uint64]  # [H, W] bit e set: element e has a share in the pixel
    depth_m: NDArray[np.float32]  # [H, W]


NO_AOV = Aov(np.zeros((0, 0), np.uint8), np.zeros((0, 0), np.uint64), np.zeros((0, 0), np.float32))


@inline_always
def write_aov_share(aov, i, j, element, cover, forward):
    """Write that an object covers this share of pixel (i, j); it dominates the pixel from a half on."""
    aov.contributors[i, j] |= 1 << element
    if cover >= 0.5:
        aov.elements[i, j], aov.depth_m[i, j] = element, forward
