"""What is on the page: everything that was found of two drivers, and which elements are worth a row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lanekeep.compare.drives import Drive
from lanekeep.compare.verdict import Row
from lanekeep.faithfulness.examine import Findings, Noisy

U8 = NDArray[np.uint8]
COLOURS = ("a", "b")  # CSS classes of the two drivers
MOST_ELEMENTS = 10


@dataclass(frozen=True)
class Study:
    """Everything that is on the page."""

    names: tuple[str, str]
    scenario: str
    command: str
    roads: list[int]
    judged: tuple[U8, U8]  # frames [I, H, W, 3]
    found: tuple[Findings, Findings]
    noisy: tuple[Noisy, Noisy]
    drives: tuple[Drive, Drive]
    known: Findings  # of a driver whose focus is known
    rows: list[Row]


def elements_shown(study: Study) -> list[int]:
    """The elements with the largest effects in these drives and at the judged instants."""
    size = sum(np.abs(f.effects).mean(0) for f in study.found) + sum(np.abs(d.effects).mean(0) for d in study.drives)
    order = np.argsort(-np.asarray(size))
    return [int(k) for k in order[:MOST_ELEMENTS] if np.asarray(size)[k] > 0.0]
