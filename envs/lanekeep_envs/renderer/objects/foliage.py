"""The pixels of a plant, worked off in spans of image rows: outline, texture of the leaves, light, mixing with the picture.

Every outline is an implicit function whose value, divided by its slope, is a distance in pixels; the covered share of a
pixel is that distance clipped to [0, 1], so that no edge is a staircase.

A span is as many pixels of an image row as one instruction does at once.  One step after the other is done for all spans of
a batch, in single precision.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount, noalias
from lanekeep_envs.compiled.noise import look_up, place, value_between
from lanekeep_envs.elements import BUSH, CONIFER
from lanekeep_envs.renderer.aov import write_aov_share
from lanekeep_envs.sampling.appearance import RGB
from lanekeep_envs.sampling.roadside import element_of

SPAN = 16  # pixels, and rows whose ends are found at once
SPANS = 32  # of a batch: so few that they stay in the fastest cache
PIXELS = SPAN * SPANS
U, VALUE, FACE, COVER = (k * PIXELS for k in range(4))
TEXEL, BETWEEN, BASE, TRUNK, BRIGHT, HIGH, A, B, C = (k * SPANS for k in range(9))

FOLIAGE = np.dtype(  # a batch of spans; one record, so that numba knows that nothing in it overlaps
    [
        ("numbers", np.float32, 4 * PIXELS),  # `PIXELS` of each of the names above
        ("cells", np.uint32, PIXELS),  # places in the noise tile (compiled/noise.py), then its entries
        ("line", np.uint64, SPANS),  # of a span the image row; unsigned: no index is asked for its sign
        ("start", np.uint64, SPANS),  # its first column
        ("edge", np.float32, SPANS),  # its first column, counted from the middle of the picture
        ("up", np.float32, SPANS),  # how far above the plant's foot it lies [px]
        ("height", np.float32, SPANS),  # its v on the plant
        ("shared", np.float32, 9 * SPANS),  # what its pixels share, `SPANS` of each of the names above
        ("first", np.int32, SPAN),  # columns of the plant in some rows: the first, and one past the last
        ("last", np.int32, SPAN),
    ]
)


class Plant(NamedTuple):
    """A tree or bush in the picture, in single precision.

    A pixel's u is how far left of the middle it lies, and v how high above the foot, in parts of radius and height.
    """

    kind: int
    sharp: np.float32  # 1 where the texture of its leaves is interpolated, 0 where the nearest texel will do
    forward_m: float  # distance ahead, in double precision
    aside: np.float32  # its foot, right of the middle of the picture [px]: mirror the world and it changes its sign
    per_u: np.float32  # u and v of a pixel
    per_v: np.float32
    blur: np.float32  # an outline's value per pixel
    trunk: np.float32  # half its width, in u; negative: it has none
    side: np.float32  # it leans this way, 1 or -1
    shift: np.float32  # how far its lean moves the middle of its crown aside, in u, and up, in v
    rise: np.float32
    grain: np.float32  # strength of the leaves' texture
    grain_u: np.float32  # texels per u and v
    grain_v: np.float32
    grain_at: np.float32
    sun_side: np.float32  # how much of the sun comes from the left


class Paint(NamedTuple):
    """Colours of a plant in the air, in single precision: of leaves and wood, in the light of sky and sun."""

    leaf: RGB
    sunny_leaf: RGB
    wood: RGB
    sunny_wood: RGB
    air: RGB


@inline_always
@float32_literals
def share_rows(foliage, plant):
    """Fill in what the pixels of a span share: for all spans at once, it takes a fraction of the time."""
    shared, height = foliage["shared"], foliage["height"]
    for n in range(SPANS):
        up = foliage["up"][n]
        v = up * plant.per_v
        y = plant.grain_v * v
        texel = np.floor(y)
        height[n], shared[TEXEL + n], shared[BETWEEN + n] = v, texel, plant.sharp * (y - texel)
        shared[BASE + n], shared[TRUNK + n] = min(max(up + 0.5, 0.0), 1.0), plant.trunk if v < 0.5 else -1e9
        shared[BRIGHT + n], shared[HIGH + n] = 0.62 + 0.38 * v, 0.4675 + 0.275 * v


@inline_always
@float32_literals
def outline_conifers(foliage, spans, plant):
    """Fill in u, the value of a conifer's outline, < 1 inside, the side that it turns to, and places in the noise tile."""
    numbers, cells = foliage["numbers"], foliage["cells"]
    for n in range(spans):
        edge, v, m, y = foliage["edge"][n], foliage["height"][n], np.uint64(n * SPAN), foliage["shared"][TEXEL + n]
        tier = (v - 0.08) * 7.0
        width = max(1.02 - v, 0.0) * (0.78 + 0.35 * (1.0 - (tier - np.floor(tier))))
        least, per_width, turn = max((0.10 - v) * 20.0 + 1.0, v), 1.0 / max(width, 1e-3), 1.0 / max(width, 0.1)
        for k in range(SPAN):
            at, u = m + np.uint64(k), (plant.aside - (edge + np.float32(np.int32(k)))) * plant.per_u
            cells[at], numbers[at + np.uint64(U)] = place(np.floor(plant.grain_u * u + plant.grain_at), y), u
            numbers[at + np.uint64(VALUE)], numbers[at + np.uint64(FACE)] = max(abs(u) * per_width, least), u * turn


