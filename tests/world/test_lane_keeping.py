"""The contract of `LaneKeeping-v0`: checkers, determinism, refusals, snapshots and views."""

import os
import subprocess
import sys
import warnings
from typing import Any

import gymnasium
import msgspec
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_env_sb3

from lanekeep_envs import Element, LaneKeepingEnv, Remove, Snapshot


def wander(steps: int, seed: int = 1, size: float = 0.3) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-size, size, (steps, 1)).astype(np.float32)


def bytes_of(snapshot: Snapshot) -> bytes:
    parts = snapshot.state._replace(objects=snapshot.state.objects_of(0))
    return b"".join(part.tobytes() for part in parts) + repr((list(snapshot.road_seeds), snapshot.generators)).encode()


@pytest.mark.parametrize("arguments", [{}, {"observation": "state"}, {"acceleration": True, "camera": "66x200"}])
def test_the_checkers_of_gymnasium_and_sb3_have_no_complaint(
    arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = gymnasium.make("lanekeep_envs:LaneKeeping-v0", render_mode="rgb_array", **arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)  # also renders in every mode of the metadata
        check_env_sb3(env.unwrapped)
    env.close()


def test_the_window_opens_closes_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    shown, hidden = LaneKeepingEnv(render_mode="human"), LaneKeepingEnv()
    for env in (shown, hidden):
        env.reset(seed=3)
    for action in wander(3):
        assert np.array_equal(shown.step(action)[0], hidden.step(action)[0])
        assert shown.render() is None
    shown.close()
    shown.close()
    assert shown.render() is None and hidden.render() is None  # opens again
    shown.close()


@pytest.mark.parametrize("seed", [0, -1, -(2**31), 2**31, 2**63 - 1, 2**63, 2**200, -(2**200)])
def test_any_integer_is_a_seed(seed: int) -> None:
    one, other = LaneKeepingEnv(camera="16x40"), LaneKeepingEnv(camera="16x40")
    frame, info = one.reset(seed=seed)
    assert info["road_seed"] == seed
    assert frame.tobytes() == other.reset(seed=seed)[0].tobytes()
    assert one.snapshot().state.roads.tobytes() == other.snapshot().state.roads.tobytes()
    for near in (seed + 1, -seed):
        if near != seed:
            other.reset(seed=near)
            assert other.snapshot().state.roads.tobytes() != one.snapshot().state.roads.tobytes()


def test_without_a_seed_the_drives_differ_and_a_seed_fixes_all_that_follow() -> None:
    env, roads = LaneKeepingEnv(observation="state"), []
    for _ in range(3):
        roads.append(env.reset()[1]["road_seed"])
    assert len(set(roads)) == 3
    follow = []
    for _ in range(2):
        env.reset(seed=8)
        follow.append([env.reset()[1]["road_seed"] for _ in range(3)])
    assert follow[0] == follow[1] and len(set(follow[0])) == 3


SCRIPT = """
import hashlib, sys
import numpy as np
from lanekeep_envs import LaneKeepingEnv
heavy = [name for name in ("torch", "pygame", "stable_baselines3", "lanekeep") if name in sys.modules]
assert not heavy, heavy
digest = hashlib.sha256()
env = LaneKeepingEnv(render_mode=sys.argv[1] if len(sys.argv) > 1 else None)
digest.update(env.reset(seed=-5)[0].tobytes())
for action in np.random.default_rng(1).uniform(-0.3, 0.3, (10, 1)).astype(np.float32):
    frame, reward, *_, info = env.step(action)
    digest.update(frame.tobytes() + repr((reward, sorted(info["reward_terms"].items()))).encode())
assert ("pygame" in sys.modules) == (len(sys.argv) > 1) and "torch" not in sys.modules
print(digest.hexdigest())
"""


def test_same_seed_same_bytes_in_other_processes_under_any_display_driver_and_a_light_import() -> None:
    bare = {key: value for key, value in os.environ.items() if key != "SDL_VIDEODRIVER"}
    runs = [
        (bare, []),
        (bare | {"SDL_VIDEODRIVER": "dummy"}, ["human"]),
        (bare | {"SDL_VIDEODRIVER": "offscreen"}, ["human"]),
        (bare | {"PYTHONHASHSEED": "7"}, []),
    ]
    running = [
        subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments], env=env, stdout=subprocess.PIPE, text=True)
        for env, arguments in runs
    ]
    digests = [process.communicate()[0].split()[-1] for process in running]
    assert all(process.returncode == 0 for process in running)
    assert len(set(digests)) == 1, digests


