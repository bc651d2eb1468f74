"""The native cars under stable-baselines3 are the single environments under its DummyVecEnv, and it can learn on them."""

from typing import Any

import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack, VecMonitor, VecNormalize, VecTransposeImage

from lanekeep.sb3 import LaneKeepingVecEnv
from lanekeep_envs import LaneKeepingEnv


def assert_same(mine: Any, its: Any) -> None:
    if isinstance(its, dict):
        assert set(mine) == set(its)
        for key in its:
            assert_same(mine[key], its[key])
    else:
        assert type(mine) is type(its) and np.array_equal(mine, its)


@pytest.mark.parametrize("observation", ["camera", "state"])
def test_it_does_what_a_dummy_of_single_cars_does(observation: str) -> None:
    arguments: dict[str, Any] = {"camera": "8x24", "observation": observation, "scenario": "sensor_noise"}
    native = LaneKeepingVecEnv(3, **arguments)
    dummy = DummyVecEnv([lambda: LaneKeepingEnv(**arguments)] * 3)
    ends = 0
    for options in (None, {"start_m": 200.0}):
        for envs in (native, dummy):
            envs.seed(7)
            envs.set_options(options)
        assert np.array_equal(native.reset(), dummy.reset())
        assert_same(dict(enumerate(native.reset_infos)), dict(enumerate(dummy.reset_infos)))
        for actions in np.random.default_rng(1).uniform(-0.8, 0.8, (120, 3, 1)).astype(np.float32):
            mine, its = native.step(actions), dummy.step(actions)
            for one, other in zip(mine[:3], its[:3], strict=True):
                assert one.dtype == other.dtype and np.array_equal(one, other)
            for one, other in zip(mine[3], its[3], strict=True):
                assert_same(one, other)
            ends += mine[2].sum()
            assert_same(dict(enumerate(native.reset_infos)), dict(enumerate(dummy.reset_infos)))
    assert ends >= 6


@pytest.mark.parametrize("policy", ["MlpPolicy", "CnnPolicy"])
def test_ppo_learns_on_it_within_the_wrappers_of_stable_baselines3(policy: str) -> None:
    envs: Any = LaneKeepingVecEnv(2, camera="36x48", observation="state" if policy == "MlpPolicy" else "camera")
    envs = VecMonitor(envs)
    envs = VecNormalize(envs) if policy == "MlpPolicy" else VecFrameStack(VecTransposeImage(envs), 2)
    learner = PPO(policy, envs, n_steps=16, batch_size=16, n_epochs=1, device="cpu", seed=0)
    assert learner.learn(64).num_timesteps == 64


def test_pictures_are_those_of_the_cars() -> None:
    envs = LaneKeepingVecEnv(2, camera="8x24", render_mode="rgb_array")
    envs.seed(3)
    envs.reset()
    one = LaneKeepingEnv(camera="8x24", render_mode="rgb_array")
    one.reset(seed=4)
    assert np.array_equal(envs.get_images()[1], one.render())
