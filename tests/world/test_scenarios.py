"""The scenarios of the package: what they say they are, how hard they are, and that the expert keeps its lane in them."""

import msgspec
import numpy as np
import pytest

from lanekeep_envs import LaneKeepingVectorEnv, Scenario, load_scenario, scenario_names
from lanekeep_envs.dynamics.control_step import PREVIEW_M
from lanekeep_policies.expert import Expert

EXPERTS_SENSES = ("lateral_offset_m", "heading_error_rad", "speed_mps", "curvature_per_m", "curvature_preview_per_m")
HARDEST = {  # held-out scenario -> what it is about
    "night": ("weather", "night"),
    "rain": ("weather", "rain"),
    "fog": ("weather", "fog"),
    "snow": ("surface", "snow"),
    "low_sun": ("weather", "glare"),
    "avenue": ("scenery", "avenue"),
    "worn": ("surface", "worn"),
    "roadworks": ("surface", "roadworks"),
    "ghost_lines": ("surface", "ghost_lines"),
    "winter_dusk": ("surface", "wet"),
    "gusts": ("disturbance", "gust_mps2"),
    "sensor_noise": ("look", "noise_grey"),
}


@pytest.mark.parametrize("name", scenario_names())
def test_the_scenarios_of_the_package_load_and_say_what_they_are(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name and len(scenario.description) > 20
    assert scenario.description.endswith(".") and ". " not in scenario.description  # one sentence
    assert scenario.family in ("training", "held-out")
    assert load_scenario(scenario) == scenario


def test_a_scenario_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        load_scenario("country").road.length_m = 5  # type: ignore[misc]
    changed = msgspec.structs.replace(load_scenario("country"), time_limit_s=1.0)
    assert load_scenario("country").time_limit_s != changed.time_limit_s


def test_the_scenarios_for_tests_are_harder_than_all_that_is_trained_on() -> None:
    families = {name: load_scenario(name).family for name in scenario_names()}
    training = [load_scenario(name) for name, family in families.items() if family == "training"]
    assert {s.name for s in training} == {"country", "motorway", "town", "mixed"}
    assert {name for name, family in families.items() if family == "held-out"} == set(HARDEST)
    for name, (table, key) in HARDEST.items():
        if name == "winter_dusk":  # hard by what comes together
            continue
        low, _ = getattr(getattr(load_scenario(name), table), key)
        assert all(low >= getattr(getattr(s, table), key)[1] for s in training), (name, key)


def departures_of_the_expert(scenario: Scenario, cars: int) -> tuple[int, float, float]:
    """How often the expert departs on a road per car, its greatest offset [m] after 3 s, and the way driven [km]."""
    env, expert = LaneKeepingVectorEnv(cars, scenario, observation="state", autoreset_mode="Disabled"), Expert()
    env.rest_when_finished = True
    assert expert.preview_m == tuple(PREVIEW_M)
    _, infos = env.reset(seed=10_000)
    over, departed, worst = np.zeros(cars, np.bool_), np.zeros(cars, np.bool_), 0.0
    while not over.all():
        curvature = expert.curvature(*(infos[name] for name in EXPERTS_SENSES))
        _, _, terminated, truncated, infos = env.step(curvature[:, None] / scenario.curvature_limit_per_m)
        awake = ~over & (infos["elapsed_s"] > 3.0)
        worst = max(worst, np.abs(infos["lateral_offset_m"][awake]).max(initial=0.0))
        departed |= terminated
        over |= terminated | truncated
    assert (departed | (infos["distance_m"] >= scenario.road.length_m)).all()  # nobody runs out of time
    return int(departed.sum()), float(worst), float(infos["distance_m"].sum() / 1000.0)


@pytest.mark.parametrize("name", scenario_names())
def test_the_expert_keeps_its_lane_for_some_hundred_metres(name: str) -> None:
    scenario = load_scenario(name)
    short = msgspec.structs.replace(scenario, road=msgspec.structs.replace(scenario.road, length_m=400))
    departures, worst, _ = departures_of_the_expert(short, 2)
    assert departures == 0 or scenario.unavoidable_departures
    assert worst < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("name", scenario_names())
def test_the_expert_keeps_its_lane_for_kilometres(name: str) -> None:
    scenario = load_scenario(name)
    departures, worst, km = departures_of_the_expert(scenario, 64)
    assert km > 50.0 and (departures == 0 or scenario.unavoidable_departures)
    assert worst < (0.8 if name == "gusts" else 0.4)
