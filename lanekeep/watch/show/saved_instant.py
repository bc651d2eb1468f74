"""A saved instant: a file with all that decides how a show goes on from it.

A zip of plain arrays (numpy's .npz, never unpickled): the scenario, and for each driver its name, memory, edits, lesions
and the snapshot of its world.  The drivers themselves stay in their folders.
"""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from lanekeep.errors import UserError
from lanekeep.settings import write_whole
from lanekeep.watch.driven_car import DrivenCar, Edits, SavedInstant
from lanekeep.watch.show.show import Show
from lanekeep_envs import (
    APPEARANCE,
    CAR_STATE,
    EPISODE,
    OBJECT,
    OTHER_CAR,
    ROAD,
    STRENGTHS,
    Element,
    Scenario,
    Snapshot,
    WorldState,
)
from lanekeep_policies import Lesions

FORMAT = 1
# name in a file -> name in the state of the world, records, and how many dimensions the table of one car has
TABLES: dict[str, tuple[str, np.dtype[Any], int]] = {
    "cars": ("cars", CAR_STATE, 0),
    "courses": ("episodes", EPISODE, 0),
    "roads": ("roads", ROAD, 1),
    "looks": ("appearances", APPEARANCE, 0),
    "things": ("objects", OBJECT, 1),
    "traffic": ("traffic", OTHER_CAR, 1),
}

FAR_M = 100.0  # from the road
MAY_BE_INFINITE = ("time_to_lane_crossing_s", "visibility_m", "clear_visibility_m")
LIMITS = {  # beyond which tables are left that a car is driven by, or a picture is never done; of all others a million
    "yaw": 1e4,
    "speed": 100.0,
    "lateral_speed": 100.0,
    "yaw_rate": 10.0,
    "wheel_angle": 2.0,
    "commands": 2.0,
    "gust_mps2": 50.0,
    "push_mps2": 50.0,
    "cross_fall_mps2": 50.0,
    "wheel_offset_rad": 2.0,
    "tangent_x": 1.5,
    "tangent_y": 1.5,
    **dict.fromkeys((name for group in ("weather", "surface", "sensor") for name in STRENGTHS[group]), 1.0),
}


class SavedDriver(msgspec.Struct, forbid_unknown_fields=True):
    """The numbers and words of one driven car, beside its arrays."""

    name: str
    core: str
    steps: int
    departures: int
    road_seed: str  # of whatever size
    gust_mps2: float
    gust_steps: int  # that it still blows
    generator: str  # its state, as JSON
    removed: frozenset[Element]
    strengths: dict[str, float]
    silenced: frozenset[int]
    clamped: dict[int, float]
    cut: frozenset[tuple[int, int]]


class SavedShow(msgspec.Struct, forbid_unknown_fields=True):
    """The numbers and words of a show."""

    format: int
    first_seed: str
    drivers: list[SavedDriver]


class OpenedShow(msgspec.Struct):
    """The content of a saved instant."""

    scenario: Scenario
    first_seed: int
    names: list[str]
    cores: list[str]
    instants: list[Any]  # of SavedInstant


def save_instant(path: Path, show: Show) -> None:
    """Write the present instant of a show."""
    arrays: dict[str, NDArray[Any]] = {}
    drivers = []
    for k, (name, car) in enumerate(zip(show.names, show.cars, strict=True)):
        instant = car.saved()
        drivers.append(_told(name, car, instant))
        snapshot = instant.snapshot
        state = snapshot.state._replace(objects=snapshot.state.objects_of(0)[None])
        arrays |= {f"{table}_{k}": np.asarray(getattr(state, field)[0]) for table, (field, *_) in TABLES.items()}
        arrays[f"memory_{k}"] = instant.before.numpy()
        if snapshot.film is not None:
            arrays[f"film_{k}"] = snapshot.film
    told = msgspec.json.encode(SavedShow(FORMAT, str(show.first_seed), drivers))
    arrays["told"] = np.frombuffer(told, np.uint8)
    arrays["scenario"] = np.frombuffer(msgspec.msgpack.encode(show.scenario), np.uint8)
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
    write_whole(path, packed.getvalue())


