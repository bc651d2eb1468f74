"""Whether predictors tell the confused drivers from their controls, and rank the outcomes.

Intervals of means over seeds: 95 % of 2,000 resamplings of roads and of seeds together, a driver and its control with the
same seeds and on the same roads.  Three seeds are few, and such an interval is at most as wide as they lie apart, roads
aside: it is of the drivers that were trained, and too narrow for others of their make.  Intervals of rank correlations:
drivers are resampled, as if those of a core had no more in common than any.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep.study.confusion.outcomes import Driven
from lanekeep.study.confusion.predictors import Share

F64 = NDArray[np.float64]
RESAMPLINGS = 2000


class Span(NamedTuple):
    """An estimate and its interval."""

    value: float
    low: float
    high: float


def span_of(draws: F64) -> Span:
    """The interval of an estimate from its resamplings [1 + B]; what came out as NaN is left out."""
    known = draws[1:][np.isfinite(draws[1:])]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
    return Span(float(draws[0]), float(low), float(high))


def mean_ratio(part: F64, whole: F64, root: bool = False) -> F64:
    """Mean over S seeds of sum of part [S, R] / sum of whole [S, R] over roads (or of its root), and resamplings [1 + B].

    The draws are the same in every call with as many seeds and roads: differences of two are of pairs.
    """
    seeds, roads = part.shape
    generator = np.random.default_rng(0)
    of_roads = np.concatenate([np.arange(roads)[None], generator.integers(roads, size=(RESAMPLINGS, roads))])
    of_seeds = np.concatenate([np.arange(seeds)[None], generator.integers(seeds, size=(RESAMPLINGS, seeds))])
    with np.errstate(divide="ignore", invalid="ignore"):  # a driver that nothing moves owes nothing to anything: NaN
        ratios = part[:, of_roads].sum(-1) / whole[:, of_roads].sum(-1)
    found = np.sqrt(ratios) if root else ratios
    return np.asarray(np.take_along_axis(found.T, of_seeds, 1).mean(1))


def mean_share(shares: Sequence[Share]) -> F64:
    """Mean share of drivers that differ by their seed, and its resamplings [1 + B]."""
    return mean_ratio(np.stack([one.part for one in shares]), np.stack([one.whole for one in shares]))


def mean_rms_m(driven: Sequence[Driven]) -> F64:
    """Mean lateral RMS [m] of drivers that differ by their seed, and its resamplings [1 + B]."""
    squares, steps = np.stack([one.squares_m2 for one in driven]), np.stack([one.steps for one in driven])
    return mean_ratio(squares, steps, root=True)


def over_seeds(values: Sequence[float]) -> Span:
    """The mean of as few numbers as there are seeds, with the 95 % interval of Student's t: of seeds yet to be trained."""
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return Span(mean, np.nan, np.nan)
    half = t_quantile(0.975, count - 1) * float(np.std(values, ddof=1)) / np.sqrt(count)
    return Span(mean, mean - half, mean + half)


def t_quantile(share: float, freedom: int) -> float:
    """Quantile of Student's t distribution: tan(a) sqrt(f), where the density of the angle a is as cos(a) ** (f - 1)."""
    angles = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 100_001)
    density = np.cos(angles) ** (freedom - 1)
    mass = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return float(np.sqrt(freedom) * np.tan(np.interp(share * mass[-1], mass, angles)))


def rank_correlation_draws(shares: Sequence[float], outcomes: Sequence[float]) -> F64:
    """Spearman's correlation over D drivers of a predictor's shares with the outcomes, and its resamplings [1 + B].

    NaN where one of them is constant.  The draws are the same in every call with as many drivers.
    """
    count, pairs = len(shares), np.array([shares, outcomes])
    picks = np.random.default_rng(0).integers(count, size=(RESAMPLINGS, count))
    drawn = ranks(pairs[:, np.concatenate([np.arange(count)[None], picks])])  # [2, 1 + B, D]
    a, b = drawn - drawn.mean(-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.asarray((a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1)))


def ranks(values: F64) -> F64:
    """Ranks from 0 along the last axis; equal values share the mean of theirs."""
    sign = np.sign(values[..., :, None] - values[..., None, :])
    return np.asarray(0.5 * (values.shape[-1] - 1 + sign.sum(-1)))
