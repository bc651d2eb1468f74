"""Trees and bushes: upright pictures, drawn from far to near.

Every outline is an implicit function whose value, divided by its slope, is a distance in pixels; the covered share of a
pixel is that distance clipped to [0, 1], so that no edge is a staircase.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.camera import pixel_of
from lanekeep_envs.kernel import borrowing, inlined
from lanekeep_envs.look import RGB
from lanekeep_envs.scenery import BUSH, CONIFER
from lanekeep_envs.surface import mix
from lanekeep_envs.texture import first_of, interpolated, place
from lanekeep_envs.things import element_of, mark, span
from lanekeep_envs.weather import headlight

NARROW_PX = 16  # up to which width all rows of a plant are taken alike: it takes longer to find their ends
NEAR_PX_PER_M = 10.0  # scale from which on the texture of leaves is interpolated


@inlined
def conifer(u, v):
    """(value, face) of the outline at u = left/radius, v = up/height: value < 1 inside; face is the side it turns to."""
    tier = (v - 0.08) * 7.0
    width = max(1.02 - v, 0.0) * (0.78 + 0.35 * (1.0 - (tier - np.floor(tier))))
    return max(max(abs(u) / max(width, 1e-3), (0.10 - v) * 20.0 + 1.0), v), u / max(width, 0.1)


@inlined
def bush(u, v):
    """The same: an ellipse on the ground."""
    return u * u + (v - 0.35) * (v - 0.35) / 0.4225, u


@inlined
def puff(u, v, cu, cv, ru, rv, value, face):
    """The same, with one more ellipse."""
    du, dv = (u - cu) * ru, (v - cv) * rv
    this = du * du + dv * dv
    return (this, du) if this < value else (value, face)


@inlined
def broadleaf(u, v, side, lean):
    """The same: three ellipses, leaning to `side` (1 or -1)."""
    shift, rise = 0.16 * side * lean, 0.06 * lean
    value, face = puff(u, v, shift, 0.70 + rise, 1.39, 3.45, 1e9, 0.0)
    value, face = puff(u, v, shift - 0.42 * side, 0.56 + rise, 1.72, 4.35, value, face)
    return puff(u, v, shift + 0.40 * side, 0.52 + rise, 1.79, 4.76, value, face)


class Plant(NamedTuple):
    """A tree or bush in the picture."""

    kind: int
    foot: float  # image row of its foot
    column: float
    per_u: float  # u and v of a pixel
    per_v: float
    steep: float  # pixels per unit of an outline's value
    trunk: float  # half its width, in u
    side: float  # it leans this way, by `lean`
    lean: float
    grain: float  # strength of the leaves' texture
    grain_u: float  # texels per u and v
    grain_v: float
    grain_at: float
    leaf: RGB
    sun_side: float  # how much of the sun comes from the left
    shine: float
    haze: float


@inlined
def outline(plant, u, v):
    """(value, face) of a plant at (u, v)."""
    if plant.kind == CONIFER:
        return conifer(u, v)
    if plant.kind == BUSH:
        return bush(u, v)
    return broadleaf(u, v, plant.side, plant.lean)


@inlined
def puff_reach(rest, cu, dv, ru):
    """Bounds (low, high) on u of an ellipse about `cu` at the height dv from its middle, out to the value `rest`."""
    square = rest - dv * dv
    if square <= 0.0:
        return 1e9, -1e9
    half = np.sqrt(square) * (1.0 / ru)
    return cu - half, cu + half


@inlined
def reach(plant, v, blur):
    """Bounds (low, high) on u of what covers pixels at height v; `blur` is the outline's value per pixel."""
    wood, rest = plant.trunk + plant.per_u, 1.000001 + 0.55 * plant.grain + 0.5 * blur
    if plant.kind == CONIFER:
        wide = min(max(max(1.02 - v, 0.0) * 1.13 * (1.55 + 0.5 * blur), wood), 1.15)
        return -wide, wide
    if plant.kind == BUSH:
        return puff_reach(rest, 0.0, (v - 0.35) * (1.0 / 0.65), 1.0)
    shift, rise = 0.16 * plant.side * plant.lean, 0.06 * plant.lean
    a, b = puff_reach(rest, shift, (v - 0.70 - rise) * 3.45, 1.39)
    c, d = puff_reach(rest, shift - 0.42 * plant.side, (v - 0.56 - rise) * 4.35, 1.72)
    e, f = puff_reach(rest, shift + 0.40 * plant.side, (v - 0.52 - rise) * 4.76, 1.79)
    if v >= 0.5:
        wood = -1e9
    return min(min(a, c), min(e, -wood)), max(max(b, d), max(f, wood))


