"""Pictures as files: a .png of one, an .mp4 or .webp film of many."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pygame

from lanekeep.errors import UserError
from lanekeep.settings import write_whole
from lanekeep.video.h264 import ENCODINGS, Film

Colour = tuple[int, int, int]


def write_picture(path: Path, surface: pygame.Surface) -> None:
    """Write a .png file; pygame itself does not notice a full disk."""
    check_suffix(path, ".png")
    encoded = io.BytesIO()
    pygame.image.save(surface, encoded, ".png")
    write_whole(path, encoded.getvalue())


class Reel:
    """A film of pictures of one size, which is made even, as H.264 has half as many colours as pixels a side.

    A picture of another shape has edges of the colour `ground`.
    """

    def __init__(self, path: Path, size: tuple[int, int], frames_per_s: int, ground: Colour) -> None:
        check_suffix(path, *ENCODINGS)
        if path.is_dir():
            raise UserError(f"{path} is a folder; expected the name of a file")
        self.path, self._ground, self._size = path, ground, (size[0] // 2 * 2, size[1] // 2 * 2)
        self._film = Film(path, self._size, frames_per_s)

    def add(self, surface: pygame.Surface) -> None:
        """Add a picture to the film."""
        self._film.add(pygame.image.tobytes(fitted(surface, self._size, self._ground), "RGB"))

    def finish(self) -> None:
        """Make the film whole."""
        self._film.finish()

    def abandon(self) -> None:
        """Remove the unfinished film."""
        self._film.abandon()


@contextmanager
def filmed(path: Path | None, size: tuple[int, int], frames_per_s: int, ground: Colour) -> Iterator[Reel | None]:
    """Make a film while the block runs, if there is a path; a block that fails leaves no film."""
    if path is None:
        yield None
        return
    reel = Reel(path, size, frames_per_s, ground)
    try:
        yield reel
    except BaseException:
        reel.abandon()
        raise
    reel.finish()


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


def check_suffix(path: Path, *suffixes: str) -> None:
    """Refuse a file whose name says that it is something else."""
    if path.suffix.lower() not in suffixes:
        raise UserError(f"{path}: expected a name that ends in {' or '.join(suffixes)}")
