"""Trees and bushes: upright pictures, drawn from far to near.

Every outline is an implicit function whose value, divided by its slope, is a distance in pixels; the covered share of a
pixel is that distance clipped to [0, 1], so that no edge is a staircase.

The pixels of a plant come in runs, parts of image rows, as many as one instruction does at once.  One step after the
other is done for all of them, in single precision: outline, texture of the leaves, light, and the mixing with the picture.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount, noalias
from lanekeep_envs.compiled.noise import place, value_between
from lanekeep_envs.elements import BUSH, CONIFER
from lanekeep_envs.renderer.air.precipitation import headlight
from lanekeep_envs.renderer.camera import pixel_of
from lanekeep_envs.renderer.objects.posts import mark
from lanekeep_envs.sampling.appearance import RGB
from lanekeep_envs.sampling.roadside import element_of

NEAR_PX_PER_M = 10.0  # scale from which on the texture of leaves is interpolated
RUN = 16  # pixels, and rows whose ends are found at once
RUNS = 32  # at once: so few that they stay in the fastest cache
PATCH = RUN * RUNS
U, VALUE, FACE, COVER = (k * PATCH for k in range(4))
TEXEL, BETWEEN, BASE, TRUNK, BRIGHT, HIGH, A, B, C = (k * RUNS for k in range(9))
WOOD = (74.0, 60.0, 48.0)

FOLIAGE = np.dtype(  # what the painter of plants has at hand; one record, so that nothing in it might overlap
    [
        ("numbers", np.float32, 4 * PATCH),  # `PATCH` of each of the names above
        ("cells", np.uint32, PATCH),  # places in the tile (texture.py), then its entries
        ("line", np.uint64, RUNS),  # of a run the image row; unsigned: no index is asked for its sign
        ("start", np.uint64, RUNS),  # its first column
        ("edge", np.float32, RUNS),  # the same, counted from the middle of the picture
        ("up", np.float32, RUNS),  # and how far above the plant's foot it lies [px]
        ("height", np.float32, RUNS),  # the same as the plant's v
        ("shared", np.float32, 9 * RUNS),  # what its pixels share, `RUNS` of each of the names above
        ("first", np.int32, RUN),  # columns of the plant in some rows: the first, and one past the last
        ("last", np.int32, RUN),
    ]
)


class Plant(NamedTuple):
    """A tree or bush in the picture, in single precision.

    A pixel's u is how far left of the middle it lies, and v how high above the foot, in parts of radius and height.
    """

    aside: np.float32  # its foot, right of the middle of the picture [px]: mirror the world and it changes its sign
    per_u: np.float32  # u and v of a pixel
    per_v: np.float32
    blur: np.float32  # an outline's value per pixel
    trunk: np.float32  # half its width, in u; negative: it has none
    side: np.float32  # it leans this way, 1 or -1
    shift: np.float32  # its crown's middle is so far aside, and so much higher, than upright
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
def puff_reach(rest, cu, dv, ru):
    """Bounds (low, high) on u of an ellipse about `cu` at the height dv from its middle, out to the value `rest`."""
    square = rest - dv * dv
    half = np.sqrt(max(square, 0.0)) * (1.0 / ru)
    return (cu - half if square > 0.0 else 1e9), (cu + half if square > 0.0 else -1e9)


@inline_always
@float32_literals
def reach(plant, kind, v):
    """Bounds (low, high) on u of what covers pixels at height v."""
    wood, rest = (plant.trunk + plant.per_u if v < 0.5 else -1e9), 1.0001 + 0.55 * plant.grain + 0.5 * plant.blur
    if kind == CONIFER:
        wide = max(max(1.02 - v, 0.0) * 1.13 * (1.55 + 0.5 * plant.blur), wood)
        return -wide, wide
    if kind == BUSH:
        return puff_reach(rest, 0.0, (v - 0.35) * (1.0 / 0.65), 1.0)
    shift, rise, side = plant.shift, plant.rise, plant.side
    a, b = puff_reach(rest, shift, (v - 0.70 - rise) * 3.45, 1.39)
    c, d = puff_reach(rest, shift - 0.42 * side, (v - 0.56 - rise) * 4.35, 1.72)
    e, f = puff_reach(rest, shift + 0.40 * side, (v - 0.52 - rise) * 4.76, 1.79)
    return min(min(a, c), min(e, -wood)), max(max(b, d), max(f, wood))


@inline_always
@float32_literals
def find_ends(leaves, plant, kind, above, centre, width):
    """Find the plant's columns in `RUN` rows, the first of which lies `above` its foot."""
    wide = 1.0 / plant.per_u
    middle, most = plant.aside + centre, np.float32(width)
    for n in range(RUN):
        low, high = reach(plant, kind, (above - np.float32(np.int32(n))) * plant.per_v)
        leaves["first"][n] = np.int32(min(max(np.floor(middle - high * wide), 0.0), most))
        leaves["last"][n] = np.int32(min(max(np.floor(middle - low * wide) + 2.0, 0.0), most))


