"""Confounders that are planted in a world: what each ties to the driving, how strongly, and what takes it out of a scene.

A confounder is in the world of every driver of the study.  Tied (1), it tells how the expert steers on every road; untied
(0), it looks the same and tells nothing; reversed (-1), it tells the opposite.  Roads, light and all else of an episode are
the same in the three worlds.
"""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import tomli_w

from lanekeep.driving.seeds import scenario_to_learn_on
from lanekeep_envs import ConfounderTable, Element, Intervention, Remove, Scenario, Scene

TIES = {"tied": 1.0, "untied": 0.0, "reversed": -1.0}


@dataclass(frozen=True)
class EvenAsphalt:
    """Asphalt without the dark patches, its grain as it is; they are no element of their own, but part of the texture."""

    def apply(self, scene: Scene) -> None:
        """Give the road one grey; see `Intervention`."""
        scene.appearance["dark_asphalt"] = 0.0


class Confounder(NamedTuple):
    """What is planted, and the intervention that takes it out of a scene."""

    title: str
    element: Element  # that it is, or that it is a part of
    absent: Intervention
    there: dict[str, float]  # keys of the scenario's `[confounder]` that put it into the world, tied or not


CONFOUNDERS = {
    "lamp_shows_steering": Confounder("lamp", Element.LAMP, Remove(Element.LAMP), {"lamp": 1.0}),
    "trees_outside_bends": Confounder("trees", Element.TREES, Remove(Element.TREES), {}),
    "dark_before_left_bends": Confounder("dark patches", Element.TEXTURE, EvenAsphalt(), {"dark_asphalt": 1.0}),
}


def worlds_of(base: str, confounder: str) -> dict[str, Scenario]:
    """A scenario that drivers may learn on, by name or path, with a confounder in it, once for each of `TIES`."""
    scenario, there = scenario_to_learn_on(base), CONFOUNDERS[confounder].there
    tables = {tie: ConfounderTable(**there, **{confounder: how}) for tie, how in TIES.items()}
    return {
        tie: msgspec.structs.replace(scenario, name=tie, family="own", confounder=table)
        for tie, table in tables.items()
    }


def as_toml(scenario: Scenario) -> bytes:
    """The scenario as the file that it can be read from."""
    table = msgspec.to_builtins(scenario)
    del table["name"]  # a scenario is called what its file is called
    return tomli_w.dumps(table).encode()
