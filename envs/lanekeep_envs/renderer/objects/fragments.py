"""The pixels of a quad, worked off in batches of fragments: one step after the other for all of them.

A fragment is a pixel of the picture and what one quad shows there: where it lies on the quad (`interpolate`), its albedo
(materials.py), its light and the air before it (`light`), and at last the mixing with the picture (`composite`).

A batch holds `FRAGMENTS` numbers for each of the names below; all of them lie in one array, so that a loop over the
fragments is vectorised without asking whether two of its rows overlap.  They are in single precision, which is as exact as
the picture and twice as fast.  The fragments come in spans: parts of image rows.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount, noalias
from lanekeep_envs.renderer.aov import write_aov_share
from lanekeep_envs.renderer.coverage import HALF, ONE, ZERO, clip, single
from lanekeep_envs.renderer.headlights import BLUE, GREEN, headlight_on_fragment, headlights_of

LANES = 16  # fragments: what one instruction does at once, and a part of the picture's width
FRAGMENTS = 256  # of a batch: a multiple of `LANES`, and so few that they stay in the fastest cache
ROOM = FRAGMENTS + LANES  # for them, and for what is written behind the last
P, Q, PANES, U, V, LOWER, UPPER, COVER, R, G, B, EMISSION, CLEAR = (k * ROOM for k in range(13))
NUMBERS = 13 * ROOM
CUT_M, HORIZON_M = 1.0, 1e4  # nothing is drawn nearer than the first: no quad may reach behind the camera


@inline_always
def add_span(quads, spans, count, i, first, length, width, lens):
    """Add `length` fragments to a batch of `count`, from column `first` of image row i on.

    A multiple of `LANES` is written; the next span overwrites what is too much, or it is never read.  That many are mixed
    with the picture from column `start` on, of which the pixels `begin` to `end` count.
    """
    whole, spans = whole_of(length), np.uint64(spans)
    start = min(first, width - whole)
    quads["line"][spans], quads["start"][spans], quads["at"][spans] = i, start, COVER + count + start - first
    quads["begin"][spans], quads["end"][spans], quads["whole"][spans] = first - start, first - start + length, whole
    numbers, p, left = quads["numbers"], np.float32(i - lens.centre_row), np.float32(first - lens.centre_column)
    for n in range(np.uint64(whole)):
        k = np.uint64(count) + n
        numbers[np.uint64(P) + k], numbers[np.uint64(Q) + k] = p, left + np.float32(np.int32(n))


@inline_always
def whole_of(length):
    """The next multiple of `LANES`: loops over that many have no remainder to do one by one."""
    return (length + (LANES - 1)) & -LANES


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
def linear(form, p, q):
    """Value of (constant, per p, per q) at a pixel."""
    return (form[0] + form[1] * p) + form[2] * q


@inline_always
def read_vector(table, n):
    """Return the numbers of quad n in a table [3, QUADS]."""
    return table[0, n], table[1, n], table[2, n]


@inline_always
def interpolate(quads, n, count, size, coarse, appearance, lens):
    """Fill in where the fragments lie on quad n, the headlights' light there, and how much the air lets through of it.

    A pixel's ray meets the plane `near / far` along it, and there u and v are that times `on_u` and `on_v`, less `u_0` and
    `v_0`; the other four forms are distances inside the quad's edges, in pixels, plus a half.

    U is counted from the middle of the quad, and so is V where it lies flat: mirror the world and they change their sign, no
    more.  The upper edge of `coarse` leaves is left open: the material says how far they reach over it.
    """
    numbers, night, per_m = quads["numbers"], appearance["night"], np.float32(1.0 / appearance["visibility_m"])
    half, flat = 0.5 * size.wide, 0.0 if size.upright else 0.5 * size.tall
    plane_m, along_m, up_m = read_vector(quads["near"], n)
    near, u_0, v_0 = single((plane_m, along_m + half, up_m + flat))
    to_plane, on_u = single(read_vector(quads["far"], n)), single(read_vector(quads["on_u"], n))
    on_v, edges = single(read_vector(quads["on_v"], n)), quads["edges"]
    below, right = single(read_vector(edges[0], n)), single(read_vector(edges[1], n))
    above, left = single(read_vector(edges[2], n)), single(read_vector(edges[3], n))
    ahead, ahead_p, cut = single((lens.cos_pitch, -lens.sin_pitch / lens.focal_px, CUT_M))
    widest, highest, lowest = single((half, size.tall - flat, -flat))
    least, lamps = np.float32(max(1e-6, plane_m / HORIZON_M)), headlights_of(night, lens)
    open_edge, per_focal = np.float32(1.0 if coarse > 0.0 else 0.0), np.float32(1.0 / lens.focal_px)
    for k in range(min(count, FRAGMENTS)):
        p, q = numbers[P + k], numbers[Q + k]
        far = near / max(linear(to_plane, p, q), least)
        u, v = far * linear(on_u, p, q) - u_0, far * linear(on_v, p, q) - v_0
        forward = max(far * (ahead + ahead_p * p), cut)
        numbers[U + k], numbers[V + k] = min(max(u, -widest), widest), min(max(v, lowest), highest)
        lit = headlight_on_fragment(far, forward, p * per_focal, q * per_focal, lamps) if night > 0.0 else ZERO
        numbers[EMISSION + k], numbers[CLEAR + k] = lit, fading(forward * per_m)
        lower, upper = clip(linear(below, p, q)), linear(above, p, q)
        aside = max(clip(linear(right, p, q)) + clip(linear(left, p, q)) - ONE, ZERO)
        numbers[LOWER + k], numbers[UPPER + k] = lower, upper
        numbers[COVER + k] = aside * max(lower + clip(upper) - ONE, open_edge)


@inline_always
def light(numbers, count, base, horizon):
    """Turn the albedo of the fragments into their colour, in light and air."""
    red, green, blue = single(base)
    far_red, far_green, far_blue = single(horizon)
    green_share, blue_share = np.float32(GREEN), np.float32(BLUE)
    for k in range(min(count, FRAGMENTS)):
        own, clear = numbers[EMISSION + k], numbers[CLEAR + k]
        numbers[R + k] = far_red + clear * (numbers[R + k] * (red + own) - far_red)
        numbers[G + k] = far_green + clear * (numbers[G + k] * (green + green_share * own) - far_green)
        numbers[B + k] = far_blue + clear * (numbers[B + k] * (blue + blue_share * own) - far_blue)


@noalias
def composite(reds, greens, blues, quads, spans):
    """Mix the batch with the channels of the picture [H, W], `LANES` pixels at once; beside a span it stays as it is."""
    numbers = quads["numbers"]
    for n in range(spans):
        i, start, at = quads["line"][n], quads["start"][n], quads["at"][n]
        begin, end = quads["begin"][n], quads["end"][n]
        for k in range(quads["whole"][n] & np.uint64(0xFFFFFFF0)):
            m, j, place = at + np.uint64(k), start + np.uint64(k), np.int32(k)
            cover = numbers[m] if (place >= begin) & (place < end) else ZERO
            reds[i, j] += cover * (numbers[m + np.uint64(R - COVER)] - reds[i, j])
            greens[i, j] += cover * (numbers[m + np.uint64(G - COVER)] - greens[i, j])
            blues[i, j] += cover * (numbers[m + np.uint64(B - COVER)] - blues[i, j])


@no_refcount
def write_aov_fragments(aov, quads, n, spans, element, lens):
    """Write the fragments of a batch of quad n into the by-products."""
    numbers, near, far = quads["numbers"], quads["near"][0, n], read_vector(quads["far"], n)
    for span in range(spans):
        i, start, at = int(quads["line"][span]), int(quads["start"][span]), int(quads["at"][span])
        for k in range(int(quads["begin"][span]), int(quads["end"][span])):
            cover = numbers[at + k]
            if cover > ZERO:
                p, q = i - lens.centre_row, start + k - lens.centre_column
                along = near / max(far[0] + far[1] * p + far[2] * q, 1e-6)
                forward = along * (lens.cos_pitch - lens.sin_pitch / lens.focal_px * p)
                write_aov_share(aov, i, start + k, element, cover, max(forward, CUT_M))
