"""Intervals: how far a number is to be trusted, 95 % of the time.

A rate of departures has the exact Poisson interval (Garwood 1936).  Everything else is resampled, by scipy.stats.bootstrap
with one seed: whole roads with all that was measured on them, since instants of one road are alike.  The middle 95 % of
the resamplings is the interval (the percentile interval of Efron).
"""

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

F64 = NDArray[np.float64]
RESAMPLINGS = 2000
OUTSIDE = 0.025  # of the probability, on each side


class Span(NamedTuple):
    """An estimate and its interval."""

    value: float
    low: float
    high: float


def poisson_interval(count: int, exposure: float) -> tuple[float, float]:
    """Exact interval of a rate (Garwood 1936): `count` events in `exposure`."""
    low = stats.gamma.ppf(OUTSIDE, count) if count else 0.0
    return float(low / exposure), float(stats.gamma.ppf(1.0 - OUTSIDE, count + 1) / exposure)


def resampled(statistic: Callable[..., F64], *sizes: int, times: int = RESAMPLINGS) -> F64:
    """A statistic of all things, and of things drawn anew from them with replacement: estimate and resamplings [1 + B].

    `statistic(picks, ...)` is handed the places of what was drawn [..., size], a table for each size.  Calls with the same
    sizes draw the same places: the difference of two is of pairs.  From a single thing nothing is learned of how far things
    differ: its resamplings are NaN, and what is made of them has no interval.
    """
    places = [np.arange(size) for size in sizes]
    # a driver that nothing moves owes nothing to anything: NaN, of which scipy warns and numpy too
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        if min(sizes) < 2:
            return np.append(statistic(*places), np.full(times, np.nan))
        draws = stats.bootstrap(
            places,
            lambda *picks, axis: statistic(*picks),
            n_resamples=times,
            method="percentile",
            vectorized=True,
            random_state=np.random.default_rng(0),
        ).bootstrap_distribution
        return np.append(statistic(*places), draws)


def ratio_of_sums(above: F64, below: F64, scale: float = 1.0) -> F64:
    """`scale` sum(above) / sum(below) over N roads, and its resamplings [1 + B]."""
    return resampled(lambda picks: scale * above[picks].sum(-1) / below[picks].sum(-1), len(above))


def span_of(draws: F64) -> Span:
    """The estimate and the middle 95 % of its resamplings [1 + B]; NaN and infinity are left out of the interval."""
    known = draws[1:][np.isfinite(draws[1:])]
    low, high = np.percentile(known, [100.0 * OUTSIDE, 100.0 * (1.0 - OUTSIDE)]) if len(known) else (np.nan, np.nan)
    return Span(float(draws[0]), float(low), float(high))


def interval_over_roads(values: F64, roads: Sequence[int]) -> Span:
    """Mean of values [I] without the NaN among them, each of which belongs to one of `roads` [I]; roads are resampled."""
    known = ~np.isnan(values)
    if not known.any():
        return Span(np.nan, np.nan, np.nan)
    of_road = np.unique(roads)[:, None] == np.asarray(roads)  # [R, I]
    sums, counts = of_road @ np.where(known, values, 0.0), of_road @ known.astype(np.float64)
    return span_of(ratio_of_sums(sums, counts))._replace(value=float(values[known].mean()))


def over_seeds(values: Sequence[float]) -> Span:
    """Mean of as few values as there are seeds, with the interval of Student's t: of seeds yet to be trained."""
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return Span(mean, np.nan, np.nan)
    half = stats.t.ppf(1.0 - OUTSIDE, count - 1) * float(np.std(values, ddof=1)) / np.sqrt(count)
    return Span(mean, float(mean - half), float(mean + half))


def clean(numbers: Sequence[float]) -> list[float | None]:
    """Numbers for JSON, which has neither NaN nor infinity: None in their place."""
    return [float(number) if np.isfinite(number) else None for number in numbers]
