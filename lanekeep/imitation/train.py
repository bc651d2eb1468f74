"""The training: updates, rounds of driving, validation, and a checkpoint from which it goes on."""

import math
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lanekeep.demonstrations import Episode, Recorder, Windows, read_shard
from lanekeep.driving.controllers import Controller, DriverController, ExpertController
from lanekeep.driving.labelled_drives import label_stretches
from lanekeep.driving.road_drives import validate
from lanekeep.driving.seeds import scenario_to_learn_on
from lanekeep.errors import UserError
from lanekeep.imitation.dagger_rounds import discard_rounds, open_rounds, record_round
from lanekeep.imitation.given_demonstrations import check_long_enough, check_unchanged, open_given, origin_of
from lanekeep.imitation.loss import imitation_loss, make_optimiser, take_head
from lanekeep.imitation.settings import CARS, TrainImitation
from lanekeep.progress import progress
from lanekeep.training.interrupts import interrupts
from lanekeep.training.run import Run, Table, Tensors, rows_of
from lanekeep_envs import Camera
from lanekeep_files.locks import held
from lanekeep_policies import Driver, DriverSpec

PLACES = 16  # of which a stretch begins at the one with the hardest bend ahead
DAGGER_NOISE = 0.67  # disturbance of the driver's own drives, as a share of the expert's
WARM_UP_UPDATES = 10  # of both learning rates, while Adam's second moments are still guesses


