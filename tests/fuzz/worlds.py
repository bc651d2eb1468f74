"""Damaged scenarios and instants: what is accepted is driven, and all that it tells must be finite numbers."""

import io
import json
import random
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from fuzz.mutations import NUMBERS, any_value, as_toml, damaged_bytes, damaged_table

from lanekeep.watch.show.saved_instant import read_instant, save_instant
from lanekeep.watch.show.show import Show
from lanekeep_envs import LaneKeepingEnv, Scenario, load_scenario, scenario_names
from lanekeep_policies import Driver, DriverSpec

STEPS = 4


def check_finite(value: Any, name: str = "info") -> None:
    """AssertionError for a number that is not finite, anywhere in a value."""
    if isinstance(value, dict):
        for key, part in value.items():
            check_finite(part, f"{name}.{key}")
    elif not isinstance(value, (str, int)):
        assert np.isfinite(np.asarray(value, np.float64)).all(), f"{name} = {value}"


def drive(env: LaneKeepingEnv) -> None:
    """Drive a few steps, and look at what the environment tells."""
    for _ in range(STEPS):
        _, reward, terminated, truncated, info = env.step(np.array([0.1], np.float32))
        check_finite({**info, "reward": reward})
        if terminated or truncated:
            break


class Scenarios:
    """Scenario files."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "mine.toml"
        texts = resources.files("lanekeep_envs").joinpath("scenarios")
        self.texts = [texts.joinpath(f"{name}.toml").read_bytes() for name in scenario_names()]
        whole = msgspec.to_builtins(Scenario(description="all of it"))
        self.tables = [whole, *(tomllib.loads(text.decode()) for text in self.texts)]

    def attempt(self, dice: random.Random) -> None:
        """Load a damaged scenario, and drive on it."""
        if dice.random() < 0.2:
            self.file.write_bytes(damaged_bytes(dice.choice(self.texts), dice))
        else:
            self.file.write_bytes(as_toml(damaged_table(dice.choice(self.tables), dice)))
        scenario = load_scenario(str(self.file))
        env = LaneKeepingEnv(scenario, "24x80", difficulty=dice.choice((1.0, 1.0, 0.0, 0.3)))
        _, info = env.reset(seed=dice.randrange(1000))
        check_finite(info)
        drive(env)


class Instants:
    """Saved instants."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "mine.instant"
        self.saved = []
        driver = Driver.build(DriverSpec(core="ncp", camera_height=24, camera_width=80, curvature_limit_per_m=0.02), 0)
        for scenario in ("country", "mixed", "sensor_noise"):
            show = Show(["ncp"], [driver], load_scenario(scenario), 3)
            for _ in range(5):
                show.tick()
            save_instant(self.file, show)
            self.saved.append(self.file.read_bytes())

    def attempt(self, dice: random.Random) -> None:
        """Open a damaged instant, and drive on from it."""
        data = dice.choice(self.saved)
        self.file.write_bytes(damaged_bytes(data, dice) if dice.random() < 0.15 else repacked(data, dice))
        opened = read_instant(self.file)
        for instant in opened.instants:
            env = LaneKeepingEnv(opened.scenario, "24x80")
            env.reset(seed=0)
            env.restore(instant.snapshot)
            drive(env)
            env.views([instant.snapshot], [instant.edits.variant()])


def repacked(data: bytes, dice: random.Random) -> bytes:
    """An archive of arrays some of whose numbers are others."""
    with np.load(io.BytesIO(data)) as file:
        arrays = {name: file[name].copy() for name in file.files}
    for _ in range(dice.choice((1, 1, 2, 4))):
        name = dice.choice(list(arrays))
        if name == "told":
            table = damaged_table(json.loads(arrays[name].tobytes()), dice)
            arrays[name] = np.frombuffer(json.dumps(table).encode("utf-8", "replace"), np.uint8)
        elif name == "scenario":
            table = damaged_table(msgspec.msgpack.decode(arrays[name].tobytes()), dice)
            arrays[name] = np.frombuffer(_packed(table), np.uint8)
        elif arrays[name].dtype.names and dice.random() < 0.9:
            _set_somewhere(arrays[name], dice)
        else:
            arrays[name] = _reshaped(arrays[name], dice)
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def _packed(table: dict[str, Any]) -> bytes:
    try:
        return msgspec.msgpack.encode(table)
    except (OverflowError, UnicodeEncodeError):
        return b"\x81\xa1x\x01"


def _set_somewhere(records: np.ndarray, dice: random.Random) -> None:
    """Give one column of a table another number, in one row or in all."""
    if records.size == 0:
        return
    column = dice.choice(records.dtype.names)
    at = ... if records.ndim == 0 or dice.random() < 0.3 else dice.randrange(len(records))
    value = dice.choice(NUMBERS) if dice.random() < 0.7 else dice.uniform(-3.0, 3.0)
    values = np.asarray(records[column][at], records.dtype[column].base)
    with np.errstate(all="ignore"):
        if values.dtype.kind in "iub":
            value = int(max(min(0 if value != value else value, 2**62), -(2**62)))
        records[column][at] = value if dice.random() < 0.7 else values * dice.choice((-1, 2, 0))


def _reshaped(array: np.ndarray, dice: random.Random) -> np.ndarray:
    way = dice.randrange(5)
    if way == 0:
        return array[:0] if array.ndim else array[None]
    if way == 1:
        return np.concatenate([array, array]) if array.ndim else array[None, None]
    if way == 2:
        return np.zeros(dice.choice(((), (0,), (3, 3), (1, 10**6))), dice.choice((np.float64, np.int8, np.uint8)))
    if way == 3 and array.ndim and len(array) > 1:
        return array[: dice.randrange(len(array))]
    value = any_value(dice)
    return np.asarray(value if isinstance(value, (int, float)) and abs(value) < 2**62 else 0.0)
