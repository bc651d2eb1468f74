"""A task: where a driver learns by reward, lane keeping or any gymnasium environment with a box of actions.

A task has the vector environment, says what a driver for it is made of, and measures how a training goes by one number:
departures per km, or the mean return of the last episodes.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from gymnasium.spaces import Box
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor

from lanekeep.errors import UserError
from lanekeep.reinforcement.settings import TrainRL
from lanekeep_policies import Driver, DriverSpec


class Task(Protocol):
    """What a training needs of a task."""

    name: str
    spec: DriverSpec  # of a driver for it
    unit: str  # of what `result` measures

    @property
    def vec_env(self) -> VecEnv:
        """N cars, or copies of an environment, in one call."""

    def begin(self, seed: Sequence[int]) -> Any:
        """Begin a rollout in a way that the seed alone decides; None if the episodes go on."""

    def count(self) -> None:
        """Take note of a step."""

    def result(self, steps: int) -> tuple[float, dict[str, float]]:
        """How a rollout of this many steps of each car went, and what to log of it."""

    def collapse(self, results: list[float]) -> str:
        """What went wrong, if the results of all rollouts so far say that the driver has forgotten; else ''."""

    def examine(self, driver: Driver) -> str:
        """Say how the driver does where it has not learned."""

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps of the task."""

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what a checkpoint kept; KeyError, TypeError or ValueError if it is damaged."""


def spec_for(env: VecEnv, settings: TrainRL, limit_per_m: float) -> DriverSpec:
    """What a driver for these observations and actions is made of."""
    seen, shape = env.observation_space, env.observation_space.shape or ()
    picture = is_image_space(seen) and shape[2] == 3
    if not picture and not (isinstance(seen, Box) and len(shape) == 1):
        raise UserError(f"a driver reads pictures [H, W, 3] of bytes 0 to 255, or numbers [D], not {seen}")
    height, width = shape[:2] if picture else (0, 0)
    assert env.action_space.shape is not None
    spec = DriverSpec(
        core=settings.core,
        camera_height=height,
        camera_width=width,
        curvature_limit_per_m=limit_per_m,
        numbers=0 if picture else shape[0],
        actions=env.action_space.shape[0],
        learned_start=settings.learned_start,
        env_id=settings.env_id or "",
    )
    try:
        return msgspec.convert(msgspec.to_builtins(spec), DriverSpec)  # its limits hold for what is read
    except msgspec.ValidationError as error:
        raise UserError(f"no driver can be made for this task: {error}") from None
