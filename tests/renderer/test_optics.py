"""Lens, shutter, mounting and JPEG: the laws of removal and of the mirror under all of them, and second sources."""

from collections.abc import Callable

import numpy as np
import pytest
from plain_python import plain_python
from renderer_laws import assert_mirror_image, break_of_the_law

from lanekeep_envs import Camera, Element, Frame, LaneKeepingEnv, Snapshot
from lanekeep_envs.elements import EVERYTHING
from lanekeep_envs.renderer.camera import lens_of
from lanekeep_envs.renderer.lens.glare import glare_of_lamps
from lanekeep_envs.renderer.lens.jpeg import COSINES, compress
from lanekeep_envs.renderer.renderer import Renderer
from lanekeep_envs.sampling.appearance import derive

ENV = LaneKeepingEnv()
WEATHER = {"night": 0.1, "fog": 0.2, "rain": 0.5, "snowfall": 0.3, "snow": 0.4}
LENS = {"glare": 0.8, "drops": 0.5, "dirt": 0.6, "motion_blur": 0.5}
MOUNTING = {"height_error_m": 0.2, "pitch_error_deg": 1.0, "yaw_error_deg": 2.0, "roll_error_deg": -1.5, "sway": 0.8}
BY_STRENGTH = (
    (Element.FOG, ("fog",)),
    (Element.RAIN, ("rain", "snowfall")),
    (Element.DROPS, ("drops",)),
    (Element.DIRT, ("dirt",)),
    (Element.GLARE, ("glare",)),
)
NO_BITS = np.zeros((0, 0), np.uint64)
EYES = {size: Renderer(Camera.parse(size)) for size in ("48x160", "33x81")}


def instant(seed: int, start_m: float, low_sun_ahead: bool = True, **changes: float) -> Snapshot:
    ENV.reset(seed=seed, options={"start_m": start_m})
    snapshot = ENV.snapshot()
    look, car = snapshot.state.appearances[0], snapshot.state.cars[0]
    for name, value in changes.items():
        look[name] = value
    if low_sun_ahead:
        look["clear_sunshine"], look["sun_elevation_deg"], up = 1.0, 12.0, np.deg2rad(12.0)
        look["sun_x"], look["sun_y"] = np.cos(up) * np.cos(car["yaw"] + 0.2), np.cos(up) * np.sin(car["yaw"] + 0.2)
        look["sun_z"] = np.sin(up)
    derive(look)
    return snapshot


def seen(snapshot: Snapshot, size: str = "48x160", visible: int = EVERYTHING, **changes: float) -> Frame:
    state = snapshot.state.copied()
    for name, value in changes.items():
        state.appearances[name] = value
    derive(state.appearances[0])
    return EYES[size].frame(state, visible)


@pytest.mark.parametrize("size", ["48x160", "33x81"])
def test_the_mirrored_world_looks_like_the_mirror_image_exactly(
    size: str, mirrored: Callable[[Snapshot], Snapshot]
) -> None:
    for seed in range(8):
        snapshot = instant(seed, 60.0 + 110.0 * seed, **WEATHER, **LENS, **MOUNTING, jpeg=0.0)
        if seed % 2:
            snapshot.state.appearances["jpeg"] = 0.3
        assert_mirror_image(seen(snapshot, size), seen(mirrored(snapshot), size))


@pytest.mark.parametrize("jpeg", [0.0, 0.2])
def test_removing_an_element_changes_only_pixels_that_it_has_a_share_in(jpeg: float) -> None:
    changes_seen = set()
    for seed in range(3):
        snapshot = instant(seed, 60.0 + 310.0 * seed, rain=0.0, **{**LENS, "dirt": 0.3, "drops": 0.2}, **MOUNTING)
        snapshot.state.appearances["jpeg"] = jpeg
        removals = [(e, {"visible": EVERYTHING & ~(1 << e)}) for e in Element if Element.ROAD < e <= Element.NOISE]
        removals += [(e, dict.fromkeys(names, 0.0)) for e, names in BY_STRENGTH if e > Element.RAIN]
        check(snapshot, removals, changes_seen)
        for name, value in WEATHER.items():
            snapshot.state.appearances[name] = value
        check(snapshot, [(e, dict.fromkeys(names, 0.0)) for e, names in BY_STRENGTH], changes_seen)
    assert changes_seen >= {Element.TREES, Element.SHADOWS, *(e for e, _ in BY_STRENGTH)}


def check(snapshot: Snapshot, removals: list, changes_seen: set) -> None:
    whole = seen(snapshot)
    for element, change in removals:
        without = seen(snapshot, **change)
        assert not break_of_the_law(whole, without, [element])
        changes_seen |= {element} if (without.image != whole.image).any() else set()


def bytes_seen() -> bytes:
    EYES["tiny"] = Renderer(Camera(height_px=12, width_px=18))
    frame = seen(instant(3, 200.0, **WEATHER, **LENS, **MOUNTING, jpeg=0.3), "tiny")
    return b"".join(part.tobytes() for part in frame[:3])


def test_compiled_equals_python_byte_for_byte() -> None:
    assert plain_python(bytes_seen) == bytes_seen()


def test_a_badly_mounted_camera_sees_what_one_mounted_so_on_purpose_sees() -> None:
    snapshot = instant(12, 30.0, noise_grey=0.0)
    for change, camera in (
        ({"pitch_error_deg": 1.5}, Camera(pitch_deg=4.0)),
        ({"height_error_m": -0.3}, Camera(mount_height_m=1.0)),
    ):
        expected = Renderer(camera).frame(snapshot.state)
        assert np.abs(seen(snapshot, **change).image.astype(int) - expected.image).max() <= 1
    turned = snapshot.forked(1)
    turned.state.cars["yaw"] += np.deg2rad(3.0)
    other = seen(turned)
    assert np.abs(seen(snapshot, yaw_error_deg=3.0).image.astype(int) - other.image).max() <= 1
    assert seen(snapshot).image.tobytes() == seen(snapshot).image.tobytes()  # the rows are the camera's own again


