"""What `info`, observations of numbers, rewards and endings claim, against second sources."""

import msgspec
import numpy as np
import pytest

from lanekeep_envs import STATE_NAMES, LaneKeepingEnv, Snapshot, curvature_along, load_scenario
from lanekeep_envs.dynamics.control_step import DEFAULT_VEHICLE, PREVIEW_M, margins_m
from lanekeep_envs.dynamics.road import at, project

INFO_KEYS = {
    "lateral_offset_m", "heading_error_rad", "curvature_per_m", "curvature_preview_per_m", "speed_mps", "distance_m",
    "time_to_lane_crossing_s", "lane_departure", "lateral_acceleration_mps2", "elapsed_s", "reward_terms", "scenario",
    "road_seed",
}  # fmt: skip


def wander(steps: int, seed: int = 1, size: float = 0.3) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-size, size, (steps, 1)).astype(np.float32)


def test_info_has_the_keys_of_the_contract_as_plain_numbers() -> None:
    env = LaneKeepingEnv(observation="state")
    for _, info in (env.reset(seed=4), env.step([0.0])[3:]):
        assert set(info) == INFO_KEYS
        assert info["curvature_preview_per_m"].shape == PREVIEW_M.shape and info["scenario"] == "country"
        assert type(info["lane_departure"]) is bool and type(info["road_seed"]) is int
        assert type(info["lateral_offset_m"]) is float and info["elapsed_s"] in (0.0, 0.05)


def test_info_and_state_tell_of_pose_and_road() -> None:
    """A second source: the pose from the snapshot, brute force over a finely sampled lane centre."""
    env = LaneKeepingEnv(observation="state")
    state, _ = env.reset(seed=4, options={"start_m": 120.0})
    for action in wander(40, 3, 0.25):
        state, _, _, _, info = env.step(action)
        snapshot = env.snapshot()
        car, road = snapshot.state.cars[0], snapshot.state.roads[0]
        s = info["distance_m"] + np.linspace(-2.0, 2.0, 8001)
        rows = np.arange(len(road), dtype=float)
        heading = np.interp(s, rows, road["heading"])
        x = np.interp(s, rows, road["x"]) + 1.75 * np.sin(heading)
        y = np.interp(s, rows, road["y"]) - 1.75 * np.cos(heading)
        nearest = np.hypot(x - car["x"], y - car["y"]).argmin()
        left = (car["y"] - y[nearest]) * np.cos(heading[nearest]) - (car["x"] - x[nearest]) * np.sin(heading[nearest])
        assert info["lateral_offset_m"] == pytest.approx(left, abs=2e-3)
        assert info["distance_m"] == pytest.approx(s[nearest], abs=2e-2)
        assert info["heading_error_rad"] == pytest.approx(car["yaw"] - heading[nearest], abs=1e-3)
        known = np.concatenate([[info["curvature_per_m"]], info["curvature_preview_per_m"]])
        axis = np.interp(info["distance_m"] + np.array([0.0, *PREVIEW_M]), rows, road["curvature"])
        assert known == pytest.approx(axis / (1.0 + 1.75 * axis), rel=1e-9, abs=1e-12)
        told = dict(zip(STATE_NAMES, state, strict=True))
        assert told["lateral_offset_m / 2"] == pytest.approx(info["lateral_offset_m"] / 2.0, rel=1e-5)
        assert told["speed_mps / 30"] == pytest.approx(info["speed_mps"] / 30.0, rel=1e-5)


@pytest.mark.parametrize("size", [0.3, 1.0])
def test_the_reward_is_the_sum_of_its_bounded_terms(size: float) -> None:
    bounds = {"centring": (0.0, 0.1), "heading": (-0.05, 0.0), "smoothness": (-0.01, 0.0), "departure": (-1.0, 0.0)}
    env, departures, lowest = LaneKeepingEnv(observation="state"), 0, 0.0
    env.reset(seed=1)
    for action in wander(1500, 2, size):
        state, reward, terminated, truncated, info = env.step(action)
        assert reward == pytest.approx(sum(info["reward_terms"].values()), abs=1e-12)
        assert set(info["reward_terms"]) == set(bounds)
        for term, value in info["reward_terms"].items():
            assert bounds[term][0] <= value <= bounds[term][1], term
        assert env.observation_space.contains(state)
        assert terminated == info["lane_departure"] == (info["reward_terms"]["departure"] == -1.0)
        assert not (terminated and truncated)
        departures, lowest = departures + terminated, min(lowest, reward)
        if terminated or truncated:
            env.reset()
    assert departures > 3 and lowest < -0.9


