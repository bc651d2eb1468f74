"""What a scene is made of: the one list of its elements, and what a picture shows of them.

`Element` numbers the classes of things in a picture, and `ELEMENTS` has one row for each, from which everything else about
them is derived: what can be removed, how, what casts shadows, what stands beside the road, the groups and families in which
effects are measured, the scene of the gallery and the mark on the map.  A new element takes the next number and a row.

`Frame.elements` holds, for each pixel, the element that dominates it; `Frame.contributors` holds one bit for every element
that had any share in the pixel's colour, a tree whose shadow falls there included.  A pixel without the bit of an element
is bit-identical when that element is removed (interventions.py).
"""

import difflib
from collections.abc import Mapping
from enum import IntEnum
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Element(IntEnum):
    """Classes of things in the picture, at most 64; a number never changes its meaning."""

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

    @property
    def title(self) -> str:
        """The name in words: `left marking`."""
        return self.name.lower().replace("_", " ")


GONE, BROADLEAF, CONIFER, BUSH, POST, HEDGE, RAIL, SIGN, BUILDING = range(-1, 8)  # kinds of objects beside the road
AUTUMN, RAINY, WINTER = "A low sun in autumn", "Roadworks in the rain", "A winter evening"  # scenes of the gallery
Family = Literal["road", "informative roadside", "uninformative"]


class MapMark(NamedTuple):
    """How a map shows objects of an element: as a dot, as their round crown, or as the outline of their plan."""

    shape: Literal["dot", "crown", "outline"]
    colour: tuple[int, int, int]  # RGB


class ElementSpec(NamedTuple):
    """One row of the list."""

    element: Element
    group: str  # with which it is taken away
    family: Family  # whether a driver that steers by it steers by the road
    keys: Mapping[str, float] = {}  # the scenario's `table.key`s that bring it, each as strong as the gallery shows it
    shown_by: str = AUTUMN  # the scene of the gallery that has it
    removable: bool = True  # the rest of the scene does not stand on it
    line: str = ""  # of a marking: its name among the numbers of an appearance
    kinds: tuple[int, ...] = ()  # of roadside objects
    foliage: bool = False  # these objects have leaves, which have a colour
    casts_shadow: bool = False
    map_mark: MapMark | None = None


