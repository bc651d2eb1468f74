"""Findings: the numbers of the study, a function of what was measured: who was confused, and what had shown it.

Intervals of means over seeds: 95 % of 2,000 resamplings of roads and of seeds together, a driver and its control with the
same seeds and on the same roads.  Three seeds are few, and such an interval is at most as wide as they lie apart, roads
aside: it is of the drivers that were trained, and too narrow for others of their make.  Intervals of rank correlations:
drivers are resampled, as if those of a core had no more in common than any.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lanekeep.intervals import Span, clean, over_seeds, poisson_interval, resampled, span_of
from lanekeep.saliency import METHODS
from lanekeep.study.confusion.confounders import TIES
from lanekeep.study.confusion.outcomes import Measured
from lanekeep.study.confusion.predictors import EFFECTS, MAPS, Share
from lanekeep.study.confusion.training import LEARNED, TrainedDriver

PREDICTORS = {**EFFECTS, **{name: METHODS[name].title for name in MAPS}}  # name -> title
BEST = "shapley"  # of them: what a thing owes in the presence and absence of all others
CHANGED = ("untied", "reversed")
Found = dict[TrainedDriver, Measured]
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


def group_of(found: Found, core: str, learned: str) -> list[Measured]:
    """The drivers of a core that learned in one world, by seed."""
    return [one for trained, one in found.items() if (trained.core, trained.learned) == (core, learned)]


def outcome_m(one: Measured, changed: str) -> float:
    """How much farther from the middle it drives where the confounder is not tied: rise of the lateral RMS [m]."""
    return one.lateral_rms_m[changed] - one.lateral_rms_m["tied"]


def share_percent(one: Measured, predictor: str) -> float:
    """A driver's share [%] by one of PREDICTORS."""
    share = one.shares[predictor]
    return float(100.0 * share.part.sum() / share.whole.sum())


def departures(group: Sequence[Measured], tie: str) -> Span:
    """Departures per km of drivers together, with the exact Poisson interval."""
    count = sum(one.driven[tie].departures.sum() for one in group)
    km = sum(one.driven[tie].km.sum() for one in group)
    return Span(float(count / km), *poisson_interval(int(count), float(km)))


def rms_draws_m(group: Sequence[Measured], tie: str) -> F64:
    """Mean lateral RMS [m] over seeds in a world, and its resamplings [1 + B]."""
    driven = [one.driven[tie] for one in group]
    return mean_ratio(np.stack([one.squares_m2 for one in driven]), np.stack([one.steps for one in driven]), root=True)


def rise_draws_m(group: Sequence[Measured], changed: str) -> F64:
    """Mean rise of the lateral RMS [m] over seeds from the tied world to another, and its resamplings [1 + B]."""
    return rms_draws_m(group, changed) - rms_draws_m(group, "tied")


def confusion_draws_m(found: Found, core: str, changed: str) -> F64:
    """How confused a core is [1 + B]: the rise with drivers that learned tied less the rise with their controls."""
    confused, control = (rise_draws_m(group_of(found, core, learned), changed) for learned in LEARNED)
    return confused - control


def share_draws(shares: Sequence[Share]) -> F64:
    """Mean share [%] of drivers that differ by their seed, and its resamplings [1 + B]."""
    return 100.0 * mean_ratio(np.stack([one.part for one in shares]), np.stack([one.whole for one in shares]))


def predicted_draws(found: Found, predictor: str, changed: str, among: Sequence[str] = LEARNED) -> F64:
    """The rank correlation, over drivers that learned in these worlds, of a predictor with the outcome [1 + B]."""
    every = [one for trained, one in found.items() if trained.learned in among]
    return rank_correlation_draws(
        [share_percent(one, predictor) for one in every], [outcome_m(one, changed) for one in every]
    )


def findings_of(cores: Sequence[str], found: Found, pixels: dict[str, Share]) -> dict[str, Any]:
    """All numbers of the study by their names, with their intervals: what is printed, drawn and written."""
    best = {changed: predicted_draws(found, BEST, changed) for changed in CHANGED}
    groups = {"all": LEARNED, "learned tied": LEARNED[:1]}
    return {
        "cores": {core: _of_core(found, core) for core in cores},
        "confusion_m": {
            tie: span_of(np.mean([confusion_draws_m(found, core, tie) for core in cores], 0)) for tie in CHANGED
        },
        "drivers": {trained.name: _of_driver(one) for trained, one in found.items()},
        "share_percent_of_pixels": {name: float(share_draws([share])[0]) for name, share in pixels.items()},
        "rank_correlation_of_shapley_less": {
            predictor: {tie: span_of(best[tie] - predicted_draws(found, predictor, tie)) for tie in CHANGED}
            for predictor in PREDICTORS
            if predictor != BEST
        },
        "rank_correlation": {
            predictor: {
                f"{changed}, {group}": span_of(predicted_draws(found, predictor, changed, among))
                for group, among in groups.items()
                for changed in CHANGED
            }
            for predictor in PREDICTORS
        },
    }


def _of_core(found: Found, core: str) -> dict[str, Any]:
    confused, control = groups = [group_of(found, core, learned) for learned in LEARNED]
    shares = {p: [share_draws([one.shares[p] for one in group]) for group in groups] for p in PREDICTORS}
    by_seed = {
        tie: [outcome_m(one, tie) - outcome_m(other, tie) for one, other in zip(confused, control, strict=True)]
        for tie in CHANGED
    }
    of_groups = {
        learned: {
            "departures_per_km": {tie: departures(group, tie) for tie in TIES},
            "lateral_rms_m": {tie: span_of(rms_draws_m(group, tie)) for tie in TIES},
            "share_percent": {predictor: span_of(draws[k]) for predictor, draws in shares.items()},
        }
        for k, (learned, group) in enumerate(zip(LEARNED, groups, strict=True))
    }
    return of_groups | {
        "confusion_m": {tie: span_of(confusion_draws_m(found, core, tie)) for tie in CHANGED},
        "confusion_by_seed_m": by_seed,
        "confusion_over_seeds_m": {tie: over_seeds(values) for tie, values in by_seed.items()},
        "share_percent_difference": {p: span_of(tied - untied) for p, (tied, untied) in shares.items()},
    }


def _of_driver(one: Measured) -> dict[str, Any]:
    shares = {predictor: share_percent(one, predictor) for predictor in PREDICTORS}
    return {"departures_per_km": one.departures_per_km, "lateral_rms_m": one.lateral_rms_m, "share_percent": shares}


def as_json(findings: Any) -> Any:
    """The findings for machines: an interval as a list, and None for what is not a number."""
    if isinstance(findings, dict):
        return {name: as_json(value) for name, value in findings.items()}
    return clean(findings) if isinstance(findings, Span | list) else findings
