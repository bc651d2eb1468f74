"""The contract of the world: determinism, one truth for one car and many, snapshots, interventions, checkers."""

import hashlib
import os
import subprocess
import sys
import warnings
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_env_sb3

from lanekeep_envs import (
    REMOVABLE,
    Camera,
    Element,
    LaneKeepingEnv,
    LaneKeepingVectorEnv,
    Remove,
    ScenarioError,
    load_scenario,
)
from lanekeep_envs.drive import DEFAULT_VEHICLE
from lanekeep_envs.road import MINIMUM_RADIUS_M, ROAD, Profile, lay_out, pose_beside, project
from lanekeep_envs.vehicle import Motion, derivative, step, wheel_angle_rad
from lanekeep_policies.expert import Expert


def profile(speed_kmh: int) -> Profile:
    return Profile(
        speed_kmh / 3.6, MINIMUM_RADIUS_M[speed_kmh], 4 * MINIMUM_RADIUS_M[speed_kmh], 40.0, 200.0, 60.0, 0.4
    )


def road(seed: int, speed_kmh: int = 50, mirror: float = 1.0, rows: int = 2000) -> np.ndarray:
    table = np.zeros(rows, ROAD)
    lay_out(table, profile(speed_kmh), np.random.default_rng(seed).random(1200), mirror)
    return table


@pytest.mark.parametrize("speed_kmh", [50, 60, 70, 80])
def test_roads_obey_the_standard(speed_kmh: int) -> None:
    tightest = 0.0
    for seed in range(40):
        curvature, heading = road(seed, speed_kmh)["curvature"], road(seed, speed_kmh)["heading"]
        tightest = max(tightest, np.abs(curvature).max())
        assert np.abs(heading).max() <= np.deg2rad(75.0) + 1e-9
        change = np.diff(curvature)
        steep = np.abs(change[np.abs(change) > 1e-12])  # on a clothoid |dk/ds| = 1/A^2, with A between R/3 and R
        assert steep.max() <= 9.0 / MINIMUM_RADIUS_M[speed_kmh] ** 2 + 1e-9
        assert (steep.max() * (speed_kmh / 3.6) ** 3) <= 1.2 + 1e-6  # lateral jerk [m/s^3]
    assert 0.9 / MINIMUM_RADIUS_M[speed_kmh] < tightest <= 1.0 / MINIMUM_RADIUS_M[speed_kmh] + 1e-12


def test_the_axis_is_the_integral_of_its_curvature() -> None:
    table, fine = road(1), 64
    s = np.linspace(0.0, len(table) - 1.0, fine * (len(table) - 1) + 1)
    curvature = np.interp(s, np.arange(len(table)), table["curvature"])
    heading = np.concatenate([[0.0], np.cumsum((curvature[1:] + curvature[:-1]) / 2 / fine)])
    x = np.concatenate([[0.0], np.cumsum((np.cos(heading[1:]) + np.cos(heading[:-1])) / 2 / fine)])
    y = np.concatenate([[0.0], np.cumsum((np.sin(heading[1:]) + np.sin(heading[:-1])) / 2 / fine)])
    assert np.abs(heading[::fine] - table["heading"]).max() < 1e-9
    assert np.abs(x[::fine] - table["x"]).max() < 1e-4 and np.abs(y[::fine] - table["y"]).max() < 1e-4


def test_a_point_beside_the_road_is_projected_back_to_where_it_was() -> None:
    table = road(2)
    for s, d in np.random.default_rng(0).uniform((5.0, -8.0), (1900.0, 8.0), (300, 2)):
        x, y, _ = pose_beside(table, s, d)
        _, s_back, d_back = project(table, int(s), x, y)
        assert abs(d_back - d) < 5e-3 and abs(s_back - s) < 2e-2


def test_the_mirrored_road_is_the_road_mirrored() -> None:
    one, other = road(3), road(3, mirror=-1.0)
    assert np.array_equal(one["x"], other["x"]) and np.array_equal(one["y"], -other["y"])


def drive_circle(curvature: float, speed: float, dt: float, seconds: float) -> Motion:
    m = Motion(0.0, 0.0, 0.0, speed, 0.0, 0.0, 0.0)
    command = wheel_angle_rad(curvature, speed, DEFAULT_VEHICLE)
    for _ in range(round(seconds / dt)):
        m = step(m, command, 0.0, DEFAULT_VEHICLE, dt)
    return m