def test_a_camera_rolled_to_the_right_sees_the_horizon_fall_to_the_left() -> None:
    """Its slope is the angle's tangent; the body rolls outwards in a bend."""
    snapshot = instant(12, 30.0, noise_grey=0.0, hill_height=0.0, low_sun_ahead=False)
    bare = EVERYTHING & ~(1 << Element.TREES | 1 << Element.BUSHES | 1 << Element.POSTS | 1 << Element.HILLS)

    def fall_px(**changes: float) -> float:
        image = seen(snapshot, visible=bare, fog=0.0, **changes).image.astype(float)[..., 2]
        left, right = (np.abs(np.diff(image[:, part].mean(1))).argmax() for part in (slice(0, 5), slice(-5, None)))
        return float(left - right)

    assert fall_px() == 0.0
    assert fall_px(roll_error_deg=4.0) == pytest.approx(155.0 * np.tan(np.deg2rad(4.0)), abs=1.5)
    snapshot.state.cars["lateral_acceleration_mps2"], snapshot.state.cars["distance_m"] = 6.0, 30.0
    assert fall_px(sway=1.0) == pytest.approx(155.0 * np.tan(np.deg2rad(3.0)), abs=1.5)


def test_motion_blurs_what_moves_and_the_near_more_than_the_far() -> None:
    snapshot = instant(12, 30.0, noise_grey=0.0, low_sun_ahead=False)
    sharp, smeared = (seen(snapshot, motion_blur=share).image.astype(float) for share in (0.0, 1.0))

    def detail(image: np.ndarray, rows: slice) -> float:
        return float(np.abs(np.diff(image[rows], axis=0)).mean())

    near, far = slice(36, 48), slice(20, 26)
    assert detail(smeared, near) / detail(sharp, near) < 0.8 * detail(smeared, far) / detail(sharp, far)
    assert abs(smeared.mean() - sharp.mean()) < 2.0
    snapshot.state.cars["speed"] = snapshot.state.cars["yaw_rate"] = 0.0
    assert np.array_equal(seen(snapshot, motion_blur=1.0).image, sharp)


@pytest.mark.parametrize("name", [*LENS, "jpeg", "sway"])
def test_every_strength_comes_gradually_and_can_be_seen(name: str) -> None:
    snapshot = instant(12, 30.0, noise_grey=0.0)
    none, hint, full = (seen(snapshot, **{name: share}).image.astype(int) for share in (0.0, 1e-3, 1.0))
    assert np.abs(hint - none).max() <= 6 and np.abs(full - none).mean() > 0.5


def test_drops_and_dirt_are_those_of_the_episode_whatever_was_seen_before() -> None:
    snapshot, wet = instant(12, 30.0), {"drops": 0.7, "dirt": 0.8}
    for change in (
        {"drops": 0.4},
        {"dirt": 0.3},
        {"noise_seed": 5},
        {"mirror": -1.0},
        {"offset_x": 3.0},
        {"offset_y": 3.0},
    ):
        before, after = seen(snapshot, **wet), seen(snapshot, **(wet | change))
        EYES["48x160"] = Renderer(Camera.parse("48x160"))
        assert np.array_equal(after.image, seen(snapshot, **(wet | change)).image)
        assert np.array_equal(before.image, seen(snapshot, **wet).image)
        assert not np.array_equal(before.image, after.image)


def test_glare_comes_from_a_sun_in_front_only() -> None:
    snapshot = instant(12, 30.0)
    snapshot.state.appearances["sun_x"] *= -1.0
    snapshot.state.appearances["sun_y"] *= -1.0
    assert np.array_equal(seen(snapshot, glare=1.0).image, seen(snapshot).image)


def test_jpeg_keeps_the_mean_of_a_block_up_to_half_a_step_and_is_lossless_at_none() -> None:
    assert np.allclose(COSINES @ COSINES.T, np.eye(8), atol=1e-12)
    picture = np.random.default_rng(0).integers(60, 190, (20, 3 * 27)).astype(np.uint8)
    finest, coarse = picture.copy(), picture.copy()
    compress(finest, NO_BITS, 1e-4, 1.0)
    assert np.abs(finest.astype(int) - picture).max() <= 1
    compress(coarse, NO_BITS, 1.0, 1.0)
    weights = (0.299, 0.587, 0.114)
    before, after = (p.reshape(20, 27, 3).astype(float)[:16, :24] @ weights for p in (picture, coarse))
    means = [b.reshape(2, 8, 3, 8).mean((1, 3)) for b in (before, after)]
    assert np.abs(means[0] - means[1]).max() <= 0.5 * 3.0 * 16.0 / 8.0 + 2.0
    assert after.std() < before.std()


def test_at_night_only_what_dazzles_has_a_halo() -> None:
    def halo(brightness: float) -> np.ndarray:
        light, look = np.zeros((3, 40, 81), np.float32), instant(0, 60.0).state.appearances[0].copy()
        light[:, 18:22, 39:42], look["night"], look["glare"] = brightness, 1.0, 1.0
        before = light.copy()
        glare_of_lamps(light, NO_BITS, look, lens_of(Camera(height_px=40, width_px=81)))
        return light[1] - before[1]

    assert not halo(140.0).any()
    bright = halo(400.0)
    assert np.array_equal(bright, bright[:, ::-1]) and bright[20, 44] > 1.0 and bright[20, 44] > bright[20, 48] > 0.0
    assert not bright[:, :20].any()
