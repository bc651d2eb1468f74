"""Wind, cross fall, grip, steering and late pictures: each does what physics says, nothing where its table says nothing."""

from typing import Any

import msgspec
import numpy as np
import pytest

from lanekeep_envs import LaneKeepingEnv, LaneKeepingVectorEnv, Scenario, load_scenario
from lanekeep_envs.dynamics.control_step import (
    CAR_STATE,
    DEFAULT_VEHICLE,
    EPISODE,
    step_cars,
)
from lanekeep_envs.dynamics.vehicle import CALM, CONTROL_STEP_S, GRAVITY_MPS2, Motion, step
from lanekeep_envs.dynamics.wind import GUST_TIME_S, gust, hashed_normal
from lanekeep_envs.sampling.episode import draw_episode, generator_of
from lanekeep_envs.scenario.schema import DisturbanceTable

STRONG = {
    "gust_mps2": (1.0, 1.0),
    "crown_percent": (4.0, 4.0),
    "friction": (0.5, 0.5),
    "steering_offset_deg": (0.2, 0.2),
    "extra_delay_s": (0.1, 0.1),
}
MIRRORED = ("y", "yaw", "lateral_speed", "yaw_rate", "wheel_angle", "commands", "lateral_offset_m", "heading_error_rad",
            "curvature_per_m", "curvature_preview_per_m", "lateral_acceleration_mps2", "action", "gust_mps2")  # fmt: skip


def disturbed(**table: Any) -> Scenario:
    return msgspec.structs.replace(load_scenario("country"), disturbance=DisturbanceTable(**table))


def driven(cars: LaneKeepingVectorEnv, steps: int, size: float = 0.05) -> list[Any]:
    actions = np.random.default_rng(3).uniform(-size, size, (steps, cars.num_envs, 1))
    return [cars.step(row)[0] for row in actions]


def settled(outside: Any, speed: float, command: float = 0.0) -> Motion:
    m = Motion(0.0, 0.0, 0.0, speed, 0.0, 0.0, 0.0)
    for _ in range(1500):
        m = step(m, command, 0.0, DEFAULT_VEHICLE, outside, 0.01)
    return m


@pytest.mark.parametrize("push", [{"lateral_mps2": 0.3}, {"yaw_radps2": -0.05}, {"wheel_offset_rad": 0.004}])
@pytest.mark.parametrize("speed", [8.0, 20.0])
def test_a_constant_push_ends_in_the_balance_of_the_linear_tyres(push: dict[str, float], speed: float) -> None:
    """Rajamani, eqs. 2.31, all derivatives zero, with the push on their right-hand sides."""
    car, outside = DEFAULT_VEHICLE, CALM._replace(**push)
    a, b, cf, cr = car.front_axle_m, car.rear_axle_m, car.front_stiffness_n, car.rear_stiffness_n
    matrix = [
        [(cf + cr) / speed, (a * cf - b * cr) / speed + car.mass_kg * speed],
        [(a * cf - b * cr) / speed, (a * a * cf + b * b * cr) / speed],
    ]
    angle = outside.wheel_offset_rad
    force = [
        cf * angle + car.mass_kg * outside.lateral_mps2,
        a * cf * angle + car.yaw_inertia_kgm2 * outside.yaw_radps2,
    ]
    m = settled(outside, speed)
    assert (m.lateral_speed, m.yaw_rate) == pytest.approx(tuple(np.linalg.solve(matrix, force)), rel=1e-6)


def test_no_more_grip_than_the_road_has() -> None:
    m, slippery, most = Motion(0.0, 0.0, 0.0, 20.0, 0.0, 0.0, 0.0), CALM._replace(friction=0.3), 0.0
    for _ in range(200):
        before, m = m, step(m, 0.2, 0.0, DEFAULT_VEHICLE, slippery, 0.01)
        most = max(
            most, abs((m.lateral_speed - before.lateral_speed) / 0.01 + 20.0 * 0.5 * (m.yaw_rate + before.yaw_rate))
        )
    assert 0.95 * 0.3 * GRAVITY_MPS2 < most < 1.01 * 0.3 * GRAVITY_MPS2


