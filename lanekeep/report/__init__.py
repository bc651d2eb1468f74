"""Compare: what two drivers look at, and what that is worth, on one page.

study asks the questions, marks and verdict judge the answers, drives and charts show them, page puts them into one file.
"""

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lanekeep.drivers import camera_of, check_driver, open_driver
from lanekeep.evaluate import FIRST_TEST_SEED
from lanekeep.flags import UserError, check_file, in_range, write_whole
from lanekeep.report.drives import drive
from lanekeep.report.marks import MARKS, interval_over_roads
from lanekeep.report.page import Study, page
from lanekeep.report.study import (
    KNOWN,
    Examiner,
    Findings,
    Instants,
    Noisy,
    Subject,
    film_roads,
    marks_of_one_cue,
    under_noise,
)
from lanekeep.report.verdict import sentence, verdict
from lanekeep.saliency import METHODS
from lanekeep_envs import REMOVABLE, Scenario, load_scenario

__all__ = ["Compare", "compare"]

LAYERS = ("visual-backprop", "gradient", "grad-cam", "integrated-gradients")  # shown over the drives
NOISY = ("visual-backprop", "gradient", "grad-cam")


@dataclass(frozen=True)
class Compare:
    """Measure what two drivers steer by and what their saliency maps are worth; writes a page that opens from the disk."""

    drivers: tyro.conf.Positional[tuple[str, ...]] = ("ncp", "lstm")
    """Two drivers: names of shipped ones or checkpoint folders."""
    scenario: str = "country"
    """Roads to drive: a name or the path of a .toml file."""
    out: Path = Path("compare.html")
    """The page."""
    roads: int = 12
    """Test roads on which they are judged; intervals are over roads."""
    seconds: float = 20.0
    """Length of the two drives that are shown [s]."""
    seed: int = FIRST_TEST_SEED
    """Seed of the first road; from 10,000 on no driver has been trained on it."""
    json: Path | None = None
    """Also write the numbers to this file."""

    def __post_init__(self) -> None:
        if len(self.drivers) != 2:
            raise UserError(f"compare takes two drivers, not {len(self.drivers)}; such as: lanekeep compare ncp lstm")
        in_range(self, "roads", 2, 1000)
        in_range(self, "seconds", 1.0, 60.0)
        in_range(self, "seed", FIRST_TEST_SEED)

    def run(self) -> int:
        """Study, print the verdict, write the page."""
        compare(self)
        return 0


def compare(settings: Compare) -> None:
    """Do everything."""
    check_file(settings, "out")
    check_file(settings, "json")
    scenario = load_scenario(settings.scenario)
    subjects = [subject_of(name, scenario) for name in settings.drivers]
    if subjects[0].name == subjects[1].name:
        subjects = [Subject(name, s.driver, s.camera) for name, s in zip(settings.drivers, subjects, strict=True)]
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    torch.set_num_threads(max(1, torch.get_num_threads()))
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("the expert drives", total=ticks(settings))

        def tell(what: str) -> None:
            bar.update(task, advance=1, description=what)

        instants = film_roads(scenario, range(settings.seed, settings.seed + settings.roads))
        if len(instants.tapes) < 2:
            raise UserError(f"the roads of {scenario.name} are too short to judge anything on")
        study = study_of(settings, subjects, scenario, instants, tell)
    print_verdict(study)
    write_whole(settings.out, page(study).encode())
    if settings.json is not None:
        write_whole(settings.json, f"{json.dumps(as_json(study), indent=2)}\n".encode())
    print(f"{settings.out}: open it in a browser")


def subject_of(name: str, scenario: Scenario) -> Subject:
    """A driver to compare, by its name."""
    driver = open_driver(name)
    check_driver(driver, scenario)
    camera = camera_of(driver)
    if camera is None:
        raise UserError(f"{name} is told the state and sees nothing: it has no pictures to look at; evaluate it")
    return Subject(Path(name).name, driver, camera)


def ticks(settings: Compare) -> int:
    """How often the progress bar is told something: instants, costly instants, maps, and kept frames of the drives."""
    judged, kept = 4 * settings.roads, round(5 * settings.seconds)
    of_each = judged + 3 * settings.roads + len(METHODS) + len(NOISY) + len(LAYERS) + kept
    return 2 * of_each + KNOWN + len(METHODS)


def study_of(settings: Compare, subjects: list[Subject], scenario: Scenario, instants: Instants, tell: Any) -> Study:
    """Ask both."""
    found, noisy, judged, drives = list[Findings](), list[Noisy](), list[Any](), []
    for subject in subjects:
        examiner = Examiner(subject, instants)
        judged.append(examiner.frames)
        found.append(examiner.examine(list(METHODS), tell))
        noisy.append(under_noise(examiner, NOISY, tell))
        drives.append(drive(subject, scenario, settings.seed, settings.seconds, LAYERS, tell))
    return Study(
        names=(subjects[0].name, subjects[1].name),
        scenario=scenario.name,
        command=shlex.join(["lanekeep", *sys.argv[1:]]) if sys.argv[1:2] == ["compare"] else "",
        roads=instants.roads,
        judged=(judged[0], judged[1]),
        found=(found[0], found[1]),
        noisy=(noisy[0], noisy[1]),
        drives=(drives[0], drives[1]),
        known=marks_of_one_cue(instants, subjects[0].camera, list(METHODS), tell),
        rows=verdict(found, noisy, instants.roads),
    )


def print_verdict(study: Study) -> None:
    """The table for people."""
    table = Table(
        title=f"{study.scenario}: {len(study.roads)} instants on {len(set(study.roads))} test roads", box=SIMPLE_HEAD
    )
    for name in ("", *study.names, "difference"):
        table.add_column(name, justify="right" if name else "left", overflow="fold")
    for row in study.rows:
        cells = [
            f"{row.form.format(value)}\n[{row.form.format(low)}, {row.form.format(high)}]"
            for value, low, high in (*row.values, row.difference)
        ]
        table.add_row(row.title, *cells)
    Console().print(table)
    print(sentence(study.rows, list(study.names)))


def as_json(study: Study) -> dict[str, Any]:
    """Everything that is a number."""

    def of(found: Findings) -> dict[str, Any]:
        marks = {
            kind: {
                method: {mark: clean(interval_over_roads(rows[:, m], study.roads)) for m, mark in enumerate(MARKS)}
                for method, rows in tables.items()
            }
            for kind, tables in (("marks", found.marks), ("marks_of_the_untrained", found.untrained))
        }
        effects = {
            element.name.lower(): clean(interval_over_roads(np.abs(found.effects[:, k]), study.roads))
            for k, element in enumerate(REMOVABLE)
        }
        return {"floor": found.floor, "effects_now": effects, **marks}

    return {
        "drivers": dict(zip(study.names, map(of, study.found), strict=True)),
        "verdict": {row.title: row.as_json() for row in study.rows},
        "scenario": study.scenario,
        "roads": len(set(study.roads)),
        "instants": len(study.roads),
    }


def clean(numbers: tuple[float, ...]) -> list[float | None]:
    """JSON has no NaN."""
    return [None if np.isnan(number) else number for number in numbers]
