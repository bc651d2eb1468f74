"""What a picture is made from: one car's world, and which elements of it are left visible."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.elements import EVERYTHING, Element
from lanekeep_envs.world_state import WorldState


@dataclass
class Scene:
    """A copy of one car's world, for interventions to change."""

    state: WorldState  # N = 1
    visible: int = EVERYTHING  # bit e: element e

    @property
    def car(self) -> np.void:
        """The record of CAR_STATE, to be written to."""
        return self.state.cars[0]  # type: ignore[no-any-return]

    @property
    def appearance(self) -> np.void:
        """The record of APPEARANCE, to be written to."""
        return self.state.appearances[0]  # type: ignore[no-any-return]

    @property
    def road(self) -> NDArray[np.void]:
        """The road [M]."""
        return self.state.roads[0]  # type: ignore[no-any-return]

    @property
    def objects(self) -> NDArray[np.void]:
        """The roadside objects there are, sorted along the road."""
        return self.state.objects_of(0)

    @property
    def traffic(self) -> NDArray[np.void]:
        """The other cars [V]."""
        return self.state.traffic[0]  # type: ignore[no-any-return]

    def rows_of(self, element: Element) -> NDArray[np.int64]:
        """Return the rows of an element's objects, or of the other cars, in their order along the road."""
        if element is Element.CARS:
            return np.flatnonzero(self.traffic["lane"])
        return np.flatnonzero(np.isin(self.objects["kind"], element.spec.kinds))

    def row_of(self, element: Element, number: int) -> int:
        """Return the row of the `number`-th of them; ValueError if there is none."""
        rows, name = self.rows_of(element), element.name.lower()
        if not 0 <= number < len(rows):
            raise ValueError(f"there are {len(rows)} {name} on this road, numbered from 0, so none is {number}")
        return int(rows[number])
