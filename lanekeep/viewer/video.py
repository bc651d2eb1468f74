"""H.264 that plays everywhere: yuv420p, the index in front, no half file under the final name.

The file is written beside its final name and renamed when it is whole.  Ctrl-C ends the film early but ends it properly.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import imageio_ffmpeg

from lanekeep.flags import UserError


class Film:
    """A video file being written."""

    def __init__(self, path: Path, size: tuple[int, int], frames_per_s: int) -> None:
        self.path, self.aside = path, path.with_name(f".{path.stem}.{os.getpid()}.mp4")
        self._writer = imageio_ffmpeg.write_frames(
            str(self.aside),
            size,
            fps=frames_per_s,
            codec="libx264",
            quality=None,
            ffmpeg_log_level="error",
            output_params=["-crf", "20", "-preset", "veryfast", "-movflags", "+faststart"],
        )
        self._writer.send(None)

    def add(self, rgb: bytes) -> None:
        """One more frame."""
        try:
            self._writer.send(rgb)
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: ffmpeg gave up; is the disk full?") from error

    def finish(self) -> None:
        """Make the file whole and give it its name."""
        self._writer.close()
        if not self.aside.is_file():
            raise UserError(f"{self.path} cannot be written; may you write to its folder?")
        self.aside.replace(self.path)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._writer.close()
        self.aside.unlink(missing_ok=True)


class Interrupt:
    """Whether Ctrl-C was pressed."""

    pressed = False


@contextmanager
def held_back() -> Iterator[Interrupt]:
    """Keep the first Ctrl-C from breaking off what is under way; a second one does."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        interrupt.pressed = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
