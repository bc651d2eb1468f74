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
from lanekeep.imitation import TrainImitation, train
from lanekeep.settings import write_whole
from lanekeep.study.confusion.confounders import as_toml, world
from lanekeep.training.resume import check_settings
from lanekeep_policies import DRIVER, read_checkpoint

LEARNED = ("tied", "untied")  # the confused and their controls


class Pupil(NamedTuple):
    """A driver of the study."""

    core: str
    learned: str  # in which world, one of LEARNED
    seed: int

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.core}-{self.learned}-{self.seed}"


def pupils(cores: tuple[str, ...], seeds: range) -> list[Pupil]:
    """All drivers; what is there after an interruption is whole seeds, as far as it goes."""
    return [Pupil(core, learned, seed) for seed in seeds for core in cores for learned in LEARNED]


def write_worlds(folder: Path, base: str, confounder: str) -> None:
    """Write the files of the worlds to learn in; refused in a folder that holds a study of others."""
    for tie in LEARNED:
        path, text = folder / f"{tie}.toml", as_toml(world(base, confounder, tie))
        if path.exists() and path.read_bytes() != text:
            raise UserError(f"{path} is of another study than one of {confounder} on {base}; choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)


def teach(folder: Path, pupil: Pupil, frames: int) -> bool:
    """Train a driver, or go on with it, or leave it as it is if it is finished; return whether it is.

    Its demonstrations, which fill a disk with so many drivers, are removed then.
    """
    out = folder / pupil.name
    settings = TrainImitation(
        out=out, core=pupil.core, scenario=str(folder / f"{pupil.learned}.toml"), frames=frames, seed=pupil.seed
    )
    if not is_taught(settings):
        print(f"{pupil.name}:")
        train(settings)
    finished = is_taught(settings)
    if finished and (out / "demonstrations").is_dir():
        shutil.rmtree(out / "demonstrations")
    return finished


def is_taught(settings: TrainImitation) -> bool:
    """Whether the folder holds a driver that was trained to the end; refused if it was with other settings."""
    if not (settings.out / DRIVER).exists():
        return False
    training = read_checkpoint(settings.out).training
    then, per_update = training.get("settings"), settings.batch * settings.length
    if not isinstance(then, dict):
        return False  # of another make: `train` says so
    check_settings(settings.out, settings, {**then, "scenario": settings.scenario})  # the file itself was compared
    return bool(training.get("frames", 0) >= max(1, settings.frames // per_update) * per_update)
