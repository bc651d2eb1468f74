"""The recorder: adds whole episodes to a dataset, or nothing.

A shard is written into a hidden folder of the recorder's own, flushed to disk file by file, and then renamed into
place: whoever reads sees a whole episode or none, wherever a kill, a power cut or a full disk fell.

    dataset/
        .recorder-3f9c2a71.lock     held by the operating system while its recorder lives
        .recording-3f9c2a71/        scratch of that recorder
            episode-5b0d94e6/       a shard being written
        episode-000000-1f2e3d4c/

The operating system takes back the lock of a killed process, which tells the next recorder what to sweep away.
"""

import errno
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
from filelock import BaseFileLock
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
from lanekeep_files.locks import give_back, taken
from lanekeep_files.writing import flush_folder

SCRATCH_PREFIX, LOCK_PREFIX = ".recording-", ".recorder-"
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
                flush_folder(self.folder.parent)
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
                    flush_folder(self.folder)
                    return path

    def close(self) -> None:
        """Give up the scratch folder; what was written stays."""
        _remove(self._scratch, self._lock)

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
    flush_folder(shard)
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


def _claim_scratch(folder: Path) -> tuple[Path, BaseFileLock]:
    """Sweep away what killed recorders left, then lock and make a scratch folder."""
    lefts = [path.name.removeprefix(SCRATCH_PREFIX) for path in folder.glob(f"{SCRATCH_PREFIX}*")]
    lefts += [path.stem.removeprefix(LOCK_PREFIX) for path in folder.glob(f"{LOCK_PREFIX}*.lock")]
    for left in dict.fromkeys(lefts):
        _sweep(folder, left)
    while True:
        token = secrets.token_hex(4)
        lock = taken(_lock_of(folder, token))
        if lock is not None:  # else another recorder takes it, unlocked yet, for that of a dead one
            mine = folder / f"{SCRATCH_PREFIX}{token}"
            mine.mkdir()
            return mine, lock


def _lock_of(folder: Path, token: str) -> Path:
    return folder / f"{LOCK_PREFIX}{token}.lock"


def _sweep(folder: Path, token: str) -> None:
    """Remove a scratch folder unless a living recorder holds its lock."""
    lock = taken(_lock_of(folder, token))
    if lock is not None:
        _remove(folder / f"{SCRATCH_PREFIX}{token}", lock)


def _remove(scratch: Path, lock: BaseFileLock) -> None:
    """Remove a scratch folder, and its lock last: as long as there is a folder, its lock is the same file."""
    shutil.rmtree(scratch, ignore_errors=True)
    give_back(lock)


def next_number(folder: Path) -> int:
    """Number of the next episode of a dataset."""
    names = (SHARD_NAME.fullmatch(path.name) for path in folder.iterdir())
    return max((int(name[1]) + 1 for name in names if name), default=0)


@contextmanager
def _as_sentence(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DemonstrationError(f"cannot record into {folder}: {error.strerror}") from error
