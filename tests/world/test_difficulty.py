"""The dial of difficulty, and the presence of what a scenario has in some of its episodes."""

import gymnasium
import numpy as np
import pytest

from lanekeep_envs import LaneKeepingEnv, Scenario, ScenarioError, load_scenario, scenario_names
from lanekeep_envs.sampling.appearance import APPEARANCE, sample_appearance
from lanekeep_envs.sampling.episode import generator_of
from lanekeep_envs.scenario.schema import DIALLED, STRENGTHS


@pytest.mark.parametrize("name", scenario_names())
def test_the_dial_goes_from_a_fine_calm_day_to_the_scenario(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.at(1.0) is scenario
    fine, half, nearly = (scenario.at(d) for d in (0.0, 0.5, 1.0 - 1e-9))
    neutral = Scenario(description="")
    for table, names in DIALLED.items():
        for key in names:
            at = [getattr(getattr(s, table), key) for s in (fine, half, nearly, scenario)]
            if table != "look":
                assert at[0] == getattr(getattr(neutral, table), key), key
            assert np.allclose(np.mean([at[0], at[3]], axis=0), at[1], atol=0.5 if key == "late_frames" else 1e-9)
            assert np.allclose(at[2], at[3], rtol=1e-6) and type(at[1][0]) is type(at[3][0])
    assert (fine.road, fine.lane, fine.start, fine.family) == (
        scenario.road, scenario.lane, scenario.start, scenario.family)  # fmt: skip
    look = np.zeros(1, APPEARANCE)[0]
    sample_appearance(look, fine, generator_of(1))
    assert sum(look[key] for keys in STRENGTHS.values() for key in keys) == 0.0
    if name == "country":
        assert fine == half == scenario  # what it is already


def test_the_dial_is_an_argument_of_both_environments_and_has_its_ends() -> None:
    one = gymnasium.make("lanekeep_envs:LaneKeeping-v0", scenario="sensor_noise", observation="state", difficulty=0.5)
    many = gymnasium.make_vec(
        "lanekeep_envs:LaneKeeping-v0", num_envs=2, scenario="sensor_noise", observation="state", difficulty=0.5
    )
    expected = load_scenario("sensor_noise").at(0.5)
    assert one.unwrapped.scenario == many.unwrapped.scenario == expected != load_scenario("sensor_noise")  # type: ignore[attr-defined]
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ScenarioError, match=f"difficulty must be 0 to 1, not {wrong}"):
            LaneKeepingEnv("fog", observation="state", difficulty=wrong)


def test_presence_is_the_share_of_episodes_with_an_effect() -> None:
    appearances, mixed = np.zeros(400, APPEARANCE), load_scenario("mixed")
    for k, look in enumerate(appearances):
        sample_appearance(look, mixed, generator_of(k))
    for table, names in STRENGTHS.items():
        for key in names:
            low, high = getattr(getattr(mixed, table), key)
            there = appearances[key] != 0.0
            assert high == 0.0 or abs(there.mean() - getattr(mixed, table).presence) < 0.08, key
            assert ((appearances[key][there] >= low) & (appearances[key][there] <= high)).all()
