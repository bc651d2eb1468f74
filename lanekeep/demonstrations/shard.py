"""A shard: one recorded episode as an immutable folder.

    episode-000123-1f2e3d4c/
        frames.npy      uint8 [T, H, W, 3], uncompressed so that it can be memory-mapped
        signals.npz     float32 [T, ...] by name, uncompressed
        episode.json    what was recorded, and the size and sha256 of the other two files

The eight hex digits begin the sha256 of episode.json: the name seals the record and the record seals the files, so
damage anywhere shows. It is a seal against accidents, not a signature. Nothing is ever unpickled.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from lanekeep_files.reading import MIB, Arrays, FileError, array_header, json_of, parsed, read_file

SCHEMA = 1
FRAMES = "frames.npy"
SIGNALS = "signals.npz"
RECORD = "episode.json"
SHARD_NAME = re.compile(r"episode-(\d{6,})-([0-9a-f]{8})")
ACTIONS = ("driven_action", "expert_action")  # both [T, A] in action units, at every frame of every episode

Signals = Mapping[str, NDArray[np.float32]]  # name -> [T, ...]
LARGEST_RECORD, LARGEST_SIGNALS = MIB, 256 * MIB  # [bytes]
LARGEST_SIGNAL = 1e6  # of any unit; beyond it nothing that drives is
WIDEST_SIGNAL = 4096  # numbers for each frame
LARGEST_ACTION = 100.0  # an action of 1 is the most that a car does
Step = Annotated[float, msgspec.Meta(gt=0, le=10.0)]
Limit = Annotated[float, msgspec.Meta(gt=0, le=10.0)]
Bytes = Annotated[int, msgspec.Meta(ge=0, le=1 << 50)]
Frames = Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]
Words = Annotated[str, msgspec.Meta(max_length=2000)]


class DemonstrationError(Exception):
    """A dataset cannot be written or read as asked; the message is one sentence for the user."""


class EpisodeInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The drive of an episode, and the meaning of the numbers in its signals."""

    scenario: Words
    seed: int
    dagger_round: Frames = 0  # 0: the expert drove, or a person
    camera: dict[str, int | float]  # dataclasses.asdict of the environment's Camera
    dt_s: Step
    curvature_limit_per_m: Limit  # the curvature that an action of 1 stands for
    perturbation: Words = ""


class FileStamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Size and content of a file as it was written."""

    bytes: Bytes
    sha256: str


class EpisodeRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """episode.json."""

    schema: int = SCHEMA
    frame_count: Frames
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
    except (DemonstrationError, FileError) as error:
        raise DemonstrationError(f"{folder}: {error}") from error
    return Episode(folder, record, signals, frame_shape, offset)


def seal(record: bytes) -> str:
    """The eight hex digits that a shard with this episode.json carries in its name."""
    return hashlib.sha256(record).hexdigest()[:8]


def decode_record(encoded: bytes) -> EpisodeRecord:
    """Read episode.json; a newer schema is refused as such, not for its unknown fields."""
    try:
        schema = json_of(encoded, RECORD, _Schema, "the record of an episode").schema
        if schema != SCHEMA:
            raise DemonstrationError(f"{RECORD} has schema {schema}, and this version of lanekeep reads {SCHEMA}")
        return json_of(encoded, RECORD, EpisodeRecord, "the record of an episode")
    except FileError as error:
        raise DemonstrationError(str(error)) from error


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
        most = LARGEST_ACTION if name in ACTIONS else LARGEST_SIGNAL
        if values.size and float(np.abs(values).max()) > most:
            raise DemonstrationError(f"signal {name} must be from {-most:g} to {most:g} throughout")
    shapes = [signals[name].shape for name in ACTIONS if name in signals]
    if len(shapes) < len(ACTIONS) or len(shapes[0]) != 2 or shapes[0] != shapes[1]:
        raise DemonstrationError(f"an episode needs the signals {' and '.join(ACTIONS)}, both [T, A] of the same width")


def _read_record(folder: Path) -> EpisodeRecord:
    name = SHARD_NAME.fullmatch(folder.name)
    if name is None:
        raise DemonstrationError("the name is not that of an episode")
    encoded = read_file(folder / RECORD, LARGEST_RECORD)
    if seal(encoded) != name[2]:
        raise DemonstrationError(f"{RECORD} is not the one that the folder's name was made from")
    return decode_record(encoded)


def _read_signals(path: Path, record: EpisodeRecord) -> Signals:
    content = read_file(path, min(record.signals.bytes, LARGEST_SIGNALS))
    if FileStamp(len(content), hashlib.sha256(content).hexdigest()) != record.signals:
        raise DemonstrationError(f"{SIGNALS} does not have the size and sha256 in {RECORD}")
    archive = Arrays(content, SIGNALS)
    signals = {name: _signal(archive, name, record.frame_count) for name in archive.names}
    check_signals(signals, record.frame_count)
    for values in signals.values():
        values.setflags(write=False)
    return signals


def _signal(archive: Arrays, name: str, frame_count: int) -> NDArray[np.float32]:
    """One signal, after its header was compared with the number of frames: what is too large is not read."""
    shape, dtype = archive.header(name)
    if dtype != np.float32 or shape[:1] != (frame_count,) or math.prod(shape[1:]) > WIDEST_SIGNAL:
        raise DemonstrationError(f"signal {name} is {dtype} {list(shape)} beside {frame_count} frames")
    return archive.read(name, LARGEST_SIGNALS)


def _read_frames_header(path: Path, record: EpisodeRecord) -> tuple[tuple[int, ...], int]:
    """Shape and offset of the pixels in frames.npy."""
    with path.open("rb") as file:
        try:
            shape, fortran_order, dtype = parsed(lambda: array_header(file), FRAMES, "an npy file")
        except FileError as error:
            raise DemonstrationError(f"{FRAMES} has no npy header of version 1.0: {error}") from error
        offset = file.tell()
    check_frames(dtype, shape)
    size = path.stat().st_size
    if fortran_order or shape[0] != record.frame_count or size != offset + math.prod(shape):
        raise DemonstrationError(f"{FRAMES} does not hold the {record.frame_count} frames in {RECORD}")
    if size != record.frames.bytes:
        raise DemonstrationError(f"{FRAMES} has {size} bytes where {RECORD} says {record.frames.bytes}")
    return shape, offset
