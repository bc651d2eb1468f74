"""Where drives begin: the seeds of roads to learn on, and the places on them from which most is learned.

Roads of seeds below TRAINING_SEEDS are trained on, the next 1,000 are for validation, those from 10,000 on for tests.
"""

from typing import NamedTuple

import numpy as np

from lanekeep.errors import UserError
from lanekeep_envs import START_M, Scenario, curvature_along, load_scenario, scenario_names

TRAINING_SEEDS = 9_000
BEND_AHEAD_M = 80  # of road, over which the bend ahead of a place is averaged


class Place(NamedTuple):
    """Where a car is put down."""

    seed: int  # of the road
    start_m: float | None = None  # along it, in the middle of the lane; None: the usual start, a little off the middle


def draw_place(
    scenario: Scenario, generator: np.random.Generator, seeds_below: int = TRAINING_SEEDS, candidates: int = 1
) -> Place:
    """Draw a road and the place on it at which a drive begins.

    With more than one candidate it is the place, out of up to so many, ahead of which the road bends hardest to the left, or
    to the right: the sharpest bends are a few metres in a kilometre, and those are where drivers fail.
    """
    reach = max(scenario.road.length_m - 300.0, 0.0)
    if generator.random() < 0.2 or reach == 0.0:
        return Place(int(generator.integers(seeds_below)))
    drawn = [
        Place(int(generator.integers(seeds_below)), START_M + generator.random() * reach)
        for _ in range(generator.integers(candidates) + 1)
    ]
    if len(drawn) == 1:
        return drawn[0]
    sense = generator.choice((-1.0, 1.0))

    def bend(place: Place) -> float:
        start = int(place.start_m or 0.0)
        return float(sense * curvature_along(scenario, place.seed)[start:][:BEND_AHEAD_M].mean())

    return max(drawn, key=bend)


def scenario_to_learn_on(name: str) -> Scenario:
    """Load a scenario; UserError for one that drivers are tested by."""
    scenario = load_scenario(name)
    if scenario.family == "held-out":
        families = {other: load_scenario(other).family for other in scenario_names()}
        ours = ", ".join(other for other, family in families.items() if family == "training")
        raise UserError(
            f"scenario {scenario.name} is held out for tests; to learn on there are {ours}, or a file of yours"
        )
    return scenario