def test_a_wheel_beyond_the_marking_ends_the_drive_and_no_sooner() -> None:
    env = LaneKeepingEnv(observation="state")
    left, right = 1.75 + 0.06 - 0.875, 1.75 + 0.12 - 0.875  # lane, marking, half a car
    for seed, action, side, margin in ((0, 1.0, 1.0, left), (1, -1.0, -1.0, right)):
        env.reset(seed=seed)
        terminated = False
        while not terminated:
            _, _, terminated, truncated, info = env.step([action])
            assert not truncated
            psi, offset = info["heading_error_rad"], side * info["lateral_offset_m"]
            axles = (1.2 * np.sin(psi) * side, -1.5 * np.sin(psi) * side)
            assert terminated == (offset + max(axles) > margin)
        assert info["time_to_lane_crossing_s"] == 0.0


def test_the_end_of_the_road_and_the_time_limit_truncate() -> None:
    env = LaneKeepingEnv(observation="state")
    _, info = env.reset(seed=0, options={"start_m": 999.0})
    _, _, terminated, truncated, info = env.step([info["curvature_per_m"] / 0.02])
    _, _, terminated, truncated, info = (
        (None, None, terminated, truncated, info) if truncated else env.step([info["curvature_per_m"] / 0.02])
    )
    assert truncated and not terminated and info["distance_m"] >= 1000.0
    hasty = msgspec.structs.replace(load_scenario("country"), time_limit_s=0.5)
    env = LaneKeepingEnv(scenario=hasty, observation="state")
    env.reset(seed=0)
    ends = [env.step([0.0])[2:4] for _ in range(10)]
    assert ends == [(False, False)] * 9 + [(False, True)]


def crossing_by_driving(snapshot: Snapshot, dt_s: float = 0.002) -> tuple[float, float]:
    """(time, how far the lane's curvature strays) until the centre of gravity meets a margin, all rates held."""
    car, road = snapshot.state.cars[0], snapshot.state.roads[0]
    left, right = margins_m(snapshot.state.episodes[0], DEFAULT_VEHICLE)
    x, y, yaw, row = float(car["x"]), float(car["y"]), float(car["yaw"]), int(car["row"])
    stray, time = 0.0, 0.0
    while time < 4.0:
        time += dt_s
        middle = yaw + 0.5 * dt_s * car["yaw_rate"]
        x += dt_s * (car["speed"] * np.cos(middle) - car["lateral_speed"] * np.sin(middle))
        y += dt_s * (car["speed"] * np.sin(middle) + car["lateral_speed"] * np.cos(middle))
        yaw += dt_s * car["yaw_rate"]
        row, s, d = project(road, row, x, y)
        stray = max(stray, abs(at(road["curvature"], s) - at(road["curvature"], car["distance_m"])))
        if d + 1.75 > left or d + 1.75 < -right:
            break
    return time, stray


def test_time_to_lane_crossing_is_that_of_the_path_held() -> None:
    env, checked = LaneKeepingEnv(observation="state"), 0
    for seed in range(12):
        env.reset(seed=seed, options={"start_m": 25.0 + 40.0 * seed})
        for action in wander(12, seed, 1.0):
            _, _, over, _, info = env.step(action)
            if over:
                break
        if over:
            continue
        time, stray = crossing_by_driving(env.snapshot())
        if stray > 2e-4 or time >= 4.0:  # the formula holds the lane's curvature
            continue
        assert info["time_to_lane_crossing_s"] == pytest.approx(time, rel=0.05, abs=0.03)
        checked += 1
    assert checked >= 3


def test_the_road_of_a_seed_is_known_without_driving_it() -> None:
    for seed in (3, -3, 10_000):
        env = LaneKeepingEnv(observation="state")
        _, info = env.reset(seed=seed, options={"start_m": 200.0})
        along = curvature_along(env.scenario, seed)
        lane = along / (1.0 + along * env.scenario.lane.lane_width_m / 2.0)  # parallel to the right of the axis
        assert len(along) == env.scenario.road.length_m
        assert info["curvature_per_m"] == pytest.approx(lane[200], abs=1e-12)
        assert info["curvature_preview_per_m"][[1, 3, 7]] == pytest.approx(lane[[205, 210, 240]], abs=1e-12)
