"""Interventions on a scene: do(element := absent), alone, elsewhere, of another colour, fainter, stronger, or one more.

An intervention changes the scene and never the renderer: the mask of visible elements, numbers of the appearance, records
of roadside objects.  So interventions compose, in the order given, and whatever they do not touch is bit-identical: a pixel
without an element's bit in `Frame.contributors` stays what it was when that element is removed, recoloured or changed in
contrast.  A shift or an addition also changes the pixels where the element then is.
"""

import difflib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from lanekeep_envs.dynamics.road import pose_beside
from lanekeep_envs.elements import BROADLEAF, BUSH, CONIFER, GONE, POST, REMOVABLE, Element, element_named
from lanekeep_envs.sampling.appearance import GROUND_STRENGTHS, RGB, derive, mix
from lanekeep_envs.sampling.pavement import asphalt_for, surface_colour
from lanekeep_envs.sampling.roadside import NO_COLOUR, OBJECT, POST_HEIGHT_M, POST_WIDTH_M
from lanekeep_envs.scenario.schema import STRENGTHS
from lanekeep_envs.scene import Scene

KINDS = {"broadleaf": BROADLEAF, "conifer": CONIFER, "bush": BUSH, "post": POST}
SIZES = {"broadleaf": (10.0, 3.2), "conifer": (12.0, 2.4), "bush": (1.6, 1.2)}  # height and radius [m]


class Intervention(Protocol):
    """Changes a scene in place."""

    def apply(self, scene: Scene) -> None:
        """Change the scene; ValueError where the change makes no sense."""
        ...


@dataclass(frozen=True)
class Remove:
    """Take an element away with its shadows, or only the `number`-th of its objects along the road."""

    element: Element
    number: int | None = None

    @staticmethod
    def named(name: str) -> "Remove":
        """`Remove.named("trees")`; an unknown name is refused with the nearest one."""
        return Remove(_removable(element_named(name)))

    def apply(self, scene: Scene) -> None:
        """Take the element, or one of its objects, out of the scene; ValueError for what cannot be removed."""
        element = _removable(self.element)
        if self.number is not None:
            table, field, gone = (
                (scene.traffic, "lane", 0) if element is Element.CARS else (scene.objects, "kind", GONE)
            )
            table[field][scene.row_of(element, self.number)] = gone
            return
        for name in element.spec.strengths:
            scene.appearance[name] = 0.0
        if element.spec.strengths:
            derive(scene.appearance)
        scene.visible &= ~(1 << element)


@dataclass(frozen=True)
class KeepOnly:
    """Remove all removable elements but these."""

    elements: tuple[Element, ...]

    def apply(self, scene: Scene) -> None:
        """Take all removable elements but these out of the scene; ValueError for what is no element."""
        for element in self.elements:
            _known(element)
        for element in REMOVABLE:
            if element not in self.elements:
                Remove(element).apply(scene)


@dataclass(frozen=True)
class Shift:
    """Move a marking, or all objects of an element, `left_m` to the left of where they are."""

    element: Element
    left_m: float

    def apply(self, scene: Scene) -> None:
        """Move the marking or the objects; ValueError for an element that cannot be moved."""
        _finite("a shift", self.left_m)
        element = _known(self.element)
        if element.spec.line:
            scene.appearance[f"{element.spec.line}_shift_m"] += self.left_m
            return
        if not element.spec.kinds:
            raise ValueError(f"{_name(element)} cannot be shifted: markings and things beside the road can")
        for row in scene.rows_of(element):
            obj = scene.objects[row]
            _, _, heading = pose_beside(scene.road, obj["s_m"], 0.0)
            obj["x"] -= self.left_m * np.sin(heading)
            obj["y"] += self.left_m * np.cos(heading)


@dataclass(frozen=True)
class Recolour:
    """Give a marking, the road, the land, or plants another colour [display values 0..255 of the unlit surface]."""

    element: Element
    colour: RGB

    def apply(self, scene: Scene) -> None:
        """Set the colour; ValueError for an element that has none, or a colour outside 0..255."""
        if not all(0.0 <= value <= 255.0 for value in self.colour):
            raise ValueError(f"a colour is three numbers from 0 to 255, not {self.colour}")
        _set_colour(scene, self.element, lambda _: self.colour)


@dataclass(frozen=True)
class Contrast:
    """Scale how far an element's colour is from what it stands out from: 0 as that, 1 unchanged, 2 twice as far.

    A marking stands out from the road; the road and plants stand out from the grass.
    """

    element: Element
    factor: float

    def apply(self, scene: Scene) -> None:
        """Scale the difference in colour; ValueError for an element that has no colour."""
        _finite("a contrast", self.factor)
        marking = _known(self.element).spec.line
        ground = _road_colour(scene.appearance) if marking else _rgb(scene.appearance["grass"])

        def changed(colour: RGB) -> RGB:
            red, green, blue = mix(ground, colour, self.factor)
            return max(red, 0.0), max(green, 0.0), max(blue, 0.0)

        _set_colour(scene, self.element, changed)


