"""The native vector environment as stable-baselines3 wants one: N cars in one call, no process for each.

A road that ends, or a time limit, is not a death: such a step is marked `TimeLimit.truncated` and its last observation is
handed over, so that the learner goes on with the value of what would have come.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from lanekeep.driving.seeds import draw_place
from lanekeep.reinforcement.rewards import TERMS, Rewards
from lanekeep_envs import CONTROL_STEP_S, LaneKeepingVectorEnv

PLACES = 16  # at most, of which the one before the sharpest bend is where an episode begins


class SB3VecEnv(VecEnv):
    """`LaneKeepingVectorEnv` for stable-baselines3."""

    def __init__(self, cars: int, rewards: Rewards, seeds: int = 9_000, **settings: Any) -> None:
        """`settings` are those of the environment; roads are drawn from the first `seeds` seeds, which no test uses."""
        self.env = LaneKeepingVectorEnv(cars, autoreset_mode=AutoresetMode.DISABLED, **settings)
        self.rewards, self._seeds_of_roads, self._random = rewards, seeds, np.random.default_rng(0)
        super().__init__(cars, self.env.single_observation_space, self.env.single_action_space)
        self._actions: Any = None
        self.step_km, self.step_departures = 0.0, 0  # of all cars in the last step
        self.terms = {term: np.zeros(cars) for term in TERMS}
        self._acceleration = np.zeros(cars)

    def begin(self, seed: Sequence[int]) -> Any:
        """Begin episodes on roads that depend on the seed alone, now and later."""
        self._random = np.random.default_rng(seed)
        return self._begin(np.ones(self.num_envs, np.bool_))

    def _begin(self, cars: NDArray[np.bool_]) -> Any:
        """Many before a bend: the sharp ones are few, and a rollout is shorter than a road (`draw_place`)."""
        scenario, random = self.env.scenario, self._random
        places = [draw_place(scenario, random, self._seeds_of_roads, PLACES) if c else (0, None) for c in cars]
        seeds, starts = [seed for seed, _ in places], [start for _, start in places]
        observation, infos = self.env.reset(seed=seeds, options={"reset_mask": cars, "start_m": starts})
        self._acceleration[cars] = infos["lateral_acceleration_mps2"][cars]
        return observation

    def reset(self) -> Any:
        """Begin episodes."""
        seed = next((s for s in self._seeds if s is not None), 0)
        self._reset_seeds()
        return self.begin([seed])

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Drive all cars for a control step."""
        observation, _, terminated, truncated, infos = self.env.step(self._actions)
        done = terminated | truncated
        terms = self.rewards.terms(infos, self._acceleration, terminated)
        reward = np.sum(list(terms.values()), 0).astype(np.float32)
        self.step_km = float(infos["speed_mps"].sum()) * CONTROL_STEP_S / 1000.0
        self.step_departures, self.terms = int(terminated.sum()), terms
        self._acceleration = infos["lateral_acceleration_mps2"].copy()
        told: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(done):
            told[i] = {
                "terminal_observation": observation[i].copy(),
                "TimeLimit.truncated": bool(truncated[i] and not terminated[i]),
                "distance_m": float(infos["distance_m"][i]),
                "departed": bool(terminated[i]),
            }
        if done.any():
            observation = self._begin(done)
        return observation, reward, done, told

    def close(self) -> None:
        """Do nothing: the cars hold no resource."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the environment, the same for all cars."""
        return [getattr(self.env, attr_name)] * len(self._indices(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refused: the cars have no attributes of their own."""
        raise NotImplementedError("the cars share one environment: its attributes cannot be set one by one")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Refused: the cars have no methods of their own."""
        raise NotImplementedError("the cars share one environment: its methods cannot be called one by one")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """Whether a gymnasium wrapper is around: never."""
        return [False] * len(self._indices(indices))

    def _indices(self, indices: Any) -> Sequence[int]:
        return range(self.num_envs)[:] if indices is None else np.atleast_1d(indices).tolist()
