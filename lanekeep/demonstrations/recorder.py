"""The recorder: adds whole episodes to a dataset, or nothing.

A shard is written into a hidden folder of the recorder's own, flushed to disk file by file, and then renamed into
place: whoever reads sees a whole episode or none, wherever a kill, a power cut or a full disk fell.

    dataset/
        .recording-3f9c2a71/     scratch of one recorder, locked with flock while it lives
            episode-5b0d94e6/    a shard being written
        episode-000000-1f2e3d4c/

The kernel drops the lock of a killed process, which tells the next recorder what to sweep away.
"""

import errno
import fcntl
import hashlib
import io
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from lanekeep.demonstrations.shard import (
    FRAMES,
    RECORD,
    SHARD_NAME,
    SIGNALS,
    DemonstrationError,
    EpisodeInfo,
    EpisodeRecord,
    FileStamp,
    Signals,
    check_frames,
    check_signals,
    decode_record,
    seal,
)

SCRATCH_PREFIX = ".recording-"
Staged = tuple[Path, str]  # folder of a written shard, and the seal for its name


class Recorder:
    """Appends episodes to the dataset in `folder`, which is made if it is missing; use it in a `with` block.

    Any number of recorders may write into one folder at once. An episode is safe on disk when `write` returns.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        with _as_sentence(self.folder):
            if not self.folder.is_dir():
                self.folder.mkdir(parents=True, exist_ok=True)  # another recorder may have made it just now
                _flush_folder(self.folder.parent)
            self._scratch, self._lock = _claim_scratch(self.folder)
            self._next = next_number(self.folder)

    def write(self, frames: NDArray[np.uint8], signals: Signals, info: EpisodeInfo) -> Path:
        """Add one episode: frames [T, H, W, 3], and signals [T, ...] by name, of which two are the actions."""
        return self.publish(self.stage(frames, signals, info))

    def stage(self, frames: NDArray[np.uint8], signals: Signals, info: EpisodeInfo) -> Staged:
        """Write an episode to disk that no reader sees yet; several threads may do so at once."""
        check_frames(frames.dtype, frames.shape)
        check_signals(signals, len(frames))
        with _as_sentence(self.folder):
            shard = self._scratch / f"episode-{secrets.token_hex(4)}"
            shard.mkdir()
            try:
                return shard, _write_shard(shard, np.ascontiguousarray(frames), signals, info)
            except BaseException:
                shutil.rmtree(shard, ignore_errors=True)
                raise

    def publish(self, staged: Staged) -> Path:
        """Rename a staged episode to the next free name; a name that another recorder took is never replaced."""
        shard, name_seal = staged
        with _as_sentence(self.folder):
            while True:
                path = self.folder / f"episode-{self._next:06d}-{name_seal}"
                self._next += 1
                try:
                    os.rename(shard, path)
                except OSError as error:
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        shutil.rmtree(shard, ignore_errors=True)
                        raise
                else:
                    _flush_folder(self.folder)
                    return path

    def close(self) -> None:
        """Give up the scratch folder; what was written stays."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _write_shard(shard: Path, frames: NDArray[np.uint8], signals: Signals, info: EpisodeInfo) -> str:
    """Write the three files and flush them with their folder; returns the seal for the folder's name."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(frames))
    record = EpisodeRecord(
        frame_count=len(frames),
        episode=info,
        frames=_write_file(shard / FRAMES, header.getvalue(), frames.data.cast("B")),
        signals=_write_file(shard / SIGNALS, _pack(signals)),
    )
    encoded = msgspec.json.format(msgspec.json.encode(record), indent=2)
    decode_record(encoded)  # refuses a step of 0 s, or a name that is a number: what goes in can come out
    _write_file(shard / RECORD, encoded)
    _flush_folder(shard)
    return seal(encoded)


def _pack(signals: Signals) -> bytes:
    """The signals as npz; np.savez would refuse signals called `file` and `allow_pickle`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in sorted(signals):
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, signals[name], allow_pickle=False)
    return packed.getvalue()


def _write_file(path: Path, *parts: bytes | memoryview) -> FileStamp:
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for part in parts:
            file.write(part)
            digest.update(part)
        file.flush()
        os.fsync(file.fileno())
        return FileStamp(file.tell(), digest.hexdigest())


def _claim_scratch(folder: Path) -> tuple[Path, int]:
    """Sweep away what killed recorders left, then make and lock a scratch folder."""
    dataset = os.open(folder, os.O_RDONLY)
    try:
        # While the dataset itself is locked, no scratch folder is between being made and being locked.
        fcntl.flock(dataset, fcntl.LOCK_EX)
        for scratch in folder.glob(f"{SCRATCH_PREFIX}*"):
            _sweep(scratch)
        mine = folder / f"{SCRATCH_PREFIX}{secrets.token_hex(4)}"
        mine.mkdir()
        lock = os.open(mine, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return mine, lock
    finally:
        os.close(dataset)


def _sweep(scratch: Path) -> None:
    """Remove a scratch folder unless a living recorder holds its lock."""
    try:
        lock = os.open(scratch, os.O_RDONLY)
    except FileNotFoundError:  # its recorder has just closed
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(scratch, ignore_errors=True)
    except BlockingIOError:
        pass
    finally:
        os.close(lock)


def next_number(folder: Path) -> int:
    """Number of the next episode of a dataset."""
    names = (SHARD_NAME.fullmatch(path.name) for path in folder.iterdir())
    return max((int(name[1]) + 1 for name in names if name), default=0)


def _flush_folder(folder: Path) -> None:
    """Make the entries of a folder survive a power cut, as fsync of the files in it does not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _as_sentence(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DemonstrationError(f"cannot record into {folder}: {error.strerror}") from error