@pytest.mark.parametrize("action", [[np.nan], [np.inf], [-np.inf], [0.1, 0.1], []])
def test_an_action_that_is_none_is_refused_and_nothing_moves(action: list[float]) -> None:
    env = LaneKeepingEnv(camera="16x40")
    env.reset(seed=0)
    env.step([0.1])
    before = bytes_of(env.snapshot())
    with pytest.raises(ValueError, match="action"):
        env.step(np.array(action, np.float32))
    assert bytes_of(env.snapshot()) == before


def test_a_step_before_the_first_reset_is_refused() -> None:
    with pytest.raises(gymnasium.error.ResetNeeded, match="reset"):
        LaneKeepingEnv().step([0.0])


def test_numbers_outside_the_range_are_clipped() -> None:
    one, other = LaneKeepingEnv(camera="16x40"), LaneKeepingEnv(camera="16x40")
    for env, action in ((one, 7.0), (other, 1.0)):
        env.reset(seed=2)
        for _ in range(5):
            env.step([action])
    assert bytes_of(one.snapshot()) == bytes_of(other.snapshot())


@pytest.mark.parametrize("start_m", [-1.0, 1e9, np.nan, np.inf])
def test_a_start_that_is_not_on_the_road_is_refused_and_nothing_moves(start_m: float) -> None:
    env = LaneKeepingEnv(camera="16x40")
    env.reset(seed=0)
    before = bytes_of(env.snapshot())
    with pytest.raises(ValueError, match="start_m must be 0 to 1258"):
        env.reset(seed=1, options={"start_m": start_m})
    assert bytes_of(env.snapshot()) == before


def test_a_given_start_is_in_the_middle_of_the_lane_there() -> None:
    env = LaneKeepingEnv(observation="state")
    for start_m in (0.0, 20.0, 333.3, 990.0):
        _, info = env.reset(seed=5, options={"start_m": start_m})
        assert info["distance_m"] == pytest.approx(start_m, abs=0.02)
        assert info["lateral_offset_m"] == pytest.approx(0.0, abs=2e-3)


def test_a_restored_drive_repeats_itself_byte_for_byte_also_over_its_end() -> None:
    env, other = LaneKeepingEnv(), LaneKeepingEnv()
    env.reset(seed=3)
    for action in wander(15):
        env.step(action)
    snapshot = env.snapshot()

    def drive_on(car: LaneKeepingEnv, look: bool = False) -> list[Any]:
        log: list[Any] = []
        for action in wander(60, 9, 1.0):
            if look:
                car.view(snapshot, [Remove(Element.TREES)], camera="20x50")
            frame, reward, terminated, truncated, info = car.step(action)
            log.append((frame.tobytes(), reward, info["reward_terms"], terminated))
            if terminated or truncated:
                frame, info = car.reset()
                log.append((frame.tobytes(), info["road_seed"]))
        return log

    first = drive_on(env)
    assert any(entry[-1] is True for entry in first)  # it departed on the way
    assert np.array_equal(env.restore(snapshot), env.view(snapshot).image)
    assert drive_on(env, look=True) == first
    other.reset(seed=77)
    other.restore(snapshot)
    assert drive_on(other) == first


def test_a_snapshot_is_refused_by_a_world_of_another_shape() -> None:
    env = LaneKeepingEnv()
    env.reset(seed=0)
    shorter = msgspec.structs.replace(env.scenario, road=msgspec.structs.replace(env.scenario.road, length_m=300))
    with pytest.raises(ValueError, match="of another scenario named country"):
        LaneKeepingEnv(scenario=shorter).restore(env.snapshot())


def test_a_view_is_what_was_observed_and_leaves_the_drive_alone() -> None:
    env = LaneKeepingEnv()
    frame, _ = env.reset(seed=6)
    for action in wander(8):
        snapshot, before = env.snapshot(), bytes_of(env.snapshot())
        assert np.array_equal(env.view(snapshot).image, frame)
        env.view(snapshot, [Remove(Element.SHADOWS)], camera="78x200")
        assert bytes_of(env.snapshot()) == before == bytes_of(snapshot)
        frame, *_ = env.step(action)


def test_render_shows_the_same_instant_with_more_pixels() -> None:
    env = LaneKeepingEnv(render_mode="rgb_array")
    frame, _ = env.reset(seed=5)
    picture = env.render()
    assert picture.shape == (360, 640, 3)
    assert np.array_equal(picture, env.view(env.snapshot(), camera=env.camera.resized(360, 640)).image)
    assert np.array_equal(env.view(env.snapshot()).image, frame)
