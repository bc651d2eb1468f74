"""A shard: one recorded episode as an immutable folder.

    episode-000123-1f2e3d4c/
        frames.npy      uint8 [T, H, W, 3], uncompressed so that it can be memory-mapped
        signals.npz     float32 [T, ...] by name, uncompressed
        episode.json    what was recorded, and the size and sha256 of the other two files

The eight hex digits begin the sha256 of episode.json: the name seals the record and the record seals the files, so
damage anywhere shows. It is a seal against accidents, not a signature. Nothing is ever unpickled.
"""

import hashlib
import io
import math
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

SCHEMA = 1
FRAMES = "frames.npy"
SIGNALS = "signals.npz"
RECORD = "episode.json"
SHARD_NAME = re.compile(r"episode-(\d{6,})-([0-9a-f]{8})")
ACTIONS = ("driven_action", "expert_action")  # both [T, A] in action units, at every frame of every episode

Signals = Mapping[str, NDArray[np.float32]]  # name -> [T, ...]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class DemonstrationError(Exception):
    """A dataset cannot be written or read as asked; the message is one sentence for the user."""


class EpisodeInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The drive of an episode, and the meaning of the numbers in its signals."""

    scenario: str
    seed: int
    dagger_round: int = 0  # 0: the expert drove, or a person
    camera: dict[str, int | float]  # dataclasses.asdict of the environment's Camera
    dt_s: Positive
    curvature_limit_per_m: Positive  # the curvature that an action of 1 stands for
    perturbation: str = ""


class FileStamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Size and content of a file as it was written."""

    bytes: int
    sha256: str


class EpisodeRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """episode.json."""

    schema: int = SCHEMA
    frame_count: int
    episode: EpisodeInfo
    frames: FileStamp
    signals: FileStamp


class _Schema(msgspec.Struct):
    """The one field that every version of episode.json has."""

    schema: int


@dataclass(frozen=True, eq=False)
class Episode:
    """One whole shard: its signals in memory, its frames on disk."""

    folder: Path
    record: EpisodeRecord
    signals: Signals
    frame_shape: tuple[int, ...]  # (T, H, W, 3)
    frames_offset: int  # [bytes] where the pixels begin in frames.npy

    def __len__(self) -> int:
        return self.frame_shape[0]

    @property
    def info(self) -> EpisodeInfo:
        return self.record.episode

    @property
    def frames(self) -> NDArray[np.uint8]:
        """The frames [T, H, W, 3], mapped anew at every access.

        A mapping holds a file descriptor, and a dataset has more episodes than a process may open files.
        """
        return np.memmap(self.folder / FRAMES, np.uint8, "r", self.frames_offset, self.frame_shape)

    def read_frames(self, first: int, out: NDArray[np.uint8]) -> None:
        """Fill `out` [t, H, W, 3], contiguous, with the frames from `first` on: for few frames faster than a mapping."""
        path = self.folder / FRAMES
        with path.open("rb", buffering=0) as file:
            file.seek(self.frames_offset + first * math.prod(self.frame_shape[1:]))
            if file.readinto(out.data.cast("B")) != out.nbytes:
                raise DemonstrationError(f"{path} ends before frame {first + len(out)}")


def verify(episode: Episode) -> None:
    """Compare the frames with their sha256.

    Opening a dataset does not: it would read every pixel from disk (about 400 MB for 10 000 frames of 66x200)
    before the first training step. What a killed recorder or a full disk could do shows in the size already.
    """
    with (episode.folder / FRAMES).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != episode.record.frames.sha256:
        raise DemonstrationError(f"{episode.folder}: {FRAMES} does not have the sha256 in {RECORD}")


def read_shard(folder: Path) -> Episode:
    """Open one shard after checking everything but the pixels; DemonstrationError says what is damaged."""
    try:
        record = _read_record(folder)
        signals = _read_signals(folder / SIGNALS, record)
        frame_shape, offset = _read_frames_header(folder / FRAMES, record)
    except OSError as error:
        raise DemonstrationError(f"{error.filename or folder}: {error.strerror}") from error
    except DemonstrationError as error:
        raise DemonstrationError(f"{folder}: {error}") from error
    return Episode(folder, record, signals, frame_shape, offset)


