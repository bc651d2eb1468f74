"""Flat faces in space and their painting: what hedges, guard rails, signs, buildings and cars are made of.

A face is a trapezoid with a point, two unit vectors (`along` its lower edge, u, and up its `rise`, v) and two extents.  A
pixel's ray meets its plane at one (u, v), which is where its skin is asked for a colour (skins.py); how much of the pixel
it covers is the overlap with the image of its four edges.  How a face lies in the image is worked out for many at once
(easel.py), its pixels are done in patches (patch.py).
"""

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.renderer.objects.fragments import (
    PATCH,
    Seen,
    add_run,
    illuminate,
    lay,
    locate,
    note_patch,
    single,
    whole_of,
)
from lanekeep_envs.renderer.objects.materials import Cloth, Skin, dress
from lanekeep_envs.renderer.objects.quad_setup import (
    BOUNDS,
    EDGES,
    EXTENT,
    FACES,
    FAR,
    LIGHT,
    NEAR,
    ON_PX,
    ON_U,
    ON_V,
    REACH,
    RISE,
    ROWS,
    SKIN,
    read,
    triple,
)


@inline_always
def bound(faces, at, n):
    """(lowest column, per p, highest column, per p) of an edge."""
    return (
        faces[at + n], faces[at + FACES + n], faces[at + 2 * FACES + n], faces[at + 3 * FACES + n],
    )  # fmt: skip


@inline_always
def find_spans(easel, face, first_row, rows, width, lens):
    """Find the columns between the edges in some rows: in a few more than asked for, a multiple of eight."""
    f, firsts, lasts = easel["faces"], easel["first"], easel["last"]
    a, b = bound(f, BOUNDS, face), bound(f, BOUNDS + 4 * FACES, face)
    c, d = bound(f, BOUNDS + 8 * FACES, face), bound(f, BOUNDS + 12 * FACES, face)
    leftmost, rightmost = f[REACH + face], f[REACH + FACES + face]
    centre, above = lens.centre_column, first_row - lens.centre_row
    for k in range((rows + 7) // 8 * 8):
        p = above + k
        low = max(max(a[0] + a[1] * p, b[0] + b[1] * p), max(c[0] + c[1] * p, d[0] + d[1] * p))
        high = min(min(a[2] + a[3] * p, b[2] + b[3] * p), min(c[2] + c[3] * p, d[2] + d[3] * p))
        firsts[k] = int(min(max(np.ceil(centre + max(low, leftmost)), 0.0), width))
        lasts[k] = int(min(max(np.floor(centre + min(high, rightmost)) + 1.0, 0.0), width))


@inline_always
def skin_of(faces, n):
    """What a face shows."""
    element, kind, number = read(faces, SKIN, n)
    own, at, middle = read(faces, SKIN + 9 * FACES, n)
    side, coarse = faces[SKIN + 12 * FACES + n], faces[SKIN + 13 * FACES + n]
    colour, second = read(faces, SKIN + 3 * FACES, n), read(faces, SKIN + 6 * FACES, n)
    return Skin(int(element), int(kind), colour, second, int(number), own, at, middle, side, coarse)


@no_refcount
def paint_face(canvas, aov, easel, tile, n, lens):
    """Paint the n-th face on the easel."""
    width, f, n = canvas.shape[2], easel["faces"], n & 0xFFFF  # not negative, which every index below would ask for
    top, end = int(f[ROWS + n]), int(f[ROWS + FACES + n])
    if top >= end:
        return
    find_spans(easel, n, top, end - top, float(width), lens)
    skin, on_px, place, far = skin_of(f, n), read(f, ON_PX, n), read(f, NEAR, n), read(f, FAR, n)
    cloth = Cloth(f[EXTENT + n], f[EXTENT + FACES + n], on_px[0], on_px[1], on_px[2], f[RISE + 2 * FACES + n] > 0.0)
    seen = Seen(
        place[0], place[1], place[2], single(far), single(read(f, ON_U, n)), single(read(f, ON_V, n)),
        single(read(f, EDGES, n)), single(read(f, EDGES + 3 * FACES, n)),
        single(read(f, EDGES + 6 * FACES, n)), single(read(f, EDGES + 9 * FACES, n)),
    )  # fmt: skip
    row, firsts, lasts = top, easel["first"], easel["last"]
    while row < end:
        many, runs = 0, 0
        while row < end:
            first, last = firsts[np.uint64(row - top)], lasts[np.uint64(row - top)]
            if first < last:
                count = min(last - first, PATCH - many)
                if count > 0:
                    add_run(easel, runs, many, row, first, count, width, lens)
                    many, runs = many + count, runs + 1
                if count < last - first:  # the patch is full
                    firsts[np.uint64(row - top)] = first + count
                    break
            row += 1
        if many == 0:
            return
        whole, numbers = whole_of(many), easel["numbers"]
        locate(numbers, whole, seen, cloth, skin.coarse, easel["night"], easel["visibility_m"], lens)
        dress(easel, tile, whole, skin, cloth)
        illuminate(numbers, whole, read(f, LIGHT, n), triple(easel["horizon"]))
        lay(canvas[0], canvas[1], canvas[2], easel, runs)
        if aov.contributors.size > 0:
            note_patch(aov, easel, runs, place[0], far, skin.element, lens)
