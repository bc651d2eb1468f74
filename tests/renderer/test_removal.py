"""The law of interventions in scenes with anything in them: a pixel without the bit of an element is the same without it.

Each scene is drawn from a seed: strengths of every table, things of every kind, odd roads, mountings and lights, the car
somewhere on the way with the wheel turned.  `PYTHONPATH=tests python tests/renderer/test_removal.py FIRST LAST` searches
through more seeds than a test run has time for.
"""

import sys
from collections.abc import Sequence
from typing import Any, get_type_hints

import msgspec
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from renderer_laws import break_of_the_law

from lanekeep_envs import (
    REMOVABLE,
    Camera,
    Element,
    Frame,
    LaneKeepingVectorEnv,
    Remove,
    Scenario,
    Snapshot,
    load_scenario,
)
from lanekeep_envs.sampling.appearance import MOUNTING, SURFACES
from lanekeep_envs.scenario.schema import STRENGTHS, Mounting, Strength, Table, Tie

SMALL, LARGE = "24x80", "66x200"
FINE_DAY = {element for element in REMOVABLE if element <= Element.NOISE}  # what every scene may have
DENSITIES = {  # of the scenery, and the most of them [1/km]
    "trees_per_km": 300.0,
    "bushes_per_km": 200.0,
    "signs_per_km": 80.0,
    "buildings_per_km": 60.0,
    "oncoming_per_km": 80.0,
}


def fixed(value: float) -> tuple[float, float]:
    return value, value


def strengths(table: Table, generator: np.random.Generator, presence: float) -> dict[str, Any]:
    """Each strength, mounting and tie of a table, if it is there: anything, the weakest and the strongest among them."""
    drawn: dict[str, Any] = {}
    for key, hint in get_type_hints(type(table), include_extras=True).items():
        there, value = generator.random() < presence, float(generator.choice([0.02, 1.0, *generator.random(4)]))
        sense = float(generator.choice([-1.0, 1.0]))
        if hint == Strength:
            drawn[key] = fixed(there * value)
        elif hint == tuple[Mounting, Mounting]:
            drawn[key] = fixed(there * sense * value * (0.4 if key.endswith("_m") else 4.0))
        elif hint == Tie:
            drawn[key] = there * sense * value
    return drawn


def everything(generator: np.random.Generator) -> Scenario:
    """A scenario of a single episode, with about half of all that there can be."""
    country, presence = load_scenario("country"), float(generator.choice([0.15, 0.5, 0.9]))
    made: dict[str, Any] = {
        name: strengths(getattr(country, name), generator, presence)
        for name in ("scenery", "weather", "surface", "sensor", "confounder")
    }
    for key, most in DENSITIES.items():
        made["scenery"][key] = fixed(most * generator.random() * (generator.random() < 0.7))
    made["scenery"]["car_ahead"] = float(generator.random() < presence)
    made["surface"]["kinds"] = (SURFACES[generator.integers(len(SURFACES))],)
    made["look"] = {
        "sun_elevation_deg": fixed(float(generator.uniform(2.0, 85.0))),
        "sunshine": fixed(float(generator.choice([0.0, 0.5, 1.0]))),
        "exposure": fixed(float(generator.uniform(0.6, 1.4))),
        "visibility_m": fixed(float(generator.choice([40.0, 400.0, 4000.0]))),
        "noise_grey": fixed(float(generator.choice([0.0, 3.0]))),
    }
    made["lane"] = {
        "lane_width_m": float(generator.uniform(2.4, 4.5)),
        "edge_strip_m": float(generator.choice([0.0, 0.25, 1.0])),
        "shoulder_m": float(generator.choice([0.0, 1.5, 4.0])),
        "marking_width_m": float(generator.uniform(0.08, 0.4)),
        "dash_m": float(generator.uniform(1.0, 8.0)),
        "gap_m": float(generator.choice([0.0, 8.0])),
    }
    made["road"] = {"length_m": 400, "straight_m": (0.0, 60.0)}
    tables = {name: msgspec.structs.replace(getattr(country, name), **keys) for name, keys in made.items()}
    scenario = msgspec.structs.replace(country, **tables)
    assert msgspec.convert(msgspec.to_builtins(scenario), Scenario) == scenario  # a file could say so
    return scenario


class Scene:
    """An instant of a drive on such a scenario, with the wheel turned."""

    def __init__(self, seed: int, scenario: Scenario | None = None) -> None:
        generator = np.random.default_rng([seed, 77])
        scenario = everything(generator) if scenario is None else scenario
        self.env = LaneKeepingVectorEnv(1, scenario, observation="state", autoreset_mode=AutoresetMode.DISABLED)
        self.env.reset(seed=seed, options={"start_m": [float(generator.uniform(0.0, 380.0))]})
        for _ in range(int(generator.integers(1, 12))):
            self.env.step(generator.uniform(-0.5, 0.5, (1, 1)))
        self.snapshot: Snapshot = self.env.snapshot()

    def frame(self, camera: str | Camera, without: Sequence[Element] = ()) -> Frame:
        return self.env.view(self.snapshot, [Remove(element) for element in without], camera=camera)


