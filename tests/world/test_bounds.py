"""Every number of a scenario has both bounds, and no number beyond them reaches a kernel, whichever way it comes."""

import math
from typing import Any, get_type_hints

import msgspec
import numpy as np
import pytest

from lanekeep_envs import Camera, LaneKeepingEnv, Scenario, ScenarioError, load_scenario, read_scenario, scenario_names
from lanekeep_envs.dynamics.road import ROAD, Profile, at, lay_out, project, write_bend
from lanekeep_envs.scenario.schema import Table

USUAL = Profile(20.0, 80.0, 320.0, 40.0, 200.0, 60.0, 0.4)
NUMBER = (msgspec.inspect.FloatType, msgspec.inspect.IntType)


def numbers(table: type[Table] = Scenario, path: str = "") -> list[tuple[str, str, Any]]:
    """(table, key, type of its numbers) for every number of the format."""
    found = []
    for key, hint in get_type_hints(table, include_extras=True).items():
        if isinstance(hint, type) and issubclass(hint, Table):
            found += numbers(hint, key)
            continue
        kind = msgspec.inspect.type_info(hint)
        kind = kind.item_types[0] if isinstance(kind, msgspec.inspect.TupleType) else kind
        if isinstance(kind, NUMBER):
            found.append((path, key, kind))
    return found


def text(path: str, key: str, value: str) -> bytes:
    head = f"[{path}]\n" if path else ""
    pair = isinstance(
        getattr(getattr(Scenario(description=""), path) if path else Scenario(description=""), key), tuple
    )
    return f'description = "x"\n{head}{key} = {f"[{value}, {value}]" if pair else value}\n'.encode()


@pytest.mark.parametrize(("path", "key", "kind"), [row for row in numbers() if row[1] != "design_speeds_kmh"])
def test_both_bounds_are_declared_and_held(path: str, key: str, kind: Any) -> None:
    assert math.isfinite(kind.ge) and math.isfinite(kind.le)
    whole = isinstance(kind, msgspec.inspect.IntType)
    for bound in (kind.ge, kind.le):
        read_scenario(text(path, key, repr(bound)), "mine.toml", "mine")
    for value in (kind.ge - 1, kind.le + 1, *((10**30, -(10**30)) if whole else (1e300, -1e300, math.inf, math.nan))):
        with pytest.raises(ScenarioError, match=rf"mine\.toml: .*{key}.*\(from .* to .*\)"):
            read_scenario(text(path, key, repr(value)), "mine.toml", "mine")


@pytest.mark.parametrize(
    "road", [{"straight_m": (1e300, 1e300)}, {"radius_factor": 1e300}, {"straight_m": (-50.0, math.nan)}]
)
def test_a_road_that_would_be_written_beyond_its_table_is_refused(road: dict[str, Any]) -> None:
    made = msgspec.structs.replace(Scenario(description="").road, **road)
    with pytest.raises(ScenarioError, match=f"{next(iter(road))}"):
        LaneKeepingEnv(Scenario(description="", road=made), observation="state")


def test_all_that_is_shipped_is_taken_as_it_is() -> None:
    for name in scenario_names():
        assert load_scenario(load_scenario(name)) == load_scenario(name)


@pytest.mark.parametrize("number", [1e300, -1e300, math.inf, math.nan, 1e18, -5.0])
def test_the_kernels_of_the_road_stay_within_their_tables(number: float) -> None:
    """The table lies within a larger one, whose other rows must not change."""
    around = np.zeros(300, ROAD)
    road = around[100:200]
    for field in range(2, 7):
        profile = Profile(
            *(number if k == field else usual for k, usual in enumerate((20.0, 80.0, 320.0, 40.0, 200.0, 60.0, 0.4)))
        )
        lay_out(road, profile, np.full(120, 0.5), 1.0)
    curvature = np.zeros(300)
    for start in (-40, -(10**9), 10**9):
        write_bend(curvature[100:200], start, 0.01, 20, 20)
    assert not np.any(curvature[:100]) and not np.any(curvature[200:])
    assert all(not np.any(around[name][part]) for name in ROAD.names for part in (slice(100), slice(200, None)))
    lay_out(road, USUAL, np.full(120, 0.5), 1.0)
    at(road["x"], number)
    for row in (-1, -(10**9), 99, 10**9):
        assert 0 <= project(road, row, 3.0, 1.0)[0] < 99


CAMERAS: list[dict[str, Any]] = [
    {"height_px": 48.5},
    {"width_px": "160"},
    {"height_px": True},
    {"pitch_deg": math.nan},
    {"mount_height_m": 1e300},
    {"horizontal_fov_deg": "60"},
    {"width_px": 10**9},
]


@pytest.mark.parametrize("change", CAMERAS)
def test_a_camera_that_cannot_be_is_refused_by_field(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(change))}|rows and columns"):
        Camera(**change)
