"""Rounds of driving: first the expert's, then (DAgger) the driver's own, with the expert's answer to every frame.

A round is on roads that were not trained on yet, disturbed, and begins at hard bends.  Its episodes carry its number.
"""

import shutil
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep.demonstrations import Episode, Recorder, Staged, read_dataset
from lanekeep.driving.disturbance import described
from lanekeep.driving.labelled_drives import Stretch, about
from lanekeep.imitation.given_demonstrations import verified
from lanekeep.terminal import printable
from lanekeep_envs import CONTROL_STEP_S, Camera, Scenario

WRITERS = 2  # threads that write what was driven


class Round(NamedTuple):
    """A recorded round, and how the driving went."""

    episodes: list[Path]  # in the order of the driving
    departures_per_km: float
    lateral_rms_m: float


def record_round(
    recorder: Recorder, stretches: Iterable[Stretch], scenario: Scenario, camera: Camera, number: int, noise: float
) -> Round:
    """Record what is driven, disturbed by `noise` (standard deviation, action units), as the round of this number."""
    departures, km, squares, writes = 0, 0.0, list[NDArray[np.float32]](), list[Future[Staged]]()
    with ThreadPoolExecutor(WRITERS) as writers:  # checksums and the disk take as long as a third of the driving
        for stretch in stretches:
            info = about(stretch, scenario, camera, described(noise), number)
            writes.append(writers.submit(recorder.stage, stretch.frames, stretch.signals, info))
            departures += stretch.departed
            km += float(stretch.signals["speed_mps"].sum()) * CONTROL_STEP_S / 1000.0
            squares.append(stretch.signals["lateral_offset_m"] ** 2)
    rms = float(np.sqrt(np.mean(np.concatenate(squares))))
    return Round([recorder.publish(write.result()) for write in writes], departures / km, rms)


def discard_rounds(folder: Path, first: int) -> None:
    """Remove what an interrupted training recorded of a round that will be recorded again."""
    for episode in read_dataset(folder).episodes if folder.is_dir() and any(folder.glob("episode-*")) else ():
        if episode.info.dagger_round >= first:
            shutil.rmtree(episode.folder)


def open_rounds(folder: Path, rounds: int) -> list[Episode]:
    """The episodes of the first so many rounds; damaged ones are named and left out."""
    dataset = read_dataset(folder)
    whole, damaged = verified([e for e in dataset.episodes if e.info.dagger_round < rounds])
    for sentence in (*dataset.damaged, *damaged):
        print(f"left out: {printable(sentence)}", file=sys.stderr)
    return whole
