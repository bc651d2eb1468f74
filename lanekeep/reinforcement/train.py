"""`lanekeep train rl`: proximal policy optimisation of a driver, from nothing or from a checkpoint.

sb3-contrib's RecurrentPPO does the learning, unchanged; the policy (policy.py) holds the driver, the world (worlds.py) the
cars, and a callback does what belongs to a training: roads, the critic's warm-up, checkpoints, what is told, the end.

Each rollout of lane keeping begins on new roads.  These, the noise of the actions and the minibatches depend on the seed
and the number of the rollout alone, so that a resumed training equals an uninterrupted one.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import sb3_contrib
import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecTransposeImage
from torch import Tensor

from lanekeep.driving.drivers import open_driver
from lanekeep.errors import UserError
from lanekeep.reinforcement.policy import DriverPolicy
from lanekeep.reinforcement.settings import TrainRL
from lanekeep.reinforcement.tasks import WINDOW, world_of
from lanekeep.settings import as_recipe
from lanekeep.training.interrupts import interrupts
from lanekeep.training.provenance import command_of, git_commit, versions
from lanekeep.training.resume import adam_tensors, check_settings, restore_adam
from lanekeep_policies import CORES, DriverSpec, read_checkpoint, read_tensors, save_driver

SAVE_EVERY_S = 120.0
CALIBRATION = 32  # control steps looked at before a driver from nothing begins to learn
CLOSE = 0.25  # times the exploration


class Training(BaseCallback):
    """A training between two rollouts: how far it is, how it went, and what each rollout begins with."""

    model: RecurrentPPO

    def __init__(self, settings: TrainRL, interrupted: Callable[[], bool] = lambda: False) -> None:
        super().__init__()
        self.settings, self._interrupted = settings, interrupted
        self.show: Callable[[], None] = lambda: None
        self.started = None if settings.start is None else open_driver(settings.start)
        self.world = world_of(settings, self.started)
        self.rollout, self.seconds, self._began, self._saved = 0, 0.0, time.perf_counter(), -math.inf
        self.history: list[list[float]] = []  # of each rollout: steps, the world's result, mean reward of a step
        self._reward, self.stopped, self._saved_rollout = 0.0, False, 0
        self.ppo = self._make_ppo()
        if self.started is None:
            self._calibrate()

    def _make_ppo(self) -> RecurrentPPO:
        s = self.settings
        return RecurrentPPO(
            DriverPolicy,
            self.world.cars,
            **hyperparameters(s, self.world.spec),
            ent_coef=1.0,
            policy_kwargs={
                "spec": self.world.spec,
                "seed": s.seed,
                "bptt": s.bptt,
                "burn_in": s.burn_in,
                "entropy": s.entropy,
                "anchor": s.anchor,
                "log_std_init": math.log(s.std),
                "core_rate": s.core_rate(CORES[self.world.spec.core].liquid) / s.rate,
                "critic_rate": s.critic_rate / s.rate,
                "critic_shapes_head": self.started is None,
                "weights": None if self.started is None else self.started.state_dict(),
            },
        )

    def _calibrate(self) -> None:
        """Let the actions of a motor neuron begin around the middle, closer together than the exploration.

        A mean beyond the actions there are is where no noise leads back, and nothing is learned; see `Driver.calibrate`.
        """
        s, cars = self.settings, self.world.cars
        first = self.world.begin([s.seed, 6])
        middle = np.zeros((s.cars, self.world.spec.actions), np.float32)
        seen: list[Any] = [
            cars.reset() if first is None else first,
            *(cars.step(middle)[0] for _ in range(CALIBRATION - 1)),
        ]
        spread = CLOSE * s.std * torch.tensor([-1.0, 1.0])
        self.policy.driver().calibrate(torch.from_numpy(np.stack(seen, 1)), spread[:, None, None])

    @property
    def policy(self) -> DriverPolicy:
        """What learns."""
        policy = self.ppo.policy
        assert isinstance(policy, DriverPolicy)
        return policy

    def _on_rollout_start(self) -> None:
        """Save now and then, and begin the rollout in a way that its number alone decides."""
        s = self.settings
        self.check()
        if self._interrupted() or time.perf_counter() - self._saved > SAVE_EVERY_S:
            self.save()
        self.stopped = self._interrupted()
        torch.manual_seed(int(np.random.SeedSequence([s.seed, 3, self.rollout]).generate_state(1)[0]))
        np.random.seed(np.random.SeedSequence([s.seed, 4, self.rollout]).generate_state(1))
        seen = self.world.begin([s.seed, 5, self.rollout])
        if seen is not None:
            env = self.ppo.env
            self.ppo._last_obs = env.transpose_observations(seen) if isinstance(env, VecTransposeImage) else seen
            self.ppo._last_episode_starts = np.ones(s.cars, np.bool_)
            zero = torch.zeros(1, s.cars, self.policy.lstm_actor.hidden_size)
            self.ppo._last_lstm_states = RNNStates((zero, zero), (zero, zero))  # type: ignore[assignment]
        self.policy.waiting = self.rollout < s.rollouts_of_critic
        self._reward = 0.0

    def _on_step(self) -> bool:
        """Count; go on unless Ctrl-C was pressed before this rollout."""
        self.world.count()
        self._reward += float(np.sum(self.locals["rewards"]))
        return not self.stopped

    def _on_rollout_end(self) -> None:
        s, steps = self.settings, self.settings.cars * self.settings.horizon
        self.rollout += 1
        result, logged = self.world.result(s.horizon)
        self.history.append([float(self.rollout * steps), result, self._reward / steps])
        for name, value in logged.items():
            self.logger.record(name, value)
        self.seconds += time.perf_counter() - self._began
        self._began = time.perf_counter()
        self.show()

    def check(self) -> None:
        """Name what has gone wrong before it is saved over the last good checkpoint."""
        if not all(bool(parameter.isfinite().all()) for parameter in self.policy.parameters()):
            raise UserError(
                f"the training diverged in rollout {self.rollout}; {self.settings.out} holds the driver of "
                f"{self._saved_rollout} rollouts; lower --learning-rate"
            )
        if wrong := self.world.collapse([row[1] for row in self.history]):
            raise UserError(
                f"the driver has forgotten what it knew: {wrong}; {self.settings.out} holds the driver of "
                f"{self._saved_rollout} rollouts; lower --learning-rate or --clip, or raise --anchor"
            )

    def save(self) -> None:
        """Write the checkpoint, with what is needed to go on."""
        s = self.settings
        training = {
            "command": command_of("train rl", s, TrainRL(out=s.out)),
            "settings": as_recipe(s),
            "scenario": self.world.name,
            "seed": s.seed,
            "steps": self.rollout * s.cars * s.horizon,
            "seconds": round(self.seconds, 1),
            "history": self.history,
            "versions": versions() | {"sb3-contrib": sb3_contrib.__version__},
            "git_commit": git_commit(),
        }
        tensors = {f"policy.{name}": value for name, value in self._own_tensors().items()}
        tensors |= adam_tensors(self.policy.optimizer) | self.world.tensors()
        save_driver(s.out, self.policy.driver(), training, {"rollout": self.rollout}, tensors)
        self._saved, self._saved_rollout = time.perf_counter(), self.rollout

    def _own_tensors(self) -> dict[str, Tensor]:
        """What of the policy no driver holds: the critic, and how far the actions are spread."""
        names = ("critic.", "value_net.", "log_std")
        return {name: value for name, value in self.policy.state_dict().items() if name.startswith(names)}

    def resume(self) -> None:
        """Go on where the checkpoint in the folder stands; refused if it was trained with other settings."""
        s, checkpoint = self.settings, read_checkpoint(self.settings.out)
        then = checkpoint.training.get("settings")
        if not isinstance(then, dict) or "rollout" not in checkpoint.resume:
            raise UserError(f"{s.out} holds a driver that was not trained by `train rl`; choose another folder")
        check_settings(s.out, s, then)
        tensors = read_tensors(s.out, checkpoint.resume)
        self.policy.driver().load_state_dict(checkpoint.driver.state_dict())
        try:
            self.rollout, self.seconds = int(checkpoint.resume["rollout"]), float(checkpoint.training["seconds"])
            self.history = [[float(v) for v in row] for row in checkpoint.training["history"]]
            own = {n.removeprefix("policy."): value for n, value in tensors.items() if n.startswith("policy.")}
            self.policy.load_state_dict(self.policy.state_dict() | own)
            restore_adam(self.policy.optimizer, tensors)
            self.world.restore(tensors)
            if not 0 < self.rollout == len(self.history) <= s.rollouts or any(len(row) != 3 for row in self.history):
                raise ValueError(f"rollout {self.rollout} of {s.rollouts} with a history of {len(self.history)}")
        except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise UserError(
                f"{s.out} cannot be gone on with: what it says of its training is damaged ({error})"
            ) from error
        self._saved_rollout = self.rollout

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.rollout >= self.settings.rollouts


def hyperparameters(settings: TrainRL, spec: DriverSpec) -> dict[str, Any]:
    """What of the settings RecurrentPPO wants to know, whatever its policy."""
    s = settings
    return {
        "learning_rate": lambda left: s.rate * left,
        "n_steps": s.horizon,
        "batch_size": s.batch,
        "n_epochs": s.epochs_of(bool(spec.numbers)),
        "gamma": s.gamma,
        "gae_lambda": s.gae_lambda,
        "clip_range": s.clip,
        "seed": s.seed,
        "device": "cpu",
    }


def train(settings: TrainRL) -> None:
    """Train until the steps are spent; on Ctrl-C keep what is needed to go on."""
    s, per_rollout = settings, settings.cars * settings.horizon
    with interrupts() as interrupted:
        training = Training(s, interrupted)
        training.policy.drop_anchor()
        if (s.out / "driver.toml").exists():
            training.resume()
        if training.finished:
            print(f"{s.out} is trained to the end")
            return
        training.ppo.set_logger(configure(str(s.out / "tensorboard"), ["tensorboard"]))
        training.ppo.num_timesteps = training.rollout * per_rollout
        with progress_bar(training):
            try:
                training.ppo.learn((s.rollouts - training.rollout) * per_rollout, training, reset_num_timesteps=False)
            except ValueError:
                training.check()  # a NaN is refused wherever it gets to first
                raise
        if training.finished:
            training.check()
            training.save()
    print(
        f"{s.out}: {training.rollout * per_rollout:,} steps in {training.seconds:.0f} s; "
        + (training.world.examine(training.policy.driver()) if training.finished else "run again to go on")
    )


@contextmanager
def progress_bar(training: Training) -> Iterator[None]:
    """Show steps and the number that matters: departures per km, or the mean return."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns) as bar:
        task = bar.add_task(
            "training", total=training.settings.rollouts, completed=training.rollout, note="first rollout"
        )

        def show() -> None:
            rows = training.history[-WINDOW:]
            result, reward = float(np.mean([row[1] for row in rows])), float(np.mean([row[2] for row in rows]))
            note = f"{rows[-1][0]:,.0f} steps  {result:.2f} {training.world.unit}  reward {reward:.3f} a step"
            bar.update(task, completed=training.rollout, note=note)

        training.show = show
        yield
