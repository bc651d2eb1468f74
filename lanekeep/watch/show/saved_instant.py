"""A saved instant: a file with all that decides how a show goes on from it.

A zip of plain arrays (numpy's .npz, never unpickled): the scenario, and for each driver its name, memory, edits, lesions
and the snapshot of its world.  The drivers themselves stay in their folders.
"""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from lanekeep.errors import UserError
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
    check_state,
    checked_scenario,
)
from lanekeep_files.reading import MIB, Arrays, FileError, json_of, parsed, read_file
from lanekeep_files.writing import write_whole
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

LARGEST_FILE, LARGEST_TABLE, LARGEST_FILM, LARGEST_MEMORY = 128 * MIB, 64 * MIB, 96 * MIB, 4 * MIB  # [bytes]
MOST_DRIVERS = 16
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31)]
Number = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
Strength = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Gust = Annotated[float, msgspec.Meta(ge=-50.0, le=50.0)]
Seed = Annotated[str, msgspec.Meta(max_length=1000, pattern=r"^-?[0-9]+$")]  # of whatever size
Text = Annotated[str, msgspec.Meta(max_length=10_000)]


class SavedDriver(msgspec.Struct, forbid_unknown_fields=True):
    """The numbers and words of one driven car, beside its arrays."""

    name: Text
    core: Text
    steps: Count
    departures: Count
    road_seed: Seed
    gust_mps2: Gust
    gust_steps: Count  # that it still blows
    generator: Text  # its state, as JSON
    removed: frozenset[Element]
    strengths: dict[Text, Strength]
    silenced: frozenset[Count]
    clamped: dict[Count, Number]
    cut: frozenset[tuple[Count, Count]]


class SavedShow(msgspec.Struct, forbid_unknown_fields=True):
    """The numbers and words of a show."""

    format: int
    first_seed: Seed
    drivers: Annotated[list[SavedDriver], msgspec.Meta(max_length=MOST_DRIVERS)]


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
        data = read_file(path, LARGEST_FILE)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except FileError as error:
        raise UserError(str(error)) from None
    try:
        arrays = Arrays(data, "the archive")
        told = json_of(arrays.read("told", MIB).tobytes(), "what it tells of the show", SavedShow)
        if told.format != FORMAT:
            raise UserError(f"{path} is of version {told.format}, and this program reads version {FORMAT}")
        packed = arrays.read("scenario", MIB).tobytes()
        table = parsed(lambda: msgspec.msgpack.decode(packed), "its scenario", "a table")
        scenario = checked_scenario(table, "its scenario")
        first_seed = int(told.first_seed)
        instants = [_instant(kept, arrays, k, scenario) for k, kept in enumerate(told.drivers)]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
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
        except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
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


def _instant(kept: SavedDriver, arrays: Arrays, k: int, scenario: Scenario) -> SavedInstant:
    tables = {
        field: _table(arrays, f"{name}_{k}", dtype, dimensions) for name, (field, dtype, dimensions) in TABLES.items()
    }
    state = WorldState(
        **{field: table[None] for field, table in tables.items()},
        object_counts=np.array([len(tables["objects"])]),
        resting=np.zeros(1, np.bool_),
    )
    check_state(state)
    seeds = np.array([int(kept.road_seed)], np.object_)
    generator = json_of(kept.generator.encode(), "the state of its generator", dict[str, Any])
    film = arrays.read(f"film_{k}", LARGEST_FILM) if f"film_{k}" in arrays.names else None
    if film is not None and (film.dtype != np.uint8 or film.ndim != 5):
        raise ValueError("its last frames are no frames")
    snapshot = Snapshot(state, seeds, (generator,), scenario, film)
    memory = torch.from_numpy(arrays.read(f"memory_{k}", LARGEST_MEMORY))
    if memory.dtype != torch.float32 or memory.ndim != 2 or not bool(torch.isfinite(memory).all()):
        raise ValueError("a memory is no row of finite numbers")
    if unknown := kept.strengths.keys() - {"noise", *(name for group in STRENGTHS.values() for name in group)}:
        raise ValueError(f"there is no strength {min(unknown)!r}")
    edits, lesions = Edits(kept.removed, kept.strengths), Lesions(kept.silenced, kept.clamped, kept.cut)
    return SavedInstant(snapshot, memory, kept.steps, kept.departures, edits, lesions, kept.gust_mps2, kept.gust_steps)


def _table(arrays: Arrays, name: str, dtype: np.dtype[Any], dimensions: int) -> NDArray[Any]:
    """A table of records; ValueError for one of other columns, which is not read."""
    shape, given = arrays.header(name)
    if given not in (dtype, _colours_apart(dtype)) or len(shape) != dimensions:
        raise ValueError(f"its table {name} has other columns")
    return arrays.read(name, LARGEST_TABLE).view(dtype)


def _colours_apart(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The columns as they were written before a colour was one of them: its red, green and blue, in the same bytes."""
    columns: list[Any] = []
    for name in dtype.names or ():
        column = dtype[name]
        columns += [(f"{name}_{c}", column.base) for c in "rgb"] if column.shape == (3,) else [(name, column)]
    return np.dtype(columns)
