"""The state of a world from a file: all that our own worlds have is taken, and what a kernel could not bear is refused."""

from typing import Any

import numpy as np
import pytest

from lanekeep_envs import BOUNDS, LaneKeepingEnv, check_state, scenario_names
from lanekeep_envs.world_state import WorldState


def state_of(scenario: str, seed: int = 1, steps: int = 3) -> WorldState:
    env = LaneKeepingEnv(scenario, observation="state")
    env.reset(seed=seed)
    for _ in range(steps):
        env.step(np.array([0.2], np.float32))
    return env.snapshot().state


@pytest.mark.parametrize("scenario", scenario_names())
def test_every_world_of_ours_is_within_the_bounds(scenario: str) -> None:
    for seed in range(4):
        check_state(state_of(scenario, seed))


def test_every_column_has_bounds() -> None:
    state = state_of("country")
    tables = {name: table for name, table in state._asdict().items() if table.dtype.names}
    assert tables.keys() == BOUNDS.keys()
    for name, table in tables.items():
        assert set(table.dtype.names or ()) == BOUNDS[name].keys()
        assert all(np.isfinite(bounds).all() and bounds[0] < bounds[1] for bounds in BOUNDS[name].values())


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in BOUNDS.items() for column in columns]
)
def test_a_number_beyond_is_refused_by_its_column(table: str, column: str) -> None:
    """Also one that is no number, in every table of a world that has all of them."""
    state = state_of("mixed", 1)
    records = getattr(state, table)
    if records.size == 0:
        pytest.skip("nobody else is on this road")
    kind, (low, high) = records.dtype[column].base.kind, BOUNDS[table][column]
    if kind == "b":
        return
    for value in (low - 1, high + 1, *((np.nan, np.inf, -1e300) if kind == "f" else (2**62, -(2**62)))):
        changed = state.copied()
        getattr(changed, table)[column].flat[0] = value
        with pytest.raises(ValueError, match=f"{column} in its table {table} must be from"):
            check_state(changed)


def bent(state: WorldState) -> Any:
    state.roads["y"][0, 50:] += 3.0


def stood_still(state: WorldState) -> Any:
    state.roads["x"][0, 40:] = state.roads["x"][0, 40]


def turned(state: WorldState) -> Any:
    state.roads["tangent_x"][0, 7] = 0.0


def at_the_last_row(state: WorldState) -> Any:
    state.cars["row"] = state.roads.shape[1] - 1


def off_the_road(state: WorldState) -> Any:
    state.cars["y"] += 150.0


@pytest.mark.parametrize("damage", [bent, stood_still, turned, at_the_last_row, off_the_road])
def test_a_road_that_is_none_or_a_car_on_none_is_refused(damage: Any) -> None:
    state = state_of("country")
    damage(state)
    with pytest.raises(ValueError, match="its road is not the course of its curvature|the car is o"):
        check_state(state)
