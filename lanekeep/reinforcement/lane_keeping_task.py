"""Lane keeping as a task: the rewards of rewards.py, and departures per km as the number that tells how a training goes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from lanekeep.driving.drivers import camera_of, check_driver
from lanekeep.driving.road_drives import validate
from lanekeep.driving.seeds import TRAINING_SEEDS, scenario_to_learn_on
from lanekeep.reinforcement.rewards import TERMS, Rewards
from lanekeep.reinforcement.sb3_vec_env import SB3VecEnv
from lanekeep.reinforcement.settings import REWARDS, TrainRL
from lanekeep.reinforcement.task import spec_for
from lanekeep_envs import Camera
from lanekeep_policies import Driver

WINDOW = 10  # rollouts
COLLAPSE = 5.0  # times the departures per km of the best window so far


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
        self._restart()

    def _restart(self) -> None:
        self._km, self._departures, self._terms = 0.0, 0, dict.fromkeys(TERMS, 0.0)

    def begin(self, seed: Sequence[int]) -> Any:
        """Begin on new roads."""
        self._restart()
        return self.vec_env.begin(seed)

    def count(self) -> None:
        self._km += self.vec_env.step_km
        self._departures += self.vec_env.step_departures
        for name, term in self.vec_env.terms.items():
            self._terms[name] += float(term.sum())

    def result(self, steps: int) -> tuple[float, dict[str, float]]:
        rate, all_steps = self._departures / self._km, steps * self.vec_env.num_envs
        terms = {f"reward/{term}": value / all_steps for term, value in self._terms.items()}
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
