"""A process that kills itself at the k-th call that changes the disk: no luck, and no handler runs.

Counted are calls of Python: opening a file for writing, writing to it (half of the data is written, and flushed, before the
kill), fsync, and making, renaming and removing names.  Libraries that write by themselves (ffmpeg, TensorBoard's threads)
are killed with the process, or end with it.
"""

import builtins
import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

NAMES = frozenset(
    {"os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.link", "os.symlink", "os.truncate", "subprocess.Popen"}
)
DEVICES = ("/dev/", "/proc/")


class Counter:
    """Counts calls that change the disk, of the main thread and the others; at the k-th the process is killed."""

    def __init__(self, at: int) -> None:
        self.at, self.calls, self._lock = at, 0, threading.Lock()

    def __call__(self, before_end: Callable[[], object] = lambda: None) -> None:
        with self._lock:
            self.calls += 1
            if self.calls == self.at:
                before_end()
                os.kill(os.getpid(), signal.SIGKILL)


class CountedFile:
    """A file opened for writing, whose every `write` counts."""

    def __init__(self, file: Any, count: Counter) -> None:
        self._file, self._count = file, count

    def write(self, data: Any) -> Any:
        def half() -> None:
            view = data if isinstance(data, str) else memoryview(data).cast("B")
            self._file.write(view[: len(view) // 2])
            self._file.flush()

        self._count(half)
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "CountedFile":
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def __iter__(self) -> Any:
        return iter(self._file)


def kill_at(call: int) -> Counter:
    """Kill this process at its call of this number that changes the disk; 0: never, they are only counted."""
    count, opened, fsync = Counter(call), io.open, os.fsync

    def counted_open(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        writes = any(letter in mode for letter in "wxa+") and not isinstance(file, int)
        if not writes or str(file).startswith(DEVICES):
            return opened(file, mode, *more, **named)
        count()
        return CountedFile(opened(file, mode, *more, **named), count)

    def counted_fsync(descriptor: int) -> None:
        count()
        fsync(descriptor)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in NAMES:
            count()

    io.open = builtins.open = counted_open
    os.fsync = counted_fsync
    sys.addaudithook(hook)
    return count
