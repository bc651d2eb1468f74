"""The picture: compiled against plain Python, against supersampling, against its mirror image and against its own past.

The golden frames are made by `python tests/renderer/test_render.py`; look at them before you commit them.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from plain_python import plain_python
from renderer_laws import assert_mirror_image, break_of_the_law

from lanekeep_envs import (
    REMOVABLE,
    Camera,
    Element,
    LaneKeepingEnv,
    LaneKeepingVectorEnv,
    Remove,
    Scenario,
    Snapshot,
    load_scenario,
)
from lanekeep_envs.renderer.renderer import Renderer

GOLDEN = Path(__file__).parents[1] / "golden"
GOLDEN_DRIVES = ((0, 150.0), (11, 480.0), (10_004, 760.0))  # seed, start_m
UNPAINTED = (Element.NOISE, Element.TEXTURE, Element.SHADOWS, Element.TREES, Element.BUSHES, Element.POSTS)
QUIET = [Remove(element) for element in UNPAINTED]


def put(
    seed: int, start_m: float, camera: str | Camera = "48x160", scenario: str | Scenario = "country"
) -> LaneKeepingEnv:
    env = LaneKeepingEnv(scenario=scenario, camera=camera)
    env.reset(seed=seed, options={"start_m": start_m})
    return env


def view_of(seed: int, start_m: float, camera: str | Camera = "48x160") -> tuple[LaneKeepingEnv, Snapshot]:
    env = put(seed, start_m, camera)
    return env, env.snapshot()


def crowded() -> Scenario:
    """More trees and bushes than are ever drawn at once."""
    country = load_scenario("country")
    scenery = msgspec.structs.replace(country.scenery, trees_per_km=(1000.0, 1000.0), bushes_per_km=(1000.0, 1000.0))
    return msgspec.structs.replace(country, scenery=scenery)


def bytes_seen() -> bytes:
    env, seen = LaneKeepingEnv(camera=Camera(height_px=16, width_px=40)), b""
    for seed in (0, 3, 11):
        env.reset(seed=seed, options={"start_m": 200.0})
        seen += b"".join(part.tobytes() for part in env.view(env.snapshot()))
    return seen


def test_compiled_equals_python_byte_for_byte() -> None:
    plain = plain_python(bytes_seen)
    assert len(plain) == 3 * 16 * 40 * (3 + 1 + 8 + 4)
    assert plain == bytes_seen()


@pytest.mark.parametrize(("seed", "start_m"), [(12, 30.0), (5, 300.0), (7, 620.0), (23, 450.0)])
def test_markings_are_those_of_a_picture_averaged_from_many_more_pixels(seed: int, start_m: float) -> None:
    env, snapshot = view_of(seed, start_m)
    small = env.view(snapshot, QUIET)
    large = env.view(snapshot, QUIET, camera=Camera(height_px=48 * 8, width_px=160 * 8)).image
    mean = large.astype(float).reshape(48, 8, 160, 8, 3).mean((1, 3))
    ground = small.depth_m < 80.0
    error = np.abs(small.image - mean)
    assert error[ground].mean() < 2.0
    painted = (
        small.contributors & (1 << Element.RIGHT_MARKING | 1 << Element.CENTRE_MARKING | 1 << Element.LEFT_MARKING) != 0
    )
    assert (painted & ground).sum() > 60
    assert error[painted & ground].mean() < 8.0


@pytest.mark.parametrize(("seed", "start_m"), [(12, 30.0), (5, 300.0), (7, 620.0), (23, 450.0)])
@pytest.mark.parametrize("size", ["48x160", "78x200"])
def test_the_solid_right_marking_is_unbroken_and_the_centre_one_is_dashed(seed: int, start_m: float, size: str) -> None:
    env, snapshot = view_of(seed, start_m, size)
    whole = env.view(snapshot, QUIET)

    def paint(element: Element) -> np.ndarray:
        """Light that the marking adds to each image row that shows the road 7 to 60 m ahead, in pixels of full paint."""
        bare = env.view(snapshot, [*QUIET, Remove(element)])
        gain = (whole.image.astype(float) - bare.image).sum(-1)
        across = snapshot.state.appearances[0]["line_m"] * Camera.parse(size).focal_length_px / whole.depth_m[:, 0]
        rows = [i for i in range(len(gain)) if 7.0 < whole.depth_m[i, 0] < 60.0]
        return np.array([gain[i].sum() / across[i] for i in rows])

    solid, dashed = paint(Element.RIGHT_MARKING), paint(Element.CENTRE_MARKING)
    assert len(solid) > 8
    assert (solid > 0.4 * np.median(solid)).all()  # torn to dashes, some rows would go dark
    assert (dashed[: len(dashed) // 3] >= 0.0).all() and dashed.min() < 0.25 * dashed.max()


def check_the_law(env: LaneKeepingEnv, snapshot: Snapshot) -> set[Element]:
    """Removing an element changes no pixel without its bit; return the elements whose removal changed something."""
    whole, seen = env.view(snapshot), set()
    for element in REMOVABLE:
        without = env.view(snapshot, [Remove(element)])
        assert not break_of_the_law(whole, without, [element])
        if (without.image != whole.image).any():
            seen.add(element)
    return seen


def test_removing_an_element_changes_only_pixels_that_it_has_a_share_in() -> None:
    seen: set[Element] = set()
    for seed in range(8):
        env, snapshot = view_of(seed, 60.0 + 110.0 * seed, "66x200")
        seen |= check_the_law(env, snapshot)
    assert seen >= {e for e in REMOVABLE if e <= Element.NOISE}  # every one of a fine day was there to be removed


def test_an_unknown_or_indispensable_element_is_refused() -> None:
    with pytest.raises(ValueError, match="did you mean trees"):
        Remove.named("tree")
    env, snapshot = view_of(0, 100.0, "16x40")
    with pytest.raises(ValueError, match="road cannot be removed"):
        env.view(snapshot, [Remove(Element.ROAD)])


def test_the_law_holds_where_more_things_stand_than_are_drawn() -> None:
    for seed in range(3):
        env = put(seed, 300.0, scenario=crowded())
        check_the_law(env, env.snapshot())


def test_removals_do_not_depend_on_their_order_and_the_last_leaves_a_bare_scene() -> None:
    env, snapshot = view_of(4, 400.0)
    removals = [Remove(element) for element in REMOVABLE]
    bare, again = env.view(snapshot, removals), env.view(snapshot, reversed(removals))
    assert bare.image.tobytes() == again.image.tobytes()
    assert set(np.unique(bare.elements)) <= {Element.SKY, Element.TERRAIN, Element.ROAD}
    assert not (bare.contributors >> np.uint64(Element.ROAD + 1)).any()


@pytest.mark.parametrize("size", ["48x160", "78x200", "33x81", "40x555"])  # the last in three patches
def test_the_mirrored_world_looks_like_the_mirror_image_exactly(
    size: str, mirrored: Callable[[Snapshot], Snapshot]
) -> None:
    for seed in range(40):
        env, snapshot = view_of(seed, 50.0 + (90.0 * seed) % 1000.0, size)
        one, other = env.view(snapshot), env.view(mirrored(snapshot))
        assert_mirror_image(one, other)
        assert np.array_equal(other.depth_m, one.depth_m[:, ::-1])


def test_noise_is_independent_of_what_is_in_the_picture_and_new_in_every_frame() -> None:
    seed = next(s for s in range(50) if put(s, 200.0).snapshot().state.appearances[0]["noise_grey"] > 2.0)
    env, snapshot = view_of(seed, 200.0)
    sigma = snapshot.state.appearances[0]["noise_grey"]

    def noise(at: Snapshot, *removed: Remove) -> np.ndarray:
        noisy = env.view(at, removed).image.astype(int)
        clean = env.view(at, [*removed, Remove(Element.NOISE)]).image.astype(int)
        return np.where((clean > 12) & (clean < 243), noisy - clean, 99)

    with_trees, without = noise(snapshot), noise(snapshot, *QUIET[1:])
    both = (with_trees != 99) & (without != 99)
    assert np.abs(with_trees - without)[both].max() <= 1  # rounding to bytes, no more
    sample = with_trees[with_trees != 99]
    assert abs(sample.mean()) < 0.1 * sigma and sample.std() == pytest.approx(np.hypot(sigma, 0.4), rel=0.05)
    later = snapshot.forked(1)
    later.state.cars["steps"] += 1
    next_one = noise(later)
    usable = (with_trees != 99) & (next_one != 99)
    assert abs(np.corrcoef(with_trees[usable], next_one[usable])[0, 1]) < 0.05


def test_depth_is_the_forward_distance_of_the_camera_geometry_and_elements_have_their_bit() -> None:
    env, snapshot = view_of(12, 30.0)
    frame = env.view(snapshot, QUIET)
    tan = np.tan(np.deg2rad(env.camera.pitch_deg))
    w = (np.arange(48) - 23.5) / env.camera.focal_length_px
    forward = env.camera.mount_height_m * (1.0 - w * tan) / np.maximum(tan + w, 1e-12)
    ground = np.isfinite(frame.depth_m[:, 0])
    assert np.allclose(frame.depth_m[ground], forward[ground, None], rtol=1e-5)
    assert frame.has(frame.elements).all()
    whole = env.view(snapshot)
    assert whole.has(whole.elements).all()


def test_a_view_in_another_size_has_that_size_and_leaves_the_own_alone() -> None:
    env, snapshot = view_of(3, 200.0)
    before = env.view(snapshot).image
    assert env.view(snapshot, camera="66x200").image.shape == (66, 200, 3)
    assert env.view(snapshot).image.tobytes() == before.tobytes()


@pytest.mark.parametrize(
    "camera",
    [
        Camera(height_px=8, width_px=8),
        Camera(height_px=20, width_px=20, pitch_deg=-30.0),
        Camera(height_px=40, width_px=40, pitch_deg=60.0, horizontal_fov_deg=150.0),
        Camera(height_px=200, width_px=8),
    ],
    ids=["tiny", "upwards", "steep", "tall"],
)
def test_odd_cameras_see_something_and_nothing_overflows(camera: Camera) -> None:
    for start_m in (0.0, 500.0, 1250.0):
        env, snapshot = view_of(6, start_m, camera)
        frame = env.view(snapshot)
        assert frame.image.max() > 0 and not np.isnan(frame.depth_m).any()
        assert frame.has(frame.elements).all()


def golden(seed: int, start_m: float) -> np.ndarray:
    return put(seed, start_m).view(put(seed, start_m).snapshot()).image


@pytest.mark.parametrize(("seed", "start_m"), GOLDEN_DRIVES)
def test_the_picture_is_still_the_one_that_was_looked_at(seed: int, start_m: float) -> None:
    import pygame

    kept = pygame.surfarray.array3d(pygame.image.load(GOLDEN / f"country-{seed}.png")).swapaxes(0, 1).astype(int)
    difference = np.abs(golden(seed, start_m) - kept)
    assert difference.max() <= 2, (
        f"{(difference > 2).any(-1).sum()} pixels; if meant so, python tests/renderer/test_render.py"
    )


def test_however_many_threads_share_the_cars_the_frames_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    cars = LaneKeepingVectorEnv(21, camera="16x40")
    cars.reset(seed=4)
    monkeypatch.setattr("lanekeep_envs.renderer.renderer.LEAST_CARS", 1)
    pictures = []
    for cores in (1, 2, 5):
        monkeypatch.setattr("lanekeep_envs.renderer.renderer.CORES", cores)
        pictures.append(Renderer(cars.camera).images(cars._state))
    assert np.array_equal(pictures[0], pictures[1]) and np.array_equal(pictures[0], pictures[2])


if __name__ == "__main__":
    import pygame

    GOLDEN.mkdir(exist_ok=True)
    for seed, start_m in GOLDEN_DRIVES:
        picture = pygame.surfarray.make_surface(golden(seed, start_m).swapaxes(0, 1))
        pygame.image.save(picture, GOLDEN / f"country-{seed}.png")
