"""A copy of an environment, made by copying or by pickling, goes on as the original does, and each goes its own way."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import FrameStackObservation, RecordEpisodeStatistics, TimeLimit
from stable_baselines3.common.vec_env import SubprocVecEnv

from lanekeep_envs import LaneKeepingEnv, LaneKeepingVectorEnv

NAME = "lanekeep_envs:LaneKeeping-v0"
MADE: dict[str, Callable[[], Any]] = {
    "one": lambda: LaneKeepingEnv(camera="8x24"),
    "one with a window": lambda: LaneKeepingEnv(camera="8x24", render_mode="human"),
    "late frames": lambda: LaneKeepingEnv("sensor_noise", camera="8x24"),
    "state": lambda: LaneKeepingEnv(observation="state", acceleration=True),
    "made": lambda: gymnasium.make(NAME, camera="8x24"),
    "wrapped": lambda: FrameStackObservation(TimeLimit(LaneKeepingEnv(camera="8x24"), 30), 3),
    **{
        f"three, {mode.value}": lambda mode=mode: LaneKeepingVectorEnv(3, camera="8x24", autoreset_mode=mode)
        for mode in AutoresetMode
    },
    "three that are counted": lambda: gymnasium.wrappers.vector.RecordEpisodeStatistics(
        LaneKeepingVectorEnv(3, camera="8x24")
    ),
}


def going_on(env: Any, steps: int, seed: int) -> list[Any]:
    """All that comes back from driving on for a while."""
    shape, seen, single = env.action_space.shape, [], not isinstance(env, gymnasium.vector.VectorEnv)
    for action in np.random.default_rng(seed).uniform(-0.9, 0.9, (steps, *shape)):
        seen.append(env.step(action.astype(np.float32)))
        if single and (seen[-1][2] or seen[-1][3]):
            seen.append(env.reset())
    return seen


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return set(one) == set(other) and all(equal(one[key], other[key]) for key in one if key != "episode")
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, np.ndarray) and one.dtype == np.object_:
        return equal(list(one), list(other))
    return bool(np.array_equal(one, other))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"])
@pytest.mark.parametrize("made", MADE)
def test_a_copy_goes_on_as_the_original(
    made: str, copied: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = MADE[made]()
    if made.startswith("three, Disabled"):
        env.rest_when_finished = True
    fresh = copied(env)
    for each in (env, fresh):
        each.reset(seed=3)
    steps = 12 if made == "one with a window" else 120  # a window keeps the time of the road
    assert equal(going_on(fresh, steps // 5, 1), going_on(env, steps // 5, 1))
    other = copied(env)
    going_on(copied(env), 6, 5)  # moves neither the original nor other copies
    first = going_on(env, steps, 2)
    assert equal(going_on(other, steps, 2), first)
    assert not equal(first, going_on(other, steps, 2))  # they do move
    for each in (env, fresh, other):
        each.close()


@pytest.mark.parametrize("steps", [pytest.param(0, marks=pytest.mark.slow), 4])
def test_environments_that_travel_to_other_processes_go_on_there(steps: int) -> None:
    envs = [LaneKeepingEnv(camera="8x24") for _ in range(2)]
    for i, env in enumerate(envs):
        env.reset(seed=i)
        going_on(env, steps, 4)
    there = gymnasium.vector.AsyncVectorEnv([pickle_of(env) for env in envs], autoreset_mode=AutoresetMode.DISABLED)
    actions = np.random.default_rng(1).uniform(-0.3, 0.3, (8, 2, 1)).astype(np.float32)
    there._state = gymnasium.vector.async_vector_env.AsyncState.DEFAULT
    for row in actions:
        mine = [env.step(action) for env, action in zip(envs, row, strict=True)]
        its = there.step(row)
        for k in range(4):
            assert np.array_equal(np.array([step[k] for step in mine]), its[k])
    there.close()
    fleet = SubprocVecEnv([pickle_of(env) for env in envs])
    for row in actions:
        mine = [env.step(action) for env, action in zip(envs, row, strict=True)]
        frames, rewards, *_ = fleet.step(row)
        assert np.array_equal(np.array([step[0] for step in mine]), frames)
        assert np.allclose([step[1] for step in mine], rewards)
    fleet.close()


def pickle_of(env: Any) -> Callable[[], Any]:
    kept = pickle.dumps(env)
    return lambda: pickle.loads(kept)


def test_statistics_of_copies_are_their_own() -> None:
    env = RecordEpisodeStatistics(LaneKeepingEnv(observation="state"))
    env.reset(seed=3)
    other = copy.deepcopy(env)
    going_on(env, 60, 1)
    assert env.episode_count >= 1 and other.episode_count == 0