@dataclass(frozen=True)
class SetStrength:
    """Make weather, wear, water or the lens as strong as this, 0 to 1, by the name it has in a scenario: `fog`, `worn`."""

    name: str
    strength: float

    def apply(self, scene: Scene) -> None:
        """Set the strength; ValueError for an unknown name or a strength outside 0..1."""
        names = [name for table in STRENGTHS.values() for name in table]
        if self.name not in names:
            near = difflib.get_close_matches(self.name, names, 1)
            raise ValueError(f"there is no strength {self.name!r}: {f'did you mean {near[0]}?' if near else names}")
        if not 0.0 <= self.strength <= 1.0:
            raise ValueError(f"a strength is from 0 to 1, not {self.strength}")
        scene.appearance[self.name] = self.strength
        derive(scene.appearance)
        scene.appearance["plain"] &= self.strength == 0.0 or self.name not in GROUND_STRENGTHS


@dataclass(frozen=True)
class Noise:
    """Make the sensor's noise as strong as this: its standard deviation in grey levels, 0 to 64."""

    grey: float

    def apply(self, scene: Scene) -> None:
        """Set the noise; ValueError outside 0..64."""
        if not 0.0 <= self.grey <= 64.0:
            raise ValueError(f"noise is from 0 to 64 grey levels, not {self.grey}")
        scene.appearance["noise_grey"] = self.grey


@dataclass(frozen=True)
class Add:
    """Plant one more: `kind` of KINDS, `ahead_m` of the car along the road, `left_m` to the left of its axis."""

    kind: str
    ahead_m: float
    left_m: float

    def apply(self, scene: Scene) -> None:
        """Put the object among those of the scene; ValueError for an unknown kind or a place that is not finite."""
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} cannot be added: there are {', '.join(KINDS)}")
        _finite("a place", self.ahead_m, self.left_m)
        obj = np.zeros(1, OBJECT)
        obj["kind"], obj["tint"], obj["twist"] = KINDS[self.kind], 1.0, 0.5
        obj["height_m"], obj["radius_m"] = SIZES.get(self.kind, (POST_HEIGHT_M, 0.5 * POST_WIDTH_M))
        obj["s_m"] = scene.car["distance_m"] + self.ahead_m
        obj["x"], obj["y"], _ = pose_beside(scene.road, obj["s_m"][0], self.left_m)
        obj["leaf"] = NO_COLOUR
        place = int(np.searchsorted(scene.objects["s_m"], obj["s_m"][0]))
        objects = np.concatenate([scene.objects[:place], obj, scene.objects[place:]])
        scene.state = scene.state.with_objects(0, objects)


def intervene(scene: Scene, interventions: Iterable[Intervention]) -> Scene:
    """Apply interventions in order to a scene, and return it."""
    for intervention in interventions:
        intervention.apply(scene)
    return scene


def _known(element: Element) -> Element:
    try:
        return Element(element)  # a number out of `Frame.elements` will do
    except ValueError:
        raise ValueError(f"an element is an Element, such as Element.TREES, not {element!r}") from None


def _removable(element: Element) -> Element:
    known = _known(element)
    if known not in REMOVABLE:
        raise ValueError(f"{_name(known)} cannot be removed: the rest stands on it")
    return known


def _finite(what: str, *numbers: float) -> None:
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError(f"{what} is finite, not {', '.join(map(str, numbers))}")


def _name(element: Element) -> str:
    return _known(element).name.lower()


def _rgb(colour: Any) -> RGB:
    """Return three plain numbers, which stay as they are when the record they come from is changed."""
    red, green, blue = map(float, colour)
    return red, green, blue


def _road_colour(appearance: np.void) -> RGB:
    """Return the colour of the road: of asphalt, concrete or cobbles."""
    return _rgb(surface_colour(_rgb(appearance["asphalt"]), int(appearance["surface_kind"])))


def _set_colour(scene: Scene, element: Element, changed: Callable[[RGB], RGB]) -> None:
    """Change the colour of an element by a function of what it is now."""
    appearance, element = scene.appearance, _known(element)
    if element.spec.line:
        name = f"{element.spec.line}_paint"
        if (after := changed(_rgb(appearance[name]))) != _rgb(appearance[name]):
            appearance[name] = after
            appearance["own_paint"], appearance["plain"] = True, False
    elif element is Element.ROAD:
        if (after := changed(_road_colour(appearance))) != _road_colour(appearance):
            appearance["asphalt"] = asphalt_for(after, int(appearance["surface_kind"]))
    elif element is Element.TERRAIN:
        for name in ("grass", "field", "gravel"):
            appearance[name] = changed(_rgb(appearance[name]))
    elif element.spec.foliage:
        for row in scene.rows_of(element):
            obj = scene.objects[row]
            look = appearance["needle" if obj["kind"] == CONIFER else "leaf"]
            obj["leaf"] = changed(_rgb(look if obj["leaf"][0] < 0.0 else obj["leaf"]))
    else:
        raise ValueError(f"{_name(element)} has no colour of its own: markings, road, terrain, trees and bushes have")
