"""The bridge: an element whose shadow lies across the road, and which is gone without a trace when it is removed."""

import msgspec
import numpy as np
import pytest

from lanekeep_envs import Element, LaneKeepingVectorEnv, Remove, Scenario, Snapshot, load_scenario, scenario_names
from lanekeep_envs.elements import BRIDGE


def with_bridges() -> Scenario:
    """A sunny country road with eight bridges to the kilometre."""
    country = load_scenario("country")
    scenery = msgspec.structs.replace(country.scenery, bridges_per_km=(8.0, 8.0))
    sunny = msgspec.structs.replace(country.look, sunshine=(1.0, 1.0), sun_elevation_deg=(40.0, 60.0))
    return msgspec.structs.replace(country, scenery=scenery, look=sunny)


def before_a_bridge(seed: int, distance_m: float) -> tuple[LaneKeepingVectorEnv, Snapshot]:
    """A car that stands so far before the first bridge that leaves it room."""
    env = LaneKeepingVectorEnv(1, with_bridges(), "66x200", autoreset_mode="Disabled")
    env.reset(seed=[seed])
    objects = env.snapshot().state.objects[0]
    places = np.sort(objects["s_m"][objects["kind"] == BRIDGE])
    env.reset(seed=[seed], options={"start_m": [float(places[places > distance_m][0]) - distance_m]})
    return env, env.snapshot()


def test_no_shipped_scenario_has_bridges() -> None:
    assert all(load_scenario(name).scenery.bridges_per_km == (0.0, 0.0) for name in scenario_names())


@pytest.mark.parametrize("seed", range(4))
def test_a_removed_bridge_changes_no_pixel_without_its_bit(seed: int) -> None:
    env, snapshot = before_a_bridge(seed, 30.0)
    whole, bare = env.view(snapshot), env.view(snapshot, [Remove(Element.BRIDGES)])
    changed = (whole.image != bare.image).any(-1)
    assert changed.any() and not (changed & ~whole.has(Element.BRIDGES)).any()
    assert not bare.has(Element.BRIDGES).any()


@pytest.mark.parametrize("seed", range(4))
def test_the_deck_throws_its_bar_of_shadow_on_the_road_and_none_where_the_sun_reaches_below_it(seed: int) -> None:
    env, snapshot = before_a_bridge(seed, 30.0)
    without_shadows = env.view(snapshot, [Remove(Element.SHADOWS)])
    whole = env.view(snapshot)
    cast = whole.has(Element.BRIDGES) & ~without_shadows.has(Element.BRIDGES)  # the bridge itself is seen elsewhere
    road = cast & (whole.elements == Element.ROAD)
    darker = whole.image.sum(-1, dtype=int) < without_shadows.image.sum(-1, dtype=int)
    assert road.any() and darker[road].mean() > 0.7


def test_under_the_deck_the_road_goes_on() -> None:
    env, snapshot = before_a_bridge(1, 30.0)
    seen = env.view(snapshot)
    bridge = seen.elements == Element.BRIDGES
    assert bridge.any() and ((seen.elements == Element.ROAD) & (seen.depth_m > 40.0)).any()
