"""Charts as SVG: where lines, ticks and bars lie; `charts.svg` draws them.

Colours are CSS classes, so that they follow the page by night.  Lengths are in units of the view box, 560 x 210.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEFT, RIGHT, ABOVE, BELOW = 52.0, 548.0, 12.0, 172.0  # edges of the field in which lines are drawn


class Line(NamedTuple):
    """A line of a chart."""

    title: str
    colour: str  # CSS class
    x: NDArray[np.floating]
    y: NDArray[np.floating]
    dashed: bool = False


class Chart(NamedTuple):
    """Lines on one pair of axes."""

    lines: list[tuple[Line, str]]  # each with the points of its polyline
    x_ticks: list[tuple[float, float]]  # number, place
    y_ticks: list[tuple[float, float]]
    x_title: str
    y_title: str
    cursor: str  # id of an upright line that a script moves; empty for none


def chart(series: Sequence[Line], x_title: str, y_title: str, top: float | None = None, cursor: str = "") -> Chart:
    """Place lines on one pair of axes; the vertical one reaches from 0 or below to `top` or to the highest number."""
    xs, ys = np.concatenate([s.x for s in series]), np.concatenate([s.y for s in series])
    x_low, x_high = float(xs.min()), float(xs.max())
    low, high = min(0.0, float(ys.min())), (float(ys.max()) if top is None else top) or 1.0
    y_ticks = nice_ticks(low, high)
    low, high = min(low, y_ticks[0]), max(high, y_ticks[-1])

    def across(x: float) -> float:
        return LEFT + (x - x_low) / max(x_high - x_low, 1e-12) * (RIGHT - LEFT)

    def down(y: float) -> float:
        return ABOVE + (high - y) / (high - low) * (BELOW - ABOVE)

    return Chart(
        [(s, " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in zip(s.x, s.y, strict=True))) for s in series],
        [(tick, across(tick)) for tick in nice_ticks(x_low, x_high)],
        [(tick, down(tick)) for tick in y_ticks],
        x_title,
        y_title,
        cursor,
    )


def nice_ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers from at or below `low` to at or above `high`."""
    span = max(high - low, 1e-12)
    step = 10.0 ** np.floor(np.log10(span / 3.0))
    step *= next(k for k in (1.0, 2.0, 2.5, 5.0, 10.0) if span / (k * step) <= 5.0)
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return [float(round(step * k, 12)) for k in np.arange(first, last + 1)]
