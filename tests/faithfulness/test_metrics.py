"""Faithfulness metrics against second sources and against cases whose answer is known."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from lanekeep.compare.drives import strongest
from lanekeep.faithfulness.controls import edges
from lanekeep.faithfulness.examine import examine_known_driver
from lanekeep.faithfulness.instants import record_instants
from lanekeep.faithfulness.metrics import (
    METRICS,
    GroundTruth,
    ground_truth_of,
    metrics_of,
    spearman,
)
from lanekeep.intervals import interval_over_roads
from lanekeep.saliency import METHODS
from lanekeep_envs import Camera, load_scenario

COUNTRY = load_scenario("country")
NAMES = list(METRICS)


@pytest.mark.parametrize("levels", [3, 1000])
def test_the_rank_correlation_is_that_of_scipy(levels: int) -> None:
    generator = np.random.default_rng(1)
    a, b = generator.integers(levels, size=(2, 40)).astype(float)
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    assert np.isnan(spearman(a, np.ones(40)))


def known() -> GroundTruth:
    """Three elements: a small one that steers to the right, one that steers less to the left, a large one that does not."""
    masks = np.zeros((3, 20, 40), np.bool_)
    masks[0, 12:14, 10:15], masks[1, 12:16, 20:25], masks[2, :8] = True, True, True
    return GroundTruth(masks, np.array([-0.5, 0.2, 0.001]), 0.01)


def test_the_truth_itself_gets_the_best_marks() -> None:
    truth = known()
    shown = strongest(truth.masks, truth.effects / truth.masks.sum((1, 2)))
    best = dict(zip(NAMES, metrics_of(shown, truth, True), strict=True))
    area = (truth.masks[0] | truth.masks[1]).mean()
    assert best["rank_by_mass"] == best["rank_by_density"] == pytest.approx(1.0)
    assert best["causal_lift"] == pytest.approx(1.0 / area, rel=0.01)
    assert best["top_hit"] == best["sign_agreement"] == 1.0
    assert best["nuisance_leak"] == pytest.approx(0.001 / 0.701, rel=1e-3) and best["false_claim"] == 0.0


def test_a_flat_map_has_no_lift_and_claims_what_is_large() -> None:
    got = dict(zip(NAMES, metrics_of(np.ones((20, 40), np.float32), known(), True), strict=True))
    assert got["causal_lift"] == pytest.approx(1.0) and np.isnan(got["rank_by_density"])
    assert got["top_hit"] == 0.0 and got["false_claim"] == 1.0 and got["rank_by_mass"] == pytest.approx(-1.0)
    assert got["nuisance_leak"] == pytest.approx(0.4) and got["sign_agreement"] == 0.5


def test_a_map_that_shows_nothing_points_at_nothing() -> None:
    got = dict(zip(NAMES, metrics_of(np.zeros((20, 40), np.float32), known(), True), strict=True))
    assert got["causal_lift"] == got["top_hit"] == 0.0 and np.isnan(got["rank_by_mass"])
    nothing = GroundTruth(known().masks, np.zeros(3), 0.01)
    got = dict(zip(NAMES, metrics_of(np.ones((20, 40), np.float32), nothing, True), strict=True))
    assert all(np.isnan(got[name]) for name in ("causal_lift", "top_hit", "false_claim"))


def test_what_is_everywhere_is_left_out() -> None:
    masks = np.zeros((3, 4, 4), np.bool_)
    masks[0, 0], masks[1, :3] = True, True
    assert ground_truth_of(masks, np.array([1.0, 2.0, 3.0]), 0.1).effects.tolist() == [1.0]


def test_edges_are_those_of_scipy() -> None:
    from scipy.ndimage import sobel

    frames = np.random.default_rng(0).integers(0, 256, (2, 9, 12, 3), np.uint8)
    grey = frames.mean(-1)
    theirs = np.stack([np.hypot(sobel(g, 0, mode="nearest"), sobel(g, 1, mode="nearest")) for g in grey])
    np.testing.assert_allclose(edges(frames), theirs, rtol=1e-4, atol=1e-3)


def test_a_driver_of_one_cue_scores_near_the_top() -> None:
    """Its focus is known: where its maps did not beat the controls, the marks would be wrong.

    Two kinds of maps do not, and that says something about them: the gradient, and its mean under noise.  Every pixel has a
    share in the contrast by which a frame is divided, and a threshold lets no gradient through where there is no cue.
    """
    instants = record_instants(COUNTRY, range(10_000, 10_003))
    found = examine_known_driver(instants, Camera.parse("48x160"), list(METHODS), lambda what: None)
    roads = list(range(3))

    def of(name: str, mark: str) -> float:
        return interval_over_roads(found.metrics[name][:, NAMES.index(mark)], roads)[0]

    controls = ("noise", "flat", "edges")
    for name in METHODS:
        if name in ("gradient", "smooth-gradient"):
            assert of(name, "causal_lift") < 1.0
            continue
        assert of(name, "causal_lift") > 3.0 * max(of(control, "causal_lift") for control in controls), name
        assert of(name, "top_hit") > max(of(control, "top_hit") for control in controls), name
        assert of(name, "false_claim") == 0.0 and of(name, "nuisance_leak") < of("flat", "nuisance_leak"), name
