"""What is shown: instants of a drive, dials from nothing to strong, and scenes to take things out of.

An instant is a second into a drive that the expert steers, so that the car rolls, brakes its fall and passes others as it
does when a driver sees it.  All dials and scenes are the same instant of the same road: one on which the sun stands ahead,
beside a bend.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_type_hints

import msgspec
import numpy as np
from gymnasium.vector import AutoresetMode

from lanekeep.driving.controllers import ExpertController
from lanekeep.driving.rollout import Rollout
from lanekeep.driving.seeds import Place
from lanekeep_envs import (
    AUTUMN,
    CONTROL_STEP_S,
    RAINY,
    SURFACES,
    WINTER,
    Add,
    Camera,
    Contrast,
    Element,
    Frame,
    Intervention,
    KeepOnly,
    LaneKeepingVectorEnv,
    Recolour,
    Scenario,
    SetStrength,
    Shift,
    Strength,
)

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
LED_M = 150.0  # where the instant of the dials begins
ROADS_SEARCHED = 64
SUN_ASIDE_RAD, BEND_PER_M, SHADOW = 0.25, 0.004, 0.12  # of the instant that is searched for
GLANCE = Camera(height_px=24, width_px=80)  # enough to judge an instant
TABLES = ("look", "weather", "surface", "scenery", "sensor")
OTHER_DIALS: dict[str, dict[str, tuple[Any, ...]]] = {  # table -> key that is no strength -> its values
    "look": {
        "sun_elevation_deg": (4.0, 10.0, 18.0, 35.0, 60.0),
        "sunshine": SHARES,
        "visibility_m": (4000.0, 1200.0, 500.0, 250.0, 120.0),
        "exposure": (0.6, 0.8, 1.0, 1.2, 1.4),
        "noise_grey": (0.0, 3.0, 6.0, 9.0, 12.0),
    },
    "surface": {"kinds": tuple((kind,) for kind in SURFACES)},
    "scenery": {
        "trees_per_km": (0.0, 60.0, 120.0, 240.0, 400.0),
        "bushes_per_km": (0.0, 40.0, 80.0, 160.0, 300.0),
        "signs_per_km": (0.0, 10.0, 20.0, 40.0, 80.0),
        "buildings_per_km": (0.0, 10.0, 20.0, 40.0, 80.0),
        "oncoming_per_km": (0.0, 10.0, 20.0, 40.0, 80.0),
        "car_ahead": (0.0, 1.0),
    },
    "sensor": {
        "height_error_m": (-0.4, -0.2, 0.0, 0.2, 0.4),
        "pitch_error_deg": (-3.0, -1.5, 0.0, 1.5, 3.0),
        "yaw_error_deg": (-6.0, -3.0, 0.0, 3.0, 6.0),
        "roll_error_deg": (-6.0, -3.0, 0.0, 3.0, 6.0),
    },
}
FINE_DAY: dict[str, dict[str, Any]] = {  # what the dials start from
    "look": {
        "sun_elevation_deg": 18.0,
        "sunshine": 0.9,
        "exposure": 1.05,
        "visibility_m": 2500.0,
        "asphalt_grey": 95.0,
        "paint_grey": 235.0,
        "noise_grey": 0.0,
    },
    "scenery": {"trees_per_km": 90.0, "bushes_per_km": 40.0},
}
SCENERY_OF_SCENES: dict[str, dict[str, Any]] = {  # besides the elements that each scene is there to show
    AUTUMN: {"look.noise_grey": 2.0},
    RAINY: {"look.noise_grey": 2.0, "look.sunshine": 0.1, "scenery.oncoming_per_km": 50.0},
    WINTER: {
        "look.noise_grey": 2.0, "weather.night": 0.4, "weather.snowfall": 0.3, "scenery.buildings_per_km": 30.0,
        "scenery.oncoming_per_km": 50.0,
    },
}  # fmt: skip


def by_table(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Values by `table.key` as tables."""
    tables: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        table, _, key = path.partition(".")
        tables.setdefault(table, {})[key] = value
    return tables


SCENES: dict[str, dict[str, dict[str, Any]]] = {  # between them they have every element
    scene: by_table({k: v for e in Element if e.spec.shown_by == scene for k, v in e.spec.keys.items()} | besides)
    for scene, besides in SCENERY_OF_SCENES.items()
}

