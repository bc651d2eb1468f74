"""A film, written by ffmpeg: H.264 that plays everywhere (.mp4), or a moving picture for a page (.webp).

H.264 is yuv420p with the index in front; the moving picture shows ten pictures a second and starts again at its end.

The file is written beside its final name and renamed when it is whole.  Ctrl-C ends the film early but ends it properly.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import imageio_ffmpeg

from lanekeep.errors import UserError

ENCODINGS = {
    ".mp4": "-vcodec libx264 -pix_fmt yuv420p -crf 20 -preset veryfast -movflags +faststart",
    ".webp": "-vcodec libwebp_anim -pix_fmt yuv420p -r 10 -quality 45 -loop 0",
}


class Film:
    """A video file being written."""

    def __init__(self, path: Path, size: tuple[int, int], frames_per_s: int) -> None:
        self.path, self.aside = path, path.with_name(f".{path.stem}.{os.getpid()}{path.suffix.lower()}")
        try:
            self.aside.touch()  # ffmpeg would not say what is wrong in a sentence
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror}") from error
        width, height = size
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
        command += ["-s", f"{width}x{height}", "-r", str(frames_per_s), "-i", "-", "-an"]
        command += ENCODINGS[path.suffix.lower()].split()
        self._ffmpeg = subprocess.Popen(
            [*command, f"file:{self.aside}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # the terminal's Ctrl-C is for us
        )

    def add(self, rgb: bytes) -> None:
        """Add a frame of RGB bytes."""
        assert self._ffmpeg.stdin is not None
        try:
            self._ffmpeg.stdin.write(rgb)
        except OSError as error:
            raise self._given_up() from error

    def finish(self) -> None:
        """Make the file whole and give it its name."""
        whole = self._end() == 0
        try:
            if not whole:
                raise self._given_up()
            self.aside.replace(self.path)
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}") from error
        finally:
            self.aside.unlink(missing_ok=True)

    def abandon(self) -> None:
        """Stop ffmpeg and remove the unfinished file."""
        self._ffmpeg.kill()
        self._end()
        self.aside.unlink(missing_ok=True)

    def _end(self) -> int:
        """Close the pipe and wait for ffmpeg's exit code."""
        assert self._ffmpeg.stdin is not None
        with suppress(OSError):  # it may have given up already
            self._ffmpeg.stdin.close()
        return self._ffmpeg.wait()

    def _given_up(self) -> UserError:
        return UserError(f"{self.path} cannot be written: ffmpeg gave up; is the disk full?")


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