class Trainer:
    """A training between two updates: driver, optimiser, data, and where each row of the batch stands."""

    def __init__(self, settings: TrainImitation) -> None:
        self.settings, self.scenario = settings, scenario_to_learn_on(settings.scenario)
        self.run = Run("train imitation", settings, counter="update")
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
        self.update, self.rounds = 0, 0
        self.state = self.driver.initial_state(settings.batch)
        self.places = [("", 0)] * settings.batch  # episode and first frame of each row's next window
        self.own_drives: list[list[float]] = []  # of each DAgger round: update, departures per km, lateral RMS
        self.validations: list[list[float]] = []  # of each validation: update, departures per km, lateral RMS
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
        return self.update * self.settings.frames_of_update

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.update >= self.settings.updates or self.good_enough()

    @property
    def round_due(self) -> bool:
        """Whether a round of driving comes before the next update."""
        every = self.settings.rounds_every
        return self.rounds * every <= self.update if every > 0 else self.rounds == 0

    @cached_property
    def windows(self) -> tuple[dict[str, int], Windows]:
        """Number of each episode by its name, and what training sequences are drawn from."""
        names = {episode.folder.name: number for number, episode in enumerate(self.episodes)}
        return names, Windows(self.episodes, self.settings.length * self.settings.segments)

    def add_episodes(self, episodes: Iterable[Episode]) -> None:
        """Train on more episodes."""
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
        """Make one update and return its loss."""
        frames, answers, fresh = self.batch()
        rows = torch.from_numpy(fresh)[:, None]
        start = torch.where(rows, self.driver.initial_state(len(frames)), self.state)
        cosine = 0.51 + 0.49 * np.cos(np.pi * min(self.update / self.settings.updates, 1.0))
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
        told = {"frames": self.frames_seen, "own_drives": self.own_drives, "validations": self.validations}
        if self.learned_from:
            told["learned_from"] = self.learned_from
        place = {"update": self.update, "rounds": self.rounds, "places": [list(place) for place in self.places]}
        self.run.save(self.driver, self.optimiser, self.scenario.name, told, place, {"state": self.state})

    def resume(self) -> None:
        """Go on where the checkpoint in the folder stands; refused if it was trained with other settings.

        If nothing was learned with those, begin anew.
        """
        self.run.resume(self.driver, self.optimiser, self._restore)
        discard_rounds(self.demonstrations, self.rounds)
        if self.rounds > (1 if self.learned_from else 0):
            self.add_episodes(open_rounds(self.demonstrations, self.rounds))

    def _restore(self, told: Table, place: Table, tensors: Tensors) -> None:
        check_unchanged(self.settings.out, told.get("learned_from"), self.learned_from)
        self.update, self.rounds, self.state = int(place["update"]), int(place["rounds"]), tensors["state"]
        self.places = [(str(name), int(first)) for name, first in place["places"]]
        self.validations, self.own_drives = (rows_of(told.get(name, [])) for name in ("validations", "own_drives"))

    def step(self) -> dict[str, float]:
        """A round of driving or an update, and at the end a validation; what is to be logged of it."""
        if self.round_due:
            self.begin_round()
            logged = logged_of("own_drives", self.own_drives)
        else:
            logged = {"train/loss": self.learn()}
        if self.finished and not self.validated:
            self.validate()
        return logged | (logged_of("validation", self.validations) if self.validated else {})

    def collect(self, recorder: Recorder) -> list[Path]:
        """Record one round: the expert's first, then the driver's own drives, and note how those went."""
        s, first, scenario, camera = self.settings, self.rounds == 0, self.scenario, self.camera

        def controller_for(cars: int) -> Controller:
            return ExpertController(scenario.curvature_limit_per_m) if first else DriverController(self.driver, cars)

        frames, noise = (s.expert_frames, s.noise) if first else (s.dagger_frames, s.noise * DAGGER_NOISE)
        generator = np.random.default_rng([s.seed, 2, self.rounds])
        stretches = label_stretches(controller_for, scenario, camera, CARS, frames // CARS, noise, generator, PLACES)
        done = record_round(recorder, stretches, scenario, camera, self.rounds, noise)
        if not first:
            self.own_drives.append([float(self.update), done.departures_per_km, done.lateral_rms_m])
        self.rounds += 1
        return done.episodes

    def validate(self) -> None:
        """Note departures per km and lateral RMS [m] on held-out roads that no test uses."""
        result = validate(self.driver, self.scenario, self.camera, self.settings.validation_km)
        self.validations.append([float(self.update), *result])

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
    trainer = Trainer(settings)
    with held(settings.out, "a training"):
        if trainer.run.begun:
            trainer.resume()
        elif any(trainer.demonstrations.glob("episode-*")):
            raise UserError(
                f"{settings.out} holds another training's demonstrations; remove it or choose another folder"
            )
        if trainer.finished:
            print(f"{settings.out} is trained to the end")
            return
        train_on(trainer)
    print(f"{settings.out}: {trainer.frames_seen} frames in {trainer.run.seconds:.0f} s; {outcome(trainer)}")


def train_on(trainer: Trainer) -> None:
    """Train from where it stands to the end, or until Ctrl-C."""
    from torch.utils.tensorboard import SummaryWriter

    first = "" if trainer.rounds else "first demonstrations"
    with (
        SummaryWriter(str(trainer.settings.out / "tensorboard"), purge_step=trainer.update) as board,
        interrupts() as interrupted,
        progress("training", trainer.settings.updates, first, trainer.update, stays=True) as bar,
    ):
        if trainer.update == 0:
            trainer.save()  # before anything is recorded: whatever stops this, the same command goes on
        while not trainer.finished and not interrupted():
            for name, value in trainer.step().items():
                board.add_scalar(name, value, trainer.update)
            trainer.run.tick()
            bar.reach(trainer.update, note=in_words(trainer))
            if trainer.run.save_is_due:
                trainer.save()
        trainer.save()


def outcome(trainer: Trainer) -> str:
    """How the driver does on held-out roads, and whether there is more to do."""
    told = [] if trainer.finished else ["run again to go on"]
    if trainer.validations:
        _, rate, rms = trainer.validations[-1]
        told.insert(0, f"on held-out roads {rate:.2f} departures per km, lateral RMS {rms:.3f} m")
    return "; ".join(told)


def logged_of(group: str, rows: list[list[float]]) -> dict[str, float]:
    """How the last of some drives went, by names of TensorBoard."""
    return {f"{group}/departures_per_km": rows[-1][1], f"{group}/lateral_rms_m": rows[-1][2]} if rows else {}


def in_words(trainer: Trainer) -> str:
    """Frames, loss, and the numbers that matter: departures per km and lateral RMS."""
    note = f"{trainer.frames_seen:,} frames"
    note += "" if math.isnan(trainer.loss) else f"  loss {trainer.loss:.4f}"
    for name, rows in (("own drives", trainer.own_drives), ("held-out roads", trainer.validations)):
        if rows:
            note += f"  {name}: {rows[-1][1]:.2f} departures/km, RMS {rows[-1][2]:.2f} m"
    return note
