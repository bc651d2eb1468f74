"""The list of elements: one row for each, complete, and small enough for the bits of `Frame.contributors`."""

import numpy as np
import pytest

from lanekeep.gallery.exhibits import SCENES
from lanekeep_envs import GROUPS, REMOVABLE, Element, Scenario, load_scenario
from lanekeep_envs.dynamics.road import project
from lanekeep_envs.elements import CASTING, ELEMENT_OF_KIND, HEDGE, Placement
from lanekeep_envs.sampling.episode import draw_road, empty_roads
from lanekeep_envs.sampling.roadside import element_of, scatter
from lanekeep_envs.scenario.schema import STRENGTHS


def test_every_element_has_one_row_with_a_group_a_family_and_a_scene_of_the_gallery() -> None:
    assert sorted(Element) == list(range(len(Element)))
    assert all(e.spec.group for e in Element)
    assert {e.spec.family for e in Element} == {"road", "informative roadside", "uninformative"}
    assert {e.spec.shown_by for e in Element} == set(SCENES)


def test_there_is_a_bit_for_every_element() -> None:
    assert len(Element) <= 8 * np.dtype(np.uint64).itemsize


def test_all_but_land_road_and_sky_can_be_removed_each_in_one_group() -> None:
    assert set(Element) - set(REMOVABLE) == {Element.SKY, Element.TERRAIN, Element.ROAD}
    assert sorted(element for group in GROUPS.values() for element in group) == list(REMOVABLE)


def test_a_kind_of_roadside_object_belongs_to_one_element() -> None:
    assert sorted(kind for e in Element for kind in e.spec.kinds) == list(range(len(ELEMENT_OF_KIND)))
    assert all(element_of(kind) == element for kind, element in ELEMENT_OF_KIND.items())
    assert {e for e in Element if e in CASTING} < {*ELEMENT_OF_KIND.values(), Element.CARS}


@pytest.mark.parametrize("element", Element, ids=lambda element: element.name)
def test_what_brings_an_element_is_a_key_of_the_scenario(element: Element) -> None:
    for path in element.spec.keys:
        table, _, key = path.partition(".")
        assert key in getattr(Scenario(description=""), table).__struct_fields__
        assert (table in STRENGTHS) == (key in element.spec.strengths)


@pytest.mark.parametrize("across", [False, True])
def test_a_placement_puts_as_many_objects_beside_or_over_the_road_as_the_scenario_says(across: bool) -> None:
    road, generator = empty_roads(load_scenario("country"), 1)[0], np.random.default_rng(3)
    draw_road(road, load_scenario("country"), generator)
    aside_m = (0.0, 0.0) if across else (8.0, 9.0)
    objects = scatter(road, Placement("any_per_km", HEDGE, aside_m, across, 16.0, 4.0, 6.0), (50.0, 50.0), generator)
    assert len(objects) == round(50.0 * (len(road) - 1) / 1000.0)
    for thing in objects:
        _, s, d = project(road, int(thing["s_m"]), thing["x"], thing["y"])
        assert s == pytest.approx(thing["s_m"], abs=0.05) and aside_m[0] - 0.01 <= abs(d) <= aside_m[1] + 0.01
        turn = thing["twist"] - np.interp(s, np.arange(len(road)), road["heading"])
        assert turn == pytest.approx(0.5 * np.pi if across else 0.0, abs=0.01)
    assert (
        scatter(road, Placement("any_per_km", HEDGE, aside_m, across, 1.0, 1.0, 1.0), (0.0, 0.0), generator).size == 0
    )
