"""Pictures as files: a .png of one, a film of many, written by ffmpeg.

A film is H.264 that plays everywhere (.mp4, yuv420p with the index in front), or a moving picture for a page (.webp) that
shows ten pictures a second and starts again at its end.

A film is written beside its final name and renamed when it is whole.  Ctrl-C ends it early but ends it properly.
"""

import io
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import imageio_ffmpeg
import pygame

from lanekeep.errors import UserError
from lanekeep.settings import check_ending
from lanekeep_files.writing import Aside, WritingError, write_whole

Colour = tuple[int, int, int]
ENCODINGS = {
    ".mp4": "-vcodec libx264 -pix_fmt yuv420p -crf 20 -preset veryfast -movflags +faststart",
    ".webp": "-vcodec libwebp_anim -pix_fmt yuv420p -r 10 -quality 45 -loop 0",
}


def write_picture(path: Path, surface: pygame.Surface) -> None:
    """Write a .png file; pygame itself does not notice a full disk."""
    check_ending(path, [".png"])
    encoded = io.BytesIO()
    pygame.image.save(surface, encoded, ".png")
    write_whole(path, encoded.getvalue())


class Film:
    """A film being written, of pictures of one size, which is made even, as H.264 has half as many colours as pixels a side.

    A picture of another shape has edges of the colour `ground`.  As a context it is made whole at the end of the block; a
    block that fails leaves no film.
    """

    def __init__(self, path: Path, size: tuple[int, int], frames_per_s: int, ground: Colour) -> None:
        check_ending(path, ENCODINGS)
        if path.is_dir():
            raise UserError(f"{path} is a folder; expected the name of a file")
        self.path, self._ground, self._size = path, ground, (size[0] // 2 * 2, size[1] // 2 * 2)
        try:
            self._aside = Aside(path)  # ffmpeg would not say what is wrong in a sentence
        except WritingError as error:
            raise UserError(str(error)) from error
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
        command += ["-s", "x".join(map(str, self._size)), "-r", str(frames_per_s), "-i", "-", "-an"]
        command += [*ENCODINGS[path.suffix.lower()].split(), f"file:{self._aside.path}"]
        silent = subprocess.DEVNULL
        self._ffmpeg = subprocess.Popen(  # the terminal's Ctrl-C is for us
            command, stdin=subprocess.PIPE, stdout=silent, stderr=silent, start_new_session=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        (self.finish if kind is None else self.abandon)()

    def add(self, surface: pygame.Surface) -> None:
        """Add a picture to the film."""
        assert self._ffmpeg.stdin is not None
        try:
            self._ffmpeg.stdin.write(pygame.image.tobytes(fitted(surface, self._size, self._ground), "RGB"))
        except OSError as error:
            raise self._given_up() from error

    def finish(self) -> None:
        """Make the film whole and give it its name."""
        whole = self._end() == 0
        try:
            if not whole:
                raise self._given_up()
            self._aside.publish()
        except WritingError as error:
            raise UserError(str(error)) from error
        finally:
            self._aside.discard()

    def abandon(self) -> None:
        """Stop ffmpeg and remove the unfinished film."""
        self._ffmpeg.kill()
        self._end()
        self._aside.discard()

    def _end(self) -> int:
        """Close the pipe and wait for ffmpeg's exit code."""
        assert self._ffmpeg.stdin is not None
        with suppress(OSError):  # it may have given up already
            self._ffmpeg.stdin.close()
        return self._ffmpeg.wait()

    def _given_up(self) -> UserError:
        return UserError(f"{self.path} cannot be written: ffmpeg gave up; is the disk full?")


def fitted(surface: pygame.Surface, size: tuple[int, int], ground: Colour) -> pygame.Surface:
    """Fit a picture into another size: as large as its shape allows, in the middle; a pixel too many is cut off."""
    (width, height), (wide, high) = surface.get_size(), size
    if 0 <= width - wide <= 1 and 0 <= height - high <= 1:
        return surface.subsurface((0, 0, wide, high))
    scale = min(wide / width, high / height)
    small = pygame.transform.smoothscale(surface, (round(width * scale), round(height * scale)))
    whole = pygame.Surface(size, 0, 32)
    whole.fill(ground)
    whole.blit(small, small.get_rect(center=(wide // 2, high // 2)))
    return whole


@contextmanager
def held_back() -> Iterator[threading.Event]:
    """Keep the first Ctrl-C, which sets the event, from breaking off what is under way; a second one does."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = signal.getsignal(signal.SIGINT)

    def note(*_: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
