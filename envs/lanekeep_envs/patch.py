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
DOWN, ASIDE, FAR, FORWARD, U, V, LOWER, UPPER, COVER, R, G, B, OWN = (k * PATCH for k in range(13))
NUMBERS = 13 * PATCH
MOST_ROWS = 4096 + 8  # of a camera, and of the last eight
CUT_M, FARTHEST_M = 1.0, 1e4  # what is nearer than this is not drawn: no face may reach behind the camera
ZERO, ONE, HALF = np.float32(0.0), np.float32(1.0), np.float32(0.5)


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
        ("cells", np.int32, PATCH),  # places in the tile (texture.py), then its entries
        ("line", np.uint64, PATCH),  # of its runs the image row, see `add_run`
        ("start", np.uint64, PATCH),
        ("at", np.uint64, PATCH),
        ("begin", np.float32, PATCH),
        ("end", np.float32, PATCH),
        ("first", np.int32, MOST_ROWS),  # columns of a face in its rows: the first, and one past the last
        ("last", np.int32, MOST_ROWS),
    ]
)


class Plane(NamedTuple):
    """How the pixels of the image lie on the plane of a face; its triples are (constant, per p, per q).

    A pixel's ray meets the plane `near / far` along it, and there u and v are that times `u` and `v`, less `u_0` and `v_0`.
    """

    near: float
    far: RGB
    u: RGB
    v: RGB
    u_0: float
    v_0: float


@inlined
def single(numbers):
    """Three numbers in single precision."""
    return np.float32(numbers[0]), np.float32(numbers[1]), np.float32(numbers[2])


@inlined
def clip(share):
    """Clip to [0, 1], in the precision of `share`."""
    return min(max(share, ZERO), ONE)


@inlined
def add_run(easel, runs, many, i, first, count, width, p, q):
    """Add pixels to a patch, from column `first` of row i on; the places behind them are filled too.

    What is mixed with the picture is a whole run's width from column `start`, of which the pixels `begin` to `end` count.
    """
    numbers, down, aside, start = easel["numbers"], np.float32(p), np.float32(q), min(first, width - RUN)
    easel["line"][runs], easel["start"][runs], easel["at"][runs] = i, start, many + start - first
    easel["begin"][runs], easel["end"][runs] = first - start, first - start + count
    for k in range(RUN):
        numbers[np.uint64(DOWN + many) + np.uint64(k)] = down
        numbers[np.uint64(ASIDE + many) + np.uint64(k)] = aside + np.float32(k)


@inlined
def locate(numbers, many, plane, edges, wide, tall, lens):
    """Fill in where the pixels lie on the face, and how far inside its edges."""
    lower, right, upper, left = single(edges[0]), single(edges[1]), single(edges[2]), single(edges[3])
    far_0, far_p, far_q = single(plane.far)
    u_far, u_p, u_q = single(plane.u)
    v_far, v_p, v_q = single(plane.v)
    near, u_0, v_0 = single((plane.near, plane.u_0, plane.v_0))
    ahead, ahead_p, cut = single((lens.cos_pitch, -lens.sin_pitch / lens.focal_px, CUT_M))
    widest, highest, least = single((wide, tall, max(1e-6, plane.near / FARTHEST_M)))
    for k in range(min(many, PATCH)):
        p, q = numbers[DOWN + k], numbers[ASIDE + k]
        far = near / max(far_0 + far_p * p + far_q * q, least)
        u = far * (u_far + u_p * p + u_q * q) - u_0
        v = far * (v_far + v_p * p + v_q * q) - v_0
        numbers[FAR + k], numbers[FORWARD + k], numbers[OWN + k] = far, max(far * (ahead + ahead_p * p), cut), ZERO
        numbers[U + k], numbers[V + k] = min(max(u, ZERO), widest), min(max(v, ZERO), highest)
        numbers[LOWER + k] = clip(lower[0] * q + lower[1] * p + lower[2])
        numbers[UPPER + k] = upper[0] * q + upper[1] * p + upper[2]
        one, other = right[0] * q + right[1] * p + right[2], left[0] * q + left[1] * p + left[2]
        numbers[COVER + k] = max(clip(one) + clip(other) - ONE, ZERO)


