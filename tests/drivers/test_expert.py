"""The expert on the real car: within a quarter of a metre on every road, with the steering's delay in place."""

import numpy as np
import pytest

from lanekeep_envs import LaneKeepingVectorEnv
from lanekeep_envs.dynamics.control_step import DEFAULT_VEHICLE, PREVIEW_M
from lanekeep_policies.expert import Expert

NAMES = ("lateral_offset_m", "heading_error_rad", "speed_mps", "curvature_per_m", "curvature_preview_per_m")


def test_it_stays_within_a_quarter_of_a_metre_on_every_road() -> None:
    cars = 96
    assert DEFAULT_VEHICLE.actuator_delay_s >= 0.1 and DEFAULT_VEHICLE.actuator_lag_s >= 0.1
    env, expert = LaneKeepingVectorEnv(cars, observation="state", autoreset_mode="Disabled"), Expert()
    env.rest_when_finished = True
    _, infos = env.reset(seed=10_000)
    done, worst, grip = np.zeros(cars, bool), np.zeros(cars), 0.0
    while not done.all():
        action = expert.curvature(*(infos[name] for name in NAMES)) / env.scenario.curvature_limit_per_m
        _, _, terminated, truncated, infos = env.step(action[:, None])
        assert not (terminated & ~done).any()
        settled = ~done & (infos["elapsed_s"] > 3.0)  # it begins up to 0.3 m and 1 degree off
        worst[settled] = np.maximum(worst[settled], np.abs(infos["lateral_offset_m"][settled]))
        grip = max(grip, np.abs(infos["lateral_acceleration_mps2"][settled]).max(initial=0.0))
        done |= terminated | truncated
    assert (infos["distance_m"] >= 1000.0).all()
    assert worst.max() <= 0.25, np.flatnonzero(worst > 0.25)
    assert 2.0 < grip < 4.0  # real bends, comfortably driven


def test_the_mirrored_situation_gets_the_mirrored_answer() -> None:
    generator = np.random.default_rng(0)
    offset, heading, bend = generator.normal(size=(3, 50)) * np.array([[0.5], [0.05], [0.01]])
    speed, preview = generator.uniform(5.0, 25.0, 50), 0.01 * generator.normal(size=(50, len(PREVIEW_M)))
    one = Expert().curvature(offset, heading, speed, bend, preview)
    other = Expert().curvature(-offset, -heading, speed, -bend, -preview)
    assert np.array_equal(one, -other)


def test_in_the_middle_of_a_lane_it_asks_for_the_bend_that_comes_when_the_steering_acts() -> None:
    expert, distances = Expert(), np.array(Expert().preview_m)
    assert distances.tolist() == PREVIEW_M.tolist()
    zero, speed = np.zeros(1), np.array([20.0])
    asked = expert.curvature(zero, zero, speed, zero, 1e-4 * distances[None])  # curvature grows with the way ahead
    assert np.isclose(asked[0], 1e-4 * 20.0 * expert.delay_s)
    assert expert.curvature(np.array([0.3]), zero, speed, zero, 0.0 * distances[None])[0] < 0.0  # left of it: right
    assert expert.curvature(zero, np.array([0.05]), speed, zero, 0.0 * distances[None])[0] < 0.0


def test_on_a_straight_it_returns_as_the_damped_oscillation_that_it_is_designed_as() -> None:
    """Kinematic car without delay: e'' = kappa(e, e') along the way; the answer must be that of length and damping."""
    expert = Expert(delay_s=0.0)
    offset, slope, dx = 0.3, 0.0, 0.01
    zero, speed, straight = np.zeros(1), np.array([15.0]), np.zeros((1, len(PREVIEW_M)))
    path = []
    for _ in range(6000):
        path.append(offset)
        slope += dx * float(expert.curvature(np.array([offset]), np.array([slope]), speed, zero, straight)[0])
        offset += dx * slope
    x = dx * np.arange(6000)
    root = np.sqrt(1.0 - expert.damping**2)
    phase = root * x / expert.length_m
    exact = (
        0.3 * np.exp(-expert.damping * x / expert.length_m) * (np.cos(phase) + expert.damping / root * np.sin(phase))
    )
    assert np.abs(np.array(path) - exact).max() < 1e-3


@pytest.mark.parametrize("speed", [5.0, 8.0])
@pytest.mark.parametrize("bend", [1.0 / 30.0, -1.0 / 60.0])
def test_slow_in_a_bend_the_nose_that_points_out_of_it_is_no_error(speed: float, bend: float) -> None:
    """The car in its steady state in the middle of the lane: asked for is the bend, to a few centimetres' worth."""
    car = DEFAULT_VEHICLE
    slip = car.mass_kg * car.front_axle_m * speed**2 * bend
    slip /= (car.front_axle_m + car.rear_axle_m) * car.rear_stiffness_n
    nose, expert = np.array([slip - car.rear_axle_m * bend]), Expert()
    asked = expert.curvature(np.zeros(1), nose, np.array([speed]), np.array([bend]), np.full((1, len(PREVIEW_M)), bend))
    assert abs(asked[0] - bend) * expert.length_m**2 < 0.25


def test_on_a_motorway_the_answer_is_slower_and_in_between_it_is_the_same_at_any_speed() -> None:
    expert, zero, straight = Expert(delay_s=0.0), np.zeros(1), np.zeros((1, len(PREVIEW_M)))
    asked = [
        expert.curvature(np.array([0.5]), np.array([0.02]), np.array([v]), zero, straight)[0]
        for v in (11.8, 22.2, 30.0, 36.0)
    ]
    assert asked[0] == asked[1] < asked[2] < asked[3] < 0.0
