"""Style: a dark ground, a red and the colours of Okabe and Ito (2008), which the colour-blind tell apart, three sizes of
type, and lines drawn at twice their size and scaled down, which makes them smooth.

A colour means one thing: orange and blue, that the steering is to the left or to the right; yellow and pink, the first and
the second driver; green, what would be right: the middle of the lane, and the expert; red, a departure, or what is taken
away.

All panels are laid out in units; a canvas has as many pixels to a unit as fit, so that a larger window is a finer one.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pygame
from numpy.typing import NDArray

from lanekeep.terminal import printable

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
YELLOW: Colour = (240, 228, 66)
GREEN: Colour = (0, 158, 115)
PINK: Colour = (204, 121, 167)
RED: Colour = (229, 57, 53)  # redder than their vermillion, which beside orange is orange

SMALL, NORMAL, LARGE = 17, 20, 28
FINE = 2  # pixels drawn for one shown
DASH, GAP = 4.0, 3.5  # units of a broken line
LEAST_TYPE = 11  # pixels, below which nobody can read


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`share` of b in a."""
    red, green, blue = (round(of_a + (of_b - of_a) * share) for of_a, of_b in zip(a, b, strict=True))
    return red, green, blue


@lru_cache(maxsize=24)
def _font(pixels: int) -> pygame.font.Font:
    pygame.font.init()
    return pygame.font.Font(None, pixels)


@lru_cache(maxsize=1024)
def _words(text: str, pixels: int, colour: Colour) -> pygame.Surface:
    """Set at twice the size and scaled down: letters that small are else pushed onto whole pixels, unevenly spaced."""
    fine = _font(FINE * pixels).render(printable(text), True, colour)
    return pygame.transform.smoothscale(fine, (fine.get_width() // FINE, fine.get_height() // FINE))


class Canvas:
    """A picture of `size` pixels that is `units` large; what does not fit the shape stays ground at the edges."""

    def __init__(self, size: tuple[int, int], units: tuple[int, int]) -> None:
        self.surface = pygame.Surface(size, 0, 32)
        self.scale = min(size[0] / units[0], size[1] / units[1])
        self._left, self._top = (round((size[k] - self.scale * units[k]) / 2) for k in (0, 1))
        self.written: list[pygame.Rect] = []  # where text is since the last `clear` [pixels]

    def clear(self) -> None:
        """Begin anew."""
        self.surface.fill(GROUND)
        self.written.clear()

    def pixel(self, at: Point) -> tuple[int, int]:
        """Units to pixels."""
        return round(self._left + self.scale * at[0]), round(self._top + self.scale * at[1])

    def unit(self, at: Point) -> Point:
        """Pixels to units."""
        return (at[0] - self._left) / self.scale, (at[1] - self._top) / self.scale

    def place(self, box: pygame.Rect) -> pygame.Rect:
        """A box in pixels; neighbours stay neighbours."""
        (left, top), (right, bottom) = self.pixel(box.topleft), self.pixel(box.bottomright)
        return pygame.Rect(left, top, right - left, bottom - top)

    def write(self, text: str, at: Point, size: int = NORMAL, colour: Colour = FAINT, align: str = "left") -> float:
        """Write a line centred on the height `at[1]`, aligned left, right or in the middle of `at[0]`; return its width."""
        words = _words(text, self._pixels(size), colour)
        width = words.get_width()
        x, y = self._left + self.scale * at[0], self._top + self.scale * at[1]
        x -= {"left": 0.0, "middle": width / 2, "right": float(width)}[align]
        self.written.append(self.surface.blit(words, (round(x), round(y - words.get_height() / 2))))
        return width / self.scale

    def width_of(self, text: str, size: int = NORMAL) -> float:
        """The width of a line of text [units]."""
        return _words(text, self._pixels(size), BRIGHT).get_width() / self.scale

    def _pixels(self, size: int) -> int:
        return max(LEAST_TYPE, round(size * self.scale))

    def plate(self, box: pygame.Rect, colour: Colour, rounded: int = 0) -> None:
        """A filled rectangle."""
        pygame.draw.rect(self.surface, colour, self.place(box), border_radius=round(rounded * self.scale))

    def line(self, points: Sequence[Point], colour: Colour, width: float = 1.0) -> None:
        """A line on whole pixels: for edges that run along rows and columns."""
        corners = [self.pixel(point) for point in points]
        pygame.draw.lines(self.surface, colour, False, corners, max(1, round(width * self.scale)))

    def image(self, box: pygame.Rect, image: NDArray[np.uint8], smooth: bool = False) -> pygame.Rect:
        """Put an image [H, W, 3] into a box, as large as its shape allows, every pixel a block unless `smooth`.

        Returns its place in pixels.
        """
        height, width = image.shape[:2]
        picture, room = pygame.image.frombuffer(image.tobytes(), (width, height), "RGB"), self.place(box)
        scale = min(room.width / width, room.height / height)
        place = pygame.Rect(0, 0, round(width * scale), round(height * scale))
        place.center = room.center
        resize = pygame.transform.smoothscale if smooth else pygame.transform.scale
        self.surface.blit(picture if place.size == (width, height) else resize(picture, place.size), place)
        return place

    def sheet(self, box: pygame.Rect, ground: Colour = PANEL) -> "Sheet":
        """A drawing area for smooth lines over a box, in units from its corner; `done` puts it there."""
        return Sheet(self, box, ground)


class Sheet:
    """A drawing area in units of its own, drawn fine."""

    def __init__(self, canvas: Canvas, box: pygame.Rect, ground: Colour) -> None:
        self.width, self.height = box.width, box.height
        self._canvas, self._place = canvas, canvas.place(box)
        self._fine = FINE * canvas.scale
        self.surface = pygame.Surface((FINE * self._place.width, FINE * self._place.height), 0, 32)
        self.surface.fill(ground)

    def line(self, points: Sequence[Point] | NDArray[np.float64], colour: Colour, width: float = 1.0) -> None:
        """A line through points [M, 2]."""
        corners = np.asarray(points, np.float64) * self._fine
        if len(corners) > 1:
            pygame.draw.lines(self.surface, colour, False, corners.tolist(), max(1, round(width * self._fine)))

    def dashes(self, points: Sequence[Point], colour: Colour, width: float = 1.0) -> None:
        """A broken line through points."""
        corners = np.asarray(points, np.float64)
        along = np.concatenate([[0.0], np.hypot(*np.diff(corners, axis=0).T).cumsum()])
        for begin in np.arange(0.0, along[-1], DASH + GAP):
            at = np.linspace(begin, min(begin + DASH, along[-1]), 4)
            self.line(np.stack([np.interp(at, along, corners[:, axis]) for axis in (0, 1)], 1), colour, width)

    def cross(self, at: Point, reach: float, colour: Colour, width: float = 1.5) -> None:
        """Two short lines across each other."""
        for sign in (1.0, -1.0):
            self.line([(at[0] - reach, at[1] - sign * reach), (at[0] + reach, at[1] + sign * reach)], colour, width)

    def area(self, points: Sequence[Point] | NDArray[np.float64], colour: Colour) -> None:
        """A filled polygon."""
        pygame.draw.polygon(self.surface, colour, (np.asarray(points, np.float64) * self._fine).tolist())

    def disc(self, at: Point, radius: float, colour: Colour) -> None:
        """A filled circle."""
        pygame.draw.circle(self.surface, colour, (at[0] * self._fine, at[1] * self._fine), radius * self._fine)

    def done(self) -> None:
        """Scale down and put on the canvas."""
        self._canvas.surface.blit(pygame.transform.smoothscale(self.surface, self._place.size), self._place)
