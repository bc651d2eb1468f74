"""The pixels of a face, done in patches: one step after the other for all of them.  Where they lie on the face, what is to
be seen there (skins.py), in which light, and at last the mixing with the picture.

A patch holds `PATCH` numbers for each of the names below; all of them lie in one array, so that a loop over its pixels is
vectorised without asking whether two of its rows overlap.  They are in single precision, which is as exact as the picture
and twice as fast.  Its pixels come in runs: parts of image rows.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount, noalias
from lanekeep_envs.renderer.air.precipitation import BEAM
from lanekeep_envs.renderer.ground.cross_section import clip
from lanekeep_envs.renderer.objects.posts import mark
from lanekeep_envs.sampling.appearance import RGB

LANES = 16  # pixels: what one instruction does at once, and a part of the picture's width
PATCH = 256  # pixels at once: a multiple of `LANES`, and so few that they stay in the fastest cache
ROOM = PATCH + LANES  # for them, and for what is written behind the last
DOWN, ASIDE, PANES, U, V, LOWER, UPPER, COVER, R, G, B, OWN, CLEAR = (k * ROOM for k in range(13))
NUMBERS = 13 * ROOM
MOST_ROWS = 4096 + 8  # of a camera, and of the last eight
CUT_M, FARTHEST_M = 1.0, 1e4  # what is nearer than this is not drawn: no face may reach behind the camera
ZERO, HALF, ONE, FOUR = np.float32(0.0), np.float32(0.5), np.float32(1.0), np.float32(4.0)


class Seen(NamedTuple):
    """How the pixels of the image lie on a face; its triples are (constant, per p, per q), in single precision.

    A pixel's ray meets the plane `near / far` along it, and there u and v are that times `u` and `v`, less `u_0` and `v_0`.
    The other four are distances inside its edges, in pixels, plus a half.
    """

    near: float
    u_0: float
    v_0: float
    far: RGB
    u: RGB
    v: RGB
    lower: RGB
    right: RGB
    upper: RGB
    left: RGB


class Lamp(NamedTuple):
    """The own headlights, in single precision, as `shine` wants them."""

    strength: float
    above: float  # how much higher the camera is than they are
    sin: float
    cos: float
    per_reach: float
    narrow: float
    widens: float
    spread: float


@inline_always
def single(numbers):
    """Three numbers in single precision."""
    return np.float32(numbers[0]), np.float32(numbers[1]), np.float32(numbers[2])


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
    """Nearly the cosine of so many turns, without one."""
    side = FOUR * abs(turns - np.floor(turns) - HALF) - ONE
    return side * (ONE + HALF - HALF * side * side)


@inline_always
def add_run(easel, runs, many, i, first, count, width, lens):
    """Add pixels to a patch, from column `first` of row i on.

    A multiple of `LANES` is written; what is too much the next run overwrites, or nobody reads it.  That many are mixed with
    the picture from column `start` on, of which the pixels `begin` to `end` count.
    """
    whole, runs = whole_of(count), np.uint64(runs)
    start = min(first, width - whole)
    easel["line"][runs], easel["start"][runs], easel["at"][runs] = i, start, COVER + many + start - first
    easel["begin"][runs], easel["end"][runs], easel["whole"][runs] = first - start, first - start + count, whole
    numbers, p, left = easel["numbers"], np.float32(i - lens.centre_row), np.float32(first - lens.centre_column)
    for n in range(np.uint64(whole)):
        k = np.uint64(many) + n
        numbers[np.uint64(DOWN) + k], numbers[np.uint64(ASIDE) + k] = p, left + np.float32(np.int32(n))


@inline_always
def whole_of(count):
    """The next multiple of `LANES`: loops over so many have no remainder to do one by one."""
    return (count + (LANES - 1)) & -LANES


@inline_always
def shine(far, forward, p, q, lamp):
    """The light of the own dipped headlights on what is upright, weaker above their cut-off.

    It is weather.headlight with a quotient for its exponential: exp(x) is nearly 1 + x + x^2/2 + x^3/6 + x^4/24.
    """
    above, reach = max(lamp.above - far * (lamp.sin + p * lamp.cos), ZERO), forward * lamp.per_reach
    wide, left = lamp.narrow + lamp.widens * forward, far * q
    n, d = left * left, wide * wide
    whole = d * d * d * d
    rest = n * (d * d * d + n * (d * d * HALF + n * (d * np.float32(1.0 / 6.0) + n * np.float32(1.0 / 24.0))))
    fall = (ONE + reach * reach * reach) * (ONE + lamp.spread * above * above)
    return lamp.strength * whole / ((whole + rest) * fall)


@inline_always
def fading(x):
    """Nearly exp(-x) for x >= 0, in steps that can be vectorised."""
    y = min(x * np.float32(1.0 / 16.0), ONE)
    y = ONE - y * (ONE - y * (HALF - y * (np.float32(1.0 / 6.0) - y * np.float32(1.0 / 24.0))))
    y = y * y
    y = y * y
    y = y * y
    return y * y


@inline_always
def locate(numbers, many, seen, cloth, coarse, night, visibility_m, lens):
    """Fill in where the pixels lie on the face, the headlights' light there, and how much the air lets through of it.

    U is counted from the middle of the face, and so is V where it lies flat: mirror the world and they change their sign, no
    more.  The upper edge of `coarse` leaves is left open: how far they reach over it, their skin tells.
    """
    half, flat = 0.5 * cloth.wide, 0.0 if cloth.upright else 0.5 * cloth.tall
    near, u_0, v_0 = single((seen.near, seen.u_0 + half, seen.v_0 + flat))
    ahead, ahead_p, cut = single((lens.cos_pitch, -lens.sin_pitch / lens.focal_px, CUT_M))
    widest, highest, lowest = single((half, cloth.tall - flat, -flat))
    least = np.float32(max(1e-6, seen.near / FARTHEST_M))
    sin, per_m, open_edge = single((lens.sin_pitch, 1.0 / visibility_m, 1.0 if coarse > 0.0 else 0.0))
    above, per_reach, strength = single((lens.height_m - 0.7, 1.0 / BEAM[2], night))
    narrow, widens, spread = single((BEAM[0], BEAM[1], 1.2))
    lamp = Lamp(strength, above, sin, ahead, per_reach, narrow, widens, spread)
    per_focal = np.float32(1.0 / lens.focal_px)
    for k in range(min(many, PATCH)):
        p, q = numbers[DOWN + k], numbers[ASIDE + k]
        far = near / max(linear(seen.far, p, q), least)
        u, v, forward = (
            far * linear(seen.u, p, q) - u_0,
            far * linear(seen.v, p, q) - v_0,
            max(far * (ahead + ahead_p * p), cut),
        )
        numbers[U + k], numbers[V + k] = min(max(u, -widest), widest), min(max(v, lowest), highest)
        numbers[OWN + k] = shine(far, forward, p * per_focal, q * per_focal, lamp) if night > 0.0 else ZERO
        numbers[CLEAR + k] = fading(forward * per_m)
        lower, upper = clip(linear(seen.lower, p, q)), linear(seen.upper, p, q)
        aside = max(clip(linear(seen.right, p, q)) + clip(linear(seen.left, p, q)) - ONE, ZERO)
        numbers[LOWER + k], numbers[UPPER + k] = lower, upper
        numbers[COVER + k] = aside * max(lower + clip(upper) - ONE, open_edge)


@inline_always
def linear(form, p, q):
    """Value of (constant, per p, per q) at a pixel."""
    return (form[0] + form[1] * p) + form[2] * q


@inline_always
def illuminate(numbers, many, base, horizon):
    """Turn the albedo of a patch into its colour, in light and air; lamps are redder than the day."""
    red, green, blue = single(base)
    far_red, far_green, far_blue = single(horizon)
    green_share, blue_share = single((0.97, 0.88, 0.0))[:2]
    for k in range(min(many, PATCH)):
        own, clear = numbers[OWN + k], numbers[CLEAR + k]
        numbers[R + k] = far_red + clear * (numbers[R + k] * (red + own) - far_red)
        numbers[G + k] = far_green + clear * (numbers[G + k] * (green + green_share * own) - far_green)
        numbers[B + k] = far_blue + clear * (numbers[B + k] * (blue + blue_share * own) - far_blue)


@noalias
def lay(reds, greens, blues, easel, runs):
    """Mix the patch with the channels of the picture [H, W], `LANES` pixels at once; beside a run it stays as it is."""
    numbers = easel["numbers"]
    for n in range(runs):
        i, start, at = easel["line"][n], easel["start"][n], easel["at"][n]
        begin, end = easel["begin"][n], easel["end"][n]
        for k in range(easel["whole"][n] & np.uint64(0xFFFFFFF0)):
            m, j, place = at + np.uint64(k), start + np.uint64(k), np.int32(k)
            cover = numbers[m] if (place >= begin) & (place < end) else ZERO
            reds[i, j] += cover * (numbers[m + np.uint64(R - COVER)] - reds[i, j])
            greens[i, j] += cover * (numbers[m + np.uint64(G - COVER)] - greens[i, j])
            blues[i, j] += cover * (numbers[m + np.uint64(B - COVER)] - blues[i, j])


@no_refcount
def note_patch(aov, easel, runs, near, far, element, lens):
    """Write what a patch shows into the by-products."""
    numbers = easel["numbers"]
    for n in range(runs):
        i, start, at = int(easel["line"][n]), int(easel["start"][n]), int(easel["at"][n])
        for k in range(int(easel["begin"][n]), int(easel["end"][n])):
            cover = numbers[at + k]
            if cover > ZERO:
                p, q = i - lens.centre_row, start + k - lens.centre_column
                along = near / max(far[0] + far[1] * p + far[2] * q, 1e-6)
                forward = along * (lens.cos_pitch - lens.sin_pitch / lens.focal_px * p)
                mark(aov, i, start + k, element, cover, max(forward, CUT_M))
