"""Faithfulness metrics: how well a map points at what steers, which is known by intervention.

For one instant: a map s [H, W], the pixels M_k [H, W] that change when element k is taken away, and its true effect D_k on
the steering.  An effect counts if |D_k| is beyond the placebo threshold; such elements are causal, the others nuisances.

    rank by mass       Spearman's correlation of sum over M_k of |s| with |D_k|: large elements collect mass by their size
    rank by density    Spearman's correlation with |D_k| of that sum per pixel
    causal lift        share of |s| on causal pixels, divided by their share of the frame; 1 is what a grey wall gets
    top hit            whether the element with the most mass is the one with the largest effect
    sign agreement     share of the causal elements whose sum over M_k of s has the sign of D_k
    nuisance leak      share of |s| on pixels of nuisances that no causal element has
    false claim        whether the element with the most mass has no effect beyond the threshold

Elements that are nearly everywhere (grain, sensor noise, fog) are left out: no map can point at them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
EVERYWHERE = 0.5  # of the frame
METRICS = (
    "rank_by_mass",
    "rank_by_density",
    "causal_lift",
    "top_hit",
    "sign_agreement",
    "nuisance_leak",
    "false_claim",
)


class GroundTruth(NamedTuple):
    """The true effects at one instant, and the pixels that they belong to."""

    masks: NDArray[np.bool_]  # [K, H, W], of elements that are to be seen and not everywhere
    effects: F64  # [K]
    placebo_threshold: float


def ground_truth_of(masks: NDArray[np.bool_], effects: F64, placebo_threshold: float) -> GroundTruth:
    """The elements that metrics are about, of masks [K, H, W] and effects [K]."""
    share = masks.mean((1, 2))
    kept = (share > 0.0) & (share < EVERYWHERE)
    return GroundTruth(masks[kept], effects[kept], placebo_threshold)


def metrics_of(found: F32, truth: GroundTruth, attributes: bool) -> F64:
    """The metrics [len(METRICS)] of a map; NaN where a metric has no meaning, as the rank of a single element.

    `attributes` says whether the map's sign is that of a pixel's share in the steering.
    """
    masks, size = truth.masks, np.abs(truth.effects)
    strength = np.abs(found).astype(np.float64)
    total, causal = strength.sum(), size > truth.placebo_threshold
    if len(size) < 2:
        return np.full(len(METRICS), np.nan)
    if total == 0.0:  # a map that shows nothing points at nothing
        none = 0.0 if causal.any() else np.nan
        return np.array([np.nan, np.nan, none, none, np.nan, 0.0, np.nan])
    mass = np.array([strength[mask].sum() for mask in masks])
    area = masks.sum((1, 2))
    of_causal, of_nuisance = masks[causal].any(0), masks[~causal].any(0)
    top = int(mass.argmax())
    agreement = lift = hit = claim = np.nan
    if causal.any():
        lift = (strength[of_causal].sum() / total) / of_causal.mean()
        hit, claim = float(top == int(size.argmax())), float(not causal[top])
        if attributes:
            sums = np.array([found[mask].sum(dtype=np.float64) for mask in masks[causal]])
            agreement = float((np.sign(sums) == np.sign(truth.effects[causal])).mean())
    leak = strength[of_nuisance & ~of_causal].sum() / total
    return np.array([spearman(mass, size), spearman(mass / area, size), lift, hit, agreement, leak, claim])


def spearman(a: F64, b: F64) -> float:
    """Rank correlation of two rows, ties sharing their ranks; NaN if one of them is constant, of which scipy warns."""
    a, b = stats.rankdata(a), stats.rankdata(b)
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / scale) if scale > 0.0 else float("nan")
