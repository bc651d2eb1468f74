"""Charts as SVG: lines, and bars with intervals.  Colours are CSS classes, so that they follow the page by night."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


class Line(NamedTuple):
    """A line of a chart."""

    title: str
    colour: str  # CSS class
    x: NDArray[np.floating]
    y: NDArray[np.floating]
    dashed: bool = False


def lines(series: Sequence[Line], x_title: str, y_title: str, top: float | None = None, cursor: str = "") -> str:
    """Lines on one pair of axes; the legend is above them.  `cursor` is the id of an upright line that a script moves."""
    width, height, left, right, above, below = 560.0, 210.0, 52.0, 12.0, 12.0, 38.0
    xs, ys = np.concatenate([s.x for s in series]), np.concatenate([s.y for s in series])
    x_low, x_high = float(xs.min()), float(xs.max())
    low, high = min(0.0, float(ys.min())), (float(ys.max()) if top is None else top) or 1.0
    ticks = nice_ticks(low, high)
    low, high = min(low, ticks[0]), max(high, ticks[-1])

    def at(x: float, y: float) -> tuple[float, float]:
        across = left + (x - x_low) / max(x_high - x_low, 1e-12) * (width - left - right)
        return across, above + (high - y) / (high - low) * (height - above - below)

    parts = []
    for tick in ticks:
        _, y = at(x_low, tick)
        parts.append(f"<line class=rule x1={left:g} x2={width - right:g} y1={y:.1f} y2={y:.1f} />")
        parts.append(f"<text class=tick x={left - 6:g} y={y + 3.5:.1f} text-anchor=end>{tick:g}</text>")
    for tick in nice_ticks(x_low, x_high):
        x, _ = at(tick, low)
        parts.append(f"<text class=tick x={x:.1f} y={height - below + 15:g} text-anchor=middle>{tick:g}</text>")
    for s in series:
        points = " ".join(
            f"{x:.1f},{y:.1f}" for x, y in (at(*xy) for xy in zip(s.x.tolist(), s.y.tolist(), strict=True))
        )
        parts.append(f"<polyline class='line {s.colour}{' dashed' if s.dashed else ''}' points='{points}' />")
    if cursor:
        parts.append(f"<line id={cursor} class=cursor y1={above:g} y2={height - below:g} x1={left:g} x2={left:g} />")
    middle = left + (width - left - right) / 2
    parts.append(f"<text class=axis x={middle:g} y={height - 4:g} text-anchor=middle>{escape(x_title)}</text>")
    upright = above + (height - above - below) / 2
    parts.append(
        f"<text class=axis transform='translate(12 {upright:g}) rotate(-90)' text-anchor=middle>{escape(y_title)}</text>"
    )
    legend = "".join(
        f"<span class='key {s.colour}{' dashed' if s.dashed else ''}'>{escape(s.title)}</span>" for s in series
    )
    picture = f"<svg viewBox='0 0 {width:g} {height:g}' role=img aria-label='{escape(y_title)}'>{''.join(parts)}</svg>"
    return f"<div class=chart><div class=legend>{legend}</div>{picture}</div>"


def bar(value: float, low: float, high: float, scale: float, colour: str) -> str:
    """A bar from zero with its interval, as wide as `scale` allows."""
    if not scale > 0.0:
        return "<span class=bar></span>"
    span = [100.0 * min(max(v / scale, 0.0), 1.0) for v in (value, low, high)]
    whisker = f"<i class=whisker style='left:{span[1]:.1f}%;width:{max(span[2] - span[1], 0.3):.1f}%'></i>"
    return f"<span class=bar><i class='fill {colour}' style='width:{span[0]:.1f}%'></i>{whisker}</span>"


def nice_ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers from at or below `low` to at or above `high`."""
    span = max(high - low, 1e-12)
    step = 10.0 ** np.floor(np.log10(span / 3.0))
    step *= next(k for k in (1.0, 2.0, 2.5, 5.0, 10.0) if span / (k * step) <= 5.0)
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return [float(round(step * k, 12)) for k in np.arange(first, last + 1)]
