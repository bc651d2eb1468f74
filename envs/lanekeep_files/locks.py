"""Who may write into a folder: one process at a time, and whoever comes second is told who that is.

    FOLDER/.lock        held by the operating system for a living process
    FOLDER/.held.json   who holds it: a file of its own, since on Windows nobody else can read a file that is locked

The operating system takes a lock back when its process ends, however that ends; the files that such a process leaves are
taken over, and removed, by the next.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from filelock import BaseFileLock, FileLock, Timeout

LOCK, HOLDER = ".lock", ".held.json"


class HeldError(ValueError):
    """A folder that another process writes into; the message is one sentence."""


class Holder(msgspec.Struct, frozen=True):
    """Who holds a folder."""

    process: int
    host: str
    since: str

    def __str__(self) -> str:
        host = "".join(letter for letter in self.host[:64] if letter.isprintable())
        since = "".join(letter for letter in self.since[:32] if letter.isprintable())
        return f"process {self.process} on {host}, since {since}"


@contextmanager
def held(folder: Path, work: str) -> Iterator[None]:
    """Hold a folder, which is made if it is missing, while the block runs; HeldError if another process does.

    `work` says what a folder is for, as in "a training".
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = taken(folder / LOCK)
    except OSError as error:
        raise HeldError(f"{folder} cannot be written: {error.strerror}") from None
    if lock is None:
        raise HeldError(
            f"{folder} is in use for {work}, by {holder_of(folder)}; wait for that, or choose another folder"
        )
    try:
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        with suppress(OSError):  # a full disk: what matters is the lock
            (folder / HOLDER).write_bytes(msgspec.json.encode(Holder(os.getpid(), socket.gethostname(), since)))
        yield
    finally:
        with suppress(OSError):
            (folder / HOLDER).unlink(missing_ok=True)
        give_back(lock)


def taken(path: Path) -> BaseFileLock | None:
    """Take the lock that is a file of this name; None if another process, or another part of this one, holds it."""
    lock = FileLock(path, timeout=0, thread_local=False)
    while True:
        try:
            lock.acquire()
        except Timeout:
            return None
        if path.exists():
            return lock
        lock.release()  # given back, and removed, between its opening and its locking


def give_back(lock: BaseFileLock) -> None:
    """Give a lock back and remove its file."""
    if os.name == "nt":  # which removes no file that is open
        lock.release()
    with suppress(OSError):
        os.unlink(lock.lock_file)
    lock.release()


def holder_of(folder: Path) -> str:
    """Say who holds a folder."""
    try:
        with (folder / HOLDER).open("rb") as file:
            return str(msgspec.json.decode(file.read(1000), type=Holder))
    except (OSError, msgspec.DecodeError):
        return "another process"
