"""The verdict: how much of the steering is owed to the lane, of one driver and of the other, and whether they differ.

    lane share      sum of |effect| of the three markings / sum of |effect| of every removable element, over all instants

measured now, after a second without, as Shapley values of groups, and in metres after three seconds of driving.  Intervals
come from resampling roads, for the difference the same roads for both.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep.effects import half_life_s, shapley
from lanekeep.faithfulness.examine import LANE, Findings
from lanekeep.faithfulness.noise import NoiseResponse
from lanekeep.intervals import Span, clean, ratio_of_sums, resampled, span_of
from lanekeep_envs import GROUPS, REMOVABLE

F64 = NDArray[np.float64]
LANE_COLUMNS = [REMOVABLE.index(element) for element in LANE]
LANE_GROUPS = [k for k, name in enumerate(GROUPS) if name.endswith("marking")]
RESAMPLINGS_OF_CURVES = 300  # each is a loop over curves
FEWEST_ROADS = 8


@dataclass(frozen=True)
class VerdictRow:
    """A line of the table: a number of each driver and their difference, each with its 95 % interval."""

    title: str
    about: str
    form: str
    values: tuple[Span, Span]
    difference: Span

    roads: int

    @property
    def told_apart(self) -> bool:
        """Whether the interval of the difference leaves zero out; a bootstrap of a few roads is too narrow to say so."""
        return self.roads >= FEWEST_ROADS and (self.difference[1] > 0.0 or self.difference[2] < 0.0)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        keys = ("value", "low", "high")
        return {
            "about": self.about,
            "drivers": [dict(zip(keys, clean(value), strict=True)) for value in self.values],
            "difference": dict(zip(keys, clean(self.difference), strict=True)),
            "roads": self.roads,
            "told_apart": self.told_apart,
        }


def ratio_row(
    title: str, about: str, form: str, parts: list[tuple[F64, F64]], roads: NDArray[np.int64], scale: float = 1.0
) -> VerdictRow:
    """sum of a / sum of b of each driver, rows [I] of which belong to `roads` [I]."""
    of_road = (np.unique(roads)[:, None] == roads).astype(np.float64)  # [R, I]
    draws = [ratio_of_sums(of_road @ above, of_road @ below, scale) for above, below in parts]
    return _row(title, about, form, draws, len(of_road))


def half_life_row(found: list[Findings]) -> VerdictRow:
    """The time after which half of a one-frame removal is forgotten; roads resampled."""
    count = len(found[0].curves)

    def half_lives(one: Findings) -> F64:
        def of_picks(picks: NDArray[np.int64]) -> F64:
            return np.array([half_life_s(one.curves[pick]) for pick in np.atleast_2d(picks)])

        return resampled(of_picks, count, times=RESAMPLINGS_OF_CURVES)

    about = "half of what an element that is absent in one frame does to the steering is gone after"
    return _row("memory half-life", about, "{:.3f} s", [half_lives(one) for one in found], count)


def _row(title: str, about: str, form: str, draws: list[F64], roads: int) -> VerdictRow:
    """A line of the table from estimates and resamplings [1 + B] of both drivers, which were drawn in pairs."""
    a, b = draws
    return VerdictRow(title, about, form, (span_of(a), span_of(b)), span_of(a - b), roads)


def verdict(found: list[Findings], noisy: list[NoiseResponse], roads: list[int]) -> list[VerdictRow]:
    """All lines, of two drivers."""
    every, one_each = np.array(roads), np.arange(len(found[0].coalitions))
    share = "{:.0f} %"

    def lane(tables: list[F64], columns: list[int]) -> list[tuple[F64, F64]]:
        sizes = [np.abs(table) for table in tables]
        return [(size[:, columns].sum(1), size.sum(1)) for size in sizes]

    ones = [np.ones(len(one.steering)) for one in noisy]
    return [
        ratio_row(
            "lane share, now", "of the effects of single elements, memory as it is: owed to the three markings", share,
            lane([f.effects for f in found], LANE_COLUMNS), every, 100.0,
        ),
        ratio_row(
            "lane share, with memory", "the same, absent for a second", share,
            lane([f.remembered for f in found], LANE_COLUMNS), one_each, 100.0,
        ),
        ratio_row(
            "lane share, Shapley", "the same of groups, in every company of the others", share,
            lane([shapley(f.coalitions) for f in found], LANE_GROUPS), one_each, 100.0,
        ),
        ratio_row(
            "lane share, in closed loop", "the same of metres that the car is elsewhere 3 s on", share,
            lane([f.displaced_m for f in found], LANE_COLUMNS), one_each, 100.0,
        ),
        ratio_row(
            "moved by the rest", "mean distance 3 s after everything but the markings was absent, one at a time, added up",
            "{:.2f} m", [(_rest(f.displaced_m), np.ones(len(f.displaced_m))) for f in found], one_each,
        ),
        half_life_row(found),
        ratio_row(
            "moved by noise", "mean change of the action under noise of a tenth of full brightness", "{:.3f}",
            [(one.steering[:, 2], unit) for one, unit in zip(noisy, ones, strict=True)], one_each,
        ),
    ]  # fmt: skip


def sentence(rows: list[VerdictRow], names: list[str]) -> str:
    """The line of Shapley values in words: lane lines back each other up, and single effects miss that."""
    row = rows[2]
    (a, *a_span), (b, *b_span) = row.values
    told = f"{names[0]} owes {a:.0f} % [{a_span[0]:.0f}, {a_span[1]:.0f}] of its steering to the lane markings, "
    told += f"{names[1]} {b:.0f} % [{b_span[0]:.0f}, {b_span[1]:.0f}]"
    if not row.told_apart:
        return f"{told}: {row.roads} roads do not tell them apart."
    more = names[0] if row.difference[0] > 0.0 else names[1]
    return f"{told}: the focus of {more} is more causal."


def _rest(displaced_m: F64) -> F64:
    others = [k for k in range(displaced_m.shape[1]) if k not in LANE_COLUMNS]
    return np.asarray(np.abs(displaced_m[:, others]).sum(1))