@inlined
def widest_reach(plant, blur):
    """The same, whatever the height."""
    wood, rest = plant.trunk + plant.per_u, 1.000001 + 0.55 * plant.grain + 0.5 * blur
    if plant.kind == CONIFER:
        return -1.15, 1.15
    if plant.kind == BUSH:
        return puff_reach(rest, 0.0, 0.0, 1.0)
    shift = 0.16 * plant.side * plant.lean
    a, b = puff_reach(rest, shift, 0.0, 1.39)
    c, d = puff_reach(rest, shift - 0.42 * plant.side, 0.0, 1.72)
    e, f = puff_reach(rest, shift + 0.40 * plant.side, 0.0, 1.79)
    return min(min(a, c), min(e, -wood)), max(max(b, d), max(f, wood))


@inlined
def look_up_leaves(cells, tile, start, plant, v):
    """Entries of the texture's tile for part of an image row; `start` is how far right of its first column the plant stands.

    As `look_up` does, which is not called because that would take as long as so few pixels.
    """
    y = np.floor(plant.grain_v * v)
    for j in range(cells.shape[0]):
        u = (start - j) * plant.per_u
        cells[j] = place(np.floor(plant.grain_u * u + plant.grain_at), y)
    for j in range(cells.shape[0]):
        cells[j] = tile[np.uint32(cells[j])]


@inlined
def roughness(plant, u, v, cells, j, near):
    """Texture of the leaves; without `cells` (known when compiled) none, for plants whose grain is 0."""
    if cells is None:
        return 0.0
    if near is None:
        return plant.grain * first_of(cells[j])
    x, y = plant.grain_u * u + plant.grain_at, plant.grain_v * v
    return plant.grain * interpolated(cells[j], x - np.floor(x), y - np.floor(y))


@inlined
def leaf_cover(plant, value, rough, u, v, base):
    """(cover, wood): covered share of a pixel, and whether the trunk is what covers it; `base` is the share above ground."""
    leaves = min(max((1.0 - value + 0.55 * rough) * plant.steep + 0.5, 0.0), 1.0)
    wood = min(max((plant.trunk - abs(u)) / plant.per_u + 0.5, 0.0), 1.0) if v < 0.5 and plant.trunk > 0.0 else 0.0
    return base * max(leaves, wood), wood > leaves


@inlined
def leaf_at(u, v, shape, plant, base, light, rough, trunk):
    """(cover, colour) of a pixel; `shape` is (value, face) of the outline; `trunk` is None where there is none."""
    value, face = shape
    ambient, sunlight, horizon = light
    if trunk is None:
        cover, wood = base * min(max((1.0 - value + 0.55 * rough) * plant.steep + 0.5, 0.0), 1.0), False
    else:
        cover, wood = leaf_cover(plant, value, rough, u, v, base)
    shade = 0.62 + 0.38 * v + 0.45 * rough
    lit = max(0.55 + 0.55 * (plant.sun_side * face + 0.5 * (v - 0.3)), 0.12) * plant.shine
    r = (74.0 if wood else plant.leaf[0]) * shade * (ambient[0] + lit * sunlight[0])
    g = (60.0 if wood else plant.leaf[1]) * shade * (ambient[1] + lit * sunlight[1])
    b = (48.0 if wood else plant.leaf[2]) * shade * (ambient[2] + lit * sunlight[2])
    return cover, mix((r, g, b), horizon, plant.haze)


@inlined
def paint_plant_row(red, green, blue, start, plant, v, base, light, cells, near, trunk):
    """Paint part of an image row; a loop for each kind, so that they are vectorised."""
    if plant.kind == CONIFER:
        for j in range(red.shape[0]):
            u = (start - j) * plant.per_u
            rough = roughness(plant, u, v, cells, j, near)
            cover, leaf = leaf_at(u, v, conifer(u, v), plant, base, light, rough, trunk)
            red[j] += cover * (leaf[0] - red[j])
            green[j] += cover * (leaf[1] - green[j])
            blue[j] += cover * (leaf[2] - blue[j])
    elif plant.kind == BUSH:
        for j in range(red.shape[0]):
            u = (start - j) * plant.per_u
            rough = roughness(plant, u, v, cells, j, near)
            cover, leaf = leaf_at(u, v, bush(u, v), plant, base, light, rough, None)
            red[j] += cover * (leaf[0] - red[j])
            green[j] += cover * (leaf[1] - green[j])
            blue[j] += cover * (leaf[2] - blue[j])
    else:
        for j in range(red.shape[0]):
            u = (start - j) * plant.per_u
            rough = roughness(plant, u, v, cells, j, near)
            shape = broadleaf(u, v, plant.side, plant.lean)
            cover, leaf = leaf_at(u, v, shape, plant, base, light, rough, trunk)
            red[j] += cover * (leaf[0] - red[j])
            green[j] += cover * (leaf[1] - green[j])
            blue[j] += cover * (leaf[2] - blue[j])