@inlined
def shine(numbers, many, night, lens):
    """Add the light of the own dipped headlights on what is upright, weaker above their cut-off.

    It is weather.headlight with a quotient for its exponential: exp(x) is nearly 1 + x + x^2/2 + x^3/6 + x^4/24.
    """
    sin, cos, per_focal = single((lens.sin_pitch, lens.cos_pitch, 1.0 / lens.focal_px))
    strength, cut_off, per_reach = single((night, lens.height_m - 0.7, 1.0 / BEAM[2]))
    narrow, widens, spread = single((BEAM[0], BEAM[1], 1.2))
    third, fourth = np.float32(1.0 / 6.0), np.float32(1.0 / 24.0)
    for k in range(min(many, PATCH)):
        p, q = numbers[DOWN + k] * per_focal, numbers[ASIDE + k] * per_focal
        far, forward = numbers[FAR + k], numbers[FORWARD + k]
        above, reach = max(cut_off - far * (sin + p * cos), ZERO), forward * per_reach
        wide, left = narrow + widens * forward, far * q
        n, d = left * left, wide * wide
        whole = d * d * d * d
        rest = n * (d * d * d + n * (d * d * HALF + n * (d * third + n * fourth)))
        fall = (ONE + reach * reach * reach) * (ONE + spread * above * above)
        numbers[OWN + k] += strength * whole / ((whole + rest) * fall)


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
def expose_to(numbers, many, base, easel):
    """Turn albedo into colour in light and air, and edges into cover."""
    base_r, base_g, base_b = single(base)
    horizon_r, horizon_g, horizon_b = single(easel["horizon"])
    per_m, own_g, own_b = single((1.0 / easel["visibility_m"], 0.97, 0.88))
    for k in range(min(many, PATCH)):
        own, clear = numbers[OWN + k], fading(numbers[FORWARD + k] * per_m)
        r, g, b = base_r + own, base_g + own_g * own, base_b + own_b * own
        numbers[R + k] = horizon_r + clear * (numbers[R + k] * r - horizon_r)
        numbers[G + k] = horizon_g + clear * (numbers[G + k] * g - horizon_g)
        numbers[B + k] = horizon_b + clear * (numbers[B + k] * b - horizon_b)
        numbers[COVER + k] *= max(numbers[LOWER + k] + clip(numbers[UPPER + k]) - ONE, ZERO)


@inlined
def lay(canvas, easel, runs):
    """Mix the patch with the picture, a whole run's width at once: what lies outside of the run is left as it is."""
    numbers = easel["numbers"]
    for n in range(runs):
        i, start, at = easel["line"][n], easel["start"][n], easel["at"][n]
        begin, end = easel["begin"][n], easel["end"][n]
        for k in range(RUN):
            j, ink, place = start + np.uint64(k), at + np.uint64(k), np.float32(k)
            cover, r, g = numbers[np.uint64(COVER) + ink], numbers[np.uint64(R) + ink], numbers[np.uint64(G) + ink]
            cover = cover if (place >= begin) & (place < end) else ZERO
            canvas[0, i, j] += cover * (r - canvas[0, i, j])
            canvas[1, i, j] += cover * (g - canvas[1, i, j])
            canvas[2, i, j] += cover * (numbers[np.uint64(B) + ink] - canvas[2, i, j])


@borrowing
def note_patch(by, easel, runs, plane, element, lens):
    """Write what a patch shows into the by-products."""
    numbers = easel["numbers"]
    for n in range(runs):
        i, start, at = int(easel["line"][n]), int(easel["start"][n]), np.int64(easel["at"][n])
        for k in range(int(easel["begin"][n]), int(easel["end"][n])):
            cover = numbers[COVER + at + k]
            if cover > ZERO:
                p, q = i - lens.centre_row, start + k - lens.centre_column
                far = plane.near / max(plane.far[0] + plane.far[1] * p + plane.far[2] * q, 1e-6)
                forward = far * (lens.cos_pitch - lens.sin_pitch / lens.focal_px * p)
                mark(by, i, start + k, element, cover, max(forward, CUT_M))
