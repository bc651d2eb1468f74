"""What stands beside the road: trees, bushes and delineator posts, as records of `THING` sorted along the road."""

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.kernel import kernel
from lanekeep_envs.road import SPACING_M, pose_beside
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


def plant(road: NDArray[np.void], scenario: Scenario, generator: np.random.Generator) -> NDArray[np.void]:
    """Draw the things along one road, sorted by arc length."""
    scenery, lane = scenario.scenery, scenario.lane
    length = (road.shape[0] - 1) * SPACING_M
    per_km = [lo + (hi - lo) * generator.random() for lo, hi in (scenery.trees_per_km, scenery.bushes_per_km)]
    trees, bushes = (round(density * length / 1000.0) for density in per_km)
    pairs = int(length / scenery.post_spacing_m)
    things = np.zeros(trees + bushes + 2 * pairs, THING)
    draws, conifers = generator.random((trees + bushes, 6)), generator.random() * 0.7
    edge = lane.lane_width_m + lane.edge_strip_m
    grow(things, road, draws, trees, conifers, scenery.nearest_tree_m, lane.shoulder_m + 1.2, edge)
    set_posts(things[trees + bushes :], road, scenery.post_spacing_m, edge + 0.5)
    return things[np.argsort(things["s_m"], kind="stable")]


@kernel
def grow(things, road, draws, trees, conifers, nearest_tree_m, nearest_bush_m, edge_m):
    """Fill in trees and bushes from uniform `draws` [N, 6]: the first `trees` are trees, `conifers` is their share."""
    for k in range(draws.shape[0]):
        u, thing = draws[k], things[k]
        if k < trees:
            kind, slender = (CONIFER, 0.20) if u[3] < conifers else (BROADLEAF, 0.32)
            tall, distance = 7.0 + 9.0 * u[4], nearest_tree_m + 38.0 * u[1] ** 2.2
        else:
            kind, slender = BUSH, 0.75
            tall, distance = 0.8 + 1.8 * u[4], nearest_bush_m + 14.0 * u[1] * u[1]
        radius = tall * slender * (0.8 + 0.4 * u[5])
        d = edge_m + max(distance, 0.6 * radius + 1.0)  # the crown stays clear of the carriageway
        thing["s_m"] = u[2] * (road.shape[0] - 1) * SPACING_M
        thing["x"], thing["y"], _ = pose_beside(road, thing["s_m"], -d if u[0] < 0.5 else d)
        thing["height_m"], thing["radius_m"], thing["kind"] = tall, radius, kind
        thing["tint"], thing["twist"] = 0.8 + 0.4 * u[1], u[5]


@kernel
def set_posts(things, road, spacing_m, d_m):
    """Fill in delineators in pairs, `d_m` beside the axis."""
    for k in range(things.shape[0]):
        thing = things[k]
        thing["s_m"] = (k // 2 + 0.5) * spacing_m
        thing["x"], thing["y"], _ = pose_beside(road, thing["s_m"], -d_m if k % 2 == 0 else d_m)
        thing["height_m"], thing["radius_m"] = POST_HEIGHT_M, 0.5 * POST_WIDTH_M
        thing["tint"], thing["kind"] = 1.0, POST