ROADSIDE: Family = "informative roadside"
ELEMENTS = (
    ElementSpec(Element.SKY, "backdrop", "uninformative", removable=False),
    ElementSpec(Element.TERRAIN, "backdrop", "uninformative", removable=False),
    ElementSpec(Element.ROAD, "backdrop", "road", removable=False),
    ElementSpec(Element.LEFT_MARKING, "left marking", "road", line="left"),
    ElementSpec(Element.CENTRE_MARKING, "centre marking", "road", line="centre"),
    ElementSpec(Element.RIGHT_MARKING, "right marking", "road", line="right"),
    ElementSpec(
        Element.TREES, "things", ROADSIDE, {"scenery.avenue": 0.4},
        kinds=(BROADLEAF, CONIFER), foliage=True, casts_shadow=True, map_mark=MapMark("crown", (42, 66, 54)),
    ),
    ElementSpec(
        Element.BUSHES, "things", ROADSIDE,
        kinds=(BUSH,), foliage=True, casts_shadow=True, map_mark=MapMark("crown", (38, 54, 47)),
    ),
    ElementSpec(
        Element.HEDGES, "things", ROADSIDE, {"scenery.hedges": 0.4},
        kinds=(HEDGE,), casts_shadow=True, map_mark=MapMark("outline", (38, 54, 47)),
    ),
    ElementSpec(Element.POSTS, "things", ROADSIDE, kinds=(POST,), map_mark=MapMark("dot", (128, 136, 150))),
    ElementSpec(
        Element.RAILS, "things", ROADSIDE, {"scenery.rails": 0.4},
        kinds=(RAIL,), map_mark=MapMark("outline", (112, 118, 126)),
    ),
    ElementSpec(
        Element.SIGNS, "things", ROADSIDE, {"scenery.signs_per_km": 40.0},
        kinds=(SIGN,), map_mark=MapMark("dot", (128, 136, 150)),
    ),
    ElementSpec(
        Element.BUILDINGS, "things", ROADSIDE, {"scenery.buildings_per_km": 30.0},
        kinds=(BUILDING,), casts_shadow=True, map_mark=MapMark("outline", (104, 72, 62)),
    ),
    ElementSpec(
        Element.CARS, "things", ROADSIDE, {"scenery.oncoming_per_km": 50.0, "scenery.car_ahead": 1.0}, casts_shadow=True
    ),
    ElementSpec(Element.SHADOWS, "shadows", "uninformative"),
    ElementSpec(Element.TEXTURE, "surface", "uninformative"),
    ElementSpec(Element.WEAR, "surface", "road", {"surface.worn": 0.5, "surface.missing": 0.15}),
    ElementSpec(Element.SEAMS, "surface", "road", {"surface.seams": 0.7}),
    ElementSpec(Element.GHOST_LINES, "surface", "road", {"surface.ghost_lines": 0.7}),
    ElementSpec(Element.ROADWORKS, "surface", "road", {"surface.roadworks": 1.0}, RAINY),
    ElementSpec(Element.SNOW, "surface", "road", {"surface.snow": 0.6}, WINTER),
    ElementSpec(Element.WATER, "surface", "road", {"surface.wet": 0.8, "surface.puddles": 0.7}, RAINY),
    ElementSpec(Element.LEAVES, "surface", "road", {"surface.leaves": 0.6}),
    ElementSpec(Element.HILLS, "air and lens", "uninformative"),
    ElementSpec(Element.CLOUDS, "air and lens", "uninformative"),
    ElementSpec(Element.NOISE, "air and lens", "uninformative"),
    ElementSpec(Element.FOG, "air and lens", "uninformative", {"weather.fog": 0.25}, WINTER),
    ElementSpec(Element.RAIN, "air and lens", "uninformative", {"weather.rain": 0.7, "weather.snowfall": 0.0}, RAINY),
    ElementSpec(Element.DROPS, "air and lens", "uninformative", {"sensor.drops": 0.6}, RAINY),
    ElementSpec(Element.DIRT, "air and lens", "uninformative", {"sensor.dirt": 0.4}),
    ElementSpec(Element.GLARE, "air and lens", "uninformative", {"weather.glare": 0.5}),
    ElementSpec(
        Element.LAMP, "lamp", "uninformative", {"confounder.lamp": 1.0, "confounder.lamp_shows_steering": 1.0}
    ),
)  # fmt: skip

REMOVABLE = tuple(sorted(spec.element for spec in ELEMENTS if spec.removable))
GROUPS: dict[str, tuple[Element, ...]] = {  # they hold every removable element once
    group: tuple(spec.element for spec in ELEMENTS if spec.group == group)
    for group in dict.fromkeys(spec.group for spec in ELEMENTS if spec.removable)
}
FAMILY_OF = {spec.element: spec.family for spec in ELEMENTS}
MARKINGS = {spec.element: spec.line for spec in ELEMENTS if spec.line}
FOLIAGE = tuple(spec.element for spec in ELEMENTS if spec.foliage)
KINDS_OF = {spec.element: spec.kinds for spec in ELEMENTS if spec.kinds}
CASTING = tuple(int(spec.element) for spec in ELEMENTS if spec.casts_shadow)  # what keeps the sun off the ground
MAP_MARKS = {kind: spec.map_mark for spec in ELEMENTS for kind in spec.kinds if spec.map_mark}
STRENGTHS_OF = {  # of weather, surface and sensor: an element is as strong as these, and absent where they are 0
    spec.element: names
    for spec in ELEMENTS
    if (names := tuple(k.partition(".")[2] for k in spec.keys if k.startswith(("weather.", "surface.", "sensor."))))
}
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
