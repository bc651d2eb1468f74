"""Layout: boxes on a canvas of 1280x720 units, for one driver or for two side by side."""

from typing import NamedTuple

import pygame

UNITS = (1280, 720)
SMALLEST, LARGEST = (960, 540), (3840, 2160)  # pixels


class Layout(NamedTuple):
    """Boxes of the panels; those of each driver stand in the order of the drivers."""

    windscreen: tuple[pygame.Rect, ...]
    eye: tuple[pygame.Rect, ...]  # what the driver sees
    memory: tuple[pygame.Rect, ...]  # circuit or cells
    bars: tuple[pygame.Rect, ...]
    steering: pygame.Rect
    offset: pygame.Rect
    road: pygame.Rect


SOLO = Layout(
    windscreen=(pygame.Rect(16, 76, 752, 424),),
    eye=(pygame.Rect(784, 76, 480, 144),),
    memory=(pygame.Rect(784, 252, 260, 452),),
    bars=(pygame.Rect(528, 532, 240, 172),),
    steering=pygame.Rect(16, 532, 240, 172),
    offset=pygame.Rect(272, 532, 240, 172),
    road=pygame.Rect(1060, 252, 204, 452),
)
DUO = Layout(
    windscreen=(pygame.Rect(16, 76, 616, 216), pygame.Rect(648, 76, 616, 216)),
    eye=(pygame.Rect(16, 324, 360, 108), pygame.Rect(648, 324, 360, 108)),
    memory=(pygame.Rect(16, 464, 264, 240), pygame.Rect(1000, 464, 264, 240)),
    bars=(pygame.Rect(392, 324, 240, 108), pygame.Rect(1024, 324, 240, 108)),
    steering=pygame.Rect(296, 464, 484, 104),
    offset=pygame.Rect(296, 600, 484, 104),
    road=pygame.Rect(796, 464, 188, 240),
)
