"""Outcomes: how each driver of the study keeps its lane in the three worlds; and the file that keeps its measurements.

The roads are the same in every world, road by road, so that the rise of the lateral RMS is a difference on the same roads.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep.evaluate.evaluate import drive
from lanekeep.study.confusion.predictors import Share
from lanekeep_envs import Scenario
from lanekeep_files.reading import MIB, json_of, read_file
from lanekeep_files.writing import write_whole
from lanekeep_policies import Driver

F64 = NDArray[np.float64]
CARS = 16
MEASURED = "confusion.json"


@dataclass(frozen=True)
class Driven:
    """How a driver drove in a world, on each of R roads."""

    departures: F64  # [R]
    km: F64  # [R]
    squares_m2: F64  # [R] sum of the squared lateral offsets
    steps: F64  # [R] of how many


@dataclass(frozen=True)
class Measured:
    """Outcomes and predictors of a driver."""

    driven: dict[str, Driven]  # in each world of TIES
    shares: dict[str, Share]  # by each effect and map

    @property
    def departures_per_km(self) -> dict[str, float]:
        """Lane departures per km in each world."""
        return {tie: float(one.departures.sum() / one.km.sum()) for tie, one in self.driven.items()}

    @property
    def lateral_rms_m(self) -> dict[str, float]:
        """Root mean square of the lateral offset in each world [m]."""
        return {tie: float(np.sqrt(one.squares_m2.sum() / one.steps.sum())) for tie, one in self.driven.items()}


def drive_worlds(
    driver: Driver, worlds: dict[str, Scenario], seeds: Sequence[int], tell: Callable[[str], None]
) -> dict[str, Driven]:
    """Let a driver drive the roads of these seeds in every world."""
    found = {}
    for tie, scenario in worlds.items():
        tell(f"drives, {tie}")
        drives = drive(driver, scenario, seeds, CARS, lambda km: None)
        offsets = [one.traces["lateral_offset_m"] for one in drives]
        found[tie] = Driven(
            departures=np.array([float(one.departures) for one in drives]),
            km=np.array([one.km for one in drives]),
            squares_m2=np.array([float(np.square(offset).sum()) for offset in offsets]),
            steps=np.array([float(len(offset)) for offset in offsets]),
        )
    return found


def save(folder: Path, asked: dict[str, Any], measured: Measured) -> None:
    """Keep measurements, and what was asked, in a driver's folder."""
    table = {"asked": asked, **asdict(measured)}
    write_whole(folder / MEASURED, f"{json.dumps(table, default=np.ndarray.tolist)}\n".encode())


def read(folder: Path, asked: dict[str, Any]) -> Measured | None:
    """Measurements that answer what is asked; None if the file is missing, damaged, or answers something else."""
    try:
        table = json_of(read_file(folder / MEASURED, 64 * MIB), MEASURED, dict[str, Any])
        if table["asked"] != asked:
            return None
        return Measured(
            {tie: Driven(**_arrays(one)) for tie, one in table["driven"].items()},
            {name: Share(**_arrays(one)) for name, one in table["shares"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _arrays(table: dict[str, list[float]]) -> dict[str, F64]:
    return {name: np.array(values, np.float64) for name, values in table.items()}
