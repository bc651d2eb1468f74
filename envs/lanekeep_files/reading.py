"""The one reader of files from outside: size before content, depth, and one sentence for whatever a parser says.

TOML, JSON, archives of arrays and plain text come through here.  A file that is larger than its kind can be is refused
before it is parsed, text that is nested deeper than `DEEPEST` is refused, and every exception of a parser becomes a
`FileError` that names the file.  The arrays of an archive are measured by their headers, and only those that are asked for
are read.  Nothing is ever unpickled.
"""

import io
import math
import tomllib
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

MIB = 1 << 20
LARGEST_TEXT = MIB  # [bytes] of a scenario, a recipe, a script
DEEPEST = 32  # tables and lists within each other
LONGEST_LIST_OF_FILES = 4096  # in an archive
T = TypeVar("T")


class FileError(ValueError):
    """A file that cannot be used; the message is one sentence that names it."""


def read_file(path: Path, largest: int) -> bytes:
    """Return the content of a file of at most `largest` bytes; OSError for one that cannot be opened."""
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError:
        raise
    except ValueError as error:  # a name with a zero byte
        raise FileError(f"{str(path)!r} cannot be read: {error}") from None
    if len(data) > largest:
        raise FileError(f"{path} is larger than {told_size(largest)}, the most that such a file has")
    return data


def told_size(size: int) -> str:
    """Return a number of bytes in words."""
    return f"{size / MIB:.4g} MiB" if size >= MIB else f"{size} bytes"


def as_text(data: bytes, name: object) -> str:
    """Return text in UTF-8, without a mark of its order of bytes."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{name} is no text in UTF-8: {error.reason} at byte {error.start}") from None


def parsed(parse: Callable[[], T], name: object, kind: str) -> T:
    """Return what a parser makes of a file; whatever it raises becomes a sentence."""
    try:
        return parse()
    except FileError:
        raise
    except RecursionError:
        raise FileError(f"{name} is nested too deeply: at most {DEEPEST} levels") from None
    except MemoryError:
        raise FileError(f"{name} is not {kind}: it asks for more memory than there is") from None
    except Exception as error:
        raise FileError(f"{name} is not {kind}: {' '.join(str(error).split()) or type(error).__name__}") from None


def toml_of(data: bytes, name: object) -> dict[str, Any]:
    """Return the table of a TOML text."""
    table = parsed(lambda: tomllib.loads(data.decode("utf-8-sig")), name, "TOML")
    check_depth(table, name)
    return table


def json_of(data: bytes, name: object, kind: type[T], meaning: str = "JSON of the expected form") -> T:
    """Return a JSON text as an object of a type that msgspec knows."""
    return parsed(lambda: msgspec.json.decode(data, type=kind), name, meaning)


def check_depth(value: Any, name: object) -> None:
    """Refuse tables and lists that are nested deeper than anything that is meant."""
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        level = [inner for outer in level for inner in _children(outer)]
        if not level:
            return
    raise FileError(f"{name} is nested too deeply: at most {DEEPEST} levels")


def _children(value: Any) -> Iterable[Any]:
    within = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (inner for inner in within if isinstance(inner, (dict, list)))


class Arrays:
    """The arrays of an .npz archive, by name; each is measured before it is read."""

    def __init__(self, data: bytes, name: object) -> None:
        self._name, self._data = name, data
        self._archive = parsed(lambda: zipfile.ZipFile(io.BytesIO(data)), name, "an archive of arrays")
        entries = self._archive.namelist()
        self.names = [entry.removesuffix(".npy") for entry in entries]
        if len(entries) > LONGEST_LIST_OF_FILES or len(set(entries)) < len(entries):
            raise FileError(f"{name} is not an archive of arrays: it has too many files, or two of one name")

    def header(self, array: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return the shape and the type of an array, which is not read."""
        return self._within(array, _header_of)

    def read(self, array: str, largest: int) -> NDArray[Any]:
        """Return an array of at most `largest` bytes."""
        shape, dtype = self.header(array)
        if dtype.itemsize * math.prod(shape) > largest:
            size = f"{dtype.itemsize * math.prod(shape)} bytes"
            raise FileError(f"{self._name}: {array} has {size}, and at most {told_size(largest)} are meant")
        return self._within(array, lambda file: _array_of(file, largest))

    def _within(self, array: str, read: Callable[[IO[bytes]], T]) -> T:
        if array not in self.names:
            raise FileError(f"{self._name} has no array {array}")

        def opened() -> T:
            with self._archive.open(f"{array}.npy") as file:
                return read(file)

        return parsed(opened, self._name, f"an archive of arrays ({array})")


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and type at the beginning of an .npy file, and leave the file where the numbers begin."""
    if np.lib.format.read_magic(file) != (1, 0):  # a header of a later version may be of any length
        raise ValueError("another version of the format")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject:
        raise ValueError("objects are never read")
    if any(length < 0 for length in shape):
        raise ValueError("a negative length")
    return shape, fortran_order, dtype


def _header_of(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    shape, _, dtype = array_header(file)
    return shape, dtype


def _array_of(file: IO[bytes], largest: int) -> NDArray[Any]:
    shape, fortran_order, dtype = array_header(file)
    size = dtype.itemsize * math.prod(shape)
    data = bytearray(file.read(min(size, largest) + 1))
    if len(data) != size:
        raise ValueError(f"{size} bytes are declared, and {'more' if len(data) > size else len(data)} are there")
    flat = np.frombuffer(data, dtype) if size else np.zeros(math.prod(shape), dtype)
    return flat.reshape(shape[::-1]).T if fortran_order else flat.reshape(shape)
