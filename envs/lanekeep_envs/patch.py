"""The pixels of a face, done in patches: one step after the other for all of them.  Where they lie on the face, what is to
be seen there (skins.py), in which light, and at last the mixing with the picture.

A patch holds `PATCH` numbers for each of the names below; all of them lie in one array, so that a loop over its pixels is
vectorised without asking whether two of its rows overlap.  They are in single precision, which is as exact as the picture
and twice as fast.  Its pixels come in runs: parts of image rows, of `RUN` pixels at most.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.kernel import borrowing, inlined
from lanekeep_envs.look import RGB
from lanekeep_envs.things import mark
from lanekeep_envs.weather import BEAM

RUN = 16  # pixels: what one instruction does at once, and a part of the picture's width
PATCH = 256  # pixels at once: a multiple of `RUN`, and so few that they stay in the fastest cache
DOWN, ASIDE, FAR, U, V, LOWER, UPPER, COVER, R, G, B, OWN, CLEAR = (k * PATCH for k in range(13))
NUMBERS = 13 * PATCH
MOST_ROWS = 4096 + 8  # of a camera, and of the last eight
CUT_M, FARTHEST_M = 1.0, 1e4  # what is nearer than this is not drawn: no face may reach behind the camera
ZERO, HALF, ONE, FOUR = np.float32(0.0), np.float32(0.5), np.float32(1.0), np.float32(4.0)

EASEL = np.dtype(  # what the painter of faces has at hand; one record, since it is handed on often
    [
        ("ambient", np.float64, 3),  # light and air in the car's frame
        ("sunlight", np.float64, 3),
        ("horizon", np.float64, 3),
        ("sun", np.float64, 3),  # towards it: forward, left, up
        ("visibility_m", np.float64),
        ("night", np.float64),
        ("mirror", np.float64),
        ("numbers", np.float32, NUMBERS),  # the patch
        ("cells", np.uint32, PATCH),  # places in the tile (texture.py), then its entries
        ("line", np.uint64, PATCH),  # of its runs (`add_run`) the image row; unsigned: no index is asked for its sign
        ("start", np.uint64, PATCH),  # the first column that is mixed with the picture
        ("at", np.uint64, PATCH),  # where among the numbers its cover is
        ("begin", np.float32, PATCH),  # which part of it counts
        ("end", np.float32, PATCH),
        ("first", np.int32, MOST_ROWS),  # columns of a face in its rows: the first, and one past the last
        ("last", np.int32, MOST_ROWS),
    ]
)


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


@inlined
def single(numbers):
    """Three numbers in single precision."""
    return np.float32(numbers[0]), np.float32(numbers[1]), np.float32(numbers[2])


@inlined
def clip(share):
    """Clip to [0, 1], in the precision of `share`."""
    return min(max(share, ZERO), ONE)


@inlined
def within(at, half, px):
    """Share of a pixel that lies less than `half` from something, `px` pixels per metre and `at` metres from it."""
    return clip((half - at) * px + HALF)


@inlined
def pulse(at, half, px):
    """Share of a pixel covered by a strip of this half width, `at` from its middle."""
    return within(abs(at), half, px) * min((half + half) * px, ONE)


@inlined
def apart(at, period):
    """Distance from the middle of the period that holds `at`."""
    return at - period * (np.floor(at * (ONE / period)) + HALF)


@inlined
def ripple(turns):
    """Nearly the cosine of so many turns, without one."""
    side = FOUR * abs(turns - np.floor(turns) - HALF) - ONE
    return side * (ONE + HALF - HALF * side * side)


@inlined
def add_run(easel, runs, many, i, first, count, width, seen, lens):
    """Add pixels to a patch, from column `first` of row i on, and what is linear in their places; as many behind them too.

    What is mixed with the picture is a whole run's width from column `start`, of which the pixels `begin` to `end` count.
    """
    start = min(first, width - RUN)
    easel["line"][runs], easel["start"][runs], easel["at"][runs] = i, start, COVER + many + start - first
    easel["begin"][runs], easel["end"][runs] = first - start, first - start + count
    numbers, p, left = easel["numbers"], np.float32(i - lens.centre_row), np.float32(first - lens.centre_column)
    far, u, v = seen.far[0] + seen.far[1] * p, seen.u[0] + seen.u[1] * p, seen.v[0] + seen.v[1] * p
    lower, upper = seen.lower[0] + seen.lower[1] * p, seen.upper[0] + seen.upper[1] * p
    one, other = seen.right[0] + seen.right[1] * p, seen.left[0] + seen.left[1] * p
    for n in range(RUN):
        k, q = np.uint64(many) + np.uint64(n), left + np.float32(n)
        numbers[np.uint64(DOWN) + k], numbers[np.uint64(ASIDE) + k] = p, q
        numbers[np.uint64(FAR) + k] = far + seen.far[2] * q
        numbers[np.uint64(U) + k], numbers[np.uint64(V) + k] = u + seen.u[2] * q, v + seen.v[2] * q
        numbers[np.uint64(LOWER) + k] = clip(lower + seen.lower[2] * q)
        numbers[np.uint64(UPPER) + k] = upper + seen.upper[2] * q
        cover = clip(one + seen.right[2] * q) + clip(other + seen.left[2] * q) - ONE
        numbers[np.uint64(COVER) + k] = max(cover, ZERO)


@inlined
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


@inlined
def fading(x):
    """Nearly exp(-x) for x >= 0, in steps that can be vectorised."""
    y = min(x * np.float32(1.0 / 16.0), ONE)
    y = ONE - y * (ONE - y * (HALF - y * (np.float32(1.0 / 6.0) - y * np.float32(1.0 / 24.0))))
    y = y * y
    y = y * y
    y = y * y
    return y * y


@inlined
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
        p, q, far = numbers[DOWN + k], numbers[ASIDE + k], near / max(numbers[FAR + k], least)
        u, v, forward = far * numbers[U + k] - u_0, far * numbers[V + k] - v_0, max(far * (ahead + ahead_p * p), cut)
        numbers[U + k], numbers[V + k] = min(max(u, -widest), widest), min(max(v, lowest), highest)
        numbers[OWN + k] = shine(far, forward, p * per_focal, q * per_focal, lamp) if night > 0.0 else ZERO
        numbers[CLEAR + k] = fading(forward * per_m)
        numbers[COVER + k] *= max(numbers[LOWER + k] + clip(numbers[UPPER + k]) - ONE, open_edge)


@inlined
def lay(plane, easel, runs, albedo, base, own_share, horizon):
    """Mix one channel of the patch, in light and air, with the picture.

    A whole run's width at once: what lies outside of the run is left as it is.
    """
    numbers, base, share, horizon = easel["numbers"], np.float32(base), np.float32(own_share), np.float32(horizon)
    for n in range(runs):
        i, start, at = easel["line"][n], easel["start"][n], easel["at"][n]
        begin, end = easel["begin"][n], easel["end"][n]
        for k in range(RUN):
            m, j, place = at + np.uint64(k), start + np.uint64(k), np.float32(k)
            cover, light = numbers[m], base + share * numbers[m + np.uint64(OWN - COVER)]
            ink = numbers[m + np.uint64(albedo - COVER)] * light
            ink = horizon + numbers[m + np.uint64(CLEAR - COVER)] * (ink - horizon)
            cover = cover if (place >= begin) & (place < end) else ZERO
            plane[i, j] += cover * (ink - plane[i, j])


@borrowing
def note_patch(by, easel, runs, near, far, element, lens):
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
                mark(by, i, start + k, element, cover, max(forward, CUT_M))
