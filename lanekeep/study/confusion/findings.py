"""Findings: the numbers of the study, a function of what was measured: who was confused, and what had shown it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep.intervals import Span, clean, over_seeds, poisson_interval, span_of
from lanekeep.saliency import METHODS
from lanekeep.study.confusion.confounders import TIES
from lanekeep.study.confusion.contrast import mean_rms_m, mean_share, rank_correlation_draws
from lanekeep.study.confusion.outcomes import Measured
from lanekeep.study.confusion.predictors import CONTROLS, EFFECTS, MAPS, Share
from lanekeep.study.confusion.training import LEARNED, TrainedDriver

PREDICTORS = {**EFFECTS, **{name: METHODS[name].title for name in MAPS}}  # name -> title
BEST = "shapley"  # of them: what a thing owes in the presence and absence of all others
CHANGED = ("untied", "reversed")
Found = dict[TrainedDriver, Measured]


def group_of(found: Found, core: str, learned: str) -> list[Measured]:
    """The drivers of a core that learned in one world, by seed."""
    return [one for trained, one in found.items() if (trained.core, trained.learned) == (core, learned)]


def outcome_m(one: Measured, changed: str) -> float:
    """How much farther from the middle it drives where the confounder is not tied: rise of the lateral RMS [m]."""
    return one.lateral_rms_m[changed] - one.lateral_rms_m["tied"]


def departures(group: Sequence[Measured], tie: str) -> Span:
    """Departures per km of drivers together, with the exact Poisson interval."""
    count = sum(one.driven[tie].departures.sum() for one in group)
    km = sum(one.driven[tie].km.sum() for one in group)
    return Span(float(count / km), *poisson_interval(int(count), float(km)))


def rms_draws_m(group: Sequence[Measured], tie: str) -> NDArray[np.float64]:
    """Mean lateral RMS [m] over seeds in a world, and its resamplings [1 + B]."""
    return mean_rms_m([one.driven[tie] for one in group])


def rise_draws_m(group: Sequence[Measured], changed: str) -> NDArray[np.float64]:
    """Mean rise of the lateral RMS [m] over seeds from the tied world to another, and its resamplings [1 + B]."""
    return rms_draws_m(group, changed) - rms_draws_m(group, "tied")


def confusion_draws_m(found: Found, core: str, changed: str) -> NDArray[np.float64]:
    """How confused a core is [1 + B]: the rise with drivers that learned tied less the rise with their controls."""
    confused, control = (rise_draws_m(group_of(found, core, learned), changed) for learned in LEARNED)
    return confused - control


def share_draws(group: Sequence[Measured], predictor: str) -> NDArray[np.float64]:
    """Mean share [%] over seeds by one of PREDICTORS, and its resamplings [1 + B]."""
    return 100.0 * mean_share([one.shares[predictor] for one in group])


def share_percent(one: Measured, predictor: str) -> float:
    """A driver's share [%] by one of PREDICTORS."""
    share = one.shares[predictor]
    return float(100.0 * share.part.sum() / share.whole.sum())


def predicted_draws(found: Found, predictor: str, changed: str, among: Sequence[str] = LEARNED) -> NDArray[np.float64]:
    """The rank correlation, over drivers that learned in these worlds, of a predictor with the outcome [1 + B]."""
    every = [one for trained, one in found.items() if trained.learned in among]
    return rank_correlation_draws(
        [share_percent(one, predictor) for one in every], [outcome_m(one, changed) for one in every]
    )


def predicted(found: Found, predictor: str, changed: str, among: Sequence[str] = LEARNED) -> Span:
    """The rank correlation of a predictor with the outcome, and its interval."""
    return span_of(predicted_draws(found, predictor, changed, among))


def lead_of_best(found: Found, predictor: str, changed: str) -> Span:
    """How much higher the Shapley value's rank correlation is than that of another predictor."""
    return span_of(predicted_draws(found, BEST, changed) - predicted_draws(found, predictor, changed))


def confusion_by_seed_m(found: Found, core: str, changed: str) -> list[float]:
    """How confused each driver of a core is, against its control [m]."""
    pairs = zip(*(group_of(found, core, learned) for learned in LEARNED), strict=True)
    return [outcome_m(confused, changed) - outcome_m(control, changed) for confused, control in pairs]


def as_json(cores: Sequence[str], found: Found, pixels: dict[str, Share]) -> dict[str, Any]:
    """All numbers of the study, for machines."""

    def of_core(core: str) -> dict[str, Any]:
        table: dict[str, Any] = {}
        for learned in LEARNED:
            group = group_of(found, core, learned)
            table[learned] = {
                "departures_per_km": {tie: clean(departures(group, tie)) for tie in TIES},
                "lateral_rms_m": {tie: clean(span_of(rms_draws_m(group, tie))) for tie in TIES},
                "share_percent": {predictor: clean(span_of(share_draws(group, predictor))) for predictor in PREDICTORS},
            }
        confused, control = (group_of(found, core, learned) for learned in LEARNED)
        table["confusion_m"] = {tie: clean(span_of(confusion_draws_m(found, core, tie))) for tie in CHANGED}
        by_seed = {tie: confusion_by_seed_m(found, core, tie) for tie in CHANGED}
        table["confusion_by_seed_m"] = by_seed
        table["confusion_over_seeds_m"] = {tie: clean(over_seeds(values)) for tie, values in by_seed.items()}
        table["share_percent_difference"] = {
            predictor: clean(span_of(share_draws(confused, predictor) - share_draws(control, predictor)))
            for predictor in PREDICTORS
        }
        return table

    def of_driver(one: Measured) -> dict[str, Any]:
        shares = {predictor: share_percent(one, predictor) for predictor in PREDICTORS}
        return {"departures_per_km": one.departures_per_km, "lateral_rms_m": one.lateral_rms_m, "share_percent": shares}

    return {
        "cores": {core: of_core(core) for core in cores},
        "confusion_m": {
            tie: clean(span_of(np.mean([confusion_draws_m(found, core, tie) for core in cores], 0))) for tie in CHANGED
        },
        "drivers": {trained.name: of_driver(one) for trained, one in found.items()},
        "share_percent_of_pixels": {name: 100.0 * float(mean_share([pixels[name]])[0]) for name in CONTROLS},
        "rank_correlation_of_shapley_less": {
            predictor: {changed: clean(lead_of_best(found, predictor, changed)) for changed in CHANGED}
            for predictor in PREDICTORS
            if predictor != BEST
        },
        "rank_correlation": {
            predictor: {
                f"{changed}, {'all' if len(among) > 1 else 'learned tied'}": clean(
                    predicted(found, predictor, changed, among)
                )
                for among in (LEARNED, LEARNED[:1])
                for changed in CHANGED
            }
            for predictor in PREDICTORS
        },
    }
