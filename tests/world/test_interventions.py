"""Interventions compose, touch nothing else, and do to the picture what they say."""

import msgspec
import numpy as np
import pytest

from lanekeep_envs import (
    Add,
    Camera,
    Contrast,
    Element,
    Frame,
    KeepOnly,
    LaneKeepingEnv,
    Recolour,
    Remove,
    SetStrength,
    Shift,
    Snapshot,
    load_scenario,
)
from lanekeep_envs.elements import REMOVABLE
from lanekeep_envs.interventions import Intervention
from lanekeep_envs.sampling.appearance import derive

MARKINGS = (Element.LEFT_MARKING, Element.CENTRE_MARKING, Element.RIGHT_MARKING)


def instant(seed: int = 3, start_m: float = 200.0, size: str = "66x200") -> tuple[LaneKeepingEnv, Snapshot]:
    env = LaneKeepingEnv(camera=size)
    env.reset(seed=seed, options={"start_m": start_m})
    return env, env.snapshot()


def changed(one: Frame, other: Frame) -> np.ndarray:
    return (one.image != other.image).any(-1)


def has(frame: Frame, element: Element) -> np.ndarray:
    return frame.has(element)


@pytest.mark.parametrize("element", [*MARKINGS, Element.ROAD, Element.TERRAIN, Element.TREES, Element.BUSHES])
@pytest.mark.parametrize("seed", range(3))
def test_another_colour_or_contrast_changes_pixels_of_the_element_and_no_other(element: Element, seed: int) -> None:
    env, snapshot = instant(seed, 150.0 + 200.0 * seed)
    whole = env.view(snapshot)
    for intervention in (Recolour(element, (250.0, 20.0, 200.0)), Contrast(element, 0.3), Contrast(element, 1.5)):
        other = env.view(snapshot, [intervention])
        assert not (changed(whole, other) & ~has(whole, element)).any()
        if (whole.elements == element).sum() > 20:
            assert changed(whole, other).any()
        assert np.array_equal(other.contributors, whole.contributors)


def test_contrast_one_is_nothing_and_contrast_zero_hides_a_marking_on_even_asphalt() -> None:
    env, snapshot = instant()
    for element in MARKINGS:
        assert not changed(env.view(snapshot), env.view(snapshot, [Contrast(element, 1.0)])).any()
        even = [Remove(Element.TEXTURE), Remove(Element.SHADOWS), Remove(Element.NOISE)]
        faint = env.view(snapshot, [*even, Contrast(element, 0.0)]).image.astype(int)
        bare = env.view(snapshot, [*even, Remove(element)]).image.astype(int)
        on_road = (env.view(snapshot).contributors & (1 << Element.TERRAIN)) == 0
        assert np.abs(faint - bare)[on_road].max() <= 6  # but for the tracks that wheels polish


@pytest.mark.parametrize("element", MARKINGS)
def test_a_shifted_marking_is_where_it_was_sent(element: Element) -> None:
    """Light that the marking adds: its centre moves by the shift, in pixels of the row."""
    env, snapshot = instant(size="96x320")
    whole, bare = env.view(snapshot), env.view(snapshot, [Remove(element)])
    gain = np.abs(whole.image.astype(float) - bare.image).sum(-1)
    near = (whole.depth_m[:, 0] > 7.0) & (whole.depth_m[:, 0] < 14.0)
    row = int(np.argmax(gain.sum(1) * near))  # where there is a dash

    def column(interventions: list[Intervention]) -> float:
        light = np.abs(env.view(snapshot, interventions).image.astype(float) - bare.image).sum(-1)[row]
        return float((light * np.arange(len(light))).sum() / light.sum())

    shift_m = -0.4 if element is Element.LEFT_MARKING else 0.4  # inwards, where all is asphalt
    moved = column([]) - column([Shift(element, shift_m)])
    assert moved == pytest.approx(shift_m * Camera.parse("96x320").focal_length_px / whole.depth_m[row, 0], rel=0.15)


