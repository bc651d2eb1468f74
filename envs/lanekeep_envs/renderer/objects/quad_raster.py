"""Drawing of quads: what hedges, guard rails, signs, buildings and cars are made of.

A pixel's ray meets the plane of a quad at one (u, v), for which its material has a colour (materials.py); how much of the
pixel the quad covers is the overlap with the image of its four edges.  How a quad lies in the image is worked out for many
at once (quad_setup.py), its pixels are worked off in batches (fragments.py).
"""

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.renderer.objects.fragments import (
    FRAGMENTS,
    add_span,
    composite,
    interpolate,
    light,
    read_vector,
    whole_of,
    write_aov_fragments,
)
from lanekeep_envs.renderer.objects.materials import Material, QuadSize, shade


@inline_always
def bound(bounds, n):
    """(lowest column, per p, highest column, per p) of an edge of quad n."""
    return bounds[0, n], bounds[1, n], bounds[2, n], bounds[3, n]


@inline_always
def find_columns(quads, n, first_row, rows, width, lens):
    """Find the columns between the edges of a quad in its rows, and in a few more: a multiple of eight."""
    firsts, lasts, bounds = quads["first"], quads["last"], quads["bounds"]
    a, b, c, d = bound(bounds[0], n), bound(bounds[1], n), bound(bounds[2], n), bound(bounds[3], n)
    leftmost, rightmost = quads["reach"][0, n], quads["reach"][1, n]
    centre, above = lens.centre_column, first_row - lens.centre_row
    for k in range((rows + 7) // 8 * 8):
        p = above + k
        low = max(max(a[0] + a[1] * p, b[0] + b[1] * p), max(c[0] + c[1] * p, d[0] + d[1] * p))
        high = min(min(a[2] + a[3] * p, b[2] + b[3] * p), min(c[2] + c[3] * p, d[2] + d[3] * p))
        firsts[k] = int(min(max(np.ceil(centre + max(low, leftmost)), 0.0), width))
        lasts[k] = int(min(max(np.floor(centre + min(high, rightmost)) + 1.0, 0.0), width))


@inline_always
def material_of(table, n):
    """Read the material of quad n."""
    element, kind, number = read_vector(table, n)
    colour, second = read_vector(table[3:], n), read_vector(table[6:], n)
    emission, at, middle = read_vector(table[9:], n)
    return Material(
        int(element), int(kind), colour, second, int(number), emission, at, middle, table[12, n], table[13, n]
    )


@no_refcount
def draw_quad(colour, aov, quads, tile, n, appearance, lens):
    """Draw the n-th quad of the buffer."""
    width, n = colour.shape[2], n & 0xFFFF  # not negative, which every index below would ask for
    top, end = int(quads["rows"][0, n]), int(quads["rows"][1, n])
    if top >= end:
        return
    find_columns(quads, n, top, end - top, float(width), lens)
    material, on_px, extent = material_of(quads["material"], n), read_vector(quads["on_px"], n), quads["extent"]
    upright = quads["rise"][2, n] > 0.0
    size = QuadSize(extent[0, n], extent[1, n], on_px[0], on_px[1], on_px[2], upright)
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
        interpolate(quads, n, whole, size, material.coarse, appearance, lens)
        shade(quads, tile, whole, material, size)
        light(numbers, whole, read_vector(quads["light"], n), appearance["horizon"])
        composite(colour[0], colour[1], colour[2], quads, spans)
        if aov.contributors.size > 0:
            write_aov_fragments(aov, quads, n, spans, material.element, lens)
