"""The list of elements: one row for each, complete, and small enough for the bits of `Frame.contributors`."""

import numpy as np
import pytest

from lanekeep.gallery.exhibits import SCENES
from lanekeep_envs import GROUPS, REMOVABLE, Element, Scenario
from lanekeep_envs.elements import CASTING, ELEMENT_OF_KIND
from lanekeep_envs.sampling.roadside import element_of
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