@inline_always
@float32_literals
def share_rows(leaves, plant, sharp):
    """Fill in what the pixels of a run share: for all of them at once, it takes a fraction of the time."""
    shared, height = leaves["shared"], leaves["height"]
    for n in range(RUNS):
        up = leaves["up"][n]
        v = up * plant.per_v
        y = plant.grain_v * v
        texel = np.floor(y)
        height[n], shared[TEXEL + n], shared[BETWEEN + n] = v, texel, sharp * (y - texel)
        shared[BASE + n], shared[TRUNK + n] = min(max(up + 0.5, 0.0), 1.0), plant.trunk if v < 0.5 else -1e9
        shared[BRIGHT + n], shared[HIGH + n] = 0.62 + 0.38 * v, 0.4675 + 0.275 * v


@inline_always
@float32_literals
def outline_conifers(leaves, runs, plant):
    """Fill in u, the outline's value, < 1 inside, the side it turns to, and places in the tile (texture.py)."""
    numbers, cells = leaves["numbers"], leaves["cells"]
    for n in range(runs):
        edge, v, m, y = leaves["edge"][n], leaves["height"][n], np.uint64(n * RUN), leaves["shared"][TEXEL + n]
        tier = (v - 0.08) * 7.0
        width = max(1.02 - v, 0.0) * (0.78 + 0.35 * (1.0 - (tier - np.floor(tier))))
        least, per_width, turn = max((0.10 - v) * 20.0 + 1.0, v), 1.0 / max(width, 1e-3), 1.0 / max(width, 0.1)
        for k in range(RUN):
            at, u = m + np.uint64(k), (plant.aside - (edge + np.float32(np.int32(k)))) * plant.per_u
            cells[at], numbers[at + np.uint64(U)] = place(np.floor(plant.grain_u * u + plant.grain_at), y), u
            numbers[at + np.uint64(VALUE)], numbers[at + np.uint64(FACE)] = max(abs(u) * per_width, least), u * turn


@inline_always
@float32_literals
def outline_bushes(leaves, runs, plant):
    """The same: an ellipse on the ground."""
    numbers, cells = leaves["numbers"], leaves["cells"]
    for n in range(runs):
        edge, v, m, y = leaves["edge"][n], leaves["height"][n], np.uint64(n * RUN), leaves["shared"][TEXEL + n]
        rest = (v - 0.35) * (v - 0.35) * (1.0 / 0.4225)
        for k in range(RUN):
            at, u = m + np.uint64(k), (plant.aside - (edge + np.float32(np.int32(k)))) * plant.per_u
            cells[at], numbers[at + np.uint64(U)] = place(np.floor(plant.grain_u * u + plant.grain_at), y), u
            numbers[at + np.uint64(VALUE)], numbers[at + np.uint64(FACE)] = u * u + rest, u


