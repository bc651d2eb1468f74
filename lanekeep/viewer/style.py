"""How everything looks: a dark ground, the colours of Okabe and Ito (2008), which the colour-blind tell apart, three sizes
of type, and lines drawn at twice their size and scaled down, which makes them smooth."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pygame
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Point = tuple[float, float]

GROUND: Colour = (16, 18, 22)
PANEL: Colour = (24, 27, 33)
RULE: Colour = (52, 57, 67)
FAINT: Colour = (128, 136, 150)
PLAIN: Colour = (206, 211, 220)
BRIGHT: Colour = (245, 247, 250)
BLUE: Colour = (86, 180, 233)
ORANGE: Colour = (230, 159, 0)
GREEN: Colour = (0, 158, 115)
RED: Colour = (213, 94, 0)  # vermillion

SMALL, NORMAL, LARGE = 17, 20, 28
FINE = 2  # pixels drawn for one shown


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`share` of b in a."""
    return (
        round(a[0] + (b[0] - a[0]) * share),
        round(a[1] + (b[1] - a[1]) * share),
        round(a[2] + (b[2] - a[2]) * share),
    )


def signed(value: float, ground: Colour = PANEL) -> Colour:
    """-1 blue, 0 the ground, +1 orange."""
    return mix(ground, ORANGE if value > 0.0 else BLUE, min(abs(value), 1.0))


@lru_cache(maxsize=3)
def _font(size: int) -> pygame.font.Font:
    pygame.font.init()
    return pygame.font.Font(None, FINE * size)


@lru_cache(maxsize=512)
def _words(text: str, size: int, colour: Colour) -> pygame.Surface:
    """Set at twice the size and scaled down: letters that small are else pushed onto whole pixels, unevenly spaced."""
    fine = _font(size).render(text, True, colour)
    return pygame.transform.smoothscale(fine, (fine.get_width() // FINE, fine.get_height() // FINE))


def write(
    on: pygame.Surface, text: str, at: Point, size: int = NORMAL, colour: Colour = FAINT, align: str = "left"
) -> int:
    """Write a line centred on the height `at[1]`, aligned left, right or in the middle of `at[0]`; return its width."""
    words = _words(text, size, colour)
    width = words.get_width()
    x = at[0] - {"left": 0.0, "middle": width / 2, "right": float(width)}[align]
    on.blit(words, (round(x), round(at[1] - words.get_height() / 2)))
    return width


class Sheet:
    """A drawing area in its own pixels, drawn fine; `onto` puts it where it belongs."""

    def __init__(self, width: int, height: int, ground: Colour = PANEL) -> None:
        self.width, self.height = width, height
        self.fine = pygame.Surface((width * FINE, height * FINE), 0, 32)
        self.fine.fill(ground)

    def line(self, points: Sequence[Point] | NDArray[np.float64], colour: Colour, width: float = 1.0) -> None:
        """A line through points [M, 2]."""
        corners = np.asarray(points, np.float64) * FINE
        if len(corners) > 1:
            pygame.draw.lines(self.fine, colour, False, corners.tolist(), max(1, round(width * FINE)))

    def area(self, points: Sequence[Point] | NDArray[np.float64], colour: Colour) -> None:
        """A filled polygon."""
        pygame.draw.polygon(self.fine, colour, (np.asarray(points, np.float64) * FINE).tolist())

    def disc(self, at: Point, radius: float, colour: Colour) -> None:
        """A filled circle."""
        pygame.draw.circle(self.fine, colour, (at[0] * FINE, at[1] * FINE), radius * FINE)

    def onto(self, canvas: pygame.Surface, at: tuple[int, int]) -> None:
        """Scale down and put on the canvas."""
        canvas.blit(pygame.transform.smoothscale(self.fine, (self.width, self.height)), at)
