"""A checkpoint: a folder that carries a driver and cannot carry code.

    driver.toml               schema version, what the driver is made of, how it was trained, sha256 of the weights, and
                              `needs`, the file or package of a core that is not of this project: a name, never run
    weights.safetensors       the parameters
    training.safetensors      optional: what a training needs to go on, and `[resume]` in the toml

All files are written aside and flushed before the first is renamed, the toml last: a failed save leaves the old driver, and
a kill in the instant between two renames leaves a sha256 that does not match, and is refused.  [driver] has a sha256 too:
another wiring seed or time step fits the same weights and drives differently.  Nothing is ever unpickled.
"""

import difflib
import hashlib
import math
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import tomli_w
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from lanekeep_policies.cores import CORES
from lanekeep_policies.driver import Driver
from lanekeep_policies.spec import DriverSpec

SCHEMA = 2
DRIVER, WEIGHTS, TRAINING = "driver.toml", "weights.safetensors", "training.safetensors"
FIELDS = ("schema_version", "driver_sha256", "weights_sha256", "driver", "training", "resume", "needs")


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message is one sentence that names the file."""


@dataclass(frozen=True)
class Checkpoint:
    """A driver, how it was trained, and where its training stands (empty if it cannot be resumed)."""

    driver: Driver
    training: dict[str, Any]
    resume: dict[str, Any]


def save_driver(
    folder: Path | str,
    driver: Driver,
    training: dict[str, Any],
    resume: dict[str, Any] | None = None,
    tensors: dict[str, Tensor] | None = None,
) -> None:
    """Write a checkpoint; with `resume` (plain values) and `tensors` also what a training needs to go on.

    Raises CheckpointError for a driver that its spec does not describe, such as one with a core from elsewhere.
    """
    folder = Path(folder)
    if not _same_make(driver, Driver.build(driver.spec, 0)):
        raise CheckpointError(
            f"{folder}: the driver differs in more than its weights from what core {driver.spec.core!r} means, "
            "and would come back as another"
        )
    folder.mkdir(parents=True, exist_ok=True)
    weights = save({name: value.detach().contiguous() for name, value in driver.state_dict().items()})
    spec, files = msgspec.to_builtins(driver.spec), {}
    table: dict[str, Any] = {"schema_version": SCHEMA, "driver_sha256": _seal(spec)}
    table |= {"weights_sha256": hashlib.sha256(weights).hexdigest(), "driver": spec, "training": training}
    if CORES[driver.spec.core].needs:
        table["needs"] = CORES[driver.spec.core].needs
    if tensors is not None:
        packed = save({name: value.detach().contiguous() for name, value in tensors.items()})
        table["resume"] = {**(resume or {}), "sha256": hashlib.sha256(packed).hexdigest()}
        files[TRAINING] = packed
    _replace(folder, {**files, WEIGHTS: weights, DRIVER: tomli_w.dumps(table).encode()})


def load_driver(folder: Path | str) -> Driver:
    """The driver of a checkpoint."""
    return read_checkpoint(folder).driver


def read_checkpoint(folder: Path | str) -> Checkpoint:
    """Read and check a checkpoint; raises CheckpointError."""
    folder = Path(folder)
    table = _read_table(folder)
    needs, core = table.get("needs"), table["driver"].get("core")
    if needs is not None and core not in CORES:
        way_out = f"give --with {needs}" if str(needs).endswith(".py") else "install that package"
        raise CheckpointError(f"{folder / DRIVER}: its core {core!r} is of {needs}, which is not here: {way_out}")
    driver = _make_driver(folder / DRIVER, table["driver"])
    if _seal(table["driver"]) != table["driver_sha256"]:
        raise CheckpointError(f"{folder / DRIVER}: [driver] is damaged or was edited: it differs from driver_sha256")
    data = _read(folder / WEIGHTS)
    if hashlib.sha256(data).hexdigest() != table["weights_sha256"]:
        raise CheckpointError(f"{folder / WEIGHTS} is damaged or of another driver: its sha256 differs from {DRIVER}")
    _fill(driver, _unpack(data, folder / WEIGHTS), folder / WEIGHTS)
    return Checkpoint(driver, table["training"], table.get("resume", {}))


def read_tensors(folder: Path | str, resume: dict[str, Any]) -> dict[str, Tensor]:
    """What `save_driver` was given as `tensors`; `resume` is that of the checkpoint."""
    path = Path(folder) / TRAINING
    data = _read(path)
    if hashlib.sha256(data).hexdigest() != resume.get("sha256"):
        raise CheckpointError(f"{path} is damaged or of another moment of the training than {DRIVER}")
    return _unpack(data, path)


def _same_make(one: nn.Module, other: nn.Module) -> bool:
    """Whether two modules differ in nothing but the numbers that a checkpoint holds."""
    saved, twin = one.state_dict(), other.state_dict()
    if type(one) is not type(other) or [(k, v.shape) for k, v in saved.items()] != [
        (k, v.shape) for k, v in twin.items()
    ]:
        return False
    masks = dict(other.named_buffers())  # who drives whom
    if not all(name in saved or torch.equal(mask, masks[name]) for name, mask in one.named_buffers()):
        return False
    plain = [
        [(k, v) for part in module.modules() for k, v in vars(part).items() if isinstance(v, (int, float, str))]
        for module in (one, other)
    ]
    return [pair for pair in plain[0] if pair[0] != "training"] == [pair for pair in plain[1] if pair[0] != "training"]


def _read_table(folder: Path) -> dict[str, Any]:
    path = folder / DRIVER
    if not folder.is_dir():
        raise CheckpointError(f"there is no checkpoint folder {folder}")
    try:
        table = tomllib.loads(_read(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} is not TOML: {error}") from None
    version = table.get("schema_version")
    if not isinstance(version, int):
        raise CheckpointError(f"{path}: schema_version must be {SCHEMA}, not {version!r}")
    if version != SCHEMA:
        age = "newer" if version > SCHEMA else "older"
        raise CheckpointError(f"{path}: schema_version {version} is {age} than this program reads ({SCHEMA})")
    for key in table:
        if key not in FIELDS:
            near = difflib.get_close_matches(key, FIELDS, 1)
            raise CheckpointError(
                f"{path}: unknown key {key}; " + (f"did you mean {near[0]}?" if near else "remove it")
            )
    for key, kind in (("driver_sha256", str), ("weights_sha256", str), ("driver", dict), ("training", dict)):
        if not isinstance(table.get(key), kind):
            raise CheckpointError(f"{path}: {key} is missing or not a {kind.__name__}")
    if not isinstance(table.get("resume", {}), dict):
        raise CheckpointError(f"{path}: resume is not a table")
    return table


def _seal(spec: dict[str, Any]) -> str:
    """The sha256 of [driver], whatever its order and layout in the toml."""
    return hashlib.sha256(msgspec.json.encode(spec, order="sorted")).hexdigest()


def _make_driver(path: Path, table: dict[str, Any]) -> Driver:
    try:
        spec = msgspec.convert(table, DriverSpec)
    except msgspec.ValidationError as error:
        raise CheckpointError(f"{path}: [driver] {error}") from None
    for key in ("curvature_limit_per_m", "dt_s"):
        if not math.isfinite(getattr(spec, key)):
            raise CheckpointError(f"{path}: [driver] {key} must be a finite number, not {getattr(spec, key)}")
    if not 0 <= spec.wiring_seed < 2**32:
        raise CheckpointError(f"{path}: [driver] wiring_seed must be from 0 to 2**32 - 1, but is {spec.wiring_seed}")
    if spec.numbers and (spec.camera_height or spec.camera_width):
        raise CheckpointError(f"{path}: [driver] numbers: a driver that is told numbers has a camera of 0 x 0")
    try:
        return Driver.build(spec, 0)
    except ValueError as error:
        key = "core" if spec.core not in CORES else "numbers" if spec.numbers else "camera_height, camera_width"
        key = "learned_start" if "initial state" in str(error) else key
        raise CheckpointError(f"{path}: [driver] {key}: {error}") from None


def _unpack(data: bytes, path: Path) -> dict[str, Tensor]:
    try:
        return load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is not a safetensors file: {error}") from None


def _fill(driver: Driver, tensors: dict[str, Tensor], path: Path) -> None:
    own = driver.state_dict()
    for name in sorted(own.keys() ^ tensors.keys()):
        raise CheckpointError(f"{path}: tensor {name} is {'missing' if name in own else 'not of this driver'}")
    for name, value in tensors.items():
        if value.shape != own[name].shape or value.dtype != own[name].dtype:
            raise CheckpointError(
                f"{path}: tensor {name} is {value.dtype} {list(value.shape)}, not {own[name].dtype} {list(own[name].shape)}"
            )
        if not bool(torch.isfinite(value).all()):
            raise CheckpointError(f"{path}: tensor {name} holds numbers that are not finite")
    driver.load_state_dict(tensors)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from None


def _replace(folder: Path, files: dict[str, bytes]) -> None:
    """Write all files aside, then rename them in the order given; raises CheckpointError and leaves no file aside."""
    asides = {folder / name: folder / f".{name}.{os.getpid()}" for name in files}
    try:
        for path, aside in asides.items():
            with aside.open("wb") as file:
                file.write(files[path.name])
                file.flush()
                os.fsync(file.fileno())
        for path, aside in asides.items():
            aside.replace(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        for aside in asides.values():
            aside.unlink(missing_ok=True)