@inline_always
@float32_literals
def outline_broadleaves(leaves, runs, plant):
    """The same: three ellipses, leaning to one side."""
    numbers, cells, shared = leaves["numbers"], leaves["cells"], leaves["shared"]
    top, one, other = plant.shift, plant.shift - 0.42 * plant.side, plant.shift + 0.40 * plant.side
    for n in range(RUNS):
        high = leaves["height"][n] - plant.rise
        a, b, c = (high - 0.70) * 3.45, (high - 0.56) * 4.35, (high - 0.52) * 4.76
        shared[A + n], shared[B + n], shared[C + n] = a * a, b * b, c * c
    for n in range(runs):
        edge, m, y = leaves["edge"][n], np.uint64(n * RUN), shared[TEXEL + n]
        a, b, c = shared[A + n], shared[B + n], shared[C + n]
        for k in range(RUN):
            at, u = m + np.uint64(k), (plant.aside - (edge + np.float32(np.int32(k)))) * plant.per_u
            cells[at], numbers[at + np.uint64(U)] = place(np.floor(plant.grain_u * u + plant.grain_at), y), u
            p, q, r = (u - top) * 1.39, (u - one) * 1.72, (u - other) * 1.79
            d, e, f = p * p + a, q * q + b, r * r + c
            side, least = (q if e < d else p), min(d, e)
            numbers[at + np.uint64(VALUE)], numbers[at + np.uint64(FACE)] = min(least, f), r if f < least else side


@noalias
@float32_literals
def mix_leaves(red, green, blue, leaves, runs, plant, paint, sharp):
    """Mix the runs with the picture; the texture is interpolated if `sharp` is 1, and the nearest texel if it is 0."""
    numbers, cells, shared = leaves["numbers"], leaves["cells"], leaves["shared"]
    steep, pale, per_u, strength = 1.0 / plant.blur, 0.55 * plant.sun_side, 1.0 / plant.per_u, plant.grain
    leaf, sunny_leaf, wooden, sunny_wood, air = paint
    for n in range(runs):
        i, j, m = leaves["line"][n], leaves["start"][n], np.uint64(n * RUN)
        ay, base, trunk = shared[BETWEEN + n], shared[BASE + n], shared[TRUNK + n]
        bright, high = shared[BRIGHT + n], shared[HIGH + n]
        for k in range(RUN):
            at, c = m + np.uint64(k), j + np.uint64(k)
            u = numbers[at + np.uint64(U)]
            x = plant.grain_u * u + plant.grain_at
            rough = strength * value_between(np.int32(cells[at]), sharp * (x - np.floor(x)), ay)
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
def paint_runs(canvas, aov, leaves, runs, tile, plant, kind, paint, sharp, forward):
    """Paint some runs of a plant."""
    share_rows(leaves, plant, sharp)
    if kind == CONIFER:
        outline_conifers(leaves, runs, plant)
    elif kind == BUSH:
        outline_bushes(leaves, runs, plant)
    else:
        outline_broadleaves(leaves, runs, plant)
    if plant.grain > 0.0:
        cells = leaves["cells"]
        for k in range(runs * RUN):
            cells[k] = tile[cells[k]]
    mix_leaves(canvas[0], canvas[1], canvas[2], leaves, runs, plant, paint, sharp)
    if aov.contributors.size > 0:
        note_runs(aov, leaves, runs, element_of(kind), forward)


@no_refcount
def note_runs(aov, leaves, runs, element, forward):
    """Write what they show into the by-products."""
    for n in range(runs):
        i, start = int(leaves["line"][n]), int(leaves["start"][n])
        for k in range(RUN):
            cover = leaves["numbers"][COVER + RUN * n + k]
            if cover > 0.0:
                mark(aov, i, start + k, element, cover, forward)


@inline_always
def triple(factor, colour, other):
    """The product of two colours, in single precision."""
    return (
        np.float32(factor * colour[0] * other[0]),
        np.float32(factor * colour[1] * other[1]),
        np.float32(factor * colour[2] * other[2]),
    )


