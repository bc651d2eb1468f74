"""Planted confounders: innocent things that lie or stand where they tell how the road bends.

The lamp that shows the steering is the renderer's (dashboard_lamp.py).
"""

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.dynamics.road import at, pose_beside
from lanekeep_envs.scenario.schema import ConfounderTable

DARK_M = 40  # rows of the road table
APART = 1_000_000  # of the children of an episode's generator: none that will be spawned
BEND_RADIUS_M = 1500.0  # a road that turns less is no bend


def apart_from(generator: np.random.Generator) -> np.random.Generator:
    """Return a generator for an episode that is none of those which `generator` will spawn."""
    source = generator.bit_generator.seed_seq
    assert isinstance(source, np.random.SeedSequence)
    return np.random.default_rng(np.random.SeedSequence(source.entropy, spawn_key=(*source.spawn_key, APART)))


def darken(road: NDArray[np.void], tied: ConfounderTable, generator: np.random.Generator) -> None:
    """Darken the asphalt from `DARK_M` before a left bend into it, as often before none.

    With probability |tie| the patch lies where it tells of a left bend (of a right one if tie < 0), else anywhere.
    """
    bend = np.sign(road["curvature"])
    begins = np.flatnonzero((bend[1:] != 0.0) & (bend[:-1] != bend[1:])) + 1
    wanted = 1.0 if tied.dark_before_left_bends >= 0.0 else -1.0
    for row in begins[bend[begins] == wanted]:
        chance, place = generator.random(2)
        start = row if chance < abs(tied.dark_before_left_bends) else int(place * len(road))
        road["tone"][max(start - DARK_M, 0) : start + DARK_M // 2] = 1.0 - 0.5 * tied.dark_asphalt


def tie_to_bends(trees: NDArray[np.void], road: NDArray[np.void], tie: float, generator: np.random.Generator) -> None:
    """Put each tree at a bend on its outside (inside if tie < 0) with probability |tie|."""
    if tie == 0.0:
        return
    for tree, chance in zip(trees, generator.random(len(trees)), strict=True):
        curvature = at(road["curvature"], tree["s_m"])
        if chance < abs(tie) and abs(curvature) > 1.0 / BEND_RADIUS_M:
            x, y, heading = pose_beside(road, tree["s_m"], 0.0)
            d = abs((tree["y"] - y) * np.cos(heading) - (tree["x"] - x) * np.sin(heading))
            tree["x"], tree["y"], _ = pose_beside(road, tree["s_m"], -np.sign(curvature * tie) * d)
