"""What gymnasium's and stable-baselines3's own tools find in the environments: specs, wrappers, videos, checkers."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import msgspec
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import vector
from stable_baselines3.common.env_checker import check_env as check_env_sb3

from lanekeep_envs import Camera, LaneKeepingEnv, LaneKeepingVectorEnv, load_scenario

NAME = "lanekeep_envs:LaneKeeping-v0"
HALF = msgspec.structs.replace(load_scenario("rain"), time_limit_s=30.0)


@pytest.mark.parametrize(
    ("arguments", "reset"),
    [
        ({}, 0),
        ({"camera": Camera(height_px=16, width_px=40, pitch_deg=4.0), "scenario": HALF, "acceleration": True}, 1),
        ({"camera": "16x40", "scenario": "snow", "difficulty": 0.3}, 2),
        ({"observation": "state"}, 3),
    ],
)
@pytest.mark.parametrize("cars", [0, 2])
def test_what_an_environment_was_made_of_survives_json(arguments: dict[str, Any], reset: int, cars: int) -> None:
    make: Callable[..., Any] = gymnasium.make_vec if cars else gymnasium.make
    env = make(NAME, **arguments, **({"num_envs": cars} if cars else {}))
    spec = EnvSpec.from_json(env.spec.to_json())
    again = make(spec)
    assert (again.unwrapped.scenario, again.unwrapped.camera) == (env.unwrapped.scenario, env.unwrapped.camera)
    for mine, its in zip(env.reset(seed=reset)[:1], again.reset(seed=reset)[:1], strict=True):
        assert np.array_equal(mine, its)
    assert again.spec.to_json() == env.spec.to_json()


SINGLE: dict[str, Callable[[Any], Any]] = {
    "AddRenderObservation": lambda env: wrappers.AddRenderObservation(env, render_only=False),
    "AddWhiteNoise": lambda env: wrappers.AddWhiteNoise(env, 0.1),
    "Autoreset": wrappers.Autoreset,
    "ClipAction": wrappers.ClipAction,
    "ClipReward": lambda env: wrappers.ClipReward(env, -1.0, 1.0),
    "DelayObservation": lambda env: wrappers.DelayObservation(env, 2),
    "DtypeObservation": lambda env: wrappers.DtypeObservation(env, np.float32),
    "FlattenObservation": wrappers.FlattenObservation,
    "FrameStackObservation": lambda env: wrappers.FrameStackObservation(env, 4),
    "GrayscaleObservation": wrappers.GrayscaleObservation,
    "HumanRendering": wrappers.HumanRendering,
    "MaxAndSkipObservation": wrappers.MaxAndSkipObservation,
    "NormalizeObservation": wrappers.NormalizeObservation,
    "NormalizeReward": wrappers.NormalizeReward,
    "OrderEnforcing": wrappers.OrderEnforcing,
    "PassiveEnvChecker": wrappers.PassiveEnvChecker,
    "RecordEpisodeStatistics": wrappers.RecordEpisodeStatistics,
    "RenderCollection": wrappers.RenderCollection,
    "RescaleAction": lambda env: wrappers.RescaleAction(env, np.float32(-2.0), np.float32(2.0)),
    "RescaleObservation": lambda env: wrappers.RescaleObservation(env, 0.0, 1.0),
    "ReshapeObservation": lambda env: wrappers.ReshapeObservation(env, (8 * 24, 3)),
    "StickyAction": lambda env: wrappers.StickyAction(env, 0.3),
    "TimeAwareObservation": lambda env: wrappers.TimeAwareObservation(wrappers.TimeLimit(env, 100)),
    "TimeLimit": lambda env: wrappers.TimeLimit(env, 10),
    "TransformReward": lambda env: wrappers.TransformReward(env, lambda reward: 2.0 * reward),
}
MANY: dict[str, Callable[[Any], Any]] = {
    "ClipAction": vector.ClipAction,
    "ClipReward": lambda envs: vector.ClipReward(envs, -1.0, 1.0),
    "DictInfoToList": vector.DictInfoToList,
    "DtypeObservation": lambda envs: vector.DtypeObservation(envs, np.float32),
    "FlattenObservation": vector.FlattenObservation,
    "GrayscaleObservation": vector.GrayscaleObservation,
    "NormalizeObservation": vector.NormalizeObservation,
    "NormalizeReward": vector.NormalizeReward,
    "RecordEpisodeStatistics": vector.RecordEpisodeStatistics,
    "RescaleAction": lambda envs: vector.RescaleAction(envs, np.float32(-2.0), np.float32(2.0)),
    "ReshapeObservation": lambda envs: vector.ReshapeObservation(envs, (8 * 24, 3)),
    "TransformReward": lambda envs: vector.TransformReward(envs, lambda reward: 2.0 * reward),
}


def driven(env: Any, steps: int = 40) -> None:
    """Drive on through an end or two; what comes is of the space that is promised."""
    observation, _ = env.reset(seed=3)
    for k in range(steps):
        assert env.observation_space.contains(observation)
        observation, _, over, cut, _ = env.step(np.full(env.action_space.shape, 0.9 * (-1) ** (k // 9), np.float32))
        if np.isscalar(over) and (over or cut):
            observation, _ = env.reset()
    env.close()


@pytest.mark.parametrize("wrapper", SINGLE)
def test_wrappers_of_a_single_car(wrapper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    driven(SINGLE[wrapper](LaneKeepingEnv(camera="8x24", render_mode="rgb_array")))


@pytest.mark.parametrize("native", [True, False], ids=["native", "sync"])
@pytest.mark.parametrize("wrapper", MANY)
def test_wrappers_of_many_cars(wrapper: str, native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    arguments: dict[str, Any] = {} if native else {"vectorization_mode": "sync"}
    envs = gymnasium.make_vec(NAME, num_envs=3, camera="8x24", render_mode="rgb_array", **arguments)
    driven(MANY[wrapper](envs))


def test_infos_as_a_list_are_those_of_the_single_cars() -> None:
    envs = vector.DictInfoToList(LaneKeepingVectorEnv(2, camera="8x24"))
    listed, single = envs.reset(seed=4)[1], LaneKeepingEnv(camera="8x24")
    for i, info in enumerate(listed):
        alone = single.reset(seed=4 + i)[1]
        assert set(info) == set(alone) and info["scenario"] == alone["scenario"]
        assert info["lateral_offset_m"] == alone["lateral_offset_m"] and info["road_seed"] == alone["road_seed"]


def test_videos_are_recorded_of_one_car_and_of_many(tmp_path: Path) -> None:
    pytest.importorskip("moviepy")
    one = wrappers.RecordVideo(LaneKeepingEnv(camera="8x24", render_mode="rgb_array"), str(tmp_path / "one"))
    driven(one, 12)
    many = vector.RecordVideo(
        LaneKeepingVectorEnv(2, camera="8x24", render_mode="rgb_array"), str(tmp_path / "many"), video_length=10
    )
    driven(many, 12)
    assert list(tmp_path.glob("one/*.mp4")) and list(tmp_path.glob("many/*.mp4"))


@pytest.mark.parametrize("scenario", ["country", "sensor_noise"])
@pytest.mark.parametrize("observation", ["camera", "state"])
def test_the_checkers_find_nothing(scenario: str, observation: str) -> None:
    env = gymnasium.make(NAME, scenario=scenario, observation=observation, camera="36x48", acceleration=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped, skip_render_check=True)
        check_env_sb3(env.unwrapped)


def test_a_window_that_nobody_can_see_is_refused() -> None:
    """SDL takes a screen that shows nothing where it finds none; only whoever asks for that by name gets it."""
    script = "import lanekeep_envs as w; e = w.LaneKeepingEnv(camera='8x24', render_mode='human'); e.reset(seed=1)"
    hidden = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
    ran = subprocess.run([sys.executable, "-c", script], env=hidden, capture_output=True, text=True, check=False)
    assert ran.returncode == 1 and ran.stderr.strip().splitlines()[-1].endswith("take 'rgb_array', or set DISPLAY")
    for driver in ("dummy", "offscreen"):
        asked = hidden | {"SDL_VIDEODRIVER": driver}
        assert subprocess.run([sys.executable, "-c", script], env=asked, check=False).returncode == 0
