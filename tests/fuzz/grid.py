"""Every number of a scenario and of a saved state at, near and far beyond its bounds, through all kernels.

    NUMBA_BOUNDSCHECK=1 python tests/fuzz/grid.py [--quick]

What is within is driven and drawn, and every index of every kernel is checked; what is beyond is refused.  Kernels that
read tables are called besides with numbers that no file can bring.  Prints how many points there were; a fault is raised.
"""

import itertools
import math
import sys
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.worlds import check_finite, drive

from lanekeep_envs import BOUNDS, LaneKeepingEnv, Scenario, ScenarioError, Snapshot, check_state, load_scenario
from lanekeep_envs.dynamics.road import MINIMUM_RADIUS_M, Profile, at, lay_out, project, whole_rows
from lanekeep_envs.sampling.roadside import element_of
from lanekeep_envs.scenario.loading import checked_scenario
from lanekeep_envs.scenario.schema import Table

CAMERA = "24x80"
FAR: tuple[float, ...] = (1e18, -1e18, 1e300, -1e300, math.inf, -math.inf, math.nan)
WHOLE: tuple[int, ...] = (2**63, -(2**63), 10**40, -(10**40))


def numbers(table: type[Table] = Scenario, section: str = "") -> list[tuple[str, str, Any, bool]]:
    """(section, key, type of its numbers, whether it is a range) for every number of a scenario."""
    found = []
    for key, hint in get_type_hints(table, include_extras=True).items():
        if isinstance(hint, type) and issubclass(hint, Table):
            found += numbers(hint, key)
            continue
        kind: Any = msgspec.inspect.type_info(hint)
        pair = isinstance(kind, msgspec.inspect.TupleType)
        kind = kind.item_types[0] if pair else kind
        if isinstance(kind, (msgspec.inspect.FloatType, msgspec.inspect.IntType)):
            found.append((section, key, kind, pair))
    return found


def with_number(base: Scenario, section: str, key: str, value: Any) -> dict[str, Any]:
    """A scenario as a table, one of whose numbers is another."""
    table: dict[str, Any] = msgspec.to_builtins(base)
    (table[section] if section else table)[key] = value
    return table


def scenarios(bases: tuple[str, ...]) -> int:
    """Drive on every scenario of the grid that is taken; return how many points there were."""
    points = 0
    for name, (section, key, kind, pair) in itertools.product(bases, numbers()):
        base, whole = load_scenario(name), isinstance(kind, msgspec.inspect.IntType)
        step = 1 if whole else 1e-6 * max(abs(kind.le), abs(kind.ge))
        for value in (kind.ge, kind.ge + step, kind.le - step, kind.le):
            given = [kind.ge, value] if pair and value != kind.ge else [value, value] if pair else value
            env = LaneKeepingEnv(checked_scenario(with_number(base, section, key, given), "the grid"), CAMERA)
            check_finite(env.reset(seed=points)[1])
            drive(env)
            points += 1
        for value in (kind.ge - step, kind.le + step, *(WHOLE if whole else FAR)):
            refused(with_number(base, section, key, [value, value] if pair else value), f"{section}.{key} = {value}")
            points += 1
    for speed in MINIMUM_RADIUS_M:
        table = with_number(load_scenario(bases[0]), "road", "design_speeds_kmh", [speed])
        env = LaneKeepingEnv(checked_scenario(table, "the grid"), CAMERA)
        env.reset(seed=speed)
        drive(env)
    return points


def refused(table: dict[str, Any], told: str) -> None:
    """Raise unless a scenario is refused."""
    try:
        checked_scenario(table, "the grid")
    except ScenarioError:
        return
    raise AssertionError(f"{told} was taken")


def states(bases: tuple[str, ...]) -> int:
    """Go on from every state of the grid that is taken; return how many points there were."""
    points = 0
    for name in bases:
        env = LaneKeepingEnv(name, CAMERA)
        env.reset(seed=1)
        drive(env)
        kept = env.snapshot()
        for table, columns in BOUNDS.items():
            for column, bounds in columns.items():
                for value in (*bounds, bounds[0] - 1, bounds[1] + 1, 2**62, -(2**62), *FAR):
                    points += state(env, kept, table, column, value)
    return points


def state(env: LaneKeepingEnv, kept: Snapshot, table: str, column: str, value: float) -> int:
    """Go on from a snapshot one of whose columns has another value, if that is taken."""
    snapshot = kept.forked(1)
    records = getattr(snapshot.state, table)[column]
    if records.size == 0 or (records.dtype.kind in "ib" and not abs(value) < 2**63):
        return 0
    records[...] = value
    try:
        check_state(snapshot.state)
    except ValueError:
        return 1
    env.restore(snapshot)
    drive(env)
    env.restore(kept)
    return 1


def kernels() -> int:
    """Call the kernels that read tables with numbers that no file can bring."""
    road, points = LaneKeepingEnv("country", CAMERA)._cars._state.roads[0].copy(), 0
    usual = Profile(20.0, 80.0, 320.0, 40.0, 200.0, 60.0, 0.4)
    for field, value in itertools.product(Profile._fields, (*FAR, -5.0, 0.0, 1e9)):
        lay_out(road, usual._replace(**{field: value}), np.full(120, 0.5), 1.0)
        points += 1
    lay_out(road, usual, np.full(600, 0.5), 1.0)
    for value in (*FAR, -5.0, 1e9):
        at(road["x"], value)
        assert 0 <= whole_rows(value, 100) <= 100
        for row in (-1, -(10**9), 10**9, len(road) - 1):
            project(road, row, value, 0.0)
            points += 1
    for kind in (-(10**9), -1, 99, 10**9):
        element_of(kind)
    return points


def main() -> None:
    """Run the grid, or a part of it."""
    bases = ("country",) if "--quick" in sys.argv else ("country", "mixed", "town", "sensor_noise")
    print(f"{kernels()} calls of kernels", flush=True)
    print(f"{scenarios(bases)} scenarios", flush=True)
    print(f"{states(bases)} states", flush=True)


if __name__ == "__main__":
    main()