@borrowing
def note_plant_row(by, i, first, last, plant, v, base, element, forward, cells, near):
    """Write what a row of a plant shows into the by-products."""
    for j in range(first, last):
        u, rough = (plant.column - first - (j - first)) * plant.per_u, 0.0
        if plant.grain > 0.0:
            at = j - first
            rough = roughness(plant, u, v, cells, at, True) if near else roughness(plant, u, v, cells, at, None)
        value, _ = outline(plant, u, v)
        cover, _ = leaf_cover(plant, value, rough, u, v, base)
        if cover > 0.0:
            mark(by, i, j, element, cover, forward)


@borrowing
def draw_plant(canvas, by, tile, cells, thing, forward, left, look, lens, haze, light):
    """Paint a tree or bush; `light` = (sun from the left, sun ahead, sun height) and `haze` the share of air in front."""
    height, width = canvas.shape[1], canvas.shape[2]
    kind, tall, radius, twist = thing["kind"], thing["height_m"], thing["radius_m"], thing["twist"]
    foot, column, scale = pixel_of(forward, left, 0.0, lens)
    top, first, last = foot - tall * scale, column - radius * 1.15 * scale, column + radius * 1.15 * scale
    if last < 0.0 or first > width - 1.0 or foot < 0.0 or top > height - 1.0:
        return
    tint, needle = thing["tint"], kind == CONIFER
    leaf = (
        tint * (look["needle_r"] if needle else look["leaf_r"]),
        tint * (look["needle_g"] if needle else look["leaf_g"]),
        tint * (look["needle_b"] if needle else look["leaf_b"]),
    )
    if thing["leaf_r"] >= 0.0:
        leaf = (tint * thing["leaf_r"], tint * thing["leaf_g"], tint * thing["leaf_b"])
    slope_u, slope_v = 2.0 / (radius * scale), 1.3 / (0.25 * tall * scale)
    blur = slope_u if needle else slope_u + 0.3 * slope_v
    plant = Plant(
        kind,
        foot,
        column,
        1.0 / (radius * scale),
        1.0 / (tall * scale),
        1.0 / blur,
        0.0 if kind == BUSH else 0.028 * tall / radius,
        1.0 if twist >= 0.0 else -1.0,
        0.5 * twist if twist >= 0.0 else 0.5 * (-1.0 - twist) + 0.5,
        min(max((scale * radius - 4.0) / 12.0, 0.0), 1.0),
        7.0 * radius * look["mirror"],
        7.0 * tall,
        40.0 * tint,
        leaf,
        light[0],
        1.6 * look["sunshine"] * (0.62 - 0.38 * light[1]),
        haze,
    )
    ambient = (look["ambient_r"], look["ambient_g"], look["ambient_b"])
    if look["night"] > 0.0:
        beam = look["night"] * headlight(forward, left) * min(2.0 / tall, 1.0)  # dipped: little of it goes up
        ambient = (ambient[0] + beam, ambient[1] + 0.97 * beam, ambient[2] + 0.88 * beam)
    colours = (
        ambient,
        (look["sunlight_r"], look["sunlight_g"], look["sunlight_b"]),
        (look["horizon_r"], look["horizon_g"], look["horizon_b"]),
    )
    (low, high), wide_px = widest_reach(plant, blur), radius * scale
    first, last = span(column - high * wide_px, column - low * wide_px, width)
    small, near = last - first <= NARROW_PX, scale > NEAR_PX_PER_M
    for i in range(max(int(top), 0), min(int(foot + 1.5), height)):
        v, base = (foot - i) * plant.per_v, min(max(foot - i + 0.5, 0.0), 1.0)
        if not small:
            low, high = reach(plant, v, blur)
            first, last = span(column - high * wide_px, column - low * wide_px, width)
        red, green, blue = canvas[0, i, first:last], canvas[1, i, first:last], canvas[2, i, first:last]
        here, start = cells[: last - first], column - first
        if plant.grain > 0.0:
            look_up_leaves(here, tile, start, plant, v)
            if near:
                paint_plant_row(red, green, blue, start, plant, v, base, colours, here, True, True)
            elif v < 0.5:
                paint_plant_row(red, green, blue, start, plant, v, base, colours, here, None, True)
            else:
                paint_plant_row(red, green, blue, start, plant, v, base, colours, here, None, None)
        elif v < 0.5:
            paint_plant_row(red, green, blue, start, plant, v, base, colours, None, None, True)
        else:
            paint_plant_row(red, green, blue, start, plant, v, base, colours, None, None, None)
        if by.contributors.size > 0:
            note_plant_row(by, i, first, last, plant, v, base, element_of(kind), forward, here, near)
