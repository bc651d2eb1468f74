"""What people put beside and on the road: it can be taken away, has a mirror image, and drives as its record says."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from plain_python import plain_python
from renderer_laws import assert_mirror_image, break_of_the_law

from lanekeep_envs import Camera, Element, LaneKeepingEnv, Remove, Scenario, Snapshot, load_scenario
from lanekeep_envs.elements import BUILDING, HEDGE, POST, RAIL, SIGN
from lanekeep_envs.renderer.renderer import Renderer
from lanekeep_envs.sampling.roadside import element_of
from lanekeep_envs.sampling.traffic import LEAST_GAP_M, place_of

SIZE = "48x160"
BUILT = (Element.HEDGES, Element.RAILS, Element.SIGNS, Element.BUILDINGS, Element.CARS)
FULL = {
    "avenue": (0.4, 0.4),
    "hedges": (0.5, 0.5),
    "rails": (0.5, 0.5),
    "signs_per_km": (25.0, 25.0),
    "buildings_per_km": (30.0, 30.0),
    "oncoming_per_km": (25.0, 25.0),
    "car_ahead": 1.0,
}


def scenario(night: float = 0.0, **scenery: object) -> Scenario:
    country = load_scenario("country")
    return msgspec.structs.replace(
        country,
        scenery=msgspec.structs.replace(country.scenery, **scenery),
        look=msgspec.structs.replace(country.look, sunshine=(0.8, 0.8)),
        weather=msgspec.structs.replace(country.weather, night=(night, night)),
    )


def put(seed: int, start_m: float, night: float = 0.0) -> tuple[LaneKeepingEnv, Snapshot]:
    env = LaneKeepingEnv(scenario=scenario(night, **FULL), camera=SIZE)
    env.reset(seed=seed, options={"start_m": start_m})
    return env, env.snapshot()


@pytest.mark.parametrize("night", [0.0, 1.0])
def test_removing_one_changes_only_pixels_that_it_has_a_share_in(night: float) -> None:
    seen: set[Element] = set()
    for seed in range(8):
        env, snapshot = put(seed, 60.0 + 110.0 * seed, night)
        whole = env.view(snapshot)
        assert whole.has(whole.elements).all() and (whole.depth_m > 0.0).all()
        for element in (*BUILT, Element.SHADOWS, Element.TREES, Element.POSTS):
            without = env.view(snapshot, [Remove(element)])
            assert not break_of_the_law(whole, without, [element])
            changed = (without.image != whole.image).any(-1)
            if changed.sum() > 12:
                idle = 0.3 if night == 0.0 else 0.1  # much of what is there is too dark to tell
                assert changed.sum() > idle * whole.has(element).sum(), element.name
                seen.add(element)
    assert seen >= set(BUILT)


@pytest.mark.parametrize("night", [0.0, 1.0])
def test_the_mirrored_world_looks_like_the_mirror_image_exactly(
    night: float, mirrored: Callable[[Snapshot], Snapshot]
) -> None:
    for seed in range(16):
        env, snapshot = put(seed, 50.0 + (90.0 * seed) % 900.0, night)
        one, other = env.view(snapshot), env.view(mirrored(snapshot))
        assert_mirror_image(one, other)
        assert np.array_equal(other.depth_m, one.depth_m[:, ::-1])


def test_cars_in_the_bends_of_a_town_mirror_exactly(mirrored: Callable[[Snapshot], Snapshot]) -> None:
    town = load_scenario("town")
    fair = {
        name: msgspec.structs.replace(getattr(town, name), presence=0.0) for name in ("weather", "surface", "sensor")
    }
    env, cars = LaneKeepingEnv(msgspec.structs.replace(town, **fair), camera="66x200"), 0
    for seed in range(40):
        env.reset(seed=seed, options={"start_m": 50.0 + (90.0 * seed) % 900.0})
        snapshot = env.snapshot()
        one, other = env.view(snapshot), env.view(mirrored(snapshot))
        assert np.array_equal(other.image, one.image[:, ::-1])
        cars += (one.elements == Element.CARS).any()
    assert cars > 20


def bytes_seen() -> bytes:
    env, snapshot = put(4, 200.0, 0.6)
    return b"".join(part.tobytes() for part in env.view(snapshot, camera=Camera(height_px=12, width_px=32)))


def test_compiled_equals_python_byte_for_byte() -> None:
    plain = plain_python(bytes_seen)
    assert len(plain) == 12 * 32 * (3 + 1 + 8 + 4) and plain == bytes_seen()


def test_a_scenario_without_them_draws_the_same_trees_and_no_more() -> None:
    plain, full = LaneKeepingEnv(camera="16x40"), LaneKeepingEnv(scenario=scenario(**FULL), camera="16x40")
    for seed in range(3):
        plain.reset(seed=seed)
        full.reset(seed=seed)
        bare, rich = plain.snapshot(), full.snapshot()
        assert (bare.state.objects_of(0)["kind"] <= POST).all() and bare.state.traffic.shape == (1, 0)
        assert set(rich.state.objects_of(0)["kind"]) >= {HEDGE, RAIL, SIGN, BUILDING}
        assert np.isin(bare.state.objects_of(0)["x"], rich.state.objects_of(0)["x"]).all()
        assert bare.state.cars.tobytes() == rich.state.cars.tobytes()


@pytest.mark.parametrize(("key", "kind"), [("hedges", HEDGE), ("rails", RAIL)])
def test_hedges_and_rails_take_the_share_of_the_roadside_that_was_asked_for(key: str, kind: int) -> None:
    shares = []
    for share in (0.0, 0.4, 1.0):
        env = LaneKeepingEnv(scenario=scenario(**{key: (share, share)}), camera="16x40")
        metres = 0.0
        for seed in range(6):
            env.reset(seed=seed)
            objects = env.snapshot().state.objects_of(0)
            metres += objects["length_m"][objects["kind"] == kind].sum()
        shares.append(metres / 6 / (2.0 * env.snapshot().state.roads.shape[1]))
    assert shares == pytest.approx([0.0, 0.4, 1.0], abs=0.12)


def test_every_kind_belongs_to_its_element() -> None:
    kinds = (HEDGE, RAIL, SIGN, BUILDING)
    assert [element_of(kind) for kind in kinds] == [int(e) for e in BUILT[:4]]


def test_oncoming_cars_come_towards_us_in_their_lane_and_the_one_ahead_keeps_its_distance() -> None:
    env, snapshot = put(3, 300.0)
    road, traffic, lane_m = snapshot.state.roads[0], snapshot.state.traffic[0], 3.5
    oncoming, ahead = traffic[traffic["lane"] == 1], traffic[traffic["lane"] == -1]
    assert len(oncoming) > 10 and len(ahead) == 1
    assert np.diff(oncoming["start_m"]).min() >= LEAST_GAP_M - 1e-9 and len(set(oncoming["speed_mps"])) == 1
    s0, s1 = (place_of(oncoming[5], steps, 0.0, road, lane_m)[0] for steps in (0, 20))
    assert s0 - s1 == pytest.approx(oncoming[5]["speed_mps"])
    for steps in range(0, 400, 25):
        gap = place_of(ahead[0], steps, 100.0, road, lane_m)[0] - 100.0
        assert 24.0 < gap < 45.0
    s, x, y, ahead_x, ahead_y = place_of(oncoming[5], 0, 0.0, road, lane_m)
    row = road[int(s)]
    assert ahead_x * row["tangent_x"] + ahead_y * row["tangent_y"] == pytest.approx(-1.0, abs=1e-3)
    left = (y - row["y"]) * row["tangent_x"] - (x - row["x"]) * row["tangent_y"]
    assert left == pytest.approx(0.5 * lane_m, abs=0.05)  # left of the axis
    assert env.restore(snapshot).tobytes() == env.view(snapshot).image.tobytes()


def test_lamps_signs_and_posts_shine_at_night() -> None:
    """The very same world under a dark sky: these are brighter for it."""
    for element in (Element.SIGNS, Element.POSTS, Element.CARS):
        gain = 0.0
        for seed in range(8):
            env, snapshot = put(seed, 60.0 + 110.0 * seed)
            dark = snapshot.state.appearances[0]
            for name in dark.dtype.names:
                if name.startswith(("ambient", "sunlight", "horizon", "zenith", "cloud_")):
                    dark[name] *= 0.03
            seen = []
            for night in (0.0, 1.0):
                dark["night"] = night
                renderer = Renderer(Camera.parse(SIZE))
                frame = renderer.frame(snapshot.state)
                seen.append(frame.image[frame.has(element)].astype(float).max(initial=0.0))
            gain += seen[1] - seen[0]
        assert gain / 8 > 40.0, element.name


def test_no_car_reaches_beside_itself_at_the_height_of_the_eye() -> None:
    """A roof seen from its edge is a sliver, whose long sides must not go on across the picture."""
    country, camera = load_scenario("country"), Camera.parse("66x200")
    scenario = msgspec.structs.replace(
        country,
        look=msgspec.structs.replace(country.look, sunshine=(0.0, 0.0)),  # no shadows
        scenery=msgspec.structs.replace(country.scenery, car_ahead=1.0, oncoming_per_km=(40.0, 40.0)),
    )
    env = LaneKeepingEnv(scenario=scenario, camera=camera)
    for seed in range(6):
        env.reset(seed=seed, options={"start_m": 100.0})
        snapshot = env.snapshot()
        car, road = snapshot.state.cars[0], snapshot.state.roads[0]
        cos, sin, own = np.cos(car["yaw"]), np.sin(car["yaw"]), np.zeros(camera.width_px, np.bool_)
        for vehicle in snapshot.state.traffic[0]:
            _, x, y, *_ = place_of(vehicle, car["steps"], car["distance_m"], road, country.lane.lane_width_m)
            ahead, left = cos * (x - car["x"]) + sin * (y - car["y"]), cos * (y - car["y"]) - sin * (x - car["x"])
            if -1.0 < ahead < 220.0:  # 2.6 m: half its length, and a turned car's corner
                aside = [(left + side) / max(ahead + end, 1.0) for side in (-1.3, 1.3) for end in (-2.6, 2.6)]
                columns = 99.5 - camera.focal_length_px * np.array(aside)
                own[max(int(columns.min()) - 4, 0) : max(int(columns.max()) + 6, 0)] = True
        seen = env.view(snapshot).has(Element.CARS)
        assert seen.any() and not (seen & ~own).any()
