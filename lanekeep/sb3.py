"""`LaneKeepingVecEnv`: the native cars as a vector environment of stable-baselines3, without a process for each.

    from stable_baselines3 import PPO
    from lanekeep.sb3 import LaneKeepingVecEnv

    PPO("MlpPolicy", LaneKeepingVecEnv(16, scenario="mixed", observation="state")).learn(100_000)

It does what `DummyVecEnv` does with as many single environments.  A road that ends, or a time limit, is not a death: such a
step is marked `TimeLimit.truncated` and its last observation is handed over, so that the learner goes on with the value of
what would have come.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from lanekeep_envs import LaneKeepingVectorEnv


class LaneKeepingVecEnv(VecEnv):
    """N cars; a car whose episode is over begins the next one at once."""

    def __init__(self, num_envs: int = 16, **arguments: Any) -> None:
        """`arguments` are those of `LaneKeepingVectorEnv`: scenario, camera, observation, acceleration, difficulty, ..."""
        self.env = LaneKeepingVectorEnv(num_envs, autoreset_mode=AutoresetMode.DISABLED, **arguments)
        super().__init__(num_envs, self.env.single_observation_space, self.env.single_action_space)
        self._actions: Any = None

    def reset(self) -> Any:
        """Begin the episodes of the seeds that `seed()` gave, or the next ones; return the observations [N, ...]."""
        starts = [options.get("start_m") for options in self._options]
        observation, _ = self.env.reset(seed=self._seeds, options={"start_m": starts})
        self.reset_infos = [self.env.info_of(i) for i in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return observation

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Drive all cars for a control step; return observations, rewards [N], dones [N] and N infos."""
        observation, rewards, terminated, truncated, _ = self.env.step(self._actions)
        done, infos = terminated | truncated, [self.env.info_of(i) for i in range(self.num_envs)]
        for i in range(self.num_envs):
            infos[i]["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
            if done[i]:
                infos[i]["terminal_observation"] = observation[i].copy()
        if done.any():
            observation, _ = self.env.reset(options={"reset_mask": done})
            for i in np.flatnonzero(done).tolist():
                self.reset_infos[i] = self.env.info_of(i)
        return observation, rewards.astype(np.float32), done, infos

    def close(self) -> None:
        """Do nothing: the cars hold no resource."""

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """Return a picture for people of each car, with `render_mode="rgb_array"`."""
        return self.env.render() or [None] * self.num_envs

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the environment, which all cars share."""
        return [getattr(self.env, attr_name)] * len(self._numbers(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refuse: the cars have no attributes of their own."""
        raise NotImplementedError("the cars share one environment: its attributes cannot be set one by one")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Refuse: the cars have no methods of their own."""
        raise NotImplementedError("the cars share one environment: its methods cannot be called one by one")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """Return whether a gymnasium wrapper is around each car: never."""
        return [False] * len(self._numbers(indices))

    def _numbers(self, indices: Any) -> Sequence[int]:
        return range(self.num_envs) if indices is None else np.atleast_1d(indices).tolist()