@pytest.mark.parametrize("kind", ["asphalt", "concrete", "cobbles"])
def test_a_road_of_any_surface_gets_the_colour_asked_for_and_a_marking_may_have_its_colour(kind: str) -> None:
    table = load_scenario("country")
    surface = msgspec.structs.replace(table.surface, kinds=(kind,))
    env = LaneKeepingEnv(scenario=msgspec.structs.replace(table, surface=surface), camera="66x200")
    env.reset(seed=3, options={"start_m": 200.0})
    snapshot, even = env.snapshot(), [Remove(e) for e in (Element.TEXTURE, Element.SHADOWS, Element.NOISE)]
    whole = env.view(snapshot, even)
    road = (whole.contributors == 1 << Element.ROAD) & (whole.depth_m < 8.0)
    black = env.view(snapshot, [*even, Recolour(Element.ROAD, (0.0, 0.0, 0.0))]).image[road]
    assert road.sum() > 50 and black.max() <= 6  # but for the haze
    bright, pale = (env.view(snapshot, [*even, Recolour(Element.ROAD, (g, g, g))]).image[road] for g in (60.0, 120.0))
    assert bright.mean() == pytest.approx(0.5 * pale.mean(), rel=0.05)
    faint = env.view(snapshot, [*even, Contrast(Element.RIGHT_MARKING, 0.0)]).image.astype(int)
    bare = env.view(snapshot, [*even, Remove(Element.RIGHT_MARKING)]).image.astype(int)
    near = (whole.depth_m < 15.0) & (whole.contributors & 1 << Element.TERRAIN == 0)
    assert np.abs(faint - bare)[near].max() <= 12  # but for joints and the tracks that wheels polish


def test_shifts_add_up_and_back_is_where_it_was() -> None:
    env, snapshot = instant()
    one = env.view(snapshot, [Shift(Element.CENTRE_MARKING, 0.5)])
    two = env.view(snapshot, [Shift(Element.CENTRE_MARKING, 0.25), Shift(Element.CENTRE_MARKING, 0.25)])
    back = env.view(snapshot, [Shift(Element.CENTRE_MARKING, 0.5), Shift(Element.CENTRE_MARKING, -0.5)])
    assert not changed(one, two).any() and not changed(back, env.view(snapshot)).any()
    assert changed(one, back).any()


def test_things_shifted_are_as_far_along_the_road() -> None:
    env, snapshot = instant(5, 300.0)
    whole, moved = env.view(snapshot), env.view(snapshot, [Shift(Element.TREES, 6.0)])
    assert not (changed(whole, moved) & ~has(whole, Element.TREES) & ~has(moved, Element.TREES)).any()
    assert changed(whole, moved).any()


def test_only_what_is_kept_is_left() -> None:
    env, snapshot = instant(5, 300.0)
    kept = env.view(snapshot, [KeepOnly(MARKINGS)])
    same = env.view(snapshot, [Remove(element) for element in REMOVABLE if element not in MARKINGS])
    assert not changed(kept, same).any()
    allowed = sum(1 << element for element in (Element.SKY, Element.TERRAIN, Element.ROAD, *MARKINGS))
    assert not (kept.contributors & ~np.uint64(allowed)).any()


def test_one_tree_of_many_is_removed_and_all_of_them_one_by_one_are_all() -> None:
    env, snapshot = instant(5, 300.0)
    whole, none = env.view(snapshot), env.view(snapshot, [Remove(Element.TREES)])
    trees = int((snapshot.state.objects_of(0)["kind"] < 2).sum())
    seen = 0
    for number in range(trees):
        without = env.view(snapshot, [Remove(Element.TREES, number)])
        assert not (changed(whole, without) & ~has(whole, Element.TREES)).any()
        seen += bool(changed(whole, without).any())
    assert seen > 3
    one_by_one = env.view(snapshot, [Remove(Element.TREES, 0) for _ in range(trees)])
    assert not changed(one_by_one, none).any()
    with pytest.raises(ValueError, match=rf"there are {trees} trees on this road"):
        env.view(snapshot, [Remove(Element.TREES, trees)])


