"""`lanekeep train rl`: proximal policy optimisation of a driver, from nothing or from a checkpoint.

sb3-contrib's RecurrentPPO does the learning, unchanged; the policy (policy.py) holds the driver, the task (task.py) the
cars, and a callback does what belongs to a training: roads, the critic's warm-up, checkpoints, messages, the end.

Each rollout of lane keeping begins on new roads.  These, the noise of the actions and the minibatches depend on the seed
and the number of the rollout alone, so that a resumed training equals an uninterrupted one.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecTransposeImage
from torch import Tensor

from lanekeep.driving.drivers import open_driver
from lanekeep.errors import UserError
from lanekeep.progress import progress
from lanekeep.reinforcement.gymnasium_task import GymnasiumTask
from lanekeep.reinforcement.lane_keeping_task import WINDOW, LaneKeepingTask
from lanekeep.reinforcement.policy import DriverPolicy, PolicySettings
from lanekeep.reinforcement.settings import TrainRL
from lanekeep.reinforcement.task import Task
from lanekeep.training.interrupts import interrupts
from lanekeep.training.run import Run, Table, Tensors, rows_of
from lanekeep_files.locks import held
from lanekeep_policies import CORES, Driver, DriverSpec

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
        self.task = task_of(settings, self.started)
        self.run = Run("train rl", settings, counter="rollout", packages=("sb3-contrib",))
        self.history: list[list[float]] = []  # of each rollout: steps, the task's result, mean reward of a step
        self._saved_rollout, self._reward, self.stopped = 0, 0.0, False
        self.ppo = self._make_ppo()
        if self.started is None:
            self._calibrate()

    def _make_ppo(self) -> RecurrentPPO:
        s = self.settings
        return RecurrentPPO(
            DriverPolicy,
            self.task.vec_env,
            **hyperparameters(s, self.task.spec),
            ent_coef=1.0,
            policy_kwargs={
                "spec": self.task.spec,
                "settings": PolicySettings(
                    seed=s.seed,
                    bptt=s.bptt,
                    burn_in=s.burn_in,
                    entropy=s.entropy,
                    anchor=s.anchor,
                    core_rate=s.core_rate(CORES[self.task.spec.core].liquid) / s.rate,
                    critic_rate=s.critic_rate / s.rate,
                ),
                "log_std_init": math.log(s.std),
                "critic_shapes_head": self.started is None,
                "weights": None if self.started is None else self.started.state_dict(),
            },
        )

    def _calibrate(self) -> None:
        """Let the actions of a motor neuron begin around the middle, closer together than the exploration.

        A mean beyond the actions there are is where no noise leads back, and nothing is learned; see `Driver.calibrate`.
        """
        s, cars = self.settings, self.task.vec_env
        first = self.task.begin([s.seed, 6])
        middle = np.zeros((s.cars, self.task.spec.actions), np.float32)
        seen: list[Any] = [
            cars.reset() if first is None else first,
            *(cars.step(middle)[0] for _ in range(CALIBRATION - 1)),
        ]
        spread = CLOSE * s.std * torch.tensor([-1.0, 1.0])
        self.policy.driver().calibrate(torch.from_numpy(np.stack(seen, 1)), spread[:, None, None])

    @property
    def rollout(self) -> int:
        """Number of rollouts that are done."""
        return len(self.history)

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
        if self._interrupted() or self.run.save_is_due:
            self.save()
        self.stopped = self._interrupted()
        torch.manual_seed(int(np.random.SeedSequence([s.seed, 3, self.rollout]).generate_state(1)[0]))
        np.random.seed(np.random.SeedSequence([s.seed, 4, self.rollout]).generate_state(1))
        seen = self.task.begin([s.seed, 5, self.rollout])
        if seen is not None:
            env = self.ppo.env
            self.ppo._last_obs = env.transpose_observations(seen) if isinstance(env, VecTransposeImage) else seen
            self.ppo._last_episode_starts = np.ones(s.cars, np.bool_)
            zero = torch.zeros(1, s.cars, self.policy.lstm_actor.hidden_size)
            self.ppo._last_lstm_states = RNNStates((zero, zero), (zero, zero))  # type: ignore[assignment]
        self.policy.critic.waiting = self.rollout < s.rollouts_of_critic
        self._reward = 0.0

    def _on_step(self) -> bool:
        """Count; go on unless Ctrl-C was pressed before this rollout."""
        self.task.count()
        self._reward += float(np.sum(self.locals["rewards"]))
        return not self.stopped

    def _on_rollout_end(self) -> None:
        s, steps = self.settings, self.settings.steps_of_rollout
        result, logged = self.task.result(s.horizon)
        self.history.append([float((self.rollout + 1) * steps), result, self._reward / steps])
        for name, value in logged.items():
            self.logger.record(name, value)
        self.run.tick()
        self.show()

    def check(self) -> None:
        """Name what has gone wrong before it is saved over the last good checkpoint."""
        kept = f"{self.settings.out} holds the driver of {self._saved_rollout} rollouts; lower --learning-rate"
        if not all(bool(parameter.isfinite().all()) for parameter in self.policy.parameters()):
            raise UserError(f"the training diverged in rollout {self.rollout}; {kept}")
        if wrong := self.task.collapse([row[1] for row in self.history]):
            raise UserError(f"the driver has forgotten what it knew: {wrong}; {kept} or --clip, or raise --anchor")

    def save(self) -> None:
        """Write the checkpoint, with what is needed to go on."""
        told = {"steps": self.rollout * self.settings.steps_of_rollout, "history": self.history}
        tensors = {f"policy.{name}": value for name, value in self._own_tensors().items()} | self.task.tensors()
        place = {"rollout": self.rollout}
        self.run.save(self.policy.driver(), self.policy.optimizer, self.task.name, told, place, tensors)
        self._saved_rollout = self.rollout

    def _own_tensors(self) -> dict[str, Tensor]:
        """What of the policy no driver holds: the critic, and how far the actions are spread."""
        names = ("critic.", "value_net.", "log_std")
        return {name: value for name, value in self.policy.state_dict().items() if name.startswith(names)}

    def resume(self) -> None:
        """Go on where the checkpoint in the folder stands; refused if it was trained with other settings."""
        self.run.resume(self.policy.driver(), self.policy.optimizer, self._restore)
        self._saved_rollout = self.rollout

    def _restore(self, told: Table, place: Table, tensors: Tensors) -> None:
        self.history = rows_of(told["history"])
        own = {n.removeprefix("policy."): value for n, value in tensors.items() if n.startswith("policy.")}
        self.policy.load_state_dict(self.policy.state_dict() | own)
        self.task.restore(tensors)
        said, rollouts = int(place["rollout"]), self.settings.rollouts
        if not 0 <= said == self.rollout <= rollouts or any(len(row) != 3 for row in self.history):
            raise ValueError(f"rollout {said} of {rollouts} with a history of {self.rollout}")

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.rollout >= self.settings.rollouts


def task_of(settings: TrainRL, start: Driver | None) -> Task:
    """The task that the settings name."""
    return LaneKeepingTask(settings, start) if settings.env_id is None else GymnasiumTask(settings, start)


def hyperparameters(settings: TrainRL, spec: DriverSpec) -> dict[str, Any]:
    """Arguments of RecurrentPPO that do not depend on its policy."""
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
    with interrupts() as interrupted:
        training = Training(settings, interrupted)
        training.policy.drop_anchor()
        with held(settings.out, "a training"):
            if training.run.begun:
                training.resume()
            if training.finished:
                print(f"{settings.out} is trained to the end")
                return
            train_on(training)
    print(
        f"{settings.out}: {training.rollout * settings.steps_of_rollout:,} steps in {training.run.seconds:.0f} s; "
        + (training.task.examine(training.policy.driver()) if training.finished else "run again to go on")
    )


def train_on(training: Training) -> None:
    """Train from where it stands to the end, or until Ctrl-C."""
    s, per_rollout = training.settings, training.settings.steps_of_rollout
    training.ppo.set_logger(configure(str(s.out / "tensorboard"), ["tensorboard"]))
    training.ppo.num_timesteps = training.rollout * per_rollout
    with progress("training", s.rollouts, "first rollout", training.rollout, stays=True) as bar:
        training.show = lambda: bar.reach(training.rollout, note=in_words(training))
        try:
            training.ppo.learn((s.rollouts - training.rollout) * per_rollout, training, reset_num_timesteps=False)
        except ValueError:
            training.check()  # a NaN is refused wherever it gets to first
            raise
    if training.finished:
        training.check()
        training.save()


def in_words(training: Training) -> str:
    """Steps and the number that matters: departures per km, or the mean return; and the mean reward of a step."""
    rows = training.history[-WINDOW:]
    result, reward = float(np.mean([row[1] for row in rows])), float(np.mean([row[2] for row in rows]))
    return f"{rows[-1][0]:,.0f} steps  {result:.2f} {training.task.unit}  reward {reward:.3f} a step"
