"""`lanekeep train rl`: proximal policy optimisation of a driver, from nothing or from a checkpoint.

sb3-contrib's RecurrentPPO does the learning, unchanged; the policy (policy.py) holds the driver, the cars (cars.py) the
world, and a callback does what belongs to a training: roads, the critic's warm-up, checkpoints, what is told, the end.

Each rollout begins on new roads.  These, the noise of the actions and the minibatches depend on the seed and the number of
the rollout alone, so that a resumed training equals an uninterrupted one.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import sb3_contrib
import torch
import tyro
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import configure
from torch import Tensor

from lanekeep.drivers import camera_of, check_action, open_driver
from lanekeep.flags import UserError, in_range
from lanekeep.interrupts import interrupts
from lanekeep.provenance import command_of, git_commit, versions
from lanekeep.recipe import as_recipe
from lanekeep.reinforcement.cars import Cars
from lanekeep.reinforcement.policy import DriverPolicy
from lanekeep.reinforcement.rewards import TERMS, Rewards
from lanekeep.resume import adam_tensors, check_settings, restore_adam
from lanekeep.rollout import TRAINING_SEEDS, scenario_to_learn_on, validate
from lanekeep_envs import Camera
from lanekeep_policies.checkpoint import read_checkpoint, read_tensors, save_driver
from lanekeep_policies.driver import DriverSpec

SAVE_EVERY_S = 120.0
COLLAPSE = 5.0  # times the departures per km of the best so far, over a window of rollouts
WINDOW = 10  # rollouts
REWARDS = {f"reward_{field.name}": field.name for field in fields(Rewards)}


@dataclass(frozen=True)
class TrainRL:
    """Train a driver by reward, with RecurrentPPO; run it again to resume."""

    out: tyro.conf.Positional[Path]
    """Folder of the checkpoint."""
    start: str | None = None
    """Driver to start from: a shipped one (ncp, lstm) or a folder; by default from nothing."""
    core: str = "ncp"
    """Core of a driver that starts from nothing; `lanekeep train imitation --help` lists them."""
    scenario: str = "country"
    """Roads to learn on: a name or the path of a .toml file."""
    camera: str = "48x160"
    """Rows x columns of the frames of a driver that starts from nothing."""
    steps: int = 500_000
    """Control steps to drive in all."""
    cars: int = 16
    """Cars that drive side by side."""
    horizon: int = 128
    """Control steps of each car in a rollout."""
    batch: int = 512
    """Control steps of a minibatch: whole sequences of cars."""
    epochs: int = 4
    """Times that a rollout is learned from."""
    learning_rate: float = 3e-4
    """Adam's learning rate; it falls linearly to nothing."""
    gamma: float = 0.97
    """Discount of a control step."""
    gae_lambda: float = 0.95
    """Generalised advantage estimation: 0 trusts the critic, 1 the returns."""
    clip: float = 0.2
    """How far the probability of an action may move in a rollout."""
    std: float = 0.2
    """Standard deviation of the actions in the beginning; it is learned."""
    entropy: float = 0.0
    """Weight of the entropy of the actions."""
    bptt: int = 0
    """Control steps that a gradient goes back; 0: as long as the sequence."""
    burn_in: int = 0
    """First steps of a sequence that only bring its state up to date."""
    warm_up: int = 0
    """Rollouts in which only the critic learns."""
    anchor: float = 0.0
    """Weight of the divergence from the driver it starts from."""
    reward_progress: float = Rewards.progress
    """Reward of a step at 30 m/s along the road."""
    reward_centring: float = Rewards.centring
    """Reward of a step in the middle of the lane."""
    reward_heading: float = Rewards.heading
    """Loss of a step at 0.05 rad across the lane."""
    reward_smoothness: float = Rewards.smoothness
    """Loss of a step with a lateral jerk of 10 m/s^3."""
    reward_departure: float = Rewards.departure
    """Loss of leaving the lane."""
    validation_km: float = 5.0
    """Held-out kilometres driven at the end."""
    seed: int = 0
    """Seed of everything."""
    recipe: Path | None = None
    """TOML file with these flags; what the command line says as well wins."""

    def __post_init__(self) -> None:
        for name in ("steps", "cars", "epochs"):
            in_range(self, name, 1)
        in_range(self, "horizon", 2, 100_000)
        in_range(self, "batch", 2, self.cars * self.horizon)
        for name in ("gamma", "gae_lambda", "clip", "learning_rate"):
            in_range(self, name, 0.0, 1.0)
        in_range(self, "std", 1e-3, 10.0)
        for name in ("bptt", "warm_up", "seed"):
            in_range(self, name, 0)
        in_range(self, "burn_in", 0, self.horizon - 1)
        for name in ("entropy", "anchor", *REWARDS):
            in_range(self, name, 0.0)
        in_range(self, "validation_km", 0.1, 900.0)
        if self.anchor > 0.0 and self.start is None:
            raise UserError("--anchor needs a driver to stay near: --start")

    def run(self) -> int:
        """Train; Ctrl-C saves and a second run goes on."""
        train(self)
        return 0

    @property
    def rollouts(self) -> int:
        """Rollouts in all."""
        return max(1, self.steps // (self.cars * self.horizon))


class Training(BaseCallback):
    """A training between two rollouts: how far it is, how it went, and what each rollout begins with."""

    model: RecurrentPPO

    def __init__(self, settings: TrainRL, interrupted: Callable[[], bool] = lambda: False) -> None:
        super().__init__()
        self.settings, self._interrupted = settings, interrupted
        self.show: Callable[[], None] = lambda: None
        self.scenario = scenario_to_learn_on(settings.scenario)
        self.started = None if settings.start is None else open_driver(settings.start)
        check_action(self.started, self.scenario)
        self.spec = self.started.spec if self.started is not None else self._spec()
        self.rollout, self.seconds, self._began, self._saved = 0, 0.0, time.perf_counter(), -math.inf
        self.history: list[list[float]] = []  # of each rollout: steps, departures per km, mean reward of a step
        self._km, self._departures, self._reward, self._terms = 0.0, 0, 0.0, dict.fromkeys(TERMS, 0.0)
        self.stopped, self._saved_rollout = False, 0
        rewards = Rewards(**{name: getattr(settings, flag) for flag, name in REWARDS.items()})
        self.camera = camera_of(self.started) if self.started is not None else Camera.parse(settings.camera)
        self.cars = Cars(settings.cars, rewards, TRAINING_SEEDS, scenario=self.scenario, camera=self.camera)
        self.ppo = self._make_ppo()

    def _spec(self) -> DriverSpec:
        camera = Camera.parse(self.settings.camera)
        return DriverSpec(
            core=self.settings.core,
            camera_height=camera.height_px,
            camera_width=camera.width_px,
            curvature_limit_per_m=self.scenario.curvature_limit_per_m,
        )

    def _make_ppo(self) -> RecurrentPPO:
        s = self.settings
        return RecurrentPPO(
            DriverPolicy,
            self.cars,
            learning_rate=lambda left: s.learning_rate * left,
            n_steps=s.horizon,
            batch_size=s.batch,
            n_epochs=s.epochs,
            gamma=s.gamma,
            gae_lambda=s.gae_lambda,
            clip_range=s.clip,
            ent_coef=1.0,
            seed=s.seed,
            device="cpu",
            policy_kwargs={
                "spec": self.spec,
                "seed": s.seed,
                "bptt": s.bptt,
                "burn_in": s.burn_in,
                "entropy": s.entropy,
                "anchor": s.anchor,
                "log_std": math.log(s.std),
                "critic_shapes_head": self.started is None,
                "weights": None if self.started is None else self.started.state_dict(),
            },
        )

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
        frames = self.cars.begin([s.seed, 5, self.rollout])
        self.ppo._last_obs = frames if self.ppo.env is self.cars else self.ppo.env.transpose_observations(frames)  # type: ignore[union-attr]
        self.ppo._last_episode_starts = np.ones(s.cars, np.bool_)
        zero = torch.zeros(1, s.cars, self.policy.lstm_actor.hidden_size)
        self.ppo._last_lstm_states = RNNStates((zero, zero), (zero, zero))  # type: ignore[assignment]
        self.policy.waiting = self.rollout < s.warm_up
        self._km, self._departures, self._reward, self._terms = 0.0, 0, 0.0, dict.fromkeys(TERMS, 0.0)

    def _on_step(self) -> bool:
        """Count; go on unless Ctrl-C was pressed before this rollout."""
        self._km += self.cars.step_km
        self._departures += self.cars.step_departures
        self._reward += float(np.sum(self.locals["rewards"]))
        for name, term in self.cars.terms.items():
            self._terms[name] += float(term.sum())
        return not self.stopped

    def _on_rollout_end(self) -> None:
        s, steps = self.settings, self.settings.cars * self.settings.horizon
        self.rollout += 1
        self.history.append([float(self.rollout * steps), self._departures / self._km, self._reward / steps])
        self.logger.record("drive/departures_per_km", self.history[-1][1])
        for term, value in self._terms.items():
            self.logger.record(f"reward/{term}", value / (s.cars * s.horizon))
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
        rates = [row[1] for row in self.history]
        if len(rates) >= 3 * WINDOW:
            means = [float(np.mean(rates[k : k + WINDOW])) for k in range(0, len(rates) - WINDOW + 1, WINDOW)]
            if float(np.mean(rates[-WINDOW:])) > COLLAPSE * min(means) + 5.0:
                raise UserError(
                    f"the driver has forgotten how to drive: {np.mean(rates[-WINDOW:]):.1f} departures per km after "
                    f"{min(means):.1f}; {self.settings.out} holds the driver of {self._saved_rollout} rollouts; lower "
                    "--learning-rate or --clip, or raise --anchor"
                )

    def save(self) -> None:
        """Write the checkpoint, with what is needed to go on."""
        s = self.settings
        training = {
            "command": command_of("train rl", s, TrainRL(out=s.out)),
            "settings": as_recipe(s),
            "scenario": self.scenario.name,
            "seed": s.seed,
            "steps": self.rollout * s.cars * s.horizon,
            "seconds": round(self.seconds, 1),
            "history": self.history,
            "versions": versions() | {"sb3-contrib": sb3_contrib.__version__},
            "git_commit": git_commit(),
        }
        tensors = {f"policy.{name}": value for name, value in self._own_tensors().items()}
        tensors |= adam_tensors(self.policy.optimizer)
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
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise UserError(
                f"{s.out} cannot be gone on with: what it says of its training is damaged ({error})"
            ) from error
        self._saved_rollout = self.rollout

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.rollout >= self.settings.rollouts


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
            training.ppo.learn((s.rollouts - training.rollout) * per_rollout, training, reset_num_timesteps=False)
        if training.finished:
            training.check()
            training.save()
    rate, rms = validate(training.policy.driver(), training.scenario, training.camera, s.validation_km)
    print(
        f"{s.out}: {training.rollout * per_rollout:,} steps in {training.seconds:.0f} s; on held-out roads "
        f"{rate:.2f} departures per km, lateral RMS {rms:.3f} m" + ("" if training.finished else "; run again to go on")
    )


@contextmanager
def progress_bar(training: Training) -> Iterator[None]:
    """Show steps and the number that matters: departures per km."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns) as bar:
        task = bar.add_task(
            "training", total=training.settings.rollouts, completed=training.rollout, note="first rollout"
        )

        def show() -> None:
            rows = training.history[-WINDOW:]
            rate, reward = float(np.mean([row[1] for row in rows])), float(np.mean([row[2] for row in rows]))
            note = f"{rows[-1][0]:,.0f} steps  {rate:.2f} departures/km  reward {reward:.3f} a step"
            bar.update(task, completed=training.rollout, note=note)

        training.show = show
        yield
