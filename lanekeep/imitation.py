"""Imitation: behaviour cloning on sequences, with DAgger rounds labelled by the expert.

Loss, as in the NCP paper (Lechner et al. 2020, Methods):  sum w (y - y*)^2 / sum w  with  w = exp(alpha |y*|), so that
bends count as much as the straights that outnumber them; y in action units.

Sequences: each row of a batch follows one drive through `segments` consecutive windows of `length` frames with its state
carried (detached) from one to the next, then jumps to another place with the initial state.  Truncated BPTT, but the
driver also learns from states that a long drive brings about.

Data: first the expert drives, disturbed; then, every `dagger_every` updates, the driver drives and the expert answers
(DAgger, Ross et al. 2011, with the mixture at 0 from the first round on).  Every random choice is a function of the seed
and the update's number, so that a resumed training equals an uninterrupted one.
"""

import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import tyro
from numpy.typing import NDArray
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from lanekeep.demonstrations import (
    DemonstrationError,
    Episode,
    EpisodeInfo,
    Recorder,
    Staged,
    Windows,
    read_dataset,
    read_shard,
    verify,
)
from lanekeep.drivers import open_driver
from lanekeep.flags import UserError, in_range
from lanekeep.interrupts import interrupts
from lanekeep.provenance import command_of, git_commit, versions
from lanekeep.recipe import as_recipe
from lanekeep.resume import adam_tensors, check_settings, restore_adam
from lanekeep.rollout import (
    TRAINING_SEEDS,
    DriverPilot,
    ExpertPilot,
    Pilot,
    label_stretches,
    scenario_to_learn_on,
    validate,
)
from lanekeep_envs import Camera
from lanekeep_envs.drive import CONTROL_STEP_S
from lanekeep_policies.checkpoint import read_checkpoint, read_tensors, save_driver
from lanekeep_policies.driver import Driver, DriverSpec, is_liquid

CORE_LEARNING_RATE = 1e-3
LTC_LEARNING_RATE = 1e-2  # a conductance moves less per gradient than a weight
DAGGER_NOISE = 0.67  # disturbance of the driver's own drives, as a share of the expert's
CARS = 32  # that drive side by side in a round
WRITERS = 2  # threads that write what was driven
PLACES = 16  # of which a stretch begins at the one with the hardest bend ahead
BETAS = (0.9, 0.98)  # gradients shrink tenfold within a training of 500 updates: a longer memory would stall it
WARM_UP_UPDATES = 10  # of both learning rates, while Adam's second moments are still guesses


