"""How much of a pixel something covers, and the mixing of colours by that share.

A pixel covers an interval (of image columns, of the road's width or length); an edge, a strip or a train of pulses covers
the overlap with that interval: a box filter in closed form, so that no edge is a staircase.  All of it is free of branches,
so that loops over pixels are vectorised, and in single precision where its arguments are.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always

ZERO, HALF, ONE, FOUR = np.float32(0.0), np.float32(0.5), np.float32(1.0), np.float32(4.0)


@inline_always
def single(numbers):
    """Three numbers in single precision."""
    return np.float32(numbers[0]), np.float32(numbers[1]), np.float32(numbers[2])


@inline_always
def vector_of(numbers):
    """Three numbers of a record."""
    return numbers[0], numbers[1], numbers[2]


@inline_always
def shifted(a, share, b):
    """a + by b."""
    return a[0] + share * b[0], a[1] + share * b[1], a[2] + share * b[2]


@inline_always
def clip01(share):
    """Clip to [0, 1], in double precision."""
    return min(max(share, 0.0), 1.0)


@inline_always
@float32_literals
def clip(share):
    """Clip to [0, 1], in single precision."""
    return min(max(share, 0.0), 1.0)


@inline_always
def mix(under, over, share):
    """Lay a colour over another."""
    return (
        under[0] + share * (over[0] - under[0]),
        under[1] + share * (over[1] - under[1]),
        under[2] + share * (over[2] - under[2]),
    )


@inline_always
def tinted(light, colour):
    """Brighten or darken a colour."""
    return (light * colour[0], light * colour[1], light * colour[2])


@inline_always
def within(at, half, px):
    """Share of a pixel that lies less than `half` from something, `px` pixels per metre and `at` metres from it."""
    return clip((half - at) * px + HALF)


@inline_always
def pulse(at, half, px):
    """Share of a pixel covered by a strip of this half width, `at` from its middle."""
    return within(abs(at), half, px) * min((half + half) * px, ONE)


@inline_always
def apart(at, period):
    """Distance from the middle of the period that holds `at`."""
    return at - period * (np.floor(at * (ONE / period)) + HALF)


@inline_always
def ripple(turns):
    """Nearly the cosine of this many turns: a cubic that is never more than 0.02 from it, and is vectorised."""
    side = FOUR * abs(turns - np.floor(turns) - HALF) - ONE
    return side * (ONE + HALF - HALF * side * side)


@inline_always
@float32_literals
def overlap(offset, width, extent):
    """Length of [offset - extent/2, offset + extent/2] inside [-width/2, width/2]."""
    return max(min(offset + 0.5 * extent, 0.5 * width) - max(offset - 0.5 * extent, -0.5 * width), 0.0)


@inline_always
def pulses_m(x, on_m, period_m, per_period):
    """Length of pulses between 0 and x; one begins at every multiple of the period."""
    cycles = np.floor(x * per_period)
    return cycles * on_m + min(x - cycles * period_m, on_m)


@inline_always
@float32_literals
def pulse_share(x, extent, on_m, period_m):
    """Share of pulses in [x - extent/2, x + extent/2]."""
    per_period = 1.0 / period_m
    ahead = pulses_m(x + 0.5 * extent, on_m, period_m, per_period)
    return max(ahead - pulses_m(x - 0.5 * extent, on_m, period_m, per_period), 0.0) / extent


@inline_always
@float32_literals
def fade(extent, grain_m):
    """Strength of a pattern with this grain in a patch of this extent."""
    return clip(1.5 - extent * (1.0 / grain_m))
