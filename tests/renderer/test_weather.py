"""Night and weather: causes and what follows from them, and what falls."""

from collections.abc import Callable

import numpy as np
import pytest

from lanekeep_envs import Camera, Element, Frame, LaneKeepingEnv, Snapshot
from lanekeep_envs.renderer.air.precipitation import (
    BATCH,
    DEPOSITS,
    FINEST,
    ROWS,
    add_streaks,
    cells_of,
    mix_row,
    shape_streaks,
)
from lanekeep_envs.renderer.renderer import Renderer
from lanekeep_envs.sampling.appearance import APPEARANCE, derive

EYE = Renderer(Camera())
ENV = LaneKeepingEnv()


def instant(seed: int = 12, start_m: float = 30.0) -> Snapshot:
    ENV.reset(seed=seed, options={"start_m": start_m})
    return ENV.snapshot()


def seen(snapshot: Snapshot, frame: int = 0, **causes: float) -> Frame:
    state = snapshot.state.copied()
    state.cars["steps"] += frame
    for name, value in {"noise_grey": 0.0, **causes}.items():
        state.appearances[name] = value
    derive(state.appearances[0])
    return EYE.frame(state)


@pytest.mark.parametrize("cause", ["night", "fog", "rain", "snowfall", "snow"])
def test_a_cause_taken_back_leaves_the_look_of_the_fine_day_to_the_last_bit(cause: str) -> None:
    for seed in range(20):
        fine = instant(seed).state.appearances[0]
        look = fine.copy()
        look[cause] = 0.7
        derive(look)
        assert look.tobytes() != fine.tobytes()
        look[cause] = 0.0
        derive(look)
        assert all(np.array_equal(look[name], fine[name]) for name in APPEARANCE.names or ())


def test_sight_shrinks_steadily_to_forty_metres_in_fog_and_every_weather_hides_the_sun() -> None:
    look = instant().state.appearances[0].copy()
    sight, sunshine = [], []
    for look["fog"] in np.linspace(0.0, 1.0, 21):
        derive(look)
        sight.append(float(look["visibility_m"]))
        sunshine.append(float(look["sunshine"]))
    assert (np.diff(sight) < 0.0).all() and 35.0 < sight[-1] < 40.0 and sight[0] == look["clear_visibility_m"]
    assert (np.diff(sunshine) <= 0.0).all() and sunshine[-1] == 0.0


def test_fog_takes_contrast_and_night_takes_light_the_more_the_stronger() -> None:
    snapshot, fog, night = instant(), [], []
    sky = np.isinf(seen(snapshot).depth_m)
    for strength in (0.0, 0.25, 0.5, 1.0):
        image = seen(snapshot, fog=strength).image.astype(float)
        fog.append(np.abs(np.diff(image[8:26], axis=1)).mean())
        night.append(seen(snapshot, night=strength).image[sky].mean())
    assert (np.diff(fog) < 0.0).all() and (np.diff(night) < 0.0).all()
    assert night[-1] < 0.15 * night[0]
    assert seen(snapshot, night=1.0, fog=1.0).image.mean() < 60.0  # fog is dark at night


def test_what_is_in_the_air_has_a_share_in_every_pixel_and_snow_in_the_hills() -> None:
    snapshot = instant()
    for cause, element in (("fog", Element.FOG), ("rain", Element.RAIN), ("snowfall", Element.RAIN)):
        frame = seen(snapshot, **{cause: 0.2})
        assert frame.has(element).all() and (frame.image != seen(snapshot).image).mean() > 0.5
    fine, snowy = seen(snapshot), seen(snapshot, snow=0.8)
    changed, above = (fine.image != snowy.image).any(-1), np.isinf(fine.depth_m)
    assert changed[above].any() and not (changed & above & ~snowy.has(Element.SNOW)).any()


