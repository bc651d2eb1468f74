"""The single-track model against its own laws and against the linear algebra of the steady state."""

import numpy as np
import pytest

from lanekeep_envs.dynamics.vehicle import CALM, GRAVITY_MPS2, Motion, Vehicle, derivative, moved, step, wheel_angle_rad

CAR_STATE = Vehicle()


def drive(start: Motion, command_rad: float, seconds: float, dt_s: float = 0.01) -> list[Motion]:
    path = [start]
    for _ in range(round(seconds / dt_s)):
        path.append(step(path[-1], command_rad, 0.0, CAR_STATE, CALM, dt_s))
    return path


def at_speed(speed_mps: float) -> Motion:
    return Motion(0.0, 0.0, 0.0, speed_mps, 0.0, 0.0, 0.0)


def steady_state(wheel_angle: float, speed: float) -> np.ndarray:
    """Lateral speed and yaw rate for which the linear tyres balance (Rajamani, eqs. 2.31 with all derivatives zero)."""
    a, b, cf, cr = (
        CAR_STATE.front_axle_m,
        CAR_STATE.rear_axle_m,
        CAR_STATE.front_stiffness_n,
        CAR_STATE.rear_stiffness_n,
    )
    matrix = np.array(
        [
            [-(cf + cr) / speed, -(a * cf - b * cr) / speed - CAR_STATE.mass_kg * speed],
            [-(a * cf - b * cr) / speed, -(a * a * cf + b * b * cr) / speed],
        ]
    )
    return np.linalg.solve(matrix, -wheel_angle * np.array([cf, a * cf]))


@pytest.mark.parametrize("command", [0.02, -0.03])
def test_the_error_falls_with_the_fourth_power_of_the_step(command: float) -> None:
    start = Motion(1.0, -2.0, 0.3, 16.0, 0.3, -0.1, 0.0)  # neither tyres nor the steering rate at a limit
    exact = np.array(drive(start, command, 0.8, 0.0005)[-1])
    steps = np.array([0.04, 0.02, 0.01])
    errors = np.array([np.abs(np.array(drive(start, command, 0.8, dt)[-1]) - exact).max() for dt in steps])
    orders = np.log2(errors[:-1] / errors[1:])
    assert (orders > 3.7).all() and (orders < 4.6).all()


@pytest.mark.parametrize("speed", [6.0, 12.0, 20.0])
@pytest.mark.parametrize("curvature", [0.004, -0.007])
def test_a_constant_curvature_command_ends_in_a_circle_of_that_curvature(speed: float, curvature: float) -> None:
    path = drive(at_speed(speed), wheel_angle_rad(curvature, speed, CAR_STATE), 16.0)
    last = path[-1]
    assert last.yaw_rate == pytest.approx(curvature * speed, rel=1e-9)
    assert (last.lateral_speed, last.yaw_rate) == pytest.approx(
        tuple(steady_state(last.wheel_angle, speed)), rel=1e-9, abs=1e-12
    )
    points = np.array([(m.x, m.y) for m in path[-500:]])
    over_ground = np.hypot(last.speed, last.lateral_speed)
    course = last.yaw + np.arctan2(last.lateral_speed, last.speed)
    radius = over_ground / last.yaw_rate  # of the centre of gravity, positive when the centre is on the left
    centre = points[-1] + radius * np.array([-np.sin(course), np.cos(course)])
    assert np.allclose(np.linalg.norm(points - centre, axis=1), abs(radius), rtol=1e-8)


def test_the_mirrored_command_drives_the_mirrored_path_exactly() -> None:
    commands = np.random.default_rng(1).uniform(-0.08, 0.08, 60)
    one, other = at_speed(17.0), at_speed(17.0)
    for command in commands:
        for _ in range(5):
            one, other = (
                step(one, command, 0.4, CAR_STATE, CALM, 0.01),
                step(other, -command, 0.4, CAR_STATE, CALM, 0.01),
            )
        mirrored = one._replace(
            **{n: -getattr(one, n) for n in ("y", "yaw", "lateral_speed", "yaw_rate", "wheel_angle")}
        )
        assert other == mirrored


def test_no_more_lateral_acceleration_than_the_tyres_can_hold() -> None:
    low = np.array([0.0, 0.0, -3.0, 4.0, -8.0, -2.0, -0.5])
    grip, most = CALM.friction * GRAVITY_MPS2, 0.0
    for numbers in np.random.default_rng(2).uniform(low, [0.0, 0.0, 3.0, 40.0, 8.0, 2.0, 0.5], (2000, 7)):
        m = Motion(*numbers)
        rate = derivative(m, 0.0, 0.0, CAR_STATE, CALM)
        acceleration = abs(rate.lateral_speed + m.speed * m.yaw_rate)
        assert acceleration <= grip * (1.0 + 1e-12)
        most = max(most, acceleration)
    assert most == pytest.approx(grip)
    # asked for twice the grip, the car gives what it has
    command = wheel_angle_rad(0.02, 30.0, CAR_STATE)
    driven = [
        derivative(m, command, 0.0, CAR_STATE, CALM).lateral_speed + 30.0 * m.yaw_rate
        for m in drive(at_speed(30.0), command, 2.0)
    ]
    assert 0.98 * grip < max(driven) <= grip * (1.0 + 1e-12)


def test_a_slow_car_follows_its_wheels() -> None:
    for speed in (0.5, 1.0, 1.9):
        m = drive(at_speed(speed), 0.2, 4.0)[-1]
        wheelbase = CAR_STATE.front_axle_m + CAR_STATE.rear_axle_m
        assert m.wheel_angle == pytest.approx(0.2)
        assert m.yaw_rate == pytest.approx(speed * 0.2 / wheelbase, rel=1e-6)
        assert m.lateral_speed == pytest.approx(CAR_STATE.rear_axle_m * m.yaw_rate, rel=1e-6)
    still = drive(at_speed(0.0), 0.3, 2.0)[-1]
    assert still.x == still.y == still.yaw == 0.0


def test_the_steering_lags_by_its_time_constant_and_no_faster_than_its_rate() -> None:
    small = drive(at_speed(10.0), 0.02, 0.3)
    for k, m in enumerate(small):  # far from the limit: the exact answer of a first-order lag
        assert m.wheel_angle == pytest.approx(0.02 * (1.0 - np.exp(-0.01 * k / CAR_STATE.actuator_lag_s)), abs=1e-7)
    large = np.diff([m.wheel_angle for m in drive(at_speed(10.0), 0.5, 0.5)]) / 0.01
    assert large.max() <= CAR_STATE.maximum_wheel_rate_radps + 1e-9 and large[0] == pytest.approx(0.4)


def test_compiled_equals_python_exactly() -> None:
    low = np.array([-50.0, -50.0, -3.0, 0.0, -2.0, -1.0, -0.4])
    for numbers in np.random.default_rng(4).uniform(low, [50.0, 50.0, 3.0, 35.0, 2.0, 1.0, 0.4], (100, 7)):
        m, command = Motion(*map(float, numbers)), float(numbers[4] / 5.0)
        rate = derivative(m, command, 0.3, CAR_STATE, CALM)
        assert rate == derivative.py_func(m, command, 0.3, CAR_STATE, CALM)
        assert moved(m, rate, 0.01) == moved.py_func(m, rate, 0.01)
        assert step(m, command, 0.3, CAR_STATE, CALM, 0.01) == step.py_func(m, command, 0.3, CAR_STATE, CALM, 0.01)
        assert wheel_angle_rad(command, m.speed, CAR_STATE) == wheel_angle_rad.py_func(command, m.speed, CAR_STATE)
