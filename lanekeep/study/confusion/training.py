"""The drivers of the study: of each core and each seed one that learns where the confounder is tied, and its control.

The control learns where it is untied; everything else of the two trainings is the same, the seed included.  Both are the
ordinary imitation, with its expert, its disturbed drives and its DAgger rounds, at the defaults of `train imitation`.

Folder of a study:  tied.toml, untied.toml      the two worlds
                    CORE-tied-SEED, CORE-untied-SEED      the drivers, each with what was measured of it
"""

import shutil
from pathlib import Path
from typing import NamedTuple

from lanekeep.errors import UserError
from lanekeep.imitation.settings import TrainImitation
from lanekeep.imitation.train import train
from lanekeep.study.confusion.confounders import as_toml
from lanekeep.terminal import say
from lanekeep.training.provenance import nothing_learned
from lanekeep.training.resume import check_settings
from lanekeep_envs import Scenario
from lanekeep_files.writing import write_whole
from lanekeep_policies import DRIVER, read_checkpoint

LEARNED = ("tied", "untied")  # the confused and their controls


class TrainedDriver(NamedTuple):
    """A driver of the study: its core, the world that it learns in, and the seed of its training."""

    core: str
    learned: str  # in which world, one of LEARNED
    seed: int

    @property
    def name(self) -> str:
        """The name of the driver's folder."""
        return f"{self.core}-{self.learned}-{self.seed}"


def trained_drivers(cores: tuple[str, ...], seeds: range) -> list[TrainedDriver]:
    """All drivers, seed by seed: an interruption leaves whole seeds behind."""
    return [TrainedDriver(core, learned, seed) for seed in seeds for core in cores for learned in LEARNED]


def write_worlds(folder: Path, worlds: dict[str, Scenario], about: str) -> None:
    """Write the files of the worlds to learn in; refused in a folder that holds a study of others than `about` says."""
    for tie in LEARNED:
        path, text = folder / f"{tie}.toml", as_toml(worlds[tie])
        if path.exists() and path.read_bytes() != text:
            raise UserError(f"{path} is of another study than one of {about}; choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)


def train_driver(folder: Path, trained: TrainedDriver, frames: int) -> bool:
    """Train a driver, or go on with its training; return whether it is finished.

    A finished driver is left as it is, and its demonstrations are removed: those of many drivers would fill a disk.
    """
    out = folder / trained.name
    settings = TrainImitation(
        out=out, core=trained.core, scenario=str(folder / f"{trained.learned}.toml"), frames=frames, seed=trained.seed
    )
    if not is_trained(settings):
        say(f"{trained.name}:")
        train(settings)
    finished = is_trained(settings)
    if finished and (out / "demonstrations").is_dir():
        shutil.rmtree(out / "demonstrations")
    return finished


def is_trained(settings: TrainImitation) -> bool:
    """Whether the folder holds a driver that was trained to the end; refused if it was with other settings."""
    if not (settings.out / DRIVER).exists():
        return False
    training = read_checkpoint(settings.out).training
    then = training.get("settings")
    if not isinstance(then, dict) or nothing_learned(training):
        return False  # `train` says so if it is of another make
    check_settings(settings.out, settings, {**then, "scenario": settings.scenario})  # the file itself was compared
    return bool(training.get("frames", 0) >= settings.updates * settings.frames_of_update)
