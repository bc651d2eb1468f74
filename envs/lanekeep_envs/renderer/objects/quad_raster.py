"""Drawing of quads: what hedges, guard rails, signs, buildings and cars are made of.

A pixel's ray meets the plane of a quad at one (u, v), for which its material has a colour (materials.py); how much of the
pixel the quad covers is the overlap with the image of its four edges.  How a quad lies in the image is worked out for many
at once (quad_setup.py), its pixels are worked off in batches (fragments.py).
"""

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.renderer.coverage import single
from lanekeep_envs.renderer.objects.fragments import (
    FRAGMENTS,
    Interpolants,
    add_span,
    composite,
    interpolate,
    light,
    whole_of,
    write_aov_fragments,
)
from lanekeep_envs.renderer.objects.materials import Material, QuadSize, shade
from lanekeep_envs.renderer.objects.quad_setup import (
    BOUNDS,
    EDGES,
    EXTENT,
    FAR,
    LIGHT,
    MATERIAL,
    NEAR,
    ON_PX,
    ON_U,
    ON_V,
    QUADS,
    REACH,
    RISE,
    ROWS,
    read_vector,
    vector_of,
)


@inline_always
def bound(setup, at, n):
    """(lowest column, per p, highest column, per p) of an edge."""
    return (
        setup[at + n], setup[at + QUADS + n], setup[at + 2 * QUADS + n], setup[at + 3 * QUADS + n],
    )  # fmt: skip


@inline_always
def find_columns(quads, quad, first_row, rows, width, lens):
    """Find the columns between the edges of a quad in its rows, and in a few more: a multiple of eight."""
    f, firsts, lasts = quads["setup"], quads["first"], quads["last"]
    a, b = bound(f, BOUNDS, quad), bound(f, BOUNDS + 4 * QUADS, quad)
    c, d = bound(f, BOUNDS + 8 * QUADS, quad), bound(f, BOUNDS + 12 * QUADS, quad)
    leftmost, rightmost = f[REACH + quad], f[REACH + QUADS + quad]
    centre, above = lens.centre_column, first_row - lens.centre_row
    for k in range((rows + 7) // 8 * 8):
        p = above + k
        low = max(max(a[0] + a[1] * p, b[0] + b[1] * p), max(c[0] + c[1] * p, d[0] + d[1] * p))
        high = min(min(a[2] + a[3] * p, b[2] + b[3] * p), min(c[2] + c[3] * p, d[2] + d[3] * p))
        firsts[k] = int(min(max(np.ceil(centre + max(low, leftmost)), 0.0), width))
        lasts[k] = int(min(max(np.floor(centre + min(high, rightmost)) + 1.0, 0.0), width))


@inline_always
def material_of(setup, n):
    """Read the material of quad n."""
    element, kind, number = read_vector(setup, MATERIAL, n)
    emission, at, middle = read_vector(setup, MATERIAL + 9 * QUADS, n)
    side, coarse = setup[MATERIAL + 12 * QUADS + n], setup[MATERIAL + 13 * QUADS + n]
    colour, second = read_vector(setup, MATERIAL + 3 * QUADS, n), read_vector(setup, MATERIAL + 6 * QUADS, n)
    return Material(int(element), int(kind), colour, second, int(number), emission, at, middle, side, coarse)


@inline_always
def interpolants_of(setup, n):
    """Read how the pixels of the image lie on quad n."""
    near, u_0, v_0 = read_vector(setup, NEAR, n)
    return Interpolants(
        near, u_0, v_0, single(read_vector(setup, FAR, n)), single(read_vector(setup, ON_U, n)),
        single(read_vector(setup, ON_V, n)), single(read_vector(setup, EDGES, n)),
        single(read_vector(setup, EDGES + 3 * QUADS, n)), single(read_vector(setup, EDGES + 6 * QUADS, n)),
        single(read_vector(setup, EDGES + 9 * QUADS, n)),
    )  # fmt: skip


@no_refcount
def draw_quad(colour, aov, quads, tile, n, lens):
    """Draw the n-th quad of the buffer."""
    width, f, n = colour.shape[2], quads["setup"], n & 0xFFFF  # not negative, which every index below would ask for
    top, end = int(f[ROWS + n]), int(f[ROWS + QUADS + n])
    if top >= end:
        return
    find_columns(quads, n, top, end - top, float(width), lens)
    material, interpolants, on_px = material_of(f, n), interpolants_of(f, n), read_vector(f, ON_PX, n)
    upright = f[RISE + 2 * QUADS + n] > 0.0
    size = QuadSize(f[EXTENT + n], f[EXTENT + QUADS + n], on_px[0], on_px[1], on_px[2], upright)
    row, firsts, lasts = top, quads["first"], quads["last"]
    while row < end:
        count, spans = 0, 0
        while row < end:
            first, last = firsts[np.uint64(row - top)], lasts[np.uint64(row - top)]
            if first < last:
                length = min(last - first, FRAGMENTS - count)
                if length > 0:
                    add_span(quads, spans, count, row, first, length, width, lens)
                    count, spans = count + length, spans + 1
                if length < last - first:  # the batch is full
                    firsts[np.uint64(row - top)] = first + length
                    break
            row += 1
        if count == 0:
            return
        whole, numbers = whole_of(count), quads["numbers"]
        interpolate(numbers, whole, interpolants, size, material.coarse, quads["night"], quads["visibility_m"], lens)
        shade(quads, tile, whole, material, size)
        light(numbers, whole, read_vector(f, LIGHT, n), vector_of(quads["horizon"]))
        composite(colour[0], colour[1], colour[2], quads, spans)
        if aov.contributors.size > 0:
            write_aov_fragments(aov, quads, spans, interpolants.near, read_vector(f, FAR, n), material.element, lens)
