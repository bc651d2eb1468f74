"""Where a driver learns: lane keeping, or any gymnasium environment with a box of actions.

A world has the cars, says what a driver for it is made of, and measures how a training goes by one number: departures per
km, or the mean return of the last episodes.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import gymnasium
import msgspec
import numpy as np
import torch
from gymnasium.spaces import Box
from gymnasium.wrappers import RescaleAction, TimeLimit
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize
from torch import Tensor

from lanekeep.driving.drivers import camera_of, check_driver
from lanekeep.driving.road_drives import validate
from lanekeep.driving.seeds import TRAINING_SEEDS, scenario_to_learn_on
from lanekeep.errors import UserError
from lanekeep.reinforcement.rewards import TERMS, Rewards
from lanekeep.reinforcement.sb3_vec_env import Cars
from lanekeep.reinforcement.settings import REWARDS, TrainRL
from lanekeep_envs import Camera
from lanekeep_policies import Driver, DriverSpec

WINDOW = 10  # rollouts
COLLAPSE = 5.0  # times the departures per km of the best window so far
EPISODES = 20  # that a mean return is of
BLOCK = 50  # episodes, to tell a collapse by
SCALE = "world.reward_scale"  # mean, variance and number of discounted returns
LONGEST = 10_000  # steps of an episode in a world that sets no limit


class World(Protocol):
    """What a training needs of it."""

    name: str
    spec: DriverSpec  # of a driver for it
    unit: str  # of what `result` measures

    @property
    def cars(self) -> VecEnv:
        """N of them."""

    def begin(self, seed: Sequence[int]) -> Any:
        """Begin a rollout in a way that the seed alone decides; None in a world whose episodes go on."""

    def count(self) -> None:
        """Take note of a step."""

    def result(self, steps: int) -> tuple[float, dict[str, float]]:
        """How the rollout of so many steps of each car went, and what to log of it."""

    def collapse(self, results: list[float]) -> str:
        """What went wrong, if the results of all rollouts so far say that the driver has forgotten; else ''."""

    def examine(self, driver: Driver) -> str:
        """Say how the driver does where it has not learned."""

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps of the world."""

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what a checkpoint kept; KeyError, TypeError or ValueError if it is damaged."""


class LaneKeeping:
    """This project's world; a road is at most `TRAINING_SEEDS`, the tests are elsewhere."""

    unit = "departures/km"

    def __init__(self, settings: TrainRL, start: Driver | None) -> None:
        self.scenario = scenario_to_learn_on(settings.scenario)
        self.name = self.scenario.name
        check_driver(start, self.scenario)
        camera = Camera.parse(settings.camera) if settings.observation == "camera" else None
        self.camera = camera if start is None else camera_of(start)
        rewards = Rewards(**{name: getattr(settings, flag) for flag, name in REWARDS.items()})
        given = {"observation": "state"} if self.camera is None else {"camera": self.camera}
        self.cars = Cars(settings.cars, rewards, TRAINING_SEEDS, scenario=self.scenario, **given)
        limit = self.scenario.curvature_limit_per_m
        self.spec = start.spec if start is not None else spec_for(self.cars, settings, limit)
        self._km_to_examine = settings.validation_km
        self._restart()

    def _restart(self) -> None:
        self._km, self._departures, self._terms = 0.0, 0, dict.fromkeys(TERMS, 0.0)

    def begin(self, seed: Sequence[int]) -> Any:
        """On new roads."""
        self._restart()
        return self.cars.begin(seed)

    def count(self) -> None:
        self._km += self.cars.step_km
        self._departures += self.cars.step_departures
        for name, term in self.cars.terms.items():
            self._terms[name] += float(term.sum())

    def result(self, steps: int) -> tuple[float, dict[str, float]]:
        rate, all_steps = self._departures / self._km, steps * self.cars.num_envs
        terms = {f"reward/{term}": value / all_steps for term, value in self._terms.items()}
        return rate, {"drive/departures_per_km": rate, **terms}

    def collapse(self, results: list[float]) -> str:
        best, now = best_and_last(results)
        return f"{now:.1f} departures per km after {best:.1f}" if now > COLLAPSE * best + 5.0 else ""

    def examine(self, driver: Driver) -> str:
        rate, rms = validate(driver, self.scenario, self.camera, self._km_to_examine)
        return f"on held-out roads {rate:.2f} departures per km, lateral RMS {rms:.3f} m"

    def tensors(self) -> dict[str, Tensor]:
        """Nothing: every rollout begins on new roads."""
        return {}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        pass


