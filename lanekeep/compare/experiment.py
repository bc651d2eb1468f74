"""The experiment: two drivers are examined at once, each in a process of its own, on the same instants.

A process records the instants itself: they are the same for both, and too large to send.
"""

import multiprocessing
import shlex
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty
from typing import NamedTuple

import torch

from lanekeep.compare import helper
from lanekeep.compare.drives import ShownDrive, drive
from lanekeep.compare.results import Comparison
from lanekeep.compare.settings import Compare
from lanekeep.compare.verdict import verdict
from lanekeep.driving.drivers import camera_of, check_driver, open_driver
from lanekeep.errors import UserError
from lanekeep.faithfulness.examine import KNOWN, Examiner, Findings, examine_known_driver
from lanekeep.faithfulness.instants import Subject, record_instants
from lanekeep.faithfulness.metrics import U8
from lanekeep.faithfulness.noise import NoiseResponse, under_noise
from lanekeep.progress import progress
from lanekeep.saliency import methods_with
from lanekeep.training.interrupts import deaf_to_ctrl_c
from lanekeep_envs import Scenario, load_scenario


def subject_of(name: str, scenario: Scenario) -> Subject:
    """A driver to compare, by the name of a shipped one or its folder."""
    driver = open_driver(name)
    check_driver(driver, scenario)
    camera = camera_of(driver)
    if camera is None:
        raise UserError(f"{name} is told the state and sees nothing: it has no pictures to look at; evaluate it")
    return Subject(Path(name).name, driver, camera)


def ticks(settings: Compare) -> int:
    """Steps of the progress bar: instants, costly instants, maps, and kept frames of the drives."""
    judged, kept = 4 * settings.roads, round(5 * settings.seconds)
    of_maps = sum(len(methods_with(column)) for column in ("judged", "noisy", "layer"))
    return 2 * (judged + 3 * settings.roads + of_maps + kept) + KNOWN + len(methods_with("judged"))


class Answers(NamedTuple):
    """What was found of one driver; `known` is of the known-answer driver, which the first process examines."""

    roads: list[int]
    judged: U8
    found: Findings
    noisy: NoiseResponse
    drive: ShownDrive
    known: Findings | None


def ask(settings: Compare, which: int) -> Answers:
    """Examine one of the two drivers, in a process of its own."""
    torch.set_num_threads(1)
    scenario = load_scenario(settings.scenario)
    subject = subject_of(settings.drivers[which], scenario)
    instants = record_instants(scenario, range(settings.seed, settings.seed + settings.roads))

    def tell(what: str) -> None:
        helper.told.put(f"{subject.name}: {what}")

    examiner = Examiner(subject, instants)
    return Answers(
        instants.roads,
        examiner.frames,
        examiner.examine(methods_with("judged"), tell),
        under_noise(examiner, methods_with("noisy"), tell),
        drive(subject, scenario, settings.seed, settings.seconds, methods_with("layer"), tell),
        None if which else examine_known_driver(instants, subject.camera, methods_with("judged"), tell),
    )


def comparison_of(settings: Compare, names: tuple[str, str]) -> Comparison:
    """Examine both drivers at once, and compare what was found."""
    spawn = multiprocessing.get_context("spawn")
    told = spawn.Queue()
    with ProcessPoolExecutor(2, spawn, helper.begin, (told,)) as pool:
        try:
            with deaf_to_ctrl_c():  # it is for the process that asks; those that answer inherit this
                jobs = [pool.submit(ask, settings, which) for which in range(2)]
            with progress("the expert drives", ticks(settings)) as bar:
                while not all(job.done() for job in jobs) and not any(job.done() and job.exception() for job in jobs):
                    with suppress(Empty):
                        bar.advance(text=told.get(timeout=0.2))
            a, b = (job.result() for job in jobs)
        except BrokenProcessPool:
            raise UserError("a process that measured was ended from outside; is there enough memory?") from None
        except BaseException:
            for process in multiprocessing.active_children():
                process.terminate()
            raise
    assert a.known is not None
    return Comparison(
        names=names,
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