@pytest.mark.parametrize("cause", ["rain", "snowfall"])
def test_what_falls_is_new_in_every_frame_and_comes_gradually(cause: str) -> None:
    snapshot = instant()
    one, again, later = (seen(snapshot, frame, **{cause: 0.6}).image.astype(int) for frame in (0, 0, 1))
    assert (one == again).all() and (np.abs(one - later).max(-1) > 6).mean() > 0.04
    before, little_more = (seen(snapshot, **{cause: share}).image.astype(int) for share in (0.3, 0.302))
    assert np.abs(before - little_more).mean() < 1.0
    barely = seen(snapshot, **{cause: 1e-6}).image.astype(int)
    assert np.abs(barely - seen(snapshot).image).max() <= 1


def test_all_flakes_may_run_through_one_pixel(mirrored: Callable[[Snapshot], Snapshot]) -> None:
    """At 40 m/s their streaks meet at the point that the car drives to: more there never lets more be seen.

    The sums of three pixels lie in one number, and one that ran over would do so at other pixels in a mirrored world.
    """
    eye = Renderer(Camera(height_px=160, width_px=160, horizontal_fov_deg=90.0))
    for seed in range(4):
        pictures = []
        for snapshot in (instant(seed), mirrored(instant(seed))):
            look = snapshot.state.appearances[0]
            snapshot.state.cars["speed"], look["snowfall"], look["motion_blur"] = 40.0, 1.0, 1.0
            derive(look)
            pictures.append(eye.frame(snapshot.state).image)
        assert np.array_equal(pictures[0], pictures[1][:, ::-1])


@pytest.mark.parametrize("strength", [1e-300, 1e-40, 1e-9])
def test_hardly_any_jpeg_is_none(strength: float) -> None:
    frames = [seen(instant(), jpeg=jpeg).image.astype(int) for jpeg in (0.0, strength)]
    assert np.abs(frames[0] - frames[1]).max() <= 1


def test_a_camera_hangs_at_a_whole_number_of_metres() -> None:
    snapshot = instant()
    whole, real = (Renderer(Camera(mount_height_m=metres)).frame(snapshot.state) for metres in (2, 2.0))
    assert np.array_equal(whole.image, real.image)


def test_a_flake_is_drawn_out_along_its_way() -> None:
    """A streak is `along` px longer than it is wide, and upright where nothing moves it aside."""
    drops, streaks, spans = np.zeros(6 * BATCH), np.zeros(11 * BATCH, np.float32), np.zeros(6 * BATCH, np.int32)
    cells, places, amounts = (
        np.zeros(cells_of(41, 40), np.int64),
        np.zeros(DEPOSITS, np.uint32),
        np.zeros(DEPOSITS, int),
    )
    drops[4 * BATCH :], drops[3 * BATCH], drops[4 * BATCH], drops[5 * BATCH] = 1.0, 16.0, 2.0, 0.5
    shape_streaks(streaks, spans, drops, FINEST, 0.0, (41, 40), (20.0, 19.5))
    add_streaks(cells, streaks, spans, 1, places, amounts.view(np.uint32), amounts)
    planes, level = np.ones((3, 41, 40), np.float32), cells[(41 + ROWS) * 42 :]
    none, unlit = np.float32(0.0), np.zeros(40, np.float32)
    for row in range(41):  # nothing but what is seen through the flake is left of a white picture
        upright, beside = cells[42 * row :], level[(40 + ROWS) * row :]
        mix_row(
            tuple(planes[:, row]), upright, beside, 40 + ROWS, np.float32(1.0 / FINEST), unlit, (none,) * 3, (none,) * 2
        )
    assert np.array_equal(planes[0], planes[1]) and np.array_equal(planes[0], planes[2])
    plane = -np.log(planes[0])
    rows, columns = (plane > 0.5 * plane.max()).any(1).sum(), (plane > 0.5 * plane.max()).any(0).sum()
    assert rows - columns == pytest.approx(16, abs=1) and columns == 4
    assert np.array_equal(plane, plane[:, ::-1]) and np.array_equal(plane, plane[::-1])