class Gymnasium:
    """Any other environment, with one process for all its cars; actions are brought to -1..1, and rewards to a scale of 1.

    Its episodes go on from one rollout to the next, and begin anew when a training is resumed: nothing can keep them.  The
    scale of the rewards is kept, since the critic has learned in it.
    """

    unit = "mean return"

    def __init__(self, settings: TrainRL, start: Driver | None) -> None:
        assert settings.env_id is not None
        self.name = settings.env_id
        self._cars = DummyVecEnv(
            [lambda: Monitor(made(self.name, settings.action_repeat)) for _ in range(settings.cars)]
        )
        # a critic of returns in the hundreds has gradients beside which those of the actor are clipped to nothing
        self.cars = VecNormalize(self._cars, norm_obs=False, gamma=settings.gamma)
        self.cars.seed(settings.seed)
        self.spec = spec_for(self.cars, settings, 1.0)
        if start is not None and start.spec != self.spec:
            if start.spec.env_id != self.name:
                raise UserError(f"this driver was made for {start.spec.env_id or 'lane keeping'}, not for {self.name}")
            self.spec = start.spec
        self.returns: list[float] = []  # of all episodes since it was begun or resumed

    def begin(self, seed: Sequence[int]) -> Any:
        """Episodes go on."""
        return None

    def count(self) -> None:
        for info in self._cars.buf_infos:
            if "episode" in info:
                self.returns.append(float(info["episode"]["r"]))

    def result(self, steps: int) -> tuple[float, dict[str, float]]:
        mean = float(np.mean(self.returns[-EPISODES:])) if self.returns else float("nan")
        return mean, {"drive/mean_return": mean}

    def collapse(self, results: list[float]) -> str:
        """Whole episodes are compared, in blocks: means over the last few have most of them in common."""
        blocks = len(self.returns) // BLOCK
        if blocks < 3:
            return ""
        of_blocks = np.array(self.returns[-blocks * BLOCK :]).reshape(blocks, BLOCK)
        means, error = of_blocks.mean(1), float(np.sqrt(of_blocks.var(1, ddof=1).mean() / BLOCK))
        gained, lost = means.max() - means[0], means.max() - means[-1]
        return f"a mean return of {means[-1]:.1f} after {means.max():.1f}" if lost > 0.9 * gained > 8.0 * error else ""

    def examine(self, driver: Driver) -> str:
        episodes = 5
        self._cars.seed(TRAINING_SEEDS + 1_000)
        returns = np.array(evaluate_policy(driver, self._cars, episodes, return_episode_rewards=True)[0])
        lowest, highest = returns.min(), returns.max()
        return f"mean return of {episodes} new episodes {returns.mean():.1f} ({lowest:.1f} to {highest:.1f})"

    def tensors(self) -> dict[str, Tensor]:
        """The statistics that give the scale of the rewards."""
        scale = self.cars.ret_rms
        return {SCALE: torch.tensor([float(scale.mean), float(scale.var), float(scale.count)], dtype=torch.float64)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        mean, var, count = tensors[SCALE].tolist()
        scale = self.cars.ret_rms
        scale.mean, scale.var, scale.count = np.asarray(mean), np.asarray(var), count


def world_of(settings: TrainRL, start: Driver | None) -> World:
    """The world that the settings name."""
    return LaneKeeping(settings, start) if settings.env_id is None else Gymnasium(settings, start)


def best_and_last(results: list[float]) -> tuple[float, float]:
    """The lowest mean of a window of rollouts, and that of the last window; twice 0 if it is too early to tell."""
    if len(results) < 3 * WINDOW:
        return 0.0, 0.0
    means = [float(np.mean(results[k : k + WINDOW])) for k in range(0, len(results) - WINDOW + 1, WINDOW)]
    return min(means), float(np.mean(results[-WINDOW:]))


class Repeat(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Does each action several times, and adds up what it earns."""

    def __init__(self, env: gymnasium.Env[Any, Any], times: int) -> None:
        super().__init__(env)
        self._times = times

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        earned = 0.0
        for _ in range(self._times):
            seen, reward, terminated, truncated, info = self.env.step(action)
            earned += float(reward)
            if terminated or truncated:
                break
        return seen, earned, terminated, truncated, info


def made(env_id: str, action_repeat: int = 1) -> gymnasium.Env[Any, Any]:
    """An environment by its name, with actions in -1..1."""
    try:
        env = gymnasium.make(env_id)
    except (gymnasium.error.Error, ImportError, ValueError) as error:
        raise UserError(f"--env-id {env_id}: {error}") from None
    space = env.action_space
    if not isinstance(space, Box) or len(space.shape) != 1 or space.dtype.kind != "f" or not space.is_bounded():
        raise UserError(f"--env-id {env_id}: a driver's actions are a bounded box [A] of floats, not {space}")
    if env.spec is None or env.spec.max_episode_steps is None:
        env = TimeLimit(env, LONGEST)
    if not (space.low == -1.0).all() or not (space.high == 1.0).all():
        env = RescaleAction(env, np.float32(-1.0), np.float32(1.0))
    return env if action_repeat == 1 else Repeat(env, action_repeat)


def spec_for(cars: VecEnv, settings: TrainRL, limit_per_m: float) -> DriverSpec:
    """What a driver for these observations and actions is made of."""
    seen, shape = cars.observation_space, cars.observation_space.shape or ()
    picture = is_image_space(seen) and shape[2] == 3
    if not picture and not (isinstance(seen, Box) and len(shape) == 1):
        raise UserError(f"a driver reads pictures [H, W, 3] of bytes 0 to 255, or numbers [D], not {seen}")
    height, width = shape[:2] if picture else (0, 0)
    assert cars.action_space.shape is not None
    spec = DriverSpec(
        core=settings.core,
        camera_height=height,
        camera_width=width,
        curvature_limit_per_m=limit_per_m,
        numbers=0 if picture else shape[0],
        actions=cars.action_space.shape[0],
        learned_start=settings.learned_start,
        env_id=settings.env_id or "",
    )
    try:
        return msgspec.convert(msgspec.to_builtins(spec), DriverSpec)  # its limits hold for what is read
    except msgspec.ValidationError as error:
        raise UserError(f"no driver can be made for this world: {error}") from None
