"""How a file is written whole: aside, flushed to disk, then renamed, so that a kill at any point leaves the old or the new.

    .NAME.PLACE-PID-TOKEN.aside.SUFFIX      a file being written by the process PID of the system PLACE

PLACE stands for the machine and its numbering of processes: two containers, or two machines that share a folder, may have
one PID each.  Whoever writes a file sweeps away what dead writers of that file left: those whose process is gone, where that
can be known, and those that nobody has touched for a day.
"""

import hashlib
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

ABANDONED_S = 24 * 3600.0
NAMED = re.compile(r"([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.aside")
_own: set[Path] = set()  # being written by this process


class WritingError(ValueError):
    """A file that cannot be written; the message is one sentence that names it."""


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it holds all of `data`, or what it held before; a device is written to. Or a WritingError."""
    if path.exists() and not path.is_file():  # /dev/stdout
        with _as_sentence(path):
            path.write_bytes(data)
        return
    aside = Aside(path)
    try:
        with _as_sentence(path):
            aside.path.write_bytes(data)
        aside.publish()
    finally:
        aside.discard()


class Aside:
    """A file being written, at `path`, beside the one whose place it is to take; a link to that one stays a link."""

    def __init__(self, target: Path) -> None:
        self._told = target
        with _as_sentence(target):
            self._target = target.resolve() if target.is_symlink() else target
            sweep(self._target.parent, self._target.name)
            self.path = aside_of(self._target)
            _own.add(self.path)
            self.path.touch()

    def publish(self) -> None:
        """Flush the file, give it its name, and flush the folder; raises WritingError."""
        with _as_sentence(self._told):
            flush(self.path)
            self.path.replace(self._target)
            flush_folder(self._target.parent)

    def discard(self) -> None:
        """Remove the file, unless it was published."""
        _own.discard(self.path)
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


@contextmanager
def _as_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WritingError(f"{path} cannot be written: {error.strerror}") from error


def aside_of(path: Path) -> Path:
    """Name a file beside `path`, which no other writer names, and which ends as that does."""
    return path.with_name(f".{path.name}.{system()}-{os.getpid()}-{secrets.token_hex(4)}.aside{path.suffix.lower()}")


def flush(path: Path) -> None:
    """Bring a file's content to disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to disk, as the flush of its files does not; Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path, name: str) -> None:
    """Remove what dead writers of the file of this name left in the folder."""
    for left in folder.glob(f".{_literal(name)}.*.aside*"):
        named = NAMED.match(left.name.removeprefix(f".{name}."))
        if named and left not in _own and _is_abandoned(left, named[1], int(named[2])):
            with suppress(OSError):  # of another user; on Windows, held open by its writer
                left.unlink()


def _literal(name: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", name)


def _is_abandoned(left: Path, place: str, process: int) -> bool:
    try:
        if time.time() - left.stat().st_mtime > ABANDONED_S:
            return True
    except OSError:
        return False
    return place == system() and process != os.getpid() and not is_running(process)


def is_running(process: int) -> bool:
    """Whether a process of this system runs; on Windows, where to ask in this way would end it, it may."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


@lru_cache(1)
def system() -> str:
    """Eight digits that stand for this machine, or this container, and its numbering of processes."""
    told = [socket.gethostname()]
    with suppress(OSError):
        told.append(Path("/etc/machine-id").read_text(encoding="utf-8", errors="replace"))
    with suppress(OSError):
        told.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:8]