def test_gusts_have_their_strength_and_their_memory() -> None:
    car, course = np.zeros(1, CAR_STATE)[0], np.zeros(1, EPISODE)[0]
    course["gust_mps2"], course["disturbance_seed"] = 0.8, 12345
    wind = np.empty(60_000)
    for k in range(len(wind)):
        gust(car, course)
        wind[k] = car["gust_mps2"]
        car["steps"] += 1
    assert abs(wind.mean()) < 0.06 and wind.std() == pytest.approx(0.8, rel=0.05)
    lag = round(GUST_TIME_S / CONTROL_STEP_S)
    assert np.corrcoef(wind[:-lag], wind[lag:])[0, 1] == pytest.approx(np.exp(-1.0), abs=0.05)
    numbers = np.array([hashed_normal(s, 1, k) for s in range(20) for k in range(500)])
    assert abs(numbers.mean()) < 0.05 and numbers.std() == pytest.approx(1.0, abs=0.03)
    assert np.abs(numbers).max() > 3.0  # the tails are there


def test_what_the_defaults_draw_is_calm() -> None:
    course = np.zeros(1, EPISODE)[0]
    draw_episode(course, load_scenario("country"), generator_of(4))
    assert course["friction"] == CALM.friction
    for name in ("cross_fall_mps2", "gust_mps2", "wheel_offset_rad", "extra_delay_s", "dropped_frames", "late_frames"):
        assert course[name] == 0.0
    scenario = disturbed(**STRONG, late_frames=(2, 5), presence=0.5)
    episodes = np.zeros(300, EPISODE)
    for k, one in enumerate(episodes):
        draw_episode(one, scenario, generator_of(k))
    assert 0.4 < (episodes["gust_mps2"] == 0.0).mean() < 0.6 and set(episodes["friction"]) == {0.5, CALM.friction}
    assert set(episodes["late_frames"]) == {0, 2, 3, 4, 5}
    fall = episodes["cross_fall_mps2"].min()
    assert fall == pytest.approx(-GRAVITY_MPS2 * np.sin(np.arctan(0.04)))  # down to the right


def test_disturbances_leave_road_look_and_things_alone() -> None:
    calm, windy = LaneKeepingVectorEnv(2, camera="8x8"), LaneKeepingVectorEnv(2, disturbed(**STRONG), camera="8x8")
    calm.reset(seed=8)
    windy.reset(seed=8)
    one, other = calm.snapshot().state, windy.snapshot().state
    assert one.roads.tobytes() == other.roads.tobytes() and one.appearances.tobytes() == other.appearances.tobytes()
    assert all(np.array_equal(one.objects_of(car), other.objects_of(car)) for car in range(2))
    driven(calm, 30)
    driven(windy, 30)
    assert (calm.snapshot().state.cars["y"] != windy.snapshot().state.cars["y"]).all()


def test_a_disturbed_drive_mirrors_exactly() -> None:
    env = LaneKeepingVectorEnv(3, disturbed(**STRONG), observation="state", autoreset_mode="Disabled")
    env.reset(seed=2)
    at = env.snapshot()
    cars, episodes, roads = at.state.cars.copy(), at.state.episodes.copy(), at.state.roads.copy()
    episodes["lane_width_m"] = 0.0  # the axis is the lane: the mirrored road has its lane on the mirrored side
    episodes["marking_width_m"] = 40.0
    others, bent, lying = cars.copy(), episodes.copy(), roads.copy()
    for name in MIRRORED:
        others[name] *= -1.0
    for name in ("cross_fall_mps2", "gust_mps2", "wheel_offset_rad"):
        bent[name] *= -1.0
    for name in ("y", "heading", "curvature", "tangent_y"):
        lying[name] *= -1.0
    awake, actions = np.zeros(3, np.bool_), np.random.default_rng(0).uniform(-0.1, 0.1, (60, 3, 1))
    for row in actions:
        step_cars(cars, row, episodes, roads, DEFAULT_VEHICLE, awake)
        step_cars(others, -row, bent, lying, DEFAULT_VEHICLE, awake)
    for name in ("x", "speed", "distance_m"):
        assert np.array_equal(cars[name], others[name]), name
    for name in ("y", "yaw", "lateral_speed", "yaw_rate", "wheel_angle", "gust_mps2", "lateral_offset_m"):
        assert np.array_equal(cars[name], -others[name]), name
    assert (cars["gust_mps2"] != 0.0).all()


