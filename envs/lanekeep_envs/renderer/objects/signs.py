"""Faces of traffic signs (VwV-StVO 39 to 43)."""

import numpy as np

from lanekeep_envs.compiled.decorators import no_refcount
from lanekeep_envs.renderer.coverage import clip01, mix, pulse, within
from lanekeep_envs.sampling.roadside import INFORMATION, LIMIT, PRIORITY, WARNING

RED, YELLOW, BLUE, BLACK = (196.0, 28.0, 34.0), (240.0, 190.0, 20.0), (28.0, 78.0, 168.0), (20.0, 20.0, 20.0)
WHITE = (236.0, 236.0, 232.0)


@no_refcount
def sign_at(shape, u, v, px):
    """(cover, albedo) of a sign in (-1, 1) x (-1, 1); symmetric, so that its mirror image is a sign too."""
    side, inner = abs(u), 0.0
    if shape == LIMIT:  # red ring, two black zeros
        off = np.sqrt(u * u + v * v)
        zero = np.sqrt((side - 0.30) * (side - 0.30) * 2.6 + v * v)
        inside, rim = 1.0 - off, 0.74 - off
        colour, inner, ink = RED, 1.0, within(abs(zero - 0.33), 0.09, px)
    elif shape == WARNING:  # red triangle, exclamation mark
        inside = 0.58 - max(0.866 * side + 0.5 * (v + 0.16), -(v + 0.16))
        rim = inside - 0.20
        colour, inner = RED, 1.0
        ink = pulse(side, 0.08, px) * max(pulse(v - 0.08, 0.24, px), pulse(v + 0.38, 0.07, px))
    elif shape == PRIORITY:  # white diamond, yellow inside
        inside = 0.7071 * (1.0 - side - abs(v))
        rim, colour, ink = inside - 0.20, WHITE, 0.0
    else:  # blue with a white field, or yellow with black letters
        inside = min(1.0 - side, 0.92 - abs(v))
        rim = inside - 0.10
        colour = BLUE if shape == INFORMATION else BLACK
        ink = pulse(side, 0.55, px) * max(pulse(v - 0.35, 0.13, px), pulse(v + 0.35, 0.13, px))
    field = mix(YELLOW, WHITE, inner)
    if shape == INFORMATION:
        field = BLUE
    sheet = mix(colour, mix(field, WHITE if shape == INFORMATION else BLACK, ink), clip01(rim * px + 0.5))
    return clip01(inside * px + 0.5), sheet