@inline_always
@float32_literals
def outline_bushes(foliage, spans, plant):
    """Fill in u, outline, side and places of a bush: an ellipse on the ground."""
    numbers, cells = foliage["numbers"], foliage["cells"]
    for n in range(spans):
        edge, v, m, y = foliage["edge"][n], foliage["height"][n], np.uint64(n * SPAN), foliage["shared"][TEXEL + n]
        rest = (v - 0.35) * (v - 0.35) * (1.0 / 0.4225)
        for k in range(SPAN):
            at, u = m + np.uint64(k), (plant.aside - (edge + np.float32(np.int32(k)))) * plant.per_u
            cells[at], numbers[at + np.uint64(U)] = place(np.floor(plant.grain_u * u + plant.grain_at), y), u
            numbers[at + np.uint64(VALUE)], numbers[at + np.uint64(FACE)] = u * u + rest, u


@inline_always
@float32_literals
def outline_broadleaves(foliage, spans, plant):
    """Fill in u, outline, side and places of a broadleaf: three ellipses, leaning to one side."""
    numbers, cells, shared = foliage["numbers"], foliage["cells"], foliage["shared"]
    top, one, other = plant.shift, plant.shift - 0.42 * plant.side, plant.shift + 0.40 * plant.side
    for n in range(SPANS):
        high = foliage["height"][n] - plant.rise
        a, b, c = (high - 0.70) * 3.45, (high - 0.56) * 4.35, (high - 0.52) * 4.76
        shared[A + n], shared[B + n], shared[C + n] = a * a, b * b, c * c
    for n in range(spans):
        edge, m, y = foliage["edge"][n], np.uint64(n * SPAN), shared[TEXEL + n]
        a, b, c = shared[A + n], shared[B + n], shared[C + n]
        for k in range(SPAN):
            at, u = m + np.uint64(k), (plant.aside - (edge + np.float32(np.int32(k)))) * plant.per_u
            cells[at], numbers[at + np.uint64(U)] = place(np.floor(plant.grain_u * u + plant.grain_at), y), u
            p, q, r = (u - top) * 1.39, (u - one) * 1.72, (u - other) * 1.79
            d, e, f = p * p + a, q * q + b, r * r + c
            side, least = (q if e < d else p), min(d, e)
            numbers[at + np.uint64(VALUE)], numbers[at + np.uint64(FACE)] = min(least, f), r if f < least else side


@noalias
@float32_literals
def composite_leaves(red, green, blue, foliage, spans, plant, paint):
    """Mix the spans with the picture."""
    numbers, cells, shared = foliage["numbers"], foliage["cells"], foliage["shared"]
    steep, pale, per_u, strength = 1.0 / plant.blur, 0.55 * plant.sun_side, 1.0 / plant.per_u, plant.grain
    leaf, sunny_leaf, wooden, sunny_wood, air = paint
    for n in range(spans):
        i, j, m = foliage["line"][n], foliage["start"][n], np.uint64(n * SPAN)
        ay, base, trunk = shared[BETWEEN + n], shared[BASE + n], shared[TRUNK + n]
        bright, high = shared[BRIGHT + n], shared[HIGH + n]
        for k in range(SPAN):
            at, c = m + np.uint64(k), j + np.uint64(k)
            u = numbers[at + np.uint64(U)]
            x = plant.grain_u * u + plant.grain_at
            rough = strength * value_between(np.int32(cells[at]), plant.sharp * (x - np.floor(x)), ay)
            leafy = min(max((1.0 - numbers[at + np.uint64(VALUE)] + 0.55 * rough) * steep + 0.5, 0.0), 1.0)
            woody = min(max((trunk - abs(u)) * per_u + 0.5, 0.0), 1.0)
            shade, lit = bright + 0.45 * rough, max(high + pale * numbers[at + np.uint64(FACE)], 0.12)
            cover, wood = base * max(leafy, woody), woody > leafy
            r = (wooden[0] if wood else leaf[0]) + lit * (sunny_wood[0] if wood else sunny_leaf[0])
            g = (wooden[1] if wood else leaf[1]) + lit * (sunny_wood[1] if wood else sunny_leaf[1])
            b = (wooden[2] if wood else leaf[2]) + lit * (sunny_wood[2] if wood else sunny_leaf[2])
            red[i, c] += cover * (shade * r + air[0] - red[i, c])
            green[i, c] += cover * (shade * g + air[1] - green[i, c])
            blue[i, c] += cover * (shade * b + air[2] - blue[i, c])
            numbers[at + np.uint64(COVER)] = cover


@no_refcount
def draw_spans(colour, aov, foliage, tile, spans, plant, paint):
    """Draw a batch of spans of a plant."""
    share_rows(foliage, plant)
    if plant.kind == CONIFER:
        outline_conifers(foliage, spans, plant)
    elif plant.kind == BUSH:
        outline_bushes(foliage, spans, plant)
    else:
        outline_broadleaves(foliage, spans, plant)
    if plant.grain > 0.0:
        look_up(foliage["cells"][: spans * SPAN], tile)
    composite_leaves(colour[0], colour[1], colour[2], foliage, spans, plant, paint)
    if aov.contributors.size > 0:
        write_aov_spans(aov, foliage, spans, element_of(plant.kind), plant.forward_m)


@no_refcount
def write_aov_spans(aov, foliage, spans, element, forward):
    """Write the spans of a batch into the by-products."""
    for n in range(spans):
        i, start = int(foliage["line"][n]), int(foliage["start"][n])
        for k in range(SPAN):
            cover = foliage["numbers"][COVER + SPAN * n + k]
            if cover > 0.0:
                write_aov_share(aov, i, start + k, element, cover, forward)