def test_the_steering_answers_later_by_the_extra_delay() -> None:
    angles = []
    for table in ({}, {"extra_delay_s": (0.1, 0.1)}):
        env = LaneKeepingVectorEnv(2, disturbed(**table), observation="state", autoreset_mode="Disabled")
        env.reset(seed=1)
        path = []
        for row in np.random.default_rng(3).uniform(-0.1, 0.1, (12, 2, 1)):
            env.step(row)
            path.append(env.snapshot().state.cars["wheel_angle"])
        angles.append(np.array(path))
    assert np.array_equal(angles[0][:-2], angles[1][2:]) and np.ptp(angles[0]) > 0.0


@pytest.mark.parametrize("late", [1, 3])
def test_late_frames_are_the_timely_ones_some_steps_before(late: int) -> None:
    timely = LaneKeepingVectorEnv(2, camera="8x24", autoreset_mode="Disabled")
    tardy = LaneKeepingVectorEnv(2, disturbed(late_frames=(late, late)), "8x24", autoreset_mode="Disabled")
    want, seen = [timely.reset(seed=6)[0]], [tardy.reset(seed=6)[0]]
    want, seen = want + driven(timely, 12), seen + driven(tardy, 12)
    for k, frames in enumerate(seen):
        assert np.array_equal(frames, want[max(k - late, 0)])
    mask = np.array([True, False])  # a reset of one car begins with its own first frame and leaves the other alone
    again = tardy.reset(seed=[30, 31], options={"reset_mask": mask})[0]
    assert np.array_equal(again[1], seen[-1][1])
    assert np.array_equal(again[0], timely.reset(seed=[30, 31], options={"reset_mask": mask})[0][0])


def test_a_dropped_frame_is_the_one_before_again() -> None:
    timely = LaneKeepingVectorEnv(3, camera="8x24", autoreset_mode="SameStep")
    lossy = LaneKeepingVectorEnv(3, disturbed(dropped_frames=(0.3, 0.3)), "8x24", autoreset_mode="SameStep")
    last, lost = lossy.reset(seed=6)[0], 0
    assert np.array_equal(last, timely.reset(seed=6)[0])
    for true, seen in zip(driven(timely, 60, 0.02), driven(lossy, 60, 0.02), strict=True):
        for car in range(3):
            assert np.array_equal(seen[car], true[car]) or np.array_equal(seen[car], last[car])
            lost += not np.array_equal(seen[car], true[car])
        last = seen
    assert 0.2 < lost / 180 < 0.4


def test_one_car_is_every_car_also_when_everything_disturbs_it() -> None:
    scenario = disturbed(**STRONG, dropped_frames=(0.3, 0.3), late_frames=(0, 2))
    many = LaneKeepingVectorEnv(3, scenario, "8x24")
    singles = [LaneKeepingEnv(scenario, "8x24") for _ in range(3)]
    frames = [many.reset(seed=20)[0], *driven(many, 40, 0.8)]
    actions = np.random.default_rng(3).uniform(-0.8, 0.8, (40, 3, 1))
    for i, one in enumerate(singles):
        seen, over = [one.reset(seed=20 + i)[0]], False
        for row in actions:
            frame, *_ = one.reset() if over else one.step(row[i])
            over = not over and bool(_[1] or _[2])
            seen.append(frame)
        assert all(np.array_equal(frames[k][i], seen[k]) for k in range(41))


def test_a_snapshot_replays_gusts_and_old_frames_and_shows_the_true_instant() -> None:
    scenario = disturbed(**STRONG, dropped_frames=(0.3, 0.3), late_frames=(3, 3))
    env, timely = LaneKeepingVectorEnv(2, scenario, "8x24"), LaneKeepingVectorEnv(2, disturbed(**STRONG), "8x24")
    env.reset(seed=4)
    timely.reset(seed=4)
    before, true = driven(env, 9), driven(timely, 9)
    at = env.snapshot()
    assert np.array_equal(env.view(at, car=1).image, true[-1][1])
    first, second = driven(env, 9), None
    other = LaneKeepingVectorEnv(2, scenario, "8x24")
    for fresh in (env, other):
        assert np.array_equal(fresh.restore(at), before[-1])
        second = driven(fresh, 9)
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    with pytest.raises(ValueError, match="another scenario"):
        env.restore(timely.snapshot())
    other = LaneKeepingVectorEnv(2, scenario, "8x32")
    other.reset(seed=4)
    with pytest.raises(ValueError, match="does not hold the last frames"):
        env.restore(other.snapshot())