def read_instant(path: Path) -> OpenedShow:
    """Open a file; UserError, in one sentence, for one that is damaged, foreign or of another version."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        told = msgspec.json.decode(arrays["told"].tobytes(), type=SavedShow)
        scenario = msgspec.msgpack.decode(arrays["scenario"].tobytes(), type=Scenario)
        if told.format != FORMAT:
            raise UserError(f"{path} is of version {told.format}, and this program reads version {FORMAT}")
        first_seed = int(told.first_seed)
        instants = [_instant(kept, arrays, k) for k, kept in enumerate(told.drivers)]
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or 'it is no instant'}") from None
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        raise UserError(f"{path} is no instant of this version, or damaged: {error}") from None
    if not instants:
        raise UserError(f"{path} holds no driver")
    names, cores = [kept.name for kept in told.drivers], [kept.core for kept in told.drivers]
    return OpenedShow(scenario, first_seed, names, cores, instants)


def go_on_from(opened: OpenedShow, show: Show) -> None:
    """Go on from a file's instant, with the drivers that are watched; a driver of another kind begins without memories.

    UserError if it cannot be done, and then the show is as it was.
    """
    cars = show.new_cars(opened.scenario, opened.first_seed)
    for k, car in enumerate(cars):
        origin = min(k, len(opened.instants) - 1)
        instant: SavedInstant = opened.instants[origin]
        if car.driver.spec.core != opened.cores[origin] or instant.before.shape != car.before.shape:
            fresh = car.driver.initial_state(1).detach()
            instant = replace(instant, before=fresh, lesions=Lesions())
        try:
            car.come_back(instant)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise UserError(f"this instant cannot be gone on from: {error}") from None
    show.begin(cars, opened.first_seed)


def _told(name: str, car: DrivenCar, instant: SavedInstant) -> SavedDriver:
    return SavedDriver(
        name=name,
        core=car.driver.spec.core,
        steps=instant.steps,
        departures=instant.departures,
        road_seed=str(instant.snapshot.road_seeds[0]),
        gust_mps2=instant.gust_mps2,
        gust_steps=instant.gust_steps,
        generator=json.dumps(instant.snapshot.generators[0]),
        **vars(instant.edits),
        **vars(instant.lesions),
    )


def _instant(kept: SavedDriver, arrays: dict[str, NDArray[Any]], k: int) -> SavedInstant:
    tables = {
        field: _table(arrays, f"{name}_{k}", dtype, dimensions) for name, (field, dtype, dimensions) in TABLES.items()
    }
    road, car = tables["roads"], tables["cars"]
    _check_car(car, road)
    state = WorldState(
        **{field: table[None] for field, table in tables.items()},
        object_counts=np.array([len(tables["objects"])]),
        resting=np.zeros(1, np.bool_),
    )
    seeds = np.array([int(kept.road_seed)], np.object_)
    snapshot = Snapshot(state, seeds, (json.loads(kept.generator),), arrays.get(f"film_{k}"))
    memory = torch.from_numpy(arrays[f"memory_{k}"].copy())
    if memory.dtype != torch.float32 or memory.ndim != 2 or not bool(torch.isfinite(memory).all()):
        raise ValueError("a memory is no row of finite numbers")
    edits, lesions = Edits(kept.removed, kept.strengths), Lesions(kept.silenced, kept.clamped, kept.cut)
    return SavedInstant(snapshot, memory, kept.steps, kept.departures, edits, lesions, kept.gust_mps2, kept.gust_steps)


def _check_car(car: NDArray[Any], road: NDArray[Any]) -> None:
    """Refuse a car that is on no road: driving on from there has no end."""
    if not 0 <= int(car["row"]) < len(road):
        raise ValueError("the car is on no road")
    here = road[int(car["row"])]
    if not np.hypot(car["x"] - here["x"], car["y"] - here["y"]) <= FAR_M:
        raise ValueError("the car is off the road")


def _table(arrays: dict[str, NDArray[Any]], name: str, dtype: np.dtype[Any], dimensions: int) -> NDArray[Any]:
    """A table of records; ValueError for one of other columns, or with numbers that none of ours has."""
    table = arrays[name]
    if table.dtype == _colours_apart(dtype):
        table = table.view(dtype)
    if table.dtype != dtype or table.ndim != dimensions:
        raise ValueError(f"its table {name} has other columns")
    for column in dtype.names or ():
        values, most = np.abs(table[column]), LIMITS.get(column, 1e6)
        if values.dtype.kind == "f" and not ((values <= most) | (np.isinf(values) & (column in MAY_BE_INFINITE))).all():
            raise ValueError(f"{column} in its table {name} is beyond {most:g}, or no number")
    return table


def _colours_apart(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The columns as they were written before a colour was one of them: its red, green and blue, in the same bytes."""
    columns: list[Any] = []
    for name in dtype.names or ():
        column = dtype[name]
        columns += [(f"{name}_{c}", column.base) for c in "rgb"] if column.shape == (3,) else [(name, column)]
    return np.dtype(columns)
