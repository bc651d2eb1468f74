"""The training: updates, rounds of driving, validation, and a checkpoint from which it goes on."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from lanekeep.demonstrations import Episode, Recorder, Windows, read_shard
from lanekeep.driving.controllers import Controller, DriverController, ExpertController
from lanekeep.driving.road_drives import validate
from lanekeep.driving.seeds import scenario_to_learn_on
from lanekeep.errors import UserError
from lanekeep.imitation.dagger_rounds import discard_rounds, open_rounds, record_round
from lanekeep.imitation.given_demonstrations import check_long_enough, check_unchanged, open_given, origin_of
from lanekeep.imitation.loss import imitation_loss, make_optimiser, take_head
from lanekeep.imitation.settings import TrainImitation
from lanekeep.settings import as_recipe
from lanekeep.training.interrupts import interrupts
from lanekeep.training.provenance import command_of, git_commit, versions
from lanekeep.training.resume import adam_tensors, check_settings, restore_adam
from lanekeep_envs import Camera
from lanekeep_policies import Driver, DriverSpec, read_checkpoint, read_tensors, save_driver

DAGGER_NOISE = 0.67  # disturbance of the driver's own drives, as a share of the expert's
WARM_UP_UPDATES = 10  # of both learning rates, while Adam's second moments are still guesses


class Trainer:
    """A training between two updates: driver, optimiser, data, and where each row of the batch stands."""

    def __init__(self, settings: TrainImitation) -> None:
        self.settings, self.scenario = settings, scenario_to_learn_on(settings.scenario)
        self.camera = Camera.parse(settings.camera)
        spec = DriverSpec(
            core=settings.core,
            camera_height=self.camera.height_px,
            camera_width=self.camera.width_px,
            curvature_limit_per_m=self.scenario.curvature_limit_per_m,
        )
        self.driver = Driver.build(spec, settings.seed)
        if settings.head is not None:
            take_head(self.driver, settings.head)
        self.optimiser = make_optimiser(self.driver, settings)
        self.update, self.rounds, self.seconds = 0, 0, 0.0
        self.state = self.driver.initial_state(settings.batch)
        self.places = [("", 0)] * settings.batch  # episode and first frame of each row's next window
        self.own_drives: list[list[float]] = []  # of each DAgger round: update, departures per km, lateral RMS
        self.validations: list[list[float]] = []  # the same
        self.episodes: tuple[Episode, ...] = ()
        self.learned_from: list[dict[str, object]] = []  # where given demonstrations come from
        self.loss = float("nan")
        if settings.demonstrations is not None:
            self.take_given(settings.demonstrations)

    def take_given(self, folders: Iterable[Path]) -> None:
        """Learn from these datasets in place of the round that the expert would drive, number 0."""
        for folder in folders:
            episodes = open_given(folder, self.scenario, self.camera)
            self.add_episodes(episodes)
            self.learned_from.append(origin_of(folder, episodes))
        check_long_enough(self.episodes, self.settings.length, self.settings.segments)
        self.rounds = 1

    @property
    def demonstrations(self) -> Path:
        """Where the rounds of driving are recorded."""
        return self.settings.out / "demonstrations"

    @property
    def frames_seen(self) -> int:
        """Training frames passed through the driver so far."""
        return self.update * self.settings.batch * self.settings.length

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.update >= self.updates or self.good_enough()

    @property
    def round_due(self) -> bool:
        """Whether a round of driving comes before the next update."""
        every = self.settings.rounds_every
        return self.rounds * every <= self.update if every > 0 else self.rounds == 0

    @property
    def updates(self) -> int:
        """Updates in all."""
        return max(1, self.settings.frames // (self.settings.batch * self.settings.length))

    @cached_property
    def windows(self) -> tuple[dict[str, int], Windows]:
        """Number of each episode by its name, and what training sequences are drawn from."""
        names = {episode.folder.name: number for number, episode in enumerate(self.episodes)}
        return names, Windows(self.episodes, self.settings.length * self.settings.segments)

    def add_episodes(self, episodes: Iterable[Episode]) -> None:
        """Train on these too."""
        self.episodes += tuple(episodes)
        self.__dict__.pop("windows", None)

    def batch(self) -> tuple[Tensor, Tensor, NDArray[np.bool_]]:
        """Next frames [B, T, H, W, 3], expert actions [B, T, 1], and which rows begin afresh."""
        s, generator = self.settings, np.random.default_rng([self.settings.seed, 1, self.update])
        names, windows = self.windows
        fresh = (np.arange(s.batch) + self.update) % s.segments == 0
        fresh |= np.array([name not in names for name, _ in self.places])  # at the start, or the episode is gone
        for row in np.flatnonzero(fresh):
            # the sharpest of four: hard bends and far recoveries are rare, and a driver that seldom sees them saturates
            owner, first = max((windows.place(generator) for _ in range(4)), key=windows.sharpness)
            self.places[row] = self.episodes[owner].folder.name, first
        spots = np.array([(names[name], first) for name, first in self.places])
        frames, actions = windows.read(spots, s.length)
        self.places = [(name, first + s.length) for name, first in self.places]
        return torch.from_numpy(frames), torch.from_numpy(actions), fresh

    def learn(self) -> float:
        """One update; return the loss."""
        frames, answers, fresh = self.batch()
        rows = torch.from_numpy(fresh)[:, None]
        start = torch.where(rows, self.driver.initial_state(len(frames)), self.state)
        cosine = 0.51 + 0.49 * np.cos(np.pi * min(self.update / self.updates, 1.0))
        cosine *= min(1.0, (self.update + 1) / WARM_UP_UPDATES)
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * cosine
        if self.update == 0:
            self.driver.calibrate(frames, answers)
        self.optimiser.zero_grad(set_to_none=True)
        actions, state = self.driver(frames, start)
        loss = imitation_loss(actions, answers, self.settings.alpha)
        loss.backward()  # type: ignore[no-untyped-call]
        if not torch.nn.utils.clip_grad_norm_(self.driver.parameters(), 10.0).isfinite():
            raise UserError(
                f"the training diverged at update {self.update}; lower --learning-rate, or --core-learning-rate"
            )
        self.optimiser.step()
        self.state = state.detach()
        self.update += 1
        self.loss = float(loss.detach())
        return self.loss

    def begin_round(self) -> None:
        """Record more drives and save; validate before, if the training may stop on it."""
        if self.update > 0 and self.settings.good_rms_m > 0.0:
            self.validate()
        if not self.good_enough():
            with Recorder(self.demonstrations) as recorder:
                self.add_episodes(read_shard(path) for path in self.collect(recorder))
        self.save()

    def save(self) -> None:
        """Write the checkpoint, with what is needed to go on."""
        s = self.settings
        training = {
            "command": command_of("train imitation", s, TrainImitation(out=s.out)),
            "settings": as_recipe(s),
            "scenario": self.scenario.name,
            "seed": s.seed,
            "frames": self.frames_seen,
            "seconds": round(self.seconds, 1),
            "own_drives": self.own_drives,
            "validations": self.validations,
            **({"learned_from": self.learned_from} if self.learned_from else {}),
            "versions": versions(),
            "git_commit": git_commit(),
        }
        tensors = {"state": self.state, **adam_tensors(self.optimiser)}
        resume = {"update": self.update, "rounds": self.rounds, "places": [list(place) for place in self.places]}
        save_driver(s.out, self.driver, training, resume, tensors)

    def resume(self) -> None:
        """Go on where the checkpoint in the folder stands; refused if it was trained with other settings."""
        s, checkpoint = self.settings, read_checkpoint(self.settings.out)
        then = checkpoint.training.get("settings")
        if not isinstance(then, dict):
            raise UserError(f"{s.out} does not say with which settings it was trained; choose another folder")
        check_settings(s.out, s, then)
        check_unchanged(s.out, checkpoint.training.get("learned_from"), self.learned_from)
        if not checkpoint.resume:
            raise UserError(f"{s.out} holds a driver without its training; choose another folder")
        tensors = read_tensors(s.out, checkpoint.resume)
        self.driver.load_state_dict(checkpoint.driver.state_dict())
        try:
            self.update, self.rounds = int(checkpoint.resume["update"]), int(checkpoint.resume["rounds"])
            self.places = [(str(name), int(first)) for name, first in checkpoint.resume["places"]]
            self.validations, self.own_drives = (
                [[float(v) for v in row] for row in checkpoint.training.get(name, [])]
                for name in ("validations", "own_drives")
            )
            self.seconds, self.state = float(checkpoint.training["seconds"]), tensors["state"]
            restore_adam(self.optimiser, tensors)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"{s.out} cannot be gone on with: what it says of its training is damaged ({error})"
            ) from error
        discard_rounds(self.demonstrations, self.rounds)
        if self.rounds > (1 if self.learned_from else 0):
            self.add_episodes(open_rounds(self.demonstrations, self.rounds))

    def collect(self, recorder: Recorder) -> list[Path]:
        """Record one round: the expert's first, then the driver's own drives, and note how those went."""
        s, first = self.settings, self.rounds == 0

        def controller_for(cars: int) -> Controller:
            return (
                ExpertController(self.scenario.curvature_limit_per_m) if first else DriverController(self.driver, cars)
            )

        frames, noise = (s.expert_frames, s.noise) if first else (s.dagger_frames, s.noise * DAGGER_NOISE)
        done = record_round(recorder, controller_for, self.scenario, self.camera, self.rounds, frames, noise, s.seed)
        if not first:
            self.own_drives.append([float(self.update), done.departures_per_km, done.lateral_rms_m])
        self.rounds += 1
        return done.episodes

    def validate(self) -> tuple[float, float]:
        """Departures per km and lateral RMS [m] on held-out roads that no test uses."""
        rate, rms = validate(self.driver, self.scenario, self.camera, self.settings.validation_km)
        self.validations.append([float(self.update), rate, rms])
        return rate, rms

    @property
    def validated(self) -> bool:
        """Whether the driver has been validated as it is now."""
        return bool(self.validations) and self.validations[-1][0] == self.update

    def good_enough(self) -> bool:
        """Whether the last two validations were both without departure and precise."""
        last = self.validations[-2:]
        return len(last) == 2 and all(rate == 0.0 and rms < self.settings.good_rms_m for _, rate, rms in last)


def train(settings: TrainImitation) -> None:
    """Train until the frames are spent or the driver is good enough; on Ctrl-C keep what is needed to go on."""
    from torch.utils.tensorboard import SummaryWriter

    trainer = Trainer(settings)
    if (settings.out / "driver.toml").exists():
        trainer.resume()
    elif any(trainer.demonstrations.glob("episode-*")):
        raise UserError(f"{settings.out} holds another training's demonstrations; remove it or choose another folder")
    if trainer.finished:
        print(f"{settings.out} is trained to the end")
        return
    board = SummaryWriter(str(settings.out / "tensorboard"), purge_step=trainer.update)
    try:
        with interrupts() as interrupted, progress_bar(trainer) as show:
            if trainer.update == 0:
                trainer.save()  # before anything is recorded: whatever stops this, the same command goes on
            while not trainer.finished and not interrupted():
                if trainer.round_due:
                    trainer.begin_round()
                    if trainer.own_drives:
                        board.add_scalar("own_drives/departures_per_km", trainer.own_drives[-1][1], trainer.update)
                        board.add_scalar("own_drives/lateral_rms_m", trainer.own_drives[-1][2], trainer.update)
                else:
                    board.add_scalar("train/loss", trainer.learn(), trainer.update)
                if trainer.finished and not trainer.validated:
                    trainer.validate()
                if trainer.validated:
                    board.add_scalar("validation/departures_per_km", trainer.validations[-1][1], trainer.update)
                    board.add_scalar("validation/lateral_rms_m", trainer.validations[-1][2], trainer.update)
                show()
            trainer.save()
    finally:
        board.close()
    _, rate, rms = trainer.validations[-1] if trainer.validations else (0, float("nan"), float("nan"))
    print(
        f"{settings.out}: {trainer.frames_seen} frames in {trainer.seconds:.0f} s; on held-out roads "
        f"{rate:.2f} departures per km, lateral RMS {rms:.3f} m" + ("" if trainer.finished else "; run again to go on")
    )


@contextmanager
def progress_bar(trainer: Trainer) -> Iterator[Callable[[], None]]:
    """Show frames, loss and the number that matters: departures per km."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns) as bar:
        task = bar.add_task(
            "training",
            total=trainer.updates,
            completed=trainer.update,
            note="" if trainer.rounds else "first demonstrations",
        )
        began = time.perf_counter() - trainer.seconds

        def show() -> None:
            trainer.seconds = time.perf_counter() - began
            note = f"{trainer.frames_seen:,} frames  loss {trainer.loss:.4f}"
            for name, rows in (("own drives", trainer.own_drives), ("held-out roads", trainer.validations)):
                if rows:
                    note += f"  {name}: {rows[-1][1]:.2f} departures/km, RMS {rows[-1][2]:.2f} m"
            bar.update(task, completed=trainer.update, note=note)

        yield show
