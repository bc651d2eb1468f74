"""Whether predictors tell the confused drivers from their controls, and rank the outcomes.

Intervals of means over seeds: 95 % of 2,000 resamplings of roads and of seeds together, a driver and its control with the
same seeds and on the same roads.  Three seeds are few, and such an interval is at most as wide as they lie apart, roads
aside: it is of the drivers that were trained, and too narrow for others of their make.  Intervals of rank correlations:
drivers are resampled, as if those of a core had no more in common than any.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lanekeep.intervals import resampled
from lanekeep.study.confusion.outcomes import Driven
from lanekeep.study.confusion.predictors import Share

F64 = NDArray[np.float64]
Picks = NDArray[np.int64]


def mean_ratio(part: F64, whole: F64, root: bool = False) -> F64:
    """Mean over S seeds of sum of part [S, R] / sum of whole [S, R] over roads (or of its root), and resamplings [1 + B].

    The draws are the same in every call with as many seeds and roads: differences of two are of pairs.
    """

    def mean(roads: Picks, seeds: Picks) -> F64:  # [..., R], [..., S]
        ratios = part[:, roads].sum(-1) / whole[:, roads].sum(-1)
        found = np.sqrt(ratios) if root else ratios
        return np.asarray(np.take_along_axis(found.T, seeds, -1).mean(-1))

    seeds, roads = part.shape
    return resampled(mean, roads, seeds)


def mean_share(shares: Sequence[Share]) -> F64:
    """Mean share of drivers that differ by their seed, and its resamplings [1 + B]."""
    return mean_ratio(np.stack([one.part for one in shares]), np.stack([one.whole for one in shares]))


def mean_rms_m(driven: Sequence[Driven]) -> F64:
    """Mean lateral RMS [m] of drivers that differ by their seed, and its resamplings [1 + B]."""
    squares, steps = np.stack([one.squares_m2 for one in driven]), np.stack([one.steps for one in driven])
    return mean_ratio(squares, steps, root=True)


def rank_correlation_draws(shares: Sequence[float], outcomes: Sequence[float]) -> F64:
    """Spearman's correlation over D drivers of a predictor's shares with the outcomes, and its resamplings [1 + B].

    NaN where one of them is constant.  The draws are the same in every call with as many drivers.
    """
    pairs = np.array([shares, outcomes])

    def correlation(picks: Picks) -> F64:
        drawn = stats.rankdata(pairs[:, picks], axis=-1)  # [2, ..., D]
        a, b = drawn - drawn.mean(-1, keepdims=True)
        return np.asarray((a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1)))

    return resampled(correlation, len(shares))
