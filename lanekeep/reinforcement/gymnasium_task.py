"""Any gymnasium environment as a task: one process for all its copies, and the mean return tells how a training goes."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box
from gymnasium.wrappers import RescaleAction, TimeLimit
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize
from torch import Tensor

from lanekeep.driving.seeds import TRAINING_SEEDS
from lanekeep.errors import UserError
from lanekeep.reinforcement.settings import TrainRL
from lanekeep.reinforcement.task import spec_for
from lanekeep_policies import Driver

EPISODES = 20  # that a mean return is of
BLOCK = 50  # episodes, to tell a collapse by
SCALE = "world.reward_scale"  # mean, variance and number of discounted returns; the name stands in checkpoints
LONGEST = 10_000  # steps of an episode of an environment that sets no limit


class GymnasiumTask:
    """Any other environment, with one process for all its cars; actions are brought to -1..1, and rewards to a scale of 1.

    Its episodes go on from one rollout to the next, and begin anew when a training is resumed: nothing can keep them.  The
    scale of the rewards is kept, since the critic has learned in it.
    """

    unit = "mean return"

    def __init__(self, settings: TrainRL, start: Driver | None) -> None:
        assert settings.env_id is not None
        self.name = settings.env_id
        self._plain = DummyVecEnv(
            [lambda: Monitor(made(self.name, settings.action_repeat)) for _ in range(settings.cars)]
        )
        # a critic of returns in the hundreds has gradients beside which those of the actor are clipped to nothing
        self.vec_env = VecNormalize(self._plain, norm_obs=False, gamma=settings.gamma)
        self.vec_env.seed(settings.seed)
        self.spec = spec_for(self.vec_env, settings, 1.0)
        if start is not None and start.spec != self.spec:
            if start.spec.env_id != self.name:
                raise UserError(f"this driver was made for {start.spec.env_id or 'lane keeping'}, not for {self.name}")
            self.spec = start.spec
        self.returns: list[float] = []  # of all episodes since it was begun or resumed

    def begin(self, seed: Sequence[int]) -> Any:
        """Episodes go on."""
        return None

    def count(self) -> None:
        for info in self._plain.buf_infos:
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
        self._plain.seed(TRAINING_SEEDS + 1_000)
        returns = np.array(evaluate_policy(driver, self._plain, episodes, return_episode_rewards=True)[0])
        lowest, highest = returns.min(), returns.max()
        return f"mean return of {episodes} new episodes {returns.mean():.1f} ({lowest:.1f} to {highest:.1f})"

    def tensors(self) -> dict[str, Tensor]:
        """The statistics that give the scale of the rewards."""
        scale = self.vec_env.ret_rms
        return {SCALE: torch.tensor([float(scale.mean), float(scale.var), float(scale.count)], dtype=torch.float64)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        mean, var, count = tensors[SCALE].tolist()
        scale = self.vec_env.ret_rms
        scale.mean, scale.var, scale.count = np.asarray(mean), np.asarray(var), count


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