def test_what_is_not_there_is_removed_without_a_trace_from_a_land_of_another_colour() -> None:
    env, snapshot = instant(5, 300.0)
    other = Recolour(Element.TERRAIN, (220.0, 40.0, 40.0))
    whole, land = env.view(snapshot), env.view(snapshot, [other])
    assert has(whole, Element.HILLS).any() and not (changed(whole, land) & ~has(whole, Element.TERRAIN)).any()
    for element in (Element.SNOW, Element.FOG, Element.RAIN):
        assert not changed(land, env.view(snapshot, [other, Remove(element)])).any()
        assert not changed(land, env.view(snapshot, [Remove(element), other])).any()


@pytest.mark.parametrize("kind", ["broadleaf", "conifer", "bush", "post"])
def test_one_more_is_seen_where_it_was_put(kind: str) -> None:
    env, snapshot = instant(3, 200.0)
    element = {"bush": Element.BUSHES, "post": Element.POSTS}.get(kind, Element.TREES)
    whole = env.view(snapshot)
    more = env.view(snapshot, [Add(kind, 12.0, -5.5)])
    assert changed(whole, more).any() and not (changed(whole, more) & ~has(more, element)).any()
    assert 10.0 < more.depth_m[changed(whole, more) & (more.elements == element)].min() < 14.0
    gone = env.view(snapshot, [Add(kind, 12.0, -5.5), Remove(element)])
    assert not changed(gone, env.view(snapshot, [Remove(element)])).any()


def test_instants_of_episodes_with_more_and_fewer_other_cars_go_into_one_call() -> None:
    env = LaneKeepingEnv(scenario="town", camera="16x40")
    snapshots = []
    for seed in range(8):
        env.reset(seed=seed)
        snapshots.append(env.snapshot())
    assert len({snapshot.state.traffic.shape for snapshot in snapshots}) > 1
    batch = env.views(snapshots, [[], [Remove(Element.CARS)]])
    for images, snapshot in zip(batch, snapshots, strict=True):
        assert np.array_equal(images[0], env.view(snapshot).image)
        assert np.array_equal(images[1], env.view(snapshot, [Remove(Element.CARS)]).image)
    assert env.views([], [[]]).shape == (0, 1, 16, 40, 3)
    assert env.views(snapshots, []).shape == (8, 0, 16, 40, 3)


def test_many_variants_of_many_instants_are_the_views_one_by_one() -> None:
    env, first = instant(3, 200.0)
    env.reset(seed=8, options={"start_m": 500.0})
    variants: list[list[Intervention]] = [
        [],
        [Remove(Element.TREES)],
        [Remove(Element.RIGHT_MARKING), Shift(Element.CENTRE_MARKING, 0.3)],
        [Recolour(Element.ROAD, (60.0, 60.0, 60.0))],
    ]
    snapshots = [first, env.snapshot()]
    batch = env.views(snapshots, variants)
    assert batch.shape == (2, 4, 66, 200, 3)
    for i, snapshot in enumerate(snapshots):
        for v, interventions in enumerate(variants):
            assert np.array_equal(batch[i, v], env.view(snapshot, interventions).image)


@pytest.mark.parametrize(
    ("intervention", "sentence"),
    [
        (Remove(Element.SKY), "sky cannot be removed"),
        (Shift(Element.SKY, 1.0), "sky cannot be shifted"),
        (Recolour(Element.CLOUDS, (0.0, 0.0, 0.0)), "clouds has no colour of its own"),
        (Recolour(Element.ROAD, (0.0, 0.0, 300.0)), "a colour is three numbers from 0 to 255"),
        (Add("palm", 10.0, 5.0), "'palm' cannot be added"),
        (Remove(Element.TREES, -1), "numbered from 0"),
        (Remove("trees"), "not 'trees'"),  # type: ignore[arg-type]
        (KeepOnly(("trees",)), "not 'trees'"),  # type: ignore[arg-type]
        (Shift("trees", 1.0), "not 'trees'"),  # type: ignore[arg-type]
        (Recolour("trees", (0.0, 0.0, 0.0)), "not 'trees'"),  # type: ignore[arg-type]
        (Shift(Element.LEFT_MARKING, float("nan")), "a shift is finite, not nan"),
        (Shift(Element.TREES, float("inf")), "a shift is finite, not inf"),
        (Contrast(Element.ROAD, float("nan")), "a contrast is finite, not nan"),
        (Add("bush", float("nan"), 5.0), "a place is finite, not nan, 5.0"),
    ],
)
def test_what_makes_no_sense_is_refused(intervention: Intervention, sentence: str) -> None:
    env, snapshot = instant(size="16x40")
    with pytest.raises(ValueError, match=sentence):
        env.view(snapshot, [intervention])