@pytest.mark.parametrize("curvature", [0.008, -0.004])
def test_a_constant_curvature_command_ends_in_that_circle(curvature: float) -> None:
    m = drive_circle(curvature, 15.0, 0.01, 12.0)
    assert m.yaw_rate / m.speed == pytest.approx(curvature, rel=1e-6)
    mirrored = drive_circle(-curvature, 15.0, 0.01, 12.0)
    assert (mirrored.x, mirrored.y, mirrored.yaw) == (m.x, -m.y, -m.yaw)


def test_the_integrator_is_of_fourth_order() -> None:
    def end(dt: float) -> np.ndarray:
        m = Motion(0.0, 0.0, 0.0, 15.0, 0.4, 0.1, 0.02)
        for _ in range(round(0.64 / dt)):
            m = step(m, 0.021, 0.0, DEFAULT_VEHICLE, dt)
        return np.array(m)

    steps = np.array([0.04, 0.02, 0.01])
    errors = [np.abs(end(dt) - end(0.0005)).max() for dt in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert 3.7 < slope < 4.6


def test_tyres_saturate_and_compiled_equals_python() -> None:
    m, command = Motion(0.0, 0.0, 0.0, 25.0, 0.0, 0.0, 0.0), wheel_angle_rad(0.03, 25.0, DEFAULT_VEHICLE)
    grip, most = DEFAULT_VEHICLE.friction * 9.81, 0.0
    for _ in range(200):
        m = step(m, command, 0.0, DEFAULT_VEHICLE, 0.01)
        most = max(most, abs(derivative(m, command, 0.0, DEFAULT_VEHICLE).lateral_speed + m.speed * m.yaw_rate))
    assert 0.95 * grip < most <= grip * (1.0 + 1e-9)  # the curvature asked for would need 18.75 m/s^2
    start = Motion(0.0, 0.0, 0.1, 15.0, 0.3, 0.1, 0.02)
    assert step(start, 0.03, 0.5, DEFAULT_VEHICLE, 0.01) == step.py_func(start, 0.03, 0.5, DEFAULT_VEHICLE, 0.01)


@pytest.mark.parametrize("observation", ["camera", "state"])
def test_gymnasiums_and_sb3s_checkers_pass(observation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = gymnasium.make("lanekeep_envs:LaneKeeping-v0", observation=observation, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
        check_env_sb3(env.unwrapped)


def actions(steps: int, cars: int) -> np.ndarray:
    return np.random.default_rng(7).uniform(-0.6, 0.6, (steps, cars, 1)).astype(np.float32)


def test_car_i_of_many_is_the_single_car_under_seed_s_plus_i_byte_for_byte_over_resets() -> None:
    many, plan = LaneKeepingVectorEnv(3), actions(150, 3)
    frames = [many.reset(seed=40)[0]]
    ends = []
    for row in plan:
        frame, _, terminated, truncated, _ = many.step(row)
        frames.append(frame)
        ends.append(terminated | truncated)
    assert np.array(ends).any(0).all()  # every car has been through an automatic reset
    for i in range(3):
        one = LaneKeepingEnv()
        frame, _ = one.reset(seed=40 + i)
        assert np.array_equal(frame, frames[0][i])
        over = False
        for t in range(150):
            if over:
                frame, _ = one.reset()
                over = False
            else:
                frame, _, terminated, truncated, _ = one.step(plan[t, i])
                over = terminated or truncated
            assert np.array_equal(frame, frames[t + 1][i]), (i, t)


def test_same_step_reset_hands_over_the_last_frame() -> None:
    env = LaneKeepingVectorEnv(2, autoreset_mode="SameStep")
    single = LaneKeepingEnv()
    env.reset(seed=40)
    single.reset(seed=40)
    for row in actions(400, 2) * 1.6:
        frame, _, terminated, _, infos = env.step(row)
        last, *_ = single.step(row[0])
        if terminated[0]:
            assert infos["_final_obs"][0] and np.array_equal(infos["final_obs"][0], last)
            assert np.array_equal(frame[0], single.reset()[0])
            return
        assert np.array_equal(frame[0], last)
    raise AssertionError("the car never departed")


SCRIPT = """
import hashlib, numpy as np
from lanekeep_envs import LaneKeepingEnv
import sys
env, h = LaneKeepingEnv(), hashlib.sha256()
h.update(env.reset(seed=-5)[0].tobytes())
for a in np.random.default_rng(1).uniform(-0.3, 0.3, (12, 1)):
    h.update(env.step(a)[0].tobytes())
assert "torch" not in sys.modules and "pygame" not in sys.modules
print(h.hexdigest())
"""


def test_same_seed_same_bytes_in_any_process_under_any_display_driver() -> None:
    def run(**extra: str) -> str:
        env = {k: v for k, v in os.environ.items() if k != "SDL_VIDEODRIVER"} | extra
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    digests = {run(), run(SDL_VIDEODRIVER="dummy"), run(SDL_VIDEODRIVER="offscreen"), run(SDL_VIDEODRIVER="x11")}
    env, own = LaneKeepingEnv(), hashlib.sha256()
    own.update(env.reset(seed=-5)[0].tobytes())
    for a in np.random.default_rng(1).uniform(-0.3, 0.3, (12, 1)):
        own.update(env.step(a)[0].tobytes())
    assert digests == {own.hexdigest()}


def test_a_restored_drive_goes_on_byte_for_byte_and_views_do_not_disturb_it() -> None:
    env, plan = LaneKeepingEnv(), actions(40, 1)[:, 0] * 0.3
    env.reset(seed=3)
    for a in plan[:20]:
        env.step(a)
    snapshot = env.snapshot()
    first = [env.step(a) for a in plan[20:]]
    env.reset(seed=99)
    env.restore(snapshot)
    for a, (frame, reward, *_) in zip(plan[20:], first, strict=True):
        env.view(snapshot, [Remove(Element.TREES)])
        again = env.step(a)
        assert np.array_equal(again[0], frame) and again[1] == reward


@pytest.mark.parametrize("seed", [1, 5, 8])
def test_removing_an_element_changes_only_pixels_it_contributes_to(seed: int) -> None:
    env = LaneKeepingEnv(camera="66x200")
    frame, _ = env.reset(seed=seed, options={"start_m": 150.0 + 90.0 * seed})
    snapshot = env.snapshot()
    whole = env.view(snapshot)
    assert np.array_equal(whole.image, frame)
    for element in REMOVABLE:
        without = env.view(snapshot, [Remove(element)])
        mine = 1 << element
        if element in (Element.TREES, Element.BUSHES):
            mine |= 1 << Element.SHADOWS  # their shadows go with them
        changed = (without.image != whole.image).any(-1)
        assert not (changed & (whole.contributors & mine == 0)).any(), element.name
        assert not (without.contributors & (1 << element)).any()
        if element is Element.RIGHT_MARKING:
            assert changed.any()


def test_an_unknown_or_indispensable_element_is_refused() -> None:
    with pytest.raises(ValueError, match="did you mean trees"):
        Remove.named("tree")
    env = LaneKeepingEnv()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="road cannot be removed"):
        env.view(env.snapshot(), [Remove(Element.ROAD)])


def test_python_renders_what_the_compiled_kernel_renders() -> None:
    script = """
import hashlib, sys
from lanekeep_envs import Camera, LaneKeepingEnv
env = LaneKeepingEnv(camera=Camera(height_px=16, width_px=40))
h = hashlib.sha256()
for seed in (0, 3):
    h.update(env.reset(seed=seed, options={"start_m": 200.0})[0].tobytes())
print(h.hexdigest())
"""
    plain = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    compiled = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert plain.stdout == compiled.stdout


def test_solid_markings_stay_solid_at_a_grazing_angle() -> None:
    """Against 6x6 supersampling, and row by row: the right line is never lost between the near field and 60 m."""
    env = LaneKeepingEnv(camera="48x160")
    env.reset(seed=12, options={"start_m": 30.0})
    snapshot = env.snapshot()
    quiet = [
        Remove(e)
        for e in (Element.NOISE, Element.TEXTURE, Element.SHADOWS, Element.TREES, Element.BUSHES, Element.POSTS)
    ]
    small = env.view(snapshot, quiet)
    large = env.view(snapshot, quiet, camera=Camera(height_px=288, width_px=960)).image.astype(float)
    mean = large.reshape(48, 6, 160, 6, 3).mean((1, 3))
    ground = small.depth_m < 60.0
    assert np.abs(small.image - mean)[ground].mean() < 2.5
    line = np.where(small.contributors & (1 << Element.RIGHT_MARKING) != 0, small.image.sum(-1), 0)
    without = env.view(snapshot, [*quiet, Remove(Element.RIGHT_MARKING)]).image.sum(-1)
    rows = [i for i in range(48) if 8.0 < small.depth_m[i, 80] < 60.0]
    gain = np.array([(line[i] - without[i]).max() for i in rows])
    assert (gain > 25).all()


def test_bad_actions_are_refused_and_nothing_moves() -> None:
    env = LaneKeepingEnv()
    env.reset(seed=0)
    before = env.snapshot()
    with pytest.raises(ValueError, match="not finite"):
        env.step(np.array([np.nan], np.float32))
    with pytest.raises(ValueError, match="1 number"):
        env.step(np.array([0.1, 0.1], np.float32))
    assert before.cars.tobytes() == env.snapshot().cars.tobytes()


def test_rewards_are_the_sum_of_their_bounded_terms_and_departures_end_the_drive() -> None:
    env = LaneKeepingVectorEnv(8, observation="state")
    env.reset(seed=0)
    for row in actions(200, 8) * 1.6:
        _, rewards, terminated, _, infos = env.step(row)
        total = sum(infos["reward_terms"].values())
        live = ~((rewards == 0.0) & ~terminated)
        assert np.allclose(rewards[live], total[live]) and (rewards >= -1.06).all() and (rewards <= 0.1).all()
        assert np.array_equal(terminated, infos["lane_departure"] & (infos["elapsed_s"] > 0))


def test_the_expert_keeps_within_a_quarter_of_a_metre() -> None:
    cars = 64
    env, expert = LaneKeepingVectorEnv(cars, observation="state", autoreset_mode="Disabled"), Expert()
    _, infos = env.reset(seed=0)
    done, worst = np.zeros(cars, bool), 0.0
    while not done.all():
        names = ("lateral_offset_m", "heading_error_rad", "speed_mps", "curvature_per_m", "curvature_preview_per_m")
        plan = expert.curvature(*(infos[name] for name in names)) / 0.02
        _, _, terminated, truncated, infos = env.step(plan[:, None])
        assert not (terminated & ~done).any()
        settled = ~done & (infos["elapsed_s"] > 4.0)  # it starts up to 0.3 m off
        worst = max(worst, np.abs(infos["lateral_offset_m"])[settled].max(initial=0.0))
        done |= terminated | truncated
    assert worst <= 0.25


def test_time_to_lane_crossing_is_that_of_the_path_driven_on() -> None:
    env = LaneKeepingEnv()
    _, info = env.reset(seed=4, options={"start_m": 25.0})
    for _ in range(12):
        _, _, _, _, info = env.step(np.array([0.25]))
    predicted, steps = info["time_to_lane_crossing_s"], 0
    terminated = False
    while not terminated:
        _, _, terminated, _, _ = env.step(np.array([0.25]))
        steps += 1
    assert predicted == pytest.approx(steps * 0.05, abs=0.35)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('description = "x"\n[roda]\n', "did you mean road"),
        ('description = "x"\n[road]\nlenght_m = 3\n', "did you mean length_m"),
        ('description = "x"\n[road]\nlength_m = 3\n', "Expected `int` >= 100 - at `\\$.road.length_m`"),
        ('description = "x"\n[look]\nexposure = [2.0, 1.0]\n', "exposure = \\[2.0, 1.0\\] must be \\[low, high\\]"),
        ('description = "x"\n[road]\ndesign_speeds_kmh = [55]\n', "takes values of"),
        ("description = ", "is not TOML"),
        ("", "description"),
    ],
)
def test_a_wrong_scenario_is_one_sentence_with_file_key_and_way_out(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ScenarioError, match=sentence) as error:
        load_scenario(str(file))
    assert "mine.toml" in str(error.value)


def test_an_unknown_scenario_is_refused_with_the_nearest() -> None:
    with pytest.raises(ScenarioError, match="did you mean country"):
        load_scenario("contry")
    with pytest.raises(ScenarioError, match="no scenario file"):
        load_scenario("./nowhere.toml")
