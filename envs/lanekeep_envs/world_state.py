"""The state of N cars and of the worlds around them: all that pictures and steps are functions of.

Letters: N cars, M metres of road, K roadside objects, V other vehicles.  Every array has [N] first, so that a part of
the cars is a part of each array.  A new fact about the world is a new array here, or a field of the records in one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.dynamics.control_step import CAR_STATE, EPISODE
from lanekeep_envs.sampling.appearance import APPEARANCE
from lanekeep_envs.sampling.episode import empty_roads
from lanekeep_envs.sampling.roadside import OBJECT
from lanekeep_envs.sampling.traffic import OTHER_CAR
from lanekeep_envs.scenario.schema import Scenario

SPARE_OBJECTS = 64  # room for more than an episode has, so that few episodes need a larger table


class WorldState(NamedTuple):
    """The world of N cars, as tables of records."""

    cars: NDArray[np.void]  # [N] of CAR_STATE
    episodes: NDArray[np.void]  # [N] of EPISODE
    roads: NDArray[np.void]  # [N, M] of ROAD
    appearances: NDArray[np.void]  # [N] of APPEARANCE
    objects: NDArray[np.void]  # [N, K] of OBJECT, sorted along the road
    object_counts: NDArray[np.int64]  # [N] how many of the K there are
    traffic: NDArray[np.void]  # [N, V] of OTHER_CAR
    resting: NDArray[np.bool_]  # [N] whether a car's episode is over, so that no step moves it

    def take(self, rows: slice | Sequence[int] | NDArray[Any]) -> "WorldState":
        """Return the state of some cars: a view for a slice, otherwise a copy."""
        return WorldState._make(table[rows] for table in self)

    def row(self, car: int) -> "WorldState":
        """Return a view of one car's world, N = 1."""
        return self.take(slice(car, car + 1 or None))

    def copied(self) -> "WorldState":
        """Return a copy that shares no memory."""
        return WorldState._make(as_bytes(table).copy().view(table.dtype) for table in self)

    def objects_of(self, car: int) -> NDArray[np.void]:
        """Return a view of the objects beside one car's road."""
        return self.objects[car, : self.object_counts[car]]

    def with_objects(self, car: int, objects: NDArray[np.void]) -> "WorldState":
        """Write the objects of one car; return the state, whose table has grown if it was too short."""
        state = self._replace(objects=widened(self.objects, len(objects), SPARE_OBJECTS))
        as_bytes(state.objects)[car, : len(objects)] = as_bytes(objects)
        state.object_counts[car] = len(objects)
        return state

    def with_traffic(self, car: int, vehicles: NDArray[np.void]) -> "WorldState":
        """Write the other vehicles of one car; return the state, whose table has grown if it was too short."""
        state = self._replace(traffic=widened(self.traffic, len(vehicles), 0))
        state.traffic[car] = np.zeros((), OTHER_CAR)
        state.traffic[car, : len(vehicles)] = vehicles
        return state


def empty_state(scenario: Scenario, number: int) -> WorldState:
    """Return the state of cars whose episodes have not begun."""
    return WorldState(
        np.zeros(number, CAR_STATE),
        np.zeros(number, EPISODE),
        empty_roads(scenario, number),
        np.zeros(number, APPEARANCE),
        np.zeros((number, 1), OBJECT),
        np.zeros(number, np.int64),
        np.zeros((number, 0), OTHER_CAR),
        np.ones(number, np.bool_),
    )


def joined(states: Sequence[WorldState]) -> WorldState:
    """Return the cars of several states as one; tables that are shorter than others end with records of zeros."""
    return WorldState._make(map(joined_tables, zip(*states, strict=True)))


def joined_tables(tables: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return tables [N] or [N, K] one after the other, as wide as the widest."""
    shape = (sum(map(len, tables)), *(max(table.shape[1] for table in tables) for _ in tables[0].shape[1:]))
    together, row = np.zeros(shape, tables[0].dtype), 0
    for table in tables:
        as_bytes(together)[(slice(row, row + len(table)), *map(slice, table.shape[1:]))] = as_bytes(table)
        row += len(table)
    return together


def widened(table: NDArray[np.void], width: int, spare: int) -> NDArray[np.void]:
    """Return a table [N, K] that is at least `width` wide: itself, or a larger copy with `spare` columns more."""
    if width <= table.shape[1]:
        return table
    wider = np.zeros((len(table), width + spare), table.dtype)
    wider[:, : table.shape[1]] = table
    return wider


def as_bytes(table: NDArray[Any]) -> NDArray[Any]:
    """Return a view of a table whose records are plain bytes, which numpy copies ten times faster."""
    return table.view(np.dtype((np.void, table.dtype.itemsize)))
