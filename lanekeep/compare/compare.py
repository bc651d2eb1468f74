"""Compare: what two drivers look at, and what that is worth, on one page.

study asks the questions, marks and verdict judge the answers, drives and charts show them, page puts them into one file.
"""

import json
import multiprocessing
import shlex
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lanekeep.compare.drives import Drive, drive
from lanekeep.compare.figure import figure
from lanekeep.compare.page import page
from lanekeep.compare.results import Study
from lanekeep.compare.verdict import clean, sentence, verdict
from lanekeep.driving.drivers import camera_of, check_driver, open_driver
from lanekeep.errors import UserError
from lanekeep.evaluate import FIRST_TEST_SEED
from lanekeep.faithfulness.examine import (
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
from lanekeep.faithfulness.metrics import MARKS
from lanekeep.intervals import interval_over_roads
from lanekeep.saliency import methods_with
from lanekeep.settings import Positional, check_file, in_range, write_whole
from lanekeep.training.interrupts import deaf_to_ctrl_c
from lanekeep_envs import REMOVABLE, Scenario, load_scenario

__all__ = ["Compare", "check_frames_are_fresh", "compare"]


@dataclass(frozen=True)
class Compare:
    """Measure what two drivers steer by and what their saliency maps are worth; writes a page that opens from the disk."""

    drivers: Positional[tuple[str, ...]] = ("ncp", "lstm")
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
    picture: Path | None = None
    """Also write the finding as one picture, a .png file."""
    json: Path | None = None
    """Also write the numbers to this file."""

    def __post_init__(self) -> None:
        if len(self.drivers) != 2:
            raise UserError(f"compare takes two drivers, not {len(self.drivers)}; such as: lanekeep compare ncp lstm")
        if self.picture is not None and self.picture.suffix.lower() != ".png":
            raise UserError(f"--picture {self.picture}: expected a name that ends in .png")
        in_range(self, "roads", 2, 1000)
        in_range(self, "seconds", 1.0, 60.0)
        in_range(self, "seed", FIRST_TEST_SEED)


def compare(settings: Compare) -> None:
    """Do everything."""
    check_file(settings, "out")
    for name in ("picture", "json"):
        check_file(settings, name)
    outputs = [path.resolve() for path in (settings.out, settings.picture, settings.json) if path is not None]
    if len(set(outputs)) < len(outputs):
        raise UserError("--out, --picture and --json are different files")
    scenario = load_scenario(settings.scenario)
    check_frames_are_fresh(scenario)
    subjects = [subject_of(name, scenario) for name in settings.drivers]
    if subjects[0].name == subjects[1].name:
        subjects = [Subject(name, s.driver, s.camera) for name, s in zip(settings.drivers, subjects, strict=True)]
    study = study_of(settings, [subject.name for subject in subjects])
    write_whole(settings.out, page(study).encode())
    if settings.picture is not None:
        write_whole(settings.picture, figure(study))
    if settings.json is not None:
        write_whole(settings.json, f"{json.dumps(as_json(study), indent=2)}\n".encode())
    print_verdict(study)
    print(f"{settings.out}: open it in a browser")


def check_frames_are_fresh(scenario: Scenario) -> None:
    """Refuse a scenario in which the effect of what is in a frame cannot be measured."""
    late, dropped = scenario.disturbance.late_frames, scenario.disturbance.dropped_frames
    if late[1] > 0 or dropped[1] > 0.0:
        raise UserError(
            f"{scenario.name} shows drivers old frames, so that what is taken out of the present one says nothing; "
            "choose another scenario, or a copy of it without late_frames and dropped_frames"
        )


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
    of_maps = sum(len(methods_with(column)) for column in ("judged", "noisy", "layer"))
    return 2 * (judged + 3 * settings.roads + of_maps + kept) + KNOWN + len(methods_with("judged"))


class Answers(NamedTuple):
    """What was found of one driver."""

    roads: list[int]
    judged: NDArray[np.uint8]
    found: Findings
    noisy: Noisy
    drive: Drive
    known: Findings | None


_told: Any = None  # in a process that answers, the queue into which it puts what it does


def listened_to(told: Any) -> None:
    """Begin a process that answers."""
    global _told
    _told = told
    told.cancel_join_thread()  # nobody waits for words that are not read any more


def ask(settings: Compare, which: int) -> Answers:
    """Study one of the two, in a process of its own.

    It films the roads itself: they are the same for both, and too large to send.
    """
    torch.set_num_threads(1)
    scenario = load_scenario(settings.scenario)
    subject = subject_of(settings.drivers[which], scenario)
    instants = instants_of(settings, scenario)

    def tell(what: str) -> None:
        _told.put(f"{subject.name}: {what}")

    examiner = Examiner(subject, instants)
    return Answers(
        instants.roads,
        examiner.frames,
        examiner.examine(methods_with("judged"), tell),
        under_noise(examiner, methods_with("noisy"), tell),
        drive(subject, scenario, settings.seed, settings.seconds, methods_with("layer"), tell),
        None if which else marks_of_one_cue(instants, subject.camera, methods_with("judged"), tell),
    )


def instants_of(settings: Compare, scenario: Scenario) -> Instants:
    """What both are judged on."""
    instants = film_roads(scenario, range(settings.seed, settings.seed + settings.roads))
    if len(instants.tapes) < 2:
        raise UserError(f"the roads of {scenario.name} are too short to judge anything on")
    return instants


def study_of(settings: Compare, names: list[str]) -> Study:
    """Ask both at once."""
    spawn = multiprocessing.get_context("spawn")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with ExitStack() as stack:
        with deaf_to_ctrl_c():  # it is for the process that asks; those that answer inherit this
            told = spawn.Queue()
            pool = stack.enter_context(ProcessPoolExecutor(2, spawn, listened_to, (told,)))
            jobs = [pool.submit(ask, settings, which) for which in range(2)]
        bar = stack.enter_context(Progress(*columns, transient=True))
        task = bar.add_task("the expert drives", total=ticks(settings))
        try:
            while not all(job.done() for job in jobs) and not any(job.done() and job.exception() for job in jobs):
                with suppress(Empty):
                    bar.update(task, advance=1, description=escape(told.get(timeout=0.2)))
            a, b = (job.result() for job in jobs)
        except BrokenProcessPool:
            raise UserError("a process that measured was ended from outside; is there enough memory?") from None
        except BaseException:
            for process in pool._processes.values():
                process.terminate()
            raise
    assert a.known is not None
    return Study(
        names=(names[0], names[1]),
        scenario=load_scenario(settings.scenario).name,
        command=shlex.join(["lanekeep", *sys.argv[1:]]) if sys.argv[1:2] == ["compare"] else "",
        roads=a.roads,
        judged=(a.judged, b.judged),
        found=(a.found, b.found),
        noisy=(a.noisy, b.noisy),
        drives=(replace(a.drive, name=names[0]), replace(b.drive, name=names[1])),
        known=a.known,
        rows=verdict([a.found, b.found], [a.noisy, b.noisy], a.roads),
    )


def print_verdict(study: Study) -> None:
    """The table for people."""
    table = Table(
        title=escape(f"{study.scenario}: {len(study.roads)} instants on {len(set(study.roads))} test roads"),
        box=SIMPLE_HEAD,
    )
    for name in ("", *study.names, "difference"):
        table.add_column(escape(name), justify="right" if name else "left", overflow="fold")
    for row in study.rows:
        cells = [
            escape(f"{row.form.format(value)}\n[{row.form.format(low)}, {row.form.format(high)}]")
            for value, low, high in (*row.values, row.difference)
        ]
        table.add_row(row.title, *cells)
    Console().print(table)
    print(sentence(study.rows, list(study.names)))


def as_json(study: Study) -> dict[str, Any]:
    """Everything that is a number."""

    def marks(tables: dict[str, NDArray[np.float64]], roads: list[int]) -> dict[str, Any]:
        return {
            method: {mark: clean(interval_over_roads(rows[:, m], roads)) for m, mark in enumerate(MARKS)}
            for method, rows in tables.items()
        }

    def of(found: Findings) -> dict[str, Any]:
        effects = {
            element.name.lower(): clean(interval_over_roads(np.abs(found.effects[:, k]), study.roads))
            for k, element in enumerate(REMOVABLE)
        }
        of_maps = {
            "marks": marks(found.marks, study.roads),
            "marks_of_the_untrained": marks(found.untrained, study.roads),
        }
        return {"floor": found.floor, "effects_now": effects, **of_maps}

    return {
        "drivers": dict(zip(study.names, map(of, study.found), strict=True)),
        "marks_of_one_cue": marks(study.known.marks, list(range(len(study.known.effects)))),
        "verdict": {row.title: row.as_json() for row in study.rows},
        "scenario": study.scenario,
        "roads": len(set(study.roads)),
        "instants": len(study.roads),
    }