def seal(record: bytes) -> str:
    """The eight hex digits that a shard with this episode.json carries in its name."""
    return hashlib.sha256(record).hexdigest()[:8]


def decode_record(encoded: bytes) -> EpisodeRecord:
    """Read episode.json; a newer schema is refused as such, not for its unknown fields."""
    try:
        schema = msgspec.json.decode(encoded, type=_Schema).schema
        if schema != SCHEMA:
            raise DemonstrationError(f"{RECORD} has schema {schema}, and this version of lanekeep reads {SCHEMA}")
        return msgspec.json.decode(encoded, type=EpisodeRecord)
    except msgspec.DecodeError as error:
        raise DemonstrationError(f"{RECORD} is not the record of an episode: {error}") from error


def check_frames(dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> None:
    """Refuse what is not a film of at least one frame."""
    if dtype != np.uint8 or len(shape) != 4 or shape[3] != 3 or 0 in shape:
        raise DemonstrationError(f"frames must be uint8 [T, H, W, 3] and not empty, but are {dtype} {list(shape)}")


def check_signals(signals: Signals, frame_count: int) -> None:
    """Refuse signals that are not finite float32 numbers, one row for each frame."""
    for name, values in signals.items():
        if not name.isidentifier():
            raise DemonstrationError(f"{name!r} is not a name for a signal: use letters, digits and underscores")
        if values.dtype != np.float32:
            raise DemonstrationError(f"signal {name} must be float32, but is {values.dtype}")
        if values.shape[:1] != (frame_count,):
            raise DemonstrationError(f"signal {name} has shape {list(values.shape)} beside {frame_count} frames")
        if not np.isfinite(values).all():
            raise DemonstrationError(f"signal {name} holds a number that is not finite")
    shapes = [signals[name].shape for name in ACTIONS if name in signals]
    if len(shapes) < len(ACTIONS) or len(shapes[0]) != 2 or shapes[0] != shapes[1]:
        raise DemonstrationError(f"an episode needs the signals {' and '.join(ACTIONS)}, both [T, A] of the same width")


def _read_record(folder: Path) -> EpisodeRecord:
    name = SHARD_NAME.fullmatch(folder.name)
    if name is None:
        raise DemonstrationError("the name is not that of an episode")
    encoded = (folder / RECORD).read_bytes()
    if seal(encoded) != name[2]:
        raise DemonstrationError(f"{RECORD} is not the one that the folder's name was made from")
    return decode_record(encoded)


def _read_signals(path: Path, record: EpisodeRecord) -> Signals:
    content = path.read_bytes()
    if FileStamp(len(content), hashlib.sha256(content).hexdigest()) != record.signals:
        raise DemonstrationError(f"{SIGNALS} does not have the size and sha256 in {RECORD}")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            signals = {name: archive[name] for name in archive.files}
    except (ValueError, TypeError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DemonstrationError(f"{SIGNALS} is not an archive of arrays: {error}") from error
    check_signals(signals, record.frame_count)
    for values in signals.values():
        values.setflags(write=False)
    return signals


def _read_frames_header(path: Path, record: EpisodeRecord) -> tuple[tuple[int, ...], int]:
    """Shape and offset of the pixels in frames.npy."""
    try:
        with path.open("rb") as file:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError("another version of the format")
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
            offset = file.tell()
    except ValueError as error:
        raise DemonstrationError(f"{FRAMES} has no npy header of version 1.0: {error}") from error
    check_frames(dtype, shape)
    size = path.stat().st_size
    if fortran_order or shape[0] != record.frame_count or size != offset + int(np.prod(shape, dtype=np.int64)):
        raise DemonstrationError(f"{FRAMES} does not hold the {record.frame_count} frames in {RECORD}")
    if size != record.frames.bytes:
        raise DemonstrationError(f"{FRAMES} has {size} bytes where {RECORD} says {record.frames.bytes}")
    return shape, offset
