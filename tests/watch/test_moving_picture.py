"""A film for a page: the pictures that were added, ten of every twenty, for ever."""

from pathlib import Path

import numpy as np
import pygame
import pytest
from PIL import Image, ImageSequence

from lanekeep.video import Film, fitted


def test_a_page_shows_every_second_picture_for_ever(tmp_path: Path) -> None:
    path, greys = tmp_path / "drive.webp", range(20, 220, 10)
    with Film(path, (64, 48), 20, (0, 0, 0)) as film:
        for grey in greys:
            surface = pygame.Surface((64, 48), 0, 32)
            surface.fill((grey, grey, grey))
            film.add(surface)
    with Image.open(path) as film:
        assert film.format == "WEBP" and film.size == (64, 48) and film.info["loop"] == 0
        shown = [np.asarray(picture.convert("RGB")).mean() for picture in ImageSequence.Iterator(film)]
    assert 10 <= len(shown) <= 12  # ffmpeg may repeat the last one
    assert np.all(np.diff(shown) > -2.0) and abs(shown[0] - greys[0]) < 12.0 and abs(shown[-1] - greys[-1]) < 12.0
    assert [file.name for file in tmp_path.iterdir()] == ["drive.webp"]


@pytest.mark.parametrize("size", [(960, 800), (2000, 600), (1281, 721)])
def test_a_film_keeps_the_shape_of_a_window_that_is_resized(size: tuple[int, int]) -> None:
    surface = pygame.Surface(size, 0, 32)
    surface.fill((255, 0, 0))
    red = pygame.surfarray.array3d(fitted(surface, (1280, 720), (0, 0, 0)))[..., 0] > 128
    shown = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    wide, high = (np.ptp(pixels) + 1 for pixels in shown)
    assert wide == 1280 or high == 720
    assert wide / high == pytest.approx(size[0] / size[1], rel=0.01)