CHANGES: dict[str, tuple[tuple[str, Intervention], ...]] = {  # what else can be done to the fine day
    "elsewhere": (
        ("right marking 0.5 m to the right", Shift(Element.RIGHT_MARKING, -0.5)),
        ("centre marking 0.5 m to the left", Shift(Element.CENTRE_MARKING, 0.5)),
        ("trees 6 m to the left", Shift(Element.TREES, 6.0)),
        ("posts 1 m to the right", Shift(Element.POSTS, -1.0)),
    ),
    "of another colour": (
        ("right marking", Recolour(Element.RIGHT_MARKING, (240.0, 190.0, 20.0))),
        ("road", Recolour(Element.ROAD, (150.0, 90.0, 70.0))),
        ("land", Recolour(Element.TERRAIN, (190.0, 160.0, 110.0))),
        ("trees", Recolour(Element.TREES, (190.0, 90.0, 30.0))),
    ),
    "fainter or stronger": (
        ("centre marking, a third of the contrast", Contrast(Element.CENTRE_MARKING, 0.33)),
        ("right marking, none", Contrast(Element.RIGHT_MARKING, 0.0)),
        ("road, none", Contrast(Element.ROAD, 0.0)),
        ("trees, twice", Contrast(Element.TREES, 2.0)),
    ),
    "alone": (
        ("the right marking", KeepOnly((Element.RIGHT_MARKING,))),
        ("the three markings", KeepOnly((Element.CENTRE_MARKING, Element.LEFT_MARKING, Element.RIGHT_MARKING))),
        ("trees and their shadows", KeepOnly((Element.TREES, Element.SHADOWS))),
        ("nothing", KeepOnly(())),
    ),
    "one more": (
        ("a broadleaf", Add("broadleaf", 22.0, -7.0)),
        ("a conifer", Add("conifer", 18.0, -6.0)),
        ("a bush", Add("bush", 12.0, -5.5)),
        ("a post, on the road", Add("post", 10.0, -1.5)),
    ),
    "other weather, another road": tuple(
        (f"{name} {strength:g}", SetStrength(name, strength))
        for name, strength in (("fog", 0.4), ("rain", 0.7), ("snow", 0.6), ("worn", 0.8))
    ),
}


class Dial(NamedTuple):
    """A number of a scenario, and the values at which it is shown."""

    table: str
    key: str
    values: tuple[Any, ...]


class DrivenInstants:
    """A second into the drives of some seeds, from `starts_m` on."""

    def __init__(self, scenario: Scenario, seeds: Sequence[int], starts_m: Sequence[float]) -> None:
        self._cars = LaneKeepingVectorEnv(
            len(seeds), scenario, observation="state", autoreset_mode=AutoresetMode.DISABLED
        )
        rollout = Rollout(self._cars, ExpertController(scenario.curvature_limit_per_m))
        rollout.put_down([Place(seed, start_m) for seed, start_m in zip(seeds, starts_m, strict=True)])
        for _ in range(round(1.0 / CONTROL_STEP_S)):
            rollout.step()
        self.snapshot, self.infos = self._cars.snapshot(), rollout.infos

    def frame(self, camera: Camera, car: int = 0, interventions: Sequence[Intervention] = ()) -> Frame:
        """What one of the cars sees."""
        return self._cars.view(self.snapshot, interventions, car=car, camera=camera)


def spread(scenario: Scenario, seed: int, number: int) -> DrivenInstants:
    """Instants of different roads of a scenario, each further along."""
    starts_m = [scenario.road.length_m * (k + 1.0) / (number + 2.0) for k in range(number)]
    return DrivenInstants(scenario, range(seed, seed + number), starts_m)


def changed(scenario: Scenario, tables: dict[str, dict[str, Any]]) -> Scenario:
    """The scenario with other values; a number fixes what is a range."""
    made = {}
    for name, values in tables.items():
        table = getattr(scenario, name)
        fixed = {
            key: (value, value) if isinstance(getattr(table, key), tuple) and isinstance(value, float) else value
            for key, value in values.items()
        }
        made[name] = msgspec.structs.replace(table, **fixed)
    return msgspec.structs.replace(scenario, **made)


def dials() -> list[Dial]:
    """Every strength that can be seen, and the other numbers that make a look."""
    found = []
    for table in TABLES:
        hints = get_type_hints(get_type_hints(Scenario)[table], include_extras=True)
        others = OTHER_DIALS.get(table, {})
        found += [Dial(table, key, SHARES) for key, hint in hints.items() if hint == Strength and key not in others]
        found += [Dial(table, key, values) for key, values in others.items()]
    return found


def seed_with_sun_ahead(scenario: Scenario, seed: int) -> int:
    """The seed, from `seed` on, whose road is the nearest to a bend with the sun beside it and some shadow on it."""
    seeds = range(seed, seed + ROADS_SEARCHED)
    cars = DrivenInstants(scenario, seeds, [LED_M] * len(seeds))
    appearances, yaw = cars.snapshot.state.appearances, cars.snapshot.state.cars["yaw"]
    ahead = appearances["sun_x"] * np.cos(yaw) + appearances["sun_y"] * np.sin(yaw)
    aside = appearances["sun_y"] * np.cos(yaw) - appearances["sun_x"] * np.sin(yaw)
    bend = np.abs(cars.infos["curvature_preview_per_m"][:, -1])
    frames = [cars.frame(GLANCE, car) for car in range(len(seeds))]
    shadow = [frame.has(Element.SHADOWS)[GLANCE.height_px // 2 :].mean() for frame in frames]
    miss = np.abs(np.abs(np.arctan2(aside, ahead)) - SUN_ASIDE_RAD) / SUN_ASIDE_RAD
    miss += np.abs(bend - BEND_PER_M) / BEND_PER_M + np.abs(np.array(shadow) - SHADOW) / SHADOW
    return seed + int(miss.argmin())
