"""The results of a comparison: all that was found of two drivers, and which elements are worth a row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lanekeep.compare.drives import ShownDrive
from lanekeep.compare.verdict import VerdictRow
from lanekeep.faithfulness.examine import Findings
from lanekeep.faithfulness.noise import NoiseResponse

U8 = NDArray[np.uint8]
COLOURS = ("a", "b")  # CSS classes of the two drivers
LEFTWARD, RIGHTWARD = (255, 160, 30), (70, 170, 255)  # RGB of what steers to that side
MOST_ELEMENTS = 10


@dataclass(frozen=True)
class Comparison:
    """All results of both drivers; pages, figures and tables are drawn from it."""

    names: tuple[str, str]
    scenario: str
    command: str
    roads: list[int]
    judged: tuple[U8, U8]  # frames [I, H, W, 3]
    found: tuple[Findings, Findings]
    noisy: tuple[NoiseResponse, NoiseResponse]
    drives: tuple[ShownDrive, ShownDrive]
    known: Findings  # of a driver whose focus is known
    rows: list[VerdictRow]


def elements_shown(study: Comparison) -> list[int]:
    """The elements with the largest effects in these drives and at the judged instants."""
    size = sum(np.abs(f.effects).mean(0) for f in study.found) + sum(np.abs(d.effects).mean(0) for d in study.drives)
    order = np.argsort(-np.asarray(size))
    return [int(k) for k in order[:MOST_ELEMENTS] if np.asarray(size)[k] > 0.0]
