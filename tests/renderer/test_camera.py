"""The pinhole camera: two formulas that undo each other, and a projection by rotation matrix as a second source."""

import numpy as np
import pytest

from lanekeep_envs.renderer.camera import Camera, ground_distance_m, ground_rows, lens_of, pixel_of

CAMERAS = [
    Camera(),
    Camera.parse("78x200"),
    Camera(height_px=33, width_px=47, horizontal_fov_deg=100.0, mount_height_m=0.7, pitch_deg=-4.0),
    Camera(height_px=64, width_px=64, horizontal_fov_deg=40.0, mount_height_m=2.5, pitch_deg=25.0),
]


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda c: c.size)
def test_a_row_meets_the_ground_where_the_ground_is_seen_in_that_row(camera: Camera) -> None:
    lens, seen = lens_of(camera), 0
    for row in np.linspace(-0.5, camera.height_px - 0.5, 101):
        forward = ground_distance_m(row, lens)
        if not 0.05 < forward < 1e5:
            continue
        seen += 1
        back, column, _ = pixel_of(forward, 0.0, 0.0, lens)
        assert back == pytest.approx(row, abs=1e-6)
        assert column == (camera.width_px - 1) / 2
    assert seen > 20


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda c: c.size)
def test_projection_is_that_of_a_turned_pinhole(camera: Camera) -> None:
    pitch, lens = np.deg2rad(camera.pitch_deg), lens_of(camera)
    # rows: the camera's forward, right and down axes in the car's frame (x forward, y left, z up)
    axes = np.array([[np.cos(pitch), 0, -np.sin(pitch)], [0, -1, 0], [-np.sin(pitch), 0, -np.cos(pitch)]])
    for point in np.random.default_rng(0).uniform((3.0, -20.0, -1.0), (200.0, 20.0, 15.0), (100, 3)):
        depth, right, down = axes @ (point - [0.0, 0.0, camera.mount_height_m])
        f = camera.focal_length_px
        expected = (
            (camera.height_px - 1) / 2 + f * down / depth,
            (camera.width_px - 1) / 2 + f * right / depth,
            f / depth,
        )
        assert pixel_of(*map(float, point), lens) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_known_geometry() -> None:
    level = lens_of(Camera(height_px=101, width_px=200, horizontal_fov_deg=90.0, mount_height_m=1.5, pitch_deg=0.0))
    assert level.focal_px == pytest.approx(100.0)
    assert ground_distance_m(50.0, level) == np.inf  # the horizon of a level camera is its middle row
    assert ground_distance_m(49.0, level) == np.inf
    assert ground_distance_m(60.0, level) == pytest.approx(15.0)  # 10 of 100 px down, 1.5 m high
    row, column, scale = pixel_of(20.0, 20.0, 1.5, level)  # 45 degrees to the left at eye level: the left edge
    assert (row, column, scale) == pytest.approx((50.0, -0.5, 5.0))
    camera = Camera()
    tilted = lens_of(camera)
    on_axis = camera.mount_height_m / np.tan(np.deg2rad(camera.pitch_deg))
    assert ground_distance_m((camera.height_px - 1) / 2, tilted) == pytest.approx(on_axis)
    horizon = (camera.height_px - 1) / 2 - camera.focal_length_px * np.tan(np.deg2rad(camera.pitch_deg))
    assert ground_distance_m(horizon - 1e-6, tilted) == np.inf and ground_distance_m(horizon + 0.01, tilted) > 1e3


def test_more_pixels_look_the_same_way() -> None:
    small, large = Camera(), Camera().resized(480, 1600)
    for forward, left in ((6.0, 1.0), (40.0, -3.0)):
        row, column, scale = pixel_of(forward, left, 0.0, lens_of(small))
        fine_row, fine_column, fine_scale = pixel_of(forward, left, 0.0, lens_of(large))
        assert ((fine_row + 0.5) / 10, (fine_column + 0.5) / 10) == pytest.approx((row + 0.5, column + 0.5))
        assert fine_scale == pytest.approx(10 * scale)


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda c: c.size)
def test_compiled_equals_python(camera: Camera) -> None:
    lens = lens_of(camera)
    for row in (0.0, 17.5, 30.0):
        assert ground_distance_m(row, lens) == ground_distance_m.py_func(row, lens)
    assert pixel_of(12.0, -3.0, 1.0, lens) == pixel_of.py_func(12.0, -3.0, 1.0, lens)


@pytest.mark.parametrize(
    "text",
    ["", "48", "48x", "x160", "48X160", "48x160x3", "-48x160", "7x160", "48x7", "5000x160", "48 x 160", "48x160\n"],
)
def test_what_is_no_camera_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="camera"):
        Camera.parse(text)


@pytest.mark.parametrize(
    "wrong",
    [{"horizontal_fov_deg": 5.0}, {"horizontal_fov_deg": np.nan}, {"mount_height_m": 0.0}, {"pitch_deg": 61.0}],
    ids=lambda w: next(iter(w)),
)
def test_a_mounting_that_cannot_be_is_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Camera(**wrong)
    assert Camera.parse("78x200").size == "78x200" and Camera.parse(Camera()) == Camera()


def test_ground_rows_agree_with_the_projection() -> None:
    """A row's patches touch those of its neighbours, and a point one pixel aside lands one column further."""
    camera = Camera(height_px=48, width_px=160)
    lens, rows = lens_of(camera), ground_rows(camera)
    for i in range(48):
        forward, per_px, deep = rows[i]
        if not np.isfinite(forward):
            continue
        row, column, _ = pixel_of(forward, per_px, 0.0, lens)
        assert row == pytest.approx(i, abs=1e-6) and column == pytest.approx(lens.centre_column - 1.0, abs=1e-6)
        if forward < 500.0:
            near, far = (ground_distance_m(i + half, lens) for half in (0.5, -0.5))
            assert near < forward < far and deep == pytest.approx(far - near)
