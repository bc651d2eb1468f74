"""What a scene is made of, and what a picture shows of it.

`Element` numbers the classes of things in a picture.  `Frame.elements` holds, for each pixel, the element that dominates
it; `Frame.contributors` holds one bit for every element that had any share in the pixel's colour, a tree whose shadow falls
there included.  A pixel without the bit of an element is bit-identical when that element is removed (interventions.py).
"""

import difflib
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Element(IntEnum):
    """Classes of things in the picture; the first three are what a scene stands on and cannot be removed."""

    SKY = 0
    TERRAIN = 1
    ROAD = 2
    LEFT_MARKING = 3  # solid line at the far left edge
    CENTRE_MARKING = 4  # dashed line, left border of the driven lane
    RIGHT_MARKING = 5  # solid line, right border of the driven lane
    TREES = 6
    BUSHES = 7
    POSTS = 8
    SHADOWS = 9
    HILLS = 10
    CLOUDS = 11
    TEXTURE = 12  # grain of asphalt, grass and gravel
    NOISE = 13  # of the sensor
    WEAR = 14  # what the markings lost: without it they are whole and fresh
    SEAMS = 15  # of tar, and the joints of concrete and cobbles
    GHOST_LINES = 16  # old markings that were painted over
    ROADWORKS = 17  # yellow temporary markings and beacons
    SNOW = 18  # on the land, the shoulders and the markings
    WATER = 19  # wet road and puddles
    LEAVES = 20  # fallen ones, on the road
    HEDGES = 21
    RAILS = 22  # guard rails
    SIGNS = 23
    BUILDINGS = 24
    CARS = 25  # the others, with their lamps
    FOG = 26
    RAIN = 27  # falling rain or snow
    DROPS = 28  # of water on the lens
    DIRT = 29  # on the lens
    GLARE = 30  # of the sun or of lamps in the lens
    LAMP = 31  # a planted confounder: a lamp in the picture that shows the previous steering


REMOVABLE = tuple(e for e in Element if e > Element.ROAD)
EVERYTHING = (1 << len(Element)) - 1


def element_named(name: str) -> Element:
    """`element_named("trees")`; an unknown name is refused with the nearest one, ValueError."""
    names = {e.name.lower(): e for e in Element}
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."
        raise ValueError(f"unknown element {name!r}: {hint}")
    return names[name]


class Frame(NamedTuple):
    """One picture and what it shows."""

    image: NDArray[np.uint8]  # [H, W, 3] RGB
    elements: NDArray[np.uint8]  # [H, W] the dominating `Element`
    contributors: NDArray[np.uint64]  # [H, W] bit e set: `Element` e has a share in this pixel
    depth_m: NDArray[np.float32]  # [H, W] forward distance, infinite in the sky

    def has(self, element: int | NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return where [H, W] an `Element`, or one for each pixel, has a share in the picture."""
        shares: NDArray[np.bool_] = self.contributors >> np.asarray(element, np.uint64) & np.uint64(1) == 1
        return shares
