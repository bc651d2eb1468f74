"""Intervals: against known values, and whole roads are drawn, in pairs."""

import numpy as np
import pytest

from lanekeep.intervals import interval_over_roads, poisson_interval, ratio_of_sums, resampled, span_of


@pytest.mark.parametrize(
    ("count", "low", "high"),  # Garwood's exact limits, e.g. Ulm (1990), table 1
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (20, 12.217, 30.888)],
)
def test_poisson_interval_is_garwoods(count: int, low: float, high: float) -> None:
    assert poisson_interval(count, 1.0) == pytest.approx((low, high), abs=2e-3)
    assert poisson_interval(count, 50.0) == pytest.approx((low / 50.0, high / 50.0), abs=1e-4)


def test_the_interval_of_a_mean_is_as_wide_as_its_standard_error_says() -> None:
    values = np.random.default_rng(1).normal(size=400)
    value, low, high = span_of(ratio_of_sums(values, np.ones(400)))
    assert value == pytest.approx(values.mean()) and low < value < high
    assert high - low == pytest.approx(2.0 * 1.96 * values.std() / np.sqrt(400), rel=0.1)


def test_the_same_places_are_drawn_for_as_many_things() -> None:
    a, b = np.random.default_rng(2).random((2, 9))
    np.testing.assert_allclose(
        ratio_of_sums(a + b, np.ones(9)) - ratio_of_sums(a, np.ones(9)), ratio_of_sums(b, np.ones(9))
    )


def test_a_single_thing_has_a_value_and_no_interval() -> None:
    for span in (
        span_of(ratio_of_sums(np.array([3.0]), np.array([2.0]))),
        interval_over_roads(np.array([1.0, 2.0]), [7, 7]),
        span_of(resampled(lambda roads, seeds: 0.0 * roads.mean(-1) + seeds.mean(-1) + 1.5, 50, 1)),
    ):
        assert span.value == 1.5 and np.isnan(span.low) and np.isnan(span.high)


def test_what_has_no_value_is_left_out() -> None:
    assert np.isnan(span_of(ratio_of_sums(np.zeros(3), np.zeros(3)))).all()
    some = span_of(ratio_of_sums(np.array([1.0, 0.0]), np.array([1.0, 0.0])))
    assert some == (1.0, 1.0, 1.0)
    assert interval_over_roads(np.array([np.nan, 1.0, 3.0]), [0, 1, 2]) == (2.0, 1.0, 3.0)


def test_things_of_two_kinds_are_drawn_independently() -> None:
    found = resampled(lambda a, b: a.mean(-1) - b.mean(-1), 50, 50, times=500)
    assert found.shape == (501,) and found[0] == 0.0 and found[1:].std() > 0.0
