"""The light of the car's own dipped headlights.

On what stands `forward` metres ahead and `left` metres beside the axis it is, from 0 to 1,

    exp(-(left / wide)^2) / (1 + (forward / REACH_M)^3),        wide = HALF_WIDTH_M + WIDENS forward.

The law stands in three programs, because no two ways of writing the exponential round alike, and the pictures hang on each:
`headlight` calls exp, once for an object; `headlight_on_fragment` has a quotient in its place, which is vectorised over the
fragments of a quad and also knows the cut-off of a dipped beam; and the rows of ground (ground/condition_layers.py) have a
polynomial, whose width and reach are worked out once per row.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always
from lanekeep_envs.renderer.coverage import HALF, ONE, ZERO, single

BEAM = (2.2, 0.11, 24.0)  # half width at the bumper [m] and its growth per metre ahead, reach [m]
MOUNT_HEIGHT_M = 0.7
NARROW, WIDENS, PER_REACH = np.float32(BEAM[0]), np.float32(BEAM[1]), np.float32(1.0 / BEAM[2])
CUT_OFF_PER_M2 = np.float32(1.2)  # how fast the light fades above the lamps
GREEN, BLUE = 0.97, 0.88  # of its colour, whose red is 1: lamps are redder than the day


@inline_always
def beam_at(forward):
    """Return half the width of the beam so far ahead [m], and that distance over its reach."""
    return BEAM[0] + BEAM[1] * forward, forward / BEAM[2]


@inline_always
def headlight(forward, left):
    """Light on an object at this place."""
    wide, far = beam_at(forward)
    aside = left / wide
    return np.exp(-aside * aside) / (1.0 + far * far * far)


class Headlights(NamedTuple):
    """The headlights as `headlight_on_fragment` wants them."""

    strength: np.float32
    above: np.float32  # how much higher the camera is than they are [m]
    sin: np.float32  # of the camera's pitch
    cos: np.float32


@inline_always
def headlights_of(night, lens):
    """The headlights at this strength of night, for a camera."""
    above, sin, cos = single((lens.height_m - MOUNT_HEIGHT_M, lens.sin_pitch, lens.cos_pitch))
    return Headlights(np.float32(night), above, sin, cos)


@inline_always
def headlight_on_fragment(far, forward, p, q, lamps):
    """Light on a pixel of an upright quad, `far` along its ray (1, p, q) per focal length; weaker above the cut-off.

    The quotient for the exponential: exp(x) is nearly 1 + x + x^2/2 + x^3/6 + x^4/24.
    """
    above, reach = max(lamps.above - far * (lamps.sin + p * lamps.cos), ZERO), forward * PER_REACH
    wide, left = NARROW + WIDENS * forward, far * q
    n, d = left * left, wide * wide
    whole = d * d * d * d
    rest = n * (d * d * d + n * (d * d * HALF + n * (d * np.float32(1.0 / 6.0) + n * np.float32(1.0 / 24.0))))
    fall = (ONE + reach * reach * reach) * (ONE + CUT_OFF_PER_M2 * above * above)
    return lamps.strength * whole / ((whole + rest) * fall)
