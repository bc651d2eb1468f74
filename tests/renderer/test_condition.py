"""State of road and markings: what each condition covers, the law of removal, the mirror, and strength 0 is nothing."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from plain_python import plain_python
from renderer_laws import assert_mirror_image, break_of_the_law

from lanekeep_envs import Camera, Element, Frame, LaneKeepingEnv, Snapshot
from lanekeep_envs.elements import EVERYTHING
from lanekeep_envs.renderer.ground.conditions import LENGTHS, cover_sections, covered_share, fill_covered, sections_of
from lanekeep_envs.renderer.ground.scanline import SCANLINE
from lanekeep_envs.renderer.renderer import Renderer

CAMERA = Camera(height_px=33, width_px=100)
STRENGTHS = {
    Element.WEAR: ("worn", "missing"),
    Element.SEAMS: ("seams",),
    Element.GHOST_LINES: ("ghost_lines",),
    Element.ROADWORKS: ("roadworks",),
    Element.SNOW: ("snow",),
    Element.WATER: ("wet", "puddles"),
    Element.LEAVES: ("leaves",),
}
ALL = {name: 0.5 for names in STRENGTHS.values() for name in names}
MARKINGS = (Element.LEFT_MARKING, Element.CENTRE_MARKING, Element.RIGHT_MARKING)
RENDERER = Renderer(CAMERA)


def snapshot_of(seed: int, start_m: float) -> Snapshot:
    env = LaneKeepingEnv(camera="16x40")
    env.reset(seed=seed, options={"start_m": start_m})
    return env.snapshot()


def view(snapshot: Snapshot, visible: int = EVERYTHING, /, renderer: Renderer = RENDERER, **look: Any) -> Frame:
    """What the car sees with these numbers of the look."""
    state = snapshot.state.copied()
    for name, value in {"plain": False, **look}.items():
        state.appearances[name] = value
    return renderer.frame(state, visible)


@pytest.mark.parametrize(("seed", "start_m"), [(0, 150.0), (11, 480.0), (7, 620.0)])
def test_without_any_condition_the_ground_is_the_plain_one(seed: int, start_m: float) -> None:
    snapshot = snapshot_of(seed, start_m)
    one, other = view(snapshot), view(snapshot, plain=True)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_pixel_without_the_bit_of_a_condition_is_the_same_without_it(kind: int) -> None:
    changed = set()
    for seed in range(3):
        snapshot = snapshot_of(seed, 90.0 + 130.0 * seed)
        state = {**ALL, "surface_kind": kind, "night": 0.4 * seed}
        whole = view(snapshot, **state)
        assert whole.has(whole.elements).all()
        for element, names in STRENGTHS.items():
            without = view(snapshot, **{**state, **dict.fromkeys(names, 0.0)})
            assert not break_of_the_law(whole, without, [element])
            changed |= {element} if (without.image != whole.image).any() else set()
        for element in MARKINGS:
            without = view(snapshot, EVERYTHING & ~(1 << element), **state)
            assert not break_of_the_law(whole, without, [element])
    assert changed == set(STRENGTHS)


@pytest.mark.parametrize("renderer", [RENDERER, Renderer(Camera(height_px=40, width_px=555))])
@pytest.mark.parametrize("kind", [0, 1, 2])
def test_the_mirrored_world_is_the_mirror_image_exactly(
    kind: int, renderer: Renderer, mirrored: Callable[[Snapshot], Snapshot]
) -> None:
    for seed in range(4):
        snapshot = snapshot_of(seed, 60.0 + 210.0 * seed)
        state = {**ALL, "surface_kind": kind, "night": 0.5, "snow": 0.25 * seed}
        one = view(snapshot, renderer=renderer, **state)
        other = view(mirrored(snapshot), renderer=renderer, **state)
        assert_mirror_image(one, other)


def test_the_more_is_missing_or_worn_the_less_paint_is_left() -> None:
    snapshot = snapshot_of(12, 30.0)
    bare = view(snapshot, EVERYTHING & ~sum(1 << element for element in MARKINGS)).image.astype(int)
    for name in ("missing", "worn"):
        left = [np.abs(view(snapshot, **{name: x}).image - bare).sum() for x in (0.0, 0.3, 0.6, 1.0)]
        assert left[0] > left[1] > left[2] > left[3]
        assert left[3] < 0.25 * left[0]
    assert left[0] > 0 and np.array_equal(view(snapshot, missing=1.0).image, bare)


def test_snow_lies_on_the_land_before_it_lies_on_the_road() -> None:
    snapshot = snapshot_of(12, 30.0)
    plain = view(snapshot)
    near = (plain.depth_m < 25.0) & (plain.elements != Element.TREES)
    road, land = near & (plain.elements == Element.ROAD), near & (plain.elements == Element.TERRAIN)
    little, much = view(snapshot, snow=0.3), view(snapshot, snow=0.9)

    def gain(frame: Frame, where: np.ndarray) -> float:
        return float(frame.image[where].mean() - plain.image[where].mean())

    assert gain(little, land) > 25.0 and gain(little, road) < 3.0
    assert gain(much, land) > gain(little, land) and gain(much, road) > 25.0
    assert much.has(Element.SNOW)[near].mean() > little.has(Element.SNOW)[near].mean()


def test_each_condition_looks_like_itself() -> None:
    snapshot = snapshot_of(12, 30.0)
    plain = view(snapshot).image.astype(float)

    def shift(element: Element, **look: float) -> np.ndarray:
        frame = view(snapshot, **look)
        return (frame.image - plain)[frame.has(element)].mean(0)

    assert (shift(Element.SEAMS, seams=1.0) < -1.0).all()
    assert shift(Element.ROADWORKS, roadworks=1.0)[2] < shift(Element.ROADWORKS, roadworks=1.0)[0] - 10.0
    assert shift(Element.LEAVES, leaves=1.0)[0] > shift(Element.LEAVES, leaves=1.0)[2] + 2.0
    wet = view(snapshot, wet=1.0)
    near = (wet.depth_m < 8.0) & (wet.elements == Element.ROAD)
    assert (wet.image - plain)[near].mean() < -8.0


def test_headlights_show_the_markings_best() -> None:
    snapshot = snapshot_of(12, 30.0)
    night = view(snapshot, night=1.0, ambient=0.0, sunlight=0.0)
    near = (night.depth_m > 4.0) & (night.depth_m < 15.0)
    road, line = near & (night.elements == Element.ROAD), near & (night.elements == Element.RIGHT_MARKING)
    assert night.image[line].mean() > 2.0 * night.image[road].mean() > 20.0
    assert (
        night.image[(night.depth_m > 90.0) & np.isfinite(night.depth_m) & (night.elements == Element.ROAD)].max() < 90
    )


def test_lengths_are_covered_in_the_share_that_was_asked_for() -> None:
    table = np.zeros((3, LENGTHS))
    for share in (0.0, 0.1, 0.5, 1.0):
        covered = []
        for seed in range(100):
            cover_sections(table, 48.0, 12.0, share, 11, seed)
            sections = sections_of.py_func(table, 12.0, 48.0)
            parts = [covered_share.py_func(sections, 48.0 + s, 7.0) for s in np.arange(3.5, 270.0, 7.0)]
            assert min(parts) >= 0.0 and max(parts) <= 1.0
            covered.append(np.mean(parts))
        assert np.mean(covered) == pytest.approx(share, abs=0.03)


def test_a_row_within_one_length_is_covered_as_its_knots_are_one_by_one() -> None:
    generator, row = np.random.default_rng(4), SimpleNamespace(segment_px=16)
    table, scanline, there, kinds = np.zeros((3, LENGTHS)), np.zeros(1, SCANLINE)[0], np.zeros(16, np.float32), set()
    for share in (0.0, 0.3, 0.7, 1.0):
        for seed in range(60):
            s0, slope, size = (
                np.float64(1000.0 * generator.random()),
                2.0 * generator.random() - 1.0,
                6.0 * generator.random(),
            )
            cover_sections(table, s0, 12.0, share, 11, seed)
            sections = sections_of.py_func(table, 12.0, s0)
            scanline["knot_s"][:14] = 200.0 * generator.random() + slope * np.arange(14)
            scanline["knot_long"][:14] = 0.02 + size * generator.random(14)
            knots = zip(scanline["knot_s"][2:12].astype(float), scanline["knot_long"][2:12].astype(float), strict=True)
            one_by_one = [covered_share.py_func(sections, s0 + s, long) for s, long in knots]
            most = fill_covered.py_func(there, scanline, row, sections, False, 32, 176)
            assert there[2:12] == pytest.approx(np.float32(one_by_one), abs=1e-7)
            assert most == pytest.approx(max(one_by_one), abs=1e-7)
            fill_covered.py_func(there, scanline, row, sections, True, 32, 176)
            assert there[2:12] == pytest.approx(1.0 - np.array(one_by_one), abs=1e-7)
            kinds.add("all" if min(one_by_one) == 1.0 else "none" if most == 0.0 else "some")
    assert kinds == {"all", "none", "some"}


def bytes_seen() -> bytes:
    snapshot, renderer, seen = snapshot_of(3, 200.0), Renderer(CAMERA.resized(12, 32)), b""
    for kind in range(3):
        frame = view(snapshot, renderer=renderer, **ALL, surface_kind=kind, night=0.5)
        seen += b"".join(part.tobytes() for part in frame)
    return seen


def test_compiled_equals_python_byte_for_byte() -> None:
    plain = plain_python(bytes_seen)
    assert len(plain) == 3 * 12 * 32 * (3 + 1 + 8 + 4)
    assert plain == bytes_seen()
