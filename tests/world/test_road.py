"""The road's axis: the integral of its curvature, within the rules of RAS-L, and the coordinates along it."""

from typing import NamedTuple

import numpy as np
import pytest

from lanekeep_envs.dynamics.road import MINIMUM_RADIUS_M, ROAD, Profile, lay_out, pose_beside, project

ROWS = 2001
SPEEDS_KMH = sorted(MINIMUM_RADIUS_M)


class Bend(NamedTuple):
    """A bend as read back from the table."""

    peak_per_m: float
    ramp_m: float
    arc_m: float
    straight_m: float  # before it
    same_sense: bool  # as the bend before it


def lay(seed: int, speed_kmh: int = 60, mirror: float = 1.0) -> np.ndarray:
    radius = MINIMUM_RADIUS_M[speed_kmh]
    profile = Profile(speed_kmh / 3.6, radius, 4.0 * radius, 40.0, 200.0, 60.0, 0.4)
    rows = ROWS if speed_kmh < 100 else 3 * ROWS  # wide bends need room
    road = np.zeros(rows, ROAD)
    lay_out(road, profile, np.random.default_rng(seed).random(6 * rows // 20), mirror)
    return road


def bends_of(road: np.ndarray) -> list[Bend]:
    """Every whole bend of a road, measured from its curvature alone."""
    curvature = road["curvature"]
    bent = np.flatnonzero(np.diff(np.concatenate([[0], (curvature != 0.0).astype(int), [0]])))
    bends: list[Bend] = []
    last_end, last_peak = 0, 0.0
    for first, behind in bent.reshape(-1, 2):
        if behind >= len(curvature):
            break
        inside = curvature[first:behind]
        assert (inside > 0).all() or (inside < 0).all()  # the sense changes through zero only
        peak = inside[np.abs(inside).argmax()]
        arc = np.count_nonzero(inside == peak) - 1
        ramp = (behind - first + 1 - arc) / 2
        bends.append(Bend(peak, ramp, arc, first - 1 - last_end, bool(peak * last_peak > 0.0)))
        last_end, last_peak = behind, peak
    return bends


def test_heading_and_position_are_the_integrals_of_the_curvature() -> None:
    for seed in range(4):
        road, fine = lay(seed), 200
        s = np.linspace(0.0, ROWS - 1.0, fine * (ROWS - 1) + 1)
        curvature = np.interp(s, np.arange(ROWS), road["curvature"])
        trapezium = (curvature[1:] + curvature[:-1]) / 2 / fine
        heading = np.concatenate([[0.0], np.cumsum(trapezium)])
        assert np.abs(heading[::fine] - road["heading"]).max() < 1e-10
        middle = heading[:-1] + trapezium / 2
        for name, rate in (("x", np.cos), ("y", np.sin)):
            place = np.concatenate([[0.0], np.cumsum(rate(middle)) / fine])
            assert np.abs(place[::fine] - road[name]).max() < 1e-5
        assert np.array_equal(road["tangent_x"], np.cos(road["heading"]))
        assert np.array_equal(road["tangent_y"], np.sin(road["heading"]))


@pytest.mark.parametrize("speed_kmh", SPEEDS_KMH)
def test_every_bend_keeps_the_rules_of_its_design_speed(speed_kmh: int) -> None:
    smallest, speed, found = MINIMUM_RADIUS_M[speed_kmh], speed_kmh / 3.6, 0
    tightest, same_sense, directly = np.inf, 0, 0
    for seed in range(150):
        road = lay(seed, speed_kmh)
        assert np.abs(road["heading"]).max() <= np.deg2rad(75.0) + 1e-12
        # continuous: from one row to the next no more than the steepest clothoid allowed, A = R/3 at the least radius
        assert np.abs(np.diff(road["curvature"])).max() <= 9.0 / smallest**2 * (1.0 + 1e-9)
        for bend in bends_of(road):
            radius = 1.0 / abs(bend.peak_per_m)
            parameter = np.sqrt(radius * bend.ramp_m)
            assert radius >= smallest * (1.0 - 1e-12)
            assert radius <= 4.0 * smallest * (1.0 + 1e-12)
            assert radius / 3.0 <= parameter <= radius
            assert speed**3 / (radius * bend.ramp_m) <= 1.2
            assert bend.arc_m > 2.0 * speed - 1.0  # lengths are whole metres
            if bend.same_sense:
                assert bend.straight_m > 1.5 * radius - 1.0
            tightest, found = min(tightest, radius), found + 1
            same_sense += bend.same_sense
            directly += bend.straight_m == 0.0
    assert found > 150 and same_sense > 2 and directly > 10  # the rules above were put to the test
    assert tightest < 1.03 * smallest


@pytest.mark.parametrize("speed_kmh", [50, 80])
def test_bends_to_the_left_and_to_the_right_are_as_frequent(speed_kmh: int) -> None:
    left = [bend.peak_per_m > 0.0 for seed in range(150) for bend in bends_of(lay(seed, speed_kmh))]
    assert abs(np.mean(left) - 0.5) < 0.06


def test_a_clothoid_is_a_straight_line_of_curvature() -> None:
    for seed in range(30):
        curvature = lay(seed)["curvature"]
        corners = np.flatnonzero(np.abs(np.diff(curvature, 2)) > 1e-12) + 1
        for first, last in zip(corners[:-1], corners[1:], strict=True):
            line = np.linspace(curvature[first], curvature[last], last - first + 1)
            assert np.allclose(curvature[first : last + 1], line, rtol=0.0, atol=1e-12)


def test_a_point_beside_the_axis_is_found_again_from_wherever_the_search_begins() -> None:
    road, generator = lay(2), np.random.default_rng(0)
    for s, d in generator.uniform((10.0, -10.0), (1900.0, 10.0), (300, 2)):
        x, y, heading = pose_beside(road, s, d)
        hint = int(np.clip(s + generator.integers(-60, 61), 0, ROWS - 2))
        for row in (int(s), hint):
            found, s_back, d_back = project(road, row, x, y)
            # between two rows the axis is a chord: sagitta 1 m^2/(8 R), and its normal turns by as much as d allows
            assert abs(s_back - s) < 2e-2 and abs(d_back - d) < 3e-3
            assert found == int(s_back)
        assert heading == pytest.approx(np.interp(s, np.arange(ROWS), road["heading"]), abs=1e-12)


def test_at_the_rows_of_the_table_projection_is_exact() -> None:
    road = lay(5)
    for row in range(10, 1900, 37):
        x, y, _ = pose_beside(road, float(row), 2.5)
        _, s, d = project(road, row, x, y)
        assert s == pytest.approx(row, abs=1e-9) and d == pytest.approx(2.5, abs=1e-9)


def test_the_mirrored_road_is_the_road_with_y_turned_round_exactly() -> None:
    for seed in range(10):
        road, other = lay(seed), lay(seed, mirror=-1.0)
        for name, sign in (
            ("x", 1),
            ("y", -1),
            ("heading", -1),
            ("curvature", -1),
            ("tangent_x", 1),
            ("tangent_y", -1),
        ):
            assert np.array_equal(other[name], sign * road[name]), name
        for s, d in np.random.default_rng(seed).uniform((10.0, -8.0), (1900.0, 8.0), (20, 2)):
            x, y, _ = pose_beside(road, s, d)
            row, along, aside = project(road, int(s), x, y)
            assert project(other, int(s), x, -y) == (row, along, -aside)


def test_compiled_equals_python() -> None:
    draws = np.random.default_rng(3).random(6 * ROWS // 20)
    profile = Profile(50 / 3.6, 80.0, 320.0, 40.0, 200.0, 60.0, 0.4)
    compiled, plain = np.zeros(ROWS, ROAD), np.zeros(ROWS, ROAD)
    lay_out(compiled, profile, draws, 1.0)
    lay_out.py_func(plain, profile, draws, 1.0)
    assert compiled.tobytes() == plain.tobytes()
    x, y, _ = pose_beside(compiled, 123.4, 1.7)
    assert project(compiled, 100, x, y) == project.py_func(compiled, 100, x, y)
