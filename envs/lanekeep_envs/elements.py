"""What a scene is made of: the one list of its elements, and what a picture shows of them.

`Element` has one row for each class of things in a picture, from which everything else about it is derived: whether it can
be removed, how, whether it casts shadows or stands beside the road, the group and the family in which its effect is
measured, the scene of the gallery and the mark on the map.  A new element is a row with the next number.

`Frame.elements` holds, for each pixel, the element that dominates it; `Frame.contributors` holds one bit for every element
that had any share in the pixel's colour, a tree whose shadow falls there included.  A pixel without the bit of an element
is bit-identical when that element is removed (interventions.py).
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

GONE, BROADLEAF, CONIFER, BUSH, POST, HEDGE, RAIL, SIGN, BUILDING, BRIDGE = range(-1, 9)  # kinds of objects
AUTUMN, RAINY, WINTER = "A low sun in autumn", "Roadworks in the rain", "A winter evening"  # scenes of the gallery
Family = Literal["road", "informative roadside", "uninformative"]
ROADSIDE: Family = "informative roadside"


class MapMark(NamedTuple):
    """How a map shows objects of an element: as a dot, as their round crown, or as the outline of their plan."""

    shape: Literal["dot", "crown", "outline"]
    colour: tuple[int, int, int]  # RGB


class Placement(NamedTuple):
    """How objects that a scenario counts per kilometre stand anywhere along the road; lengths in metres."""

    key: str  # of the scenario's `scenery`: a range of how many per kilometre
    kind: int
    aside_m: tuple[float, float]  # from the road's axis to their middle, on either side; 0 is over the road
    across: bool  # whether their length lies across the road
    length_m: float
    width_m: float
    height_m: float


@dataclass(frozen=True)
class ElementSpec:
    """One row of the list."""

    number: int
    group: str  # with which it is taken away
    family: Family  # whether a driver that steers by it steers by the road
    # the scenario's `table.key`s that bring it, each as strong as the gallery shows it
    keys: Mapping[str, float] = field(default_factory=dict)
    shown_by: str = AUTUMN  # the scene of the gallery that has it
    removable: bool = True  # the rest of the scene does not stand on it
    line: str = ""  # of a marking: its name among the numbers of an appearance
    kinds: tuple[int, ...] = ()  # of roadside objects
    boxes: str = ""  # the file in renderer/objects/ that has the boxes its objects are made of
    placement: Placement | None = None  # of objects that no sampler of their own places (sampling/roadside.py)
    foliage: bool = False  # these objects have leaves, which have a colour
    casts_shadow: bool = False
    map_mark: MapMark = MapMark("dot", (128, 136, 150))  # of such objects

    @property
    def strengths(self) -> tuple[str, ...]:
        """Its keys in weather, surface and sensor: the element is as strong as these, and absent where they are 0."""
        paths = (path.partition(".") for path in self.keys)
        return tuple(key for table, _, key in paths if table in ("weather", "surface", "sensor"))


class Element(IntEnum):
    """Classes of things in the picture, at most 64, each with its row of the list; a number never changes its meaning.

    The first three are what a scene stands on and cannot be removed.
    """

    spec: ElementSpec

    def __new__(cls, spec: Any) -> "Element":  # Any, since `Element(6)` is asked for by its number
        """Make the number that an element is."""
        element = int.__new__(cls, spec.number)
        element._value_, element.spec = spec.number, spec
        return element

    # fmt: off
    SKY = ElementSpec(0, "backdrop", "uninformative", removable=False)
    TERRAIN = ElementSpec(1, "backdrop", "uninformative", removable=False)
    ROAD = ElementSpec(2, "backdrop", "road", removable=False)

    LEFT_MARKING = ElementSpec(3, "left marking", "road", line="left")  # solid line at the far left edge
    CENTRE_MARKING = ElementSpec(4, "centre marking", "road", line="centre")  # dashed line, left border of the driven lane
    RIGHT_MARKING = ElementSpec(5, "right marking", "road", line="right")  # solid line, right border of the driven lane

    TREES = ElementSpec(
        6, "things", ROADSIDE, {"scenery.avenue": 0.4}, kinds=(BROADLEAF, CONIFER), foliage=True, casts_shadow=True,
        map_mark=MapMark("crown", (42, 66, 54)),
    )
    BUSHES = ElementSpec(
        7, "things", ROADSIDE, kinds=(BUSH,), foliage=True, casts_shadow=True, map_mark=MapMark("crown", (38, 54, 47))
    )
    HEDGES = ElementSpec(
        21, "things", ROADSIDE, {"scenery.hedges": 0.4}, kinds=(HEDGE,), casts_shadow=True,
        map_mark=MapMark("outline", (38, 54, 47)),
    )
    POSTS = ElementSpec(8, "things", ROADSIDE, kinds=(POST,))
    RAILS = ElementSpec(  # guard rails
        22, "things", ROADSIDE, {"scenery.rails": 0.4}, kinds=(RAIL,), map_mark=MapMark("outline", (112, 118, 126))
    )
    SIGNS = ElementSpec(23, "things", ROADSIDE, {"scenery.signs_per_km": 40.0}, kinds=(SIGN,))
    BUILDINGS = ElementSpec(
        24, "things", ROADSIDE, {"scenery.buildings_per_km": 30.0}, kinds=(BUILDING,), casts_shadow=True,
        map_mark=MapMark("outline", (104, 72, 62)),
    )
    BRIDGES = ElementSpec(  # over the road
        32, "things", ROADSIDE, {"scenery.bridges_per_km": 6.0}, kinds=(BRIDGE,), boxes="bridge", casts_shadow=True,
        placement=Placement("bridges_per_km", BRIDGE, (0.0, 0.0), True, length_m=44.0, width_m=8.0, height_m=7.2),
        map_mark=MapMark("outline", (112, 118, 126)),
    )
    CARS = ElementSpec(  # the others, with their lamps
        25, "things", ROADSIDE, {"scenery.oncoming_per_km": 50.0, "scenery.car_ahead": 1.0}, casts_shadow=True
    )

    SHADOWS = ElementSpec(9, "shadows", "uninformative")

    TEXTURE = ElementSpec(12, "surface", "uninformative")  # grain of asphalt, grass and gravel
    # what the markings lost: without it they are whole and fresh
    WEAR = ElementSpec(14, "surface", "road", {"surface.worn": 0.5, "surface.missing": 0.15})
    SEAMS = ElementSpec(15, "surface", "road", {"surface.seams": 0.7})  # of tar, and the joints of concrete and cobbles
    GHOST_LINES = ElementSpec(16, "surface", "road", {"surface.ghost_lines": 0.7})  # old markings that were painted over
    # yellow temporary markings and beacons
    ROADWORKS = ElementSpec(17, "surface", "road", {"surface.roadworks": 1.0}, RAINY)
    # on the land, the shoulders and the markings
    SNOW = ElementSpec(18, "surface", "road", {"surface.snow": 0.6}, WINTER)
    # wet road and puddles
    WATER = ElementSpec(19, "surface", "road", {"surface.wet": 0.8, "surface.puddles": 0.7}, RAINY)
    LEAVES = ElementSpec(20, "surface", "road", {"surface.leaves": 0.6})  # fallen ones, on the road

    HILLS = ElementSpec(10, "air and lens", "uninformative")
    CLOUDS = ElementSpec(11, "air and lens", "uninformative")
    NOISE = ElementSpec(13, "air and lens", "uninformative")  # of the sensor
    FOG = ElementSpec(26, "air and lens", "uninformative", {"weather.fog": 0.25}, WINTER)
    # falling rain or snow
    RAIN = ElementSpec(27, "air and lens", "uninformative", {"weather.rain": 0.7, "weather.snowfall": 0.0}, RAINY)
    DROPS = ElementSpec(28, "air and lens", "uninformative", {"sensor.drops": 0.6}, RAINY)  # of water on the lens
    DIRT = ElementSpec(29, "air and lens", "uninformative", {"sensor.dirt": 0.4})  # on the lens
    GLARE = ElementSpec(30, "air and lens", "uninformative", {"weather.glare": 0.5})  # of the sun or lamps, in the lens

    # a planted confounder: a lamp in the picture that shows the previous steering
    LAMP = ElementSpec(31, "lamp", "uninformative", {"confounder.lamp": 1.0, "confounder.lamp_shows_steering": 1.0})
    # fmt: on

    @property
    def title(self) -> str:
        """The name in words: `left marking`."""
        return self.name.lower().replace("_", " ")


REMOVABLE = tuple(sorted(e for e in Element if e.spec.removable))
GROUPS: dict[str, tuple[Element, ...]] = {  # they hold every removable element once
    group: tuple(e for e in Element if e.spec.group == group)
    for group in dict.fromkeys(e.spec.group for e in Element if e.spec.removable)
}
CASTING = tuple(int(e) for e in Element if e.spec.casts_shadow)  # what keeps the sun off the ground
ELEMENT_OF_KIND = {kind: e for e in Element for kind in e.spec.kinds}
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
