"""The verdict: how much of the steering is owed to the lane, of one driver and of the other, and whether they differ.

    lane share      sum of |effect| of the three markings / sum of |effect| of every removable element, over all instants

measured now, after a second without, as Shapley values of groups, and in metres after three seconds of driving.  Intervals
come from resampling roads, for the difference the same roads for both.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep.effects import GROUPS, half_life_s, shapley
from lanekeep.faithfulness.examine import LANE, Findings
from lanekeep.faithfulness.metrics import clean
from lanekeep.faithfulness.noise import NoiseResponse
from lanekeep_envs import REMOVABLE

F64 = NDArray[np.float64]
LANE_COLUMNS = [REMOVABLE.index(element) for element in LANE]
LANE_GROUPS = [k for k, name in enumerate(GROUPS) if name.endswith("marking")]
RESAMPLINGS, RESAMPLINGS_OF_CURVES = 2000, 300
FEWEST_ROADS = 8


@dataclass(frozen=True)
class VerdictRow:
    """A line of the table: a number of each driver and their difference, each with its 95 % interval."""

    title: str
    about: str
    form: str
    values: tuple[tuple[float, float, float], tuple[float, float, float]]
    difference: tuple[float, float, float]

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
    names = np.unique(roads)
    of_road = (roads[None] == names[:, None]).astype(np.float64)
    picks = np.random.default_rng(0).integers(len(names), size=(RESAMPLINGS, len(names)))
    estimates, draws = [], []
    for above, below in parts:
        a, b = of_road @ above, of_road @ below
        with np.errstate(
            divide="ignore", invalid="ignore"
        ):  # a driver that reacts to nothing owes nothing to anything: NaN
            estimates.append(scale * a.sum() / b.sum())
            draws.append(scale * a[picks].sum(1) / b[picks].sum(1))
    spans = [(float(e), *_middle_95(d)) for e, d in zip(estimates, draws, strict=True)]
    apart = (float(estimates[0] - estimates[1]), *_middle_95(draws[0] - draws[1]))
    return VerdictRow(title, about, form, (spans[0], spans[1]), apart, len(names))


def half_life_row(found: list[Findings]) -> VerdictRow:
    """The time after which half of a one-frame removal is forgotten; roads resampled."""
    count = len(found[0].curves)
    picks = np.random.default_rng(0).integers(count, size=(RESAMPLINGS_OF_CURVES, count))
    spans, draws = [], []
    for one in found:
        draws.append(np.array([half_life_s(one.curves[pick]) for pick in picks]))
        spans.append((half_life_s(one.curves), *_middle_95(draws[-1])))
    apart = (spans[0][0] - spans[1][0], *_middle_95(draws[0] - draws[1]))
    about = "half of what an element that is absent in one frame does to the steering is gone after"
    return VerdictRow("memory half-life", about, "{:.3f} s", (spans[0], spans[1]), apart, count)


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


def _middle_95(draws: F64) -> tuple[float, float]:
    finite = draws[np.isfinite(draws)]
    low, high = np.percentile(finite, [2.5, 97.5]) if len(finite) else (np.nan, np.nan)
    return float(low), float(high)
