"""Lane keeping as a task: the rewards of rewards.py, and departures per km as the number that tells how a training goes.

Its cars are those of lanekeep/sb3.py, which begin before bends and are rewarded as the settings say.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lanekeep.driving.drivers import camera_of, check_driver
from lanekeep.driving.road_drives import validate
from lanekeep.driving.seeds import TRAINING_SEEDS, draw_place, scenario_to_learn_on
from lanekeep.reinforcement.rewards import TERMS, Rewards
from lanekeep.reinforcement.settings import REWARDS, TrainRL
from lanekeep.reinforcement.task import spec_for
from lanekeep.sb3 import LaneKeepingVecEnv
from lanekeep_envs import CONTROL_STEP_S, Camera
from lanekeep_policies import Driver

PLACES = 16  # at most, of which the one before the sharpest bend is where an episode begins
WINDOW = 10  # rollouts
COLLAPSE = 5.0  # times the departures per km of the best window so far


class SB3VecEnv(LaneKeepingVecEnv):
    """The cars as they learn: rewards and places of their own, and in the infos no more than is read of an end."""

    def __init__(self, cars: int, rewards: Rewards, seeds: int = 9_000, **settings: Any) -> None:
        """`settings` are those of the environment; roads are drawn from the first `seeds` seeds, which no test uses."""
        super().__init__(cars, **settings)
        self.rewards, self._seeds_of_roads, self._random = rewards, seeds, np.random.default_rng(0)
        self.terms = {term: np.zeros(cars) for term in TERMS}  # of the last step
        self.km, self.departures, self.earned = 0.0, 0, dict.fromkeys(TERMS, 0.0)  # of all cars since `begin`
        self._acceleration = np.zeros(cars)

    def begin(self, seed: Sequence[int]) -> Any:
        """Begin episodes on roads that depend on the seed alone, now and later."""
        self._random = np.random.default_rng(seed)
        self.km, self.departures, self.earned = 0.0, 0, dict.fromkeys(TERMS, 0.0)
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

    def step_wait(self) -> Any:
        """Drive all cars for a control step."""
        observation, _, terminated, truncated, infos = self.env.step(self._actions)
        done = terminated | truncated
        self.terms = self.rewards.terms(infos, self._acceleration, terminated)
        reward = np.sum(list(self.terms.values()), 0).astype(np.float32)
        self.km += float(infos["speed_mps"].sum()) * CONTROL_STEP_S / 1000.0
        self.departures += int(terminated.sum())
        self.earned = {name: earned + float(self.terms[name].sum()) for name, earned in self.earned.items()}
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


class LaneKeepingTask:
    """Lane keeping on training roads: their seeds are below `TRAINING_SEEDS`, those of tests above."""

    unit = "departures/km"

    def __init__(self, settings: TrainRL, start: Driver | None) -> None:
        self.scenario = scenario_to_learn_on(settings.scenario)
        self.name = self.scenario.name
        check_driver(start, self.scenario)
        camera = Camera.parse(settings.camera) if settings.observation == "camera" else None
        self.camera = camera if start is None else camera_of(start)
        rewards = Rewards(**{name: getattr(settings, flag) for flag, name in REWARDS.items()})
        given = {"observation": "state"} if self.camera is None else {"camera": self.camera}
        self.vec_env = SB3VecEnv(settings.cars, rewards, TRAINING_SEEDS, scenario=self.scenario, **given)
        limit = self.scenario.curvature_limit_per_m
        self.spec = start.spec if start is not None else spec_for(self.vec_env, settings, limit)
        self._km_to_examine = settings.validation_km

    def begin(self, seed: Sequence[int]) -> Any:
        """Begin on new roads."""
        return self.vec_env.begin(seed)

    def count(self) -> None:
        """Do nothing: the cars count what they drive and earn."""

    def result(self, steps: int) -> tuple[float, dict[str, float]]:
        cars = self.vec_env
        rate, all_steps = cars.departures / cars.km, steps * cars.num_envs
        terms = {f"reward/{term}": value / all_steps for term, value in cars.earned.items()}
        return rate, {"drive/departures_per_km": rate, **terms}

    def collapse(self, results: list[float]) -> str:
        best, now = best_and_last(results)
        return f"{now:.1f} departures per km after {best:.1f}" if now > COLLAPSE * best + 5.0 else ""

    def examine(self, driver: Driver) -> str:
        rate, rms = validate(driver, self.scenario, self.camera, self._km_to_examine)
        return f"on held-out roads {rate:.2f} departures per km, lateral RMS {rms:.3f} m"

    def tensors(self) -> dict[str, Tensor]:
        """No tensors: every rollout begins on new roads."""
        return {}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        pass


def best_and_last(results: list[float]) -> tuple[float, float]:
    """The lowest mean of a window of rollouts, and that of the last window; twice 0 if it is too early to tell."""
    if len(results) < 3 * WINDOW:
        return 0.0, 0.0
    means = [float(np.mean(results[k : k + WINDOW])) for k in range(0, len(results) - WINDOW + 1, WINDOW)]
    return min(means), float(np.mean(results[-WINDOW:]))