@dataclass(frozen=True)
class TrainImitation:
    """Train a driver from nothing on an expert's demonstrations; run it again to resume."""

    out: tyro.conf.Positional[Path]
    """Folder of the checkpoint; the demonstrations go to its subfolder `demonstrations`."""
    core: str = "ncp"
    """Core: ncp, ncp-mixed, ltc, ncp-cfc, cfc, cfc-pure, cfc-no-gate, cfc-mixed, ct-rnn, neural-ode, rnn, gru, lstm,
    liquid-s4, cnn or pilotnet."""
    head: str | None = None
    """Driver whose conv head to take and leave as it is, so that drivers differ by what comes after it: a shipped one or a
    folder."""
    scenario: str = "country"
    """Roads to learn on: a name or the path of a .toml file."""
    camera: str = "48x160"
    """Rows x columns of the frames; 78x200 is the NCP paper's."""
    frames: int = 60_000
    """Training frames to pass through the driver (sequences x length), counted with repetition."""
    batch: int = 8
    """Sequences per update."""
    length: int = 16
    """Frames per sequence."""
    segments: int = 4
    """Sequences that a row follows one drive before it jumps to another."""
    learning_rate: float = 1e-3
    """Adam's learning rate for the conv head; it falls to 2 % along a cosine."""
    core_learning_rate: float | None = None
    """The same for core and read-out; what suits the core unless given: 1e-2 for ltc, ncp and ncp-mixed, else 1e-3."""
    alpha: float = 3.0
    """Weight of bends in the loss: exp(alpha |action|)."""
    noise: float = 0.15
    """Standard deviation of the disturbance while demonstrating [action units]."""
    expert_frames: int = 6_400
    """Frames that the expert demonstrates at the start."""
    dagger_every: int = 120
    """Updates between two DAgger rounds."""
    dagger_frames: int = 3_200
    """Frames that the driver drives in a DAgger round."""
    validation_km: float = 1.0
    """Held-out kilometres driven at the end."""
    good_rms_m: float = 0.0
    """Validate before every DAgger round too, and stop after two validations in a row without departure and with a
    lateral RMS below this; 0: never."""
    seed: int = 0
    """Seed of everything."""
    recipe: Path | None = None
    """TOML file with these flags; what the command line says as well wins."""

    def __post_init__(self) -> None:
        for name in ("frames", "batch", "length", "segments", "dagger_every"):
            in_range(self, name, 1)
        for name in ("expert_frames", "dagger_frames"):
            in_range(self, name, CARS)
        for name in ("learning_rate", "core_learning_rate", "noise"):
            in_range(self, name, 0.0, 1.0)
        in_range(self, "alpha", 0.0, 20.0)
        in_range(self, "validation_km", 0.1, 900.0)  # there are 1,000 roads for it
        in_range(self, "good_rms_m", 0.0)
        in_range(self, "seed", 0, 2**63 - 1)

    def run(self) -> int:
        """Train; Ctrl-C saves and a second run goes on."""
        train(self)
        return 0


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
        self.loss = float("nan")

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
        return self.rounds * self.settings.dagger_every <= self.update

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
            with Recorder(self.settings.out / "demonstrations") as recorder:
                self.add_episodes(read_shard(path) for path in self.collect(recorder))
        self.save()

    def discard_rounds(self, first: int) -> None:
        """Remove what an interrupted training recorded of a round that will be recorded again."""
        folder = self.settings.out / "demonstrations"
        for episode in read_dataset(folder).episodes if folder.is_dir() and any(folder.glob("episode-*")) else ():
            if episode.info.dagger_round >= first:
                shutil.rmtree(episode.folder)

    def open_rounds(self) -> None:
        """Open the recorded rounds for training; damaged episodes are named and left out."""
        dataset = read_dataset(self.settings.out / "demonstrations")
        damaged, whole = [str(sentence) for sentence in dataset.damaged], []
        for episode in (e for e in dataset.episodes if e.info.dagger_round < self.rounds):
            try:
                verify(episode)
                whole.append(episode)
            except DemonstrationError as error:
                damaged.append(str(error))
        for sentence in damaged:
            print(f"left out: {sentence}", file=sys.stderr)
        self.add_episodes(whole)

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
        self.discard_rounds(self.rounds)
        if self.rounds > 0:
            self.open_rounds()

    def collect(self, recorder: Recorder) -> list[Path]:
        """Record one round: the expert's first, then the driver's own drives, and note how those went.

        They are on roads that were not trained on yet, disturbed, and begin at hard bends.
        """
        s, generator = self.settings, np.random.default_rng([self.settings.seed, 2, self.rounds])
        first, cars = self.rounds == 0, CARS
        steps = (s.expert_frames if first else s.dagger_frames) // cars

        def pilot_for(cars: int) -> Pilot:
            return ExpertPilot(self.scenario.curvature_limit_per_m) if first else DriverPilot(self.driver, cars)

        noise = s.noise if first else s.noise * DAGGER_NOISE
        departures, km, squares, writes = 0, 0.0, list[NDArray[np.float32]](), list[Future[Staged]]()
        with ThreadPoolExecutor(WRITERS) as writers:  # checksums and the disk take as long as a third of the driving
            for stretch in label_stretches(
                pilot_for, self.scenario, self.camera, cars, steps, noise, generator, TRAINING_SEEDS, PLACES
            ):
                info = EpisodeInfo(
                    scenario=self.scenario.name,
                    seed=stretch.seed,
                    dagger_round=self.rounds,
                    camera=asdict(self.camera),
                    dt_s=CONTROL_STEP_S,
                    curvature_limit_per_m=self.scenario.curvature_limit_per_m,
                    perturbation=f"Ornstein-Uhlenbeck, standard deviation {noise:g}, 0.5 s",
                )
                writes.append(writers.submit(recorder.stage, stretch.frames, stretch.signals, info))
                departures += stretch.departed
                km += float(stretch.signals["speed_mps"].sum()) * CONTROL_STEP_S / 1000.0
                squares.append(stretch.signals["lateral_offset_m"] ** 2)
        episodes = [recorder.publish(write.result()) for write in writes]  # in the order of the driving
        if not first:
            rms = float(np.sqrt(np.mean(np.concatenate(squares))))
            self.own_drives.append([float(self.update), departures / km, rms])
        self.rounds += 1
        return episodes

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


