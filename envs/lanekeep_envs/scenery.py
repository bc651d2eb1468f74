"""What stands beside the road: trees, bushes and delineator posts, as records of `THING` sorted along the road."""

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.road import SPACING_M
from lanekeep_envs.scenario import Scenario

BROADLEAF, CONIFER, BUSH, POST = 0, 1, 2, 3
POST_HEIGHT_M, POST_WIDTH_M = 1.0, 0.12

THING = np.dtype(
    [
        ("s_m", np.float64),
        ("x", np.float64),
        ("y", np.float64),
        ("height_m", np.float64),
        ("radius_m", np.float64),  # half the greatest width
        ("tint", np.float64),  # 0.8 .. 1.2, brightness of the leaves
        ("twist", np.float64),  # 0 .. 1, tells two trees of a kind apart; negated in a mirrored world
        ("kind", np.int64),
    ]
)


def beside(
    road: NDArray[np.void], s_m: NDArray[np.float64], d_m: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """World position (x, y) of points at (s, d), vectorised."""
    row = np.minimum((s_m / SPACING_M).astype(np.int64), road.shape[0] - 2)
    t = s_m / SPACING_M - row
    heading = road["heading"][row] * (1.0 - t) + road["heading"][row + 1] * t
    x = road["x"][row] * (1.0 - t) + road["x"][row + 1] * t
    y = road["y"][row] * (1.0 - t) + road["y"][row + 1] * t
    return x - d_m * np.sin(heading), y + d_m * np.cos(heading)


def plant(road: NDArray[np.void], scenario: Scenario, generator: np.random.Generator) -> NDArray[np.void]:
    """Draw the things along one road, sorted by arc length."""
    scenery, lane = scenario.scenery, scenario.lane
    length = (road.shape[0] - 1) * SPACING_M
    edge = lane.lane_width_m + lane.edge_strip_m
    per_km = [lo + (hi - lo) * generator.random() for lo, hi in (scenery.trees_per_km, scenery.bushes_per_km)]
    trees, bushes = (int(round(density * length / 1000.0)) for density in per_km)
    posts = int(length / scenery.post_spacing_m)
    things = np.zeros(trees + bushes + 2 * posts, THING)
    u = generator.random((trees + bushes, 6))
    side = np.where(u[:, 0] < 0.5, -1.0, 1.0)
    distance = np.empty(trees + bushes)
    distance[:trees] = scenery.nearest_tree_m + 38.0 * u[:trees, 1] ** 2.2
    distance[trees:] = lane.shoulder_m + 1.2 + 14.0 * u[trees:, 1] ** 2
    grown = things[: trees + bushes]
    grown["s_m"] = u[:, 2] * length
    conifers = generator.random() * 0.7
    grown["kind"][:trees] = np.where(u[:trees, 3] < conifers, CONIFER, BROADLEAF)
    grown["kind"][trees:] = BUSH
    tall = np.where(grown["kind"] == BUSH, 0.8 + 1.8 * u[:, 4], 7.0 + 9.0 * u[:, 4])
    slender = np.choose(grown["kind"], [0.32, 0.20, 0.75])
    grown["height_m"], grown["radius_m"] = tall, tall * slender * (0.8 + 0.4 * u[:, 5])
    grown["tint"], grown["twist"] = 0.8 + 0.4 * u[:, 1], u[:, 5]
    # the crown stays clear of the carriageway
    d = side * (edge + np.maximum(distance, 0.6 * grown["radius_m"] + 1.0))
    grown["x"], grown["y"] = beside(road, grown["s_m"], d)
    set_posts(things[trees + bushes :], road, scenery.post_spacing_m, edge + 0.5)
    return things[np.argsort(things["s_m"], kind="stable")]


def set_posts(things: NDArray[np.void], road: NDArray[np.void], spacing_m: float, d_m: float) -> None:
    """Delineators in pairs, half a metre beside the carriageway."""
    pairs = len(things) // 2
    things["s_m"] = np.repeat((np.arange(pairs) + 0.5) * spacing_m, 2)
    d = np.tile([-d_m, d_m], pairs)
    things["x"], things["y"] = beside(road, things["s_m"], d)
    things["height_m"], things["radius_m"], things["tint"], things["kind"] = POST_HEIGHT_M, POST_WIDTH_M / 2, 1.0, POST