@pytest.mark.parametrize("element", [Element.RAILS, Element.SIGNS, Element.TREES])
def test_shifting_what_is_not_there_is_nothing(element: Element) -> None:
    table = load_scenario("country")
    scenery = msgspec.structs.replace(table.scenery, trees_per_km=(0.0, 0.0))
    env = LaneKeepingEnv(scenario=msgspec.structs.replace(table, scenery=scenery), camera="16x40")
    env.reset(seed=3)
    assert not changed(env.view(env.snapshot()), env.view(env.snapshot(), [Shift(element, 1.0)])).any()


def test_a_view_changes_nothing_of_the_snapshot() -> None:
    env, snapshot = instant()
    before = env.view(snapshot)
    env.view(snapshot, [Shift(Element.TREES, 3.0), Recolour(Element.ROAD, (9.0, 9.0, 9.0)), Add("bush", 9.0, 6.0)])
    assert not changed(before, env.view(snapshot)).any()


def test_weather_is_removed_with_what_it_did_to_the_light() -> None:
    table = load_scenario("country")
    weather = msgspec.structs.replace(table.weather, fog=(0.8, 0.8))
    foggy = LaneKeepingEnv(scenario=msgspec.structs.replace(table, weather=weather))
    foggy.reset(seed=3, options={"start_m": 200.0})
    env, snapshot = instant(size="48x160")
    clear = foggy.view(foggy.snapshot(), [Remove(Element.FOG)])
    assert np.array_equal(clear.image, env.view(snapshot).image)
    assert changed(foggy.view(foggy.snapshot()), clear).mean() > 0.9


def test_a_strength_that_is_set_is_that_of_a_scenario_and_nothing_sets_nothing() -> None:
    env, snapshot = instant()
    for name in ("rain", "fog", "worn", "snow", "drops", "night"):
        assert np.array_equal(env.view(snapshot, [SetStrength(name, 0.0)]).image, env.view(snapshot).image)
        rich = LaneKeepingEnv(camera="66x200", scenario="mixed")
        twin = snapshot.forked(1)
        twin.state.appearances[name] = 0.6
        derive(twin.state.appearances[0])
        twin.state.appearances["plain"] = name in ("rain", "drops")
        assert np.array_equal(env.view(snapshot, [SetStrength(name, 0.6)]).image, rich.view(twin).image), name
        assert changed(env.view(snapshot), env.view(snapshot, [SetStrength(name, 0.6)])).mean() > 0.02, name


def test_one_car_of_several_is_removed() -> None:
    table = load_scenario("country")
    busy = msgspec.structs.replace(table.scenery, oncoming_per_km=(60.0, 60.0))
    env = LaneKeepingEnv(camera="66x200", scenario=msgspec.structs.replace(table, scenery=busy))
    env.reset(seed=4, options={"start_m": 200.0})
    snapshot = env.snapshot()
    number = int((snapshot.state.traffic["lane"][0] != 0).sum())
    whole, each = env.view(snapshot), [env.view(snapshot, [Remove(Element.CARS, k)]) for k in range(number)]
    assert number > 3 and 1 <= sum(changed(whole, one).any() for one in each) < number
    assert not any((changed(whole, one) & ~has(whole, Element.CARS)).any() for one in each)
    all_gone = env.view(snapshot, [Remove(Element.CARS, 0)] * number)
    assert np.array_equal(all_gone.image, env.view(snapshot, [Remove(Element.CARS)]).image)
    with pytest.raises(ValueError, match=f"there are {number} cars on this road"):
        env.view(snapshot, [Remove(Element.CARS, number)])