def take_head(driver: Driver, name: str) -> None:
    """Give it the conv head of another driver, which learns nothing more."""
    other = open_driver(name)
    if other.frame_size != driver.frame_size or type(other.head) is not type(driver.head):
        size = "x".join(map(str, other.frame_size))
        raise UserError(f"--head {name}: that head is another one, of {other.spec.core} for frames of {size}")
    driver.head.load_state_dict(other.head.state_dict())
    driver.head.requires_grad_(False)


def imitation_loss(actions: Tensor, answers: Tensor, alpha: float) -> Tensor:
    """Weighted mean squared error over [B, T, 1]."""
    weights = torch.exp(alpha * answers.abs())
    return (weights * (actions - answers) ** 2).sum() / weights.sum()


def make_optimiser(driver: Driver, settings: TrainImitation) -> torch.optim.Adam:
    """Adam with a rate of its own for the head and for core and read-out."""
    usual = LTC_LEARNING_RATE if is_liquid(driver.spec) else CORE_LEARNING_RATE
    rate = settings.core_learning_rate or usual
    slow = [p for p in driver.head.parameters() if p.requires_grad]
    fast = [p for p in (*driver.core.parameters(), *driver.readout.parameters()) if p.requires_grad]
    return torch.optim.Adam(
        [
            {"params": slow, "lr": settings.learning_rate, "initial_lr": settings.learning_rate},
            {"params": fast, "lr": rate, "initial_lr": rate},
        ],
        betas=BETAS,
        foreach=True,
    )


def train(settings: TrainImitation) -> None:
    """Train until the frames are spent or the driver is good enough; on Ctrl-C keep what is needed to go on."""
    from torch.utils.tensorboard import SummaryWriter

    trainer = Trainer(settings)
    if (settings.out / "driver.toml").exists():
        trainer.resume()
    elif any((settings.out / "demonstrations").glob("episode-*")):
        raise UserError(f"{settings.out} holds another training's demonstrations; remove it or choose another folder")
    if trainer.finished:
        print(f"{settings.out} is trained to the end")
        return
    board = SummaryWriter(str(settings.out / "tensorboard"), purge_step=trainer.update)
    try:
        with interrupts() as interrupted, progress_bar(trainer) as show:
            if trainer.rounds == 0:
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
        task = bar.add_task("training", total=trainer.updates, completed=trainer.update, note="first demonstrations")
        began = time.perf_counter() - trainer.seconds

        def show() -> None:
            trainer.seconds = time.perf_counter() - began
            note = f"{trainer.frames_seen:,} frames  loss {trainer.loss:.4f}"
            for name, rows in (("own drives", trainer.own_drives), ("held-out roads", trainer.validations)):
                if rows:
                    note += f"  {name}: {rows[-1][1]:.2f} departures/km, RMS {rows[-1][2]:.2f} m"
            bar.update(task, completed=trainer.update, note=note)

        yield show