@inline_always
def paint_of(obj, kind, appearance, forward, left, haze, light):
    """Colours of a plant; `light` = (sun from the left, sun ahead, sun height) and `haze` the share of air in front."""
    tint, needle = obj["tint"], kind == CONIFER
    leaf = (
        tint * (appearance["needle_r"] if needle else appearance["leaf_r"]),
        tint * (appearance["needle_g"] if needle else appearance["leaf_g"]),
        tint * (appearance["needle_b"] if needle else appearance["leaf_b"]),
    )
    if obj["leaf_r"] >= 0.0:
        leaf = (tint * obj["leaf_r"], tint * obj["leaf_g"], tint * obj["leaf_b"])
    ambient = (appearance["ambient_r"], appearance["ambient_g"], appearance["ambient_b"])
    if appearance["night"] > 0.0:  # dipped: little of it goes up
        beam = appearance["night"] * headlight(forward, left) * min(2.0 / obj["height_m"], 1.0)
        ambient = (ambient[0] + beam, ambient[1] + 0.97 * beam, ambient[2] + 0.88 * beam)
    clear, shine = 1.0 - haze, 1.6 * appearance["sunshine"] * (0.62 - 0.38 * light[1]) * (1.0 - haze)
    sunlight = (appearance["sunlight_r"], appearance["sunlight_g"], appearance["sunlight_b"])
    horizon, one = (appearance["horizon_r"], appearance["horizon_g"], appearance["horizon_b"]), (1.0, 1.0, 1.0)
    return Paint(
        triple(clear, leaf, ambient),
        triple(shine, leaf, sunlight),
        triple(clear, WOOD, ambient),
        triple(shine, WOOD, sunlight),
        triple(haze, horizon, one),
    )


@inline_always
def plant_of(obj, kind, left, scale, blur, appearance, light):
    """Shape of a plant in a picture of `scale` px/m."""
    tall, radius, twist = obj["height_m"], obj["radius_m"], obj["twist"]
    side, lean = (1.0, 0.5 * twist) if twist >= 0.0 else (-1.0, -0.5 * twist)
    return Plant(
        np.float32(-left * scale),
        np.float32(1.0 / (radius * scale)),
        np.float32(1.0 / (tall * scale)),
        np.float32(blur),
        np.float32(-1e9 if kind == BUSH else 0.028 * tall / radius),
        np.float32(side),
        np.float32(0.16 * side * lean),
        np.float32(0.06 * lean),
        np.float32(min(max((scale * radius - 4.0) / 12.0, 0.0), 1.0)),
        np.float32(7.0 * radius * appearance["mirror"]),
        np.float32(7.0 * tall),
        np.float32(40.0 * obj["tint"]),
        np.float32(light[0]),
    )


@no_refcount
def draw_plant(canvas, aov, tile, leaves, obj, forward, left, appearance, lens, haze, light):
    """Paint a tree or bush; `leaves` is work space (`FOLIAGE`)."""
    height, width, kind = canvas.shape[1], canvas.shape[2], obj["kind"]
    foot, column, scale = pixel_of(forward, left, 0.0, lens)
    tall_px, radius_px = obj["height_m"] * scale, obj["radius_m"] * scale
    blur = 2.0 / radius_px if kind == CONIFER else 2.0 / radius_px + 1.56 / tall_px
    wide = radius_px * (1.8 + 0.6 * blur if kind == CONIFER else 1.3 + 0.3 * blur)
    top = foot - tall_px
    if column + wide < 0.0 or column - wide > width - 1.0 or foot < 0.0 or top > height - 1.0:
        return
    plant = plant_of(obj, kind, left, scale, blur, appearance, light)
    paint = paint_of(obj, kind, appearance, forward, left, haze, light)
    sharp, centre = np.float32(1.0 if scale > NEAR_PX_PER_M else 0.0), np.float32(lens.centre_column)
    begin, end, runs, above = max(int(top), 0), min(int(foot + 1.5), height), 0, np.float32(0.0)
    for i in range(begin, end):
        n = (i - begin) % RUN
        if n == 0:
            above = np.float32(foot - i)
            find_ends(leaves, plant, kind, above, centre, width)
        first, last = int(leaves["first"][n]), int(leaves["last"][n])
        first = max(min(first, width - (last - first + RUN - 1) // RUN * RUN), 0)
        for start in range(first, last, RUN):
            if runs == RUNS:
                paint_runs(canvas, aov, leaves, runs, tile, plant, kind, paint, sharp, forward)
                runs = 0
            leaves["line"][runs], leaves["start"][runs] = i, start
            leaves["edge"][runs], leaves["up"][runs] = start - lens.centre_column, above - np.float32(n)
            runs += 1
    if runs > 0:
        paint_runs(canvas, aov, leaves, runs, tile, plant, kind, paint, sharp, forward)