def breaks_of_the_law(seed: int, camera: str) -> tuple[list[str], set[Element]]:
    """All that is wrong with a scene, and the elements whose removal changed it."""
    scene, generator = Scene(seed), np.random.default_rng([seed, 78])
    whole = scene.frame(camera)
    look = scene.snapshot.state.appearances[0]
    upright = (
        look["roll_error_deg"] == look["sway"] == 0.0
    )  # a rolled picture's colours and bits move, its elements do not
    owned = not upright or whole.has(whole.elements).all()
    wrong = [] if owned else ["a dominating element has no bit"]
    pairs = [tuple(generator.choice(REMOVABLE, 2, replace=False)) for _ in range(3)]
    seen = set()
    for elements in [(element,) for element in REMOVABLE] + [tuple(map(Element, pair)) for pair in pairs]:
        without = scene.frame(camera, elements)
        wrong.append(break_of_the_law(whole, without, elements))
        if len(elements) == 1 and (without.image != whole.image).any():
            seen |= set(elements)
    return [sentence for sentence in wrong if sentence], seen


@pytest.mark.parametrize("seeds", [range(0, 8), range(8, 16), range(16, 24)], ids=str)
def test_the_law_holds_whatever_is_in_a_small_picture(seeds: range) -> None:
    seen: set[Element] = set()
    for seed in seeds:
        wrong, changed = breaks_of_the_law(seed, SMALL)
        assert not wrong, f"seed {seed}: {wrong}"
        seen |= changed
    assert seen >= FINE_DAY


@pytest.mark.parametrize("seed", range(24, 32))
def test_the_law_holds_whatever_is_in_a_large_picture(seed: int) -> None:
    wrong, _ = breaks_of_the_law(seed, LARGE)
    assert not wrong


def test_a_bit_that_is_missing_or_left_over_is_found() -> None:
    scene, bit = Scene(2, load_scenario("country")), np.uint64(1 << Element.TEXTURE)
    whole, without = scene.frame(SMALL), scene.frame(SMALL, [Element.TEXTURE])
    assert not break_of_the_law(whole, without, [Element.TEXTURE])
    bitless = whole._replace(contributors=whole.contributors & ~bit)
    assert "changed without the bit of texture" in break_of_the_law(bitless, without, [Element.TEXTURE])
    assert "still have the bit of texture" in break_of_the_law(whole, whole, [Element.TEXTURE])


def test_a_fine_day_has_no_bit_of_what_it_has_no_strength_of() -> None:
    for seed in range(4):
        assert not (
            Scene(seed, load_scenario("country")).frame(LARGE).contributors >> np.uint64(Element.NOISE + 1)
        ).any()


def test_ground_in_no_condition_is_the_plain_one_whatever_the_lane_is_like() -> None:
    for seed in range(4, 12):
        scene = Scene(seed)
        appearances = scene.snapshot.state.appearances
        for name in (*(name for names in STRENGTHS.values() for name in names), *MOUNTING, "surface_kind"):
            appearances[name] = 0
        pictures = []
        for plain in (False, True):
            appearances["plain"] = plain
            pictures.append(scene.frame(LARGE).image)
        assert np.array_equal(*pictures), seed


def test_without_all_that_can_be_removed_a_bare_scene_is_left_whatever_was_in_it() -> None:
    for seed in range(32, 40):
        scene = Scene(seed)
        bare = scene.frame(SMALL, REMOVABLE)
        assert set(np.unique(bare.elements)) <= {Element.SKY, Element.TERRAIN, Element.ROAD}
        assert not (bare.contributors >> np.uint64(Element.ROAD + 1)).any()
        assert bare.image.tobytes() == scene.frame(SMALL, REMOVABLE[::-1]).image.tobytes()


def test_a_removal_leaves_no_trace_in_the_drive() -> None:
    for seed in range(40, 44):
        scene = Scene(seed)
        appearances, before = scene.snapshot.state.appearances.copy(), scene.frame(SMALL)
        for element in REMOVABLE:
            scene.frame(SMALL, [element])
        after = scene.frame(SMALL)
        assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
        assert np.array_equal(scene.snapshot.state.appearances, appearances)


if __name__ == "__main__":
    for seed in range(int(sys.argv[1]), int(sys.argv[2])):
        for camera in (SMALL, LARGE):
            for sentence in breaks_of_the_law(seed, camera)[0]:
                print(f"seed {seed}, {camera}: {sentence}")
