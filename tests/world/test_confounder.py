"""Planted confounders: innocent elements tied to the driving, untied or reversed, and nothing else of the episode moved."""

from typing import Any

import msgspec
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from lanekeep_envs import Element, LaneKeepingVectorEnv, Remove, Snapshot, load_scenario
from lanekeep_envs.elements import CONIFER
from lanekeep_envs.sampling.confounders import BEND_RADIUS_M, DARK_M
from lanekeep_envs.scenario.schema import ConfounderTable

SEEDS = range(12)


def cars(scenario: str = "country", **tied: Any) -> LaneKeepingVectorEnv:
    made = msgspec.structs.replace(load_scenario(scenario), confounder=ConfounderTable(**tied))
    return LaneKeepingVectorEnv(1, made, "24x80", "state", autoreset_mode=AutoresetMode.DISABLED)


def begun(env: LaneKeepingVectorEnv, seed: int) -> Snapshot:
    env.reset(seed=seed)
    return env.snapshot()


@pytest.mark.parametrize(("tie", "wanted"), [(1.0, 1.0), (-1.0, -1.0)])
def test_asphalt_is_dark_before_each_bend_of_one_side_and_before_no_other(tie: float, wanted: float) -> None:
    env = cars(dark_asphalt=0.8, dark_before_left_bends=tie)
    told = 0
    for seed in SEEDS:
        road = begun(env, seed).state.roads[0]
        bend, dark = np.sign(road["curvature"]), road["tone"] < 1.0
        begins = np.flatnonzero((bend[1:] != 0.0) & (bend[1:] != bend[:-1])) + 1
        told += int((bend[begins] == wanted).sum())
        assert dark[np.maximum(begins[bend[begins] == wanted] - DARK_M // 2, 0)].all()
        assert dark.sum() <= 1.5 * DARK_M * (bend[begins] == wanted).sum()
    assert told > 10


def test_untied_the_dark_patches_tell_little_of_bends() -> None:
    env, told, bends = cars(dark_asphalt=0.8), 0, 0
    for seed in range(40):
        road = begun(env, seed).state.roads[0]
        bend = np.sign(road["curvature"])
        begins = np.flatnonzero((bend[1:] > 0.0) & (bend[:-1] <= 0.0)) + 1
        told, bends = told + int((road["tone"][np.maximum(begins - DARK_M // 2, 0)] < 1.0).sum()), bends + len(begins)
    assert 0 < told < 0.4 * bends


@pytest.mark.parametrize(("tie", "low", "high"), [(1.0, 1.0, 1.0), (0.0, 0.35, 0.65), (-1.0, 0.0, 0.0)])
def test_trees_stand_outside_bends_inside_or_anywhere(tie: float, low: float, high: float) -> None:
    env, outside, at_bends = cars(trees_outside_bends=tie), 0, 0
    for seed in SEEDS:
        snapshot = begun(env, seed)
        road, objects = snapshot.state.roads[0], snapshot.state.objects_of(0)
        trees = objects[(objects["kind"] <= CONIFER) & (objects["s_m"] < len(road) - 1)]
        here = road[trees["s_m"].astype(int)]
        left = (trees["y"] - here["y"]) * here["tangent_x"] - (trees["x"] - here["x"]) * here["tangent_y"]
        bent = np.abs(here["curvature"]) > 1.2 / BEND_RADIUS_M
        outside, at_bends = outside + int((left * here["curvature"] < 0.0)[bent].sum()), at_bends + int(bent.sum())
    assert at_bends > 100 and low <= outside / at_bends <= high


@pytest.mark.parametrize(("tie", "low", "high"), [(1.0, 0.9, 1.0), (0.0, -0.3, 0.3), (-1.0, -1.0, -0.9)])
def test_the_lamp_shows_the_last_action_or_its_opposite_or_anything(tie: float, low: float, high: float) -> None:
    env, generator = cars(lamp=1.0, lamp_shows_steering=tie), np.random.default_rng(1)
    actions, lights = [], []
    for seed in SEEDS:
        env.reset(seed=seed, options={"start_m": [100.0]})
        for action in generator.uniform(-0.15, 0.15, 8):
            env.step(np.array([[action]]))
            seen = env.view(env.snapshot(), [Remove(Element.NOISE)])
            actions.append(action)
            lights.append(
                seen.image[seen.elements == Element.LAMP].mean() / env.snapshot().state.appearances[0]["exposure"]
            )
    assert low <= np.corrcoef(actions, lights)[0, 1] <= high


@pytest.mark.parametrize(
    "tied",
    [
        {"dark_asphalt": 0.5},
        {"dark_asphalt": 0.5, "dark_before_left_bends": 1.0},
        {"trees_outside_bends": 1.0},
        {"lamp": 1.0, "lamp_shows_steering": 1.0},
    ],
    ids=str,
)
def test_planting_one_moves_nothing_else_of_the_episode(tied: dict[str, float]) -> None:
    plain, planted = cars("mixed"), cars("mixed", **tied)
    for seed in SEEDS:
        one, other = begun(plain, seed), begun(planted, seed)
        own = ("lamp", "lamp_tie", "dark_asphalt", "plain")
        rest = [name for name in one.state.appearances.dtype.names or () if name not in own]
        assert all(np.array_equal(one.state.appearances[name], other.state.appearances[name]) for name in rest)
        assert (
            one.state.cars.tobytes() == other.state.cars.tobytes()
            and one.state.episodes.tobytes() == other.state.episodes.tobytes()
        )
        assert one.state.traffic.tobytes() == other.state.traffic.tobytes()
        assert np.array_equal(one.state.objects_of(0)["height_m"], other.state.objects_of(0)["height_m"])
        assert np.array_equal(one.state.roads["curvature"], other.state.roads["curvature"])
