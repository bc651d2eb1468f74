"""Confusion: plant a coincidence, train drivers on it and controls without it, untie it, and see who had shown what.

confounders says what is tied, training trains, predictors looks at drivers where it is tied, outcomes drives them where it
is not, findings asks whether the first rank the second.  After de Haan, Jayaraman and Levine, Causal confusion in
imitation learning, NeurIPS 2019, whose remedy (the driver's own drives, answered by the expert) is part of the training.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from lanekeep.driving.drivers import camera_of
from lanekeep.errors import UserError, did_you_mean
from lanekeep.evaluate.settings import FIRST_TEST_SEED
from lanekeep.faithfulness.instants import check_frames_are_fresh
from lanekeep.progress import progress
from lanekeep.settings import JsonFile, PngFile, Positional, check_outputs, in_range
from lanekeep.study.confusion.confounders import CONFOUNDERS, TIES, worlds_of
from lanekeep.study.confusion.figure import figure
from lanekeep.study.confusion.findings import as_json, findings_of
from lanekeep.study.confusion.outcomes import Measured, drive_worlds, read, save
from lanekeep.study.confusion.predictors import MAPS, Exhibits, Share, exhibits_of, shares_of, shares_of_pixels
from lanekeep.study.confusion.tables import print_findings
from lanekeep.study.confusion.training import TrainedDriver, train_driver, trained_drivers, write_worlds
from lanekeep_envs import START_M, Scenario, load_scenario
from lanekeep_files.locks import held
from lanekeep_files.writing import write_whole
from lanekeep_policies import CORES, load_driver

TICKS = 1 + len(MAPS) + len(TIES)  # that a driver's measurement tells


@dataclass(frozen=True)
class StudyConfusion:
    """Train drivers on roads where something innocent is tied to the driving, untie it, and see whether effects and maps
    had shown what would happen; run it again to go on."""

    out: Positional[Path]
    """Folder of the study; every driver gets a folder in it, and one that is finished is not trained again."""
    cores: tuple[str, ...] = ("ncp", "lstm", "cnn")
    """Cores to train: names as in `train imitation`."""
    seeds: int = 3
    """Trainings of each core, and as many of its control."""
    first_seed: int = 0
    """Seed of the first training; the others have the next ones."""
    confounder: Literal["trees_outside_bends", "lamp_shows_steering", "dark_before_left_bends"] = "trees_outside_bends"
    """What is tied to the driving."""
    scenario: str = "country"
    """Roads to learn on and to be judged on: a name or the path of a .toml file."""
    frames: int = 60_000
    """Training frames of each driver, as in `train imitation`."""
    km: float = 10.0
    """Kilometres that each driver drives in each world: tied, untied, reversed."""
    roads: int = 12
    """Test roads, tied, on which effects and maps are measured beforehand."""
    seed: int = FIRST_TEST_SEED
    """Seed of the first road to be judged on; from 10,000 on no driver has been trained on it."""
    picture: PngFile = None
    """Also write every driver's share and harm, where the tie is reversed, as one picture, a .png file."""
    json: JsonFile = None
    """Also write the numbers to this file."""

    def __post_init__(self) -> None:
        names = ", ".join(CORES)
        for core in self.cores:
            if core not in CORES:
                raise UserError(f"--cores {core}: {did_you_mean(core, CORES, f'there are {names}')}")
        if not self.cores or len(set(self.cores)) < len(self.cores):
            raise UserError("--cores takes at least one name, and each once")
        check_outputs(self)
        in_range(self, "seeds", 1, 1000)
        in_range(self, "first_seed", 0, 2**31)
        in_range(self, "frames", 1, 10**12)
        in_range(self, "km", 0.1, 100_000)
        in_range(self, "roads", 2, 1000)
        in_range(self, "seed", FIRST_TEST_SEED)

    @property
    def asked(self) -> dict[str, Any]:
        """What measurements depend on, beside the driver."""
        return {name: getattr(self, name) for name in ("confounder", "scenario", "km", "roads", "seed")}


def confusion(settings: StudyConfusion) -> None:
    """Train, measure and report; on Ctrl-C keep what is needed to go on."""
    if settings.out.is_file():
        raise UserError(f"{settings.out} is a file; expected a folder")
    check_frames_are_fresh(load_scenario(settings.scenario))
    worlds = worlds_of(settings.scenario, settings.confounder)
    with held(settings.out, "a study"):
        study(settings, worlds)


def study(settings: StudyConfusion, worlds: dict[str, Scenario]) -> None:
    """Do what is not done yet, and report."""
    write_worlds(settings.out, worlds, f"{settings.confounder} on {settings.scenario}")
    every = trained_drivers(settings.cores, range(settings.first_seed, settings.first_seed + settings.seeds))
    for trained in every:
        if not train_driver(settings.out, trained, settings.frames):
            raise KeyboardInterrupt
    pixels, measured = measure(settings, worlds, every)
    findings = findings_of(settings.cores, measured, pixels)
    print_findings(settings.confounder, measured, findings)
    if settings.picture is not None:
        ranks = {name: of_name["reversed, all"] for name, of_name in findings["rank_correlation"].items()}
        write_whole(settings.picture, figure(measured, ranks, "reversed"))
    if settings.json is not None:
        table = {**settings.asked, "frames": settings.frames, **as_json(findings)}
        write_whole(settings.json, f"{json.dumps(table, indent=2)}\n".encode())


def measure(
    settings: StudyConfusion, worlds: dict[str, Scenario], every: Sequence[TrainedDriver]
) -> tuple[dict[str, Share], dict[TrainedDriver, Measured]]:
    """The confounder's share of frames and edges, and what every driver does; measured where it is not known yet."""
    seeds = range(settings.seed, settings.seed + settings.roads)
    with progress("the expert drives", 1 + TICKS * len(every)) as bar:
        camera = camera_of(load_driver(settings.out / every[0].name))
        assert camera is not None  # they were all trained here, on frames
        shown = exhibits_of(worlds["tied"], camera, CONFOUNDERS[settings.confounder], seeds)
        found = {}
        for k, trained in enumerate(every):
            bar.reach(1 + TICKS * k)

            def tell(what: str, name: str = trained.name) -> None:
                bar.advance(text=f"{name}: {what}")

            found[trained] = measure_one(settings, worlds, trained.name, shown, tell)
    return shares_of_pixels(shown), found


def measure_one(
    settings: StudyConfusion, worlds: dict[str, Scenario], name: str, shown: Exhibits, tell: Callable[[str], None]
) -> Measured:
    """The predictors of a driver, then its outcomes in the three worlds; read from its folder if measured before."""
    if known := read(settings.out / name, settings.asked):
        return known
    driver = load_driver(settings.out / name).eval()
    count = max(1, round(1000.0 * settings.km / (worlds["tied"].road.length_m - START_M)))
    shares = shares_of(driver, shown, tell)
    with torch.inference_mode():
        driven = drive_worlds(driver, worlds, range(settings.seed, settings.seed + count), tell)
    measured = Measured(driven, shares)
    save(settings.out / name, settings.asked, measured)
    return measured
