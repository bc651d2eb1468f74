"""A checkpoint: a folder that carries a driver and cannot carry code.

    driver.toml                     schema version, what the driver is made of, how it was trained, where its training
                                    stands, sha256 of each of these and of the files of tensors, and `needs`, the file or
                                    package of a core that is not of this project: a name, never run
    weights-SHA256.safetensors      the parameters
    training-SHA256.safetensors     optional: what a training needs to go on, and `[resume]` in the toml

There is one truth, driver.toml: files of tensors are named by (the first 16 digits of) their sha256, which it tells, it is
renamed into place last, and then the files that it does not name are removed.  A kill at any point leaves the old driver or
the new one whole.  Each table has a sha256 too: another wiring seed or time step fits the same weights and drives
differently.  Schema 2, of the first release, whose files of tensors have fixed names and whose [training] and [resume] have
no sha256, is read as well.  Nothing is ever unpickled.
"""

import difflib
import hashlib
import math
import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import tomli_w
import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from lanekeep_files.reading import MIB, FileError, parsed, read_file, toml_of
from lanekeep_files.writing import WritingError, sweep, write_whole
from lanekeep_policies.cores import CORES
from lanekeep_policies.driver import Driver
from lanekeep_policies.spec import DriverSpec
from lanekeep_policies.torch_defaults import torch_defaults

SCHEMA, OLD_SCHEMA = 3, 2
DRIVER, WEIGHTS, TRAINING = "driver.toml", "weights", "training"
SEALED = ("driver", "training", "resume")  # tables with a sha256 of their own
FIELDS = ("schema_version", "weights_sha256", *SEALED, *(f"{name}_sha256" for name in SEALED), "needs")
TENSORS = re.compile(rf"({WEIGHTS}|{TRAINING})(-[0-9a-f]{{16}})?\.safetensors")
SHA256 = re.compile("[0-9a-f]{64}")
LARGEST_TABLE, LARGEST_TRAINING, LARGEST_HEAD = 16 * MIB, 200 * MIB, MIB  # [bytes]


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
    for name, value in driver.state_dict().items():
        if value.dtype != torch.float32:
            raise CheckpointError(f"{folder}: {name} is {value.dtype}, not float32: save driver.float()")
    twin = _make_driver(folder / DRIVER, msgspec.to_builtins(driver.spec))
    if not _same_make(driver, twin):
        raise CheckpointError(
            f"{folder}: the driver differs in more than its weights from what core {driver.spec.core!r} means, "
            "and would come back as another"
        )
    _fill(twin, driver.state_dict(), folder)  # what cannot be read is not written
    weights, spec = _packed(driver.state_dict()), msgspec.to_builtins(driver.spec)
    files = {f"{WEIGHTS}-{_digest(weights)[:16]}.safetensors": weights}
    table: dict[str, Any] = {"schema_version": SCHEMA, "weights_sha256": _digest(weights)}
    tables = {"driver": spec, "training": training}
    if CORES[driver.spec.core].needs:
        table["needs"] = CORES[driver.spec.core].needs
    if tensors is not None:
        packed = _packed(tensors)
        files[f"{TRAINING}-{_digest(packed)[:16]}.safetensors"] = packed
        tables["resume"] = {**(resume or {}), "sha256": _digest(packed)}
    tables = tomllib.loads(tomli_w.dumps(tables))  # as they will be read
    table |= {f"{name}_sha256": _seal(one) for name, one in tables.items()}
    _write(folder, files, tomli_w.dumps(table | tables).encode())


def load_driver(folder: Path | str) -> Driver:
    """The driver of a checkpoint."""
    return read_checkpoint(folder).driver


def read_checkpoint(folder: Path | str) -> Checkpoint:
    """Read and check a checkpoint; raises CheckpointError."""
    folder = Path(folder)
    while True:
        table = _read_table(folder)
        try:
            with torch_defaults():
                return _read_whole(folder, table)
        except CheckpointError:
            if _read_table(folder)["weights_sha256"] == table["weights_sha256"]:
                raise  # else a training has saved just now, and removed the files that were to be read


def read_tensors(folder: Path | str, resume: dict[str, Any]) -> dict[str, Tensor]:
    """What `save_driver` was given as `tensors`; `resume` is that of the checkpoint."""
    path = _tensors_file(Path(folder), TRAINING, resume.get("sha256"))
    data = _read(path, LARGEST_TRAINING)
    if _digest(data) != resume.get("sha256"):
        raise CheckpointError(f"{path} is damaged or of another moment of the training than {DRIVER}")
    return _unpack(data, path)


def _read_whole(folder: Path, table: dict[str, Any]) -> Checkpoint:
    needs, core = table.get("needs"), table["driver"].get("core")
    if needs is not None and core not in CORES:
        way_out = f"give --with {needs}" if str(needs).endswith(".py") else "install that package"
        raise CheckpointError(f"{folder / DRIVER}: its core {core!r} is of {needs}, which is not here: {way_out}")
    driver = _make_driver(folder / DRIVER, table["driver"])
    for name in SEALED:
        seal = table.get(f"{name}_sha256")
        if name in table and (seal or name == "driver" or table["schema_version"] == SCHEMA):
            _check_seal(folder / DRIVER, name, table[name], seal)
    path = _tensors_file(folder, WEIGHTS, table["weights_sha256"])
    data = _read(path, _largest(driver))
    if _digest(data) != table["weights_sha256"]:
        raise CheckpointError(f"{path} is damaged or of another driver: its sha256 differs from {DRIVER}")
    _fill(driver, _unpack(data, path), path)
    return Checkpoint(driver, table["training"], table.get("resume", {}))


def _tensors_file(folder: Path, stem: str, sha256: object) -> Path:
    """The file of tensors with this digest; in a checkpoint of schema 2 it has a fixed name."""
    if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
        raise CheckpointError(f"{folder / DRIVER}: the sha256 of the {stem} tensors must be 64 hexadecimal digits")
    named, fixed = folder / f"{stem}-{sha256[:16]}.safetensors", folder / f"{stem}.safetensors"
    return fixed if fixed.exists() and not named.exists() else named


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
        table = toml_of(_read(path, LARGEST_TABLE), path)
    except FileError as error:
        raise CheckpointError(str(error)) from None
    version = table.get("schema_version")
    if not isinstance(version, int):
        raise CheckpointError(f"{path}: schema_version must be {SCHEMA}, not {version!r}")
    if version not in (SCHEMA, OLD_SCHEMA):
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
    """The sha256 of a table, whatever its order and layout in the toml."""
    return _digest(msgspec.json.encode(spec, order="sorted"))


def _check_seal(path: Path, name: str, table: dict[str, Any], seal: object) -> None:
    with suppress(OverflowError, ValueError, TypeError):  # what no training wrote has no sha256
        if _seal(table) == seal:
            return
    raise CheckpointError(f"{path}: [{name}] is damaged or was edited: it differs from {name}_sha256")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _packed(tensors: dict[str, Tensor]) -> bytes:
    return save({name: value.detach().contiguous() for name, value in tensors.items()})


def _make_driver(path: Path, table: dict[str, Any]) -> Driver:
    for key in ("curvature_limit_per_m", "dt_s"):
        if isinstance(table.get(key), float) and math.isinf(table[key]):
            raise CheckpointError(f"{path}: [driver] {key} must be a finite number, not {table[key]}")
    try:
        spec = msgspec.convert(table, DriverSpec)
    except msgspec.ValidationError as error:
        raise CheckpointError(f"{path}: [driver] {error}") from None
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
        return parsed(lambda: load(data), path, "a safetensors file")
    except FileError as error:
        raise CheckpointError(str(error)) from None


def _largest(driver: Driver) -> int:
    """Bytes of the weights of a driver, with room for what a safetensors file says of them."""
    return LARGEST_HEAD + sum(int(value.nbytes) for value in driver.state_dict().values())


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


def _read(path: Path, largest: int) -> bytes:
    try:
        return read_file(path, largest)
    except FileError as error:
        raise CheckpointError(str(error)) from None
    except FileNotFoundError:
        told = "" if path.name == DRIVER else f": {DRIVER} is of tensors with this digest"
        raise CheckpointError(f"{path} is missing{told}") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from None


def _write(folder: Path, files: dict[str, bytes], toml: bytes) -> None:
    """Write the tensors, then the toml that names them; raises CheckpointError, and leaves the folder as it was."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            write_whole(folder / name, data)
        write_whole(folder / DRIVER, toml)
    except WritingError as error:
        raise CheckpointError(str(error)) from None
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            _sweep(folder)


def _sweep(folder: Path) -> None:
    """Remove the files of tensors that driver.toml does not name, and what dead writers left of any."""
    toml = (folder / DRIVER).read_text(encoding="utf-8", errors="replace") if (folder / DRIVER).exists() else ""
    for path in folder.iterdir():
        if named := TENSORS.fullmatch(path.name):
            sha256 = named[2]
            unnamed = sha256[1:] not in toml if sha256 else f"schema_version = {SCHEMA}\n" in toml
            if unnamed:
                path.unlink()
        elif left := TENSORS.match(path.name.removeprefix(".")):
            sweep(folder, left[0])
