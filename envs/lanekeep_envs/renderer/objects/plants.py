"""Trees and bushes: upright pictures that always face the camera.

Here are their shape, their colours, and the parts of image rows in which they lie; foliage.py does their pixels.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount
from lanekeep_envs.elements import BUSH, CONIFER
from lanekeep_envs.renderer.camera import pixel_of
from lanekeep_envs.renderer.coverage import shifted, single, tinted, vector_of
from lanekeep_envs.renderer.headlights import BLUE, GREEN, headlight
from lanekeep_envs.renderer.objects.foliage import SPAN, SPANS, Paint, Plant, draw_spans

NEAR_PX_PER_M = 10.0  # scale from which on the texture of leaves is interpolated
WOOD = (74.0, 60.0, 48.0)


@inline_always
@float32_literals
def puff_reach(rest, cu, dv, ru):
    """Bounds (low, high) on u of an ellipse about `cu` at the height dv from its middle, out to the value `rest`."""
    square = rest - dv * dv
    half = np.sqrt(max(square, 0.0)) * (1.0 / ru)
    return (cu - half if square > 0.0 else 1e9), (cu + half if square > 0.0 else -1e9)


@inline_always
@float32_literals
def reach(plant, v):
    """Bounds (low, high) on u of what covers pixels at height v."""
    wood, rest = (plant.trunk + plant.per_u if v < 0.5 else -1e9), 1.0001 + 0.55 * plant.grain + 0.5 * plant.blur
    if plant.kind == CONIFER:
        wide = max(max(1.02 - v, 0.0) * 1.13 * (1.55 + 0.5 * plant.blur), wood)
        return -wide, wide
    if plant.kind == BUSH:
        return puff_reach(rest, 0.0, (v - 0.35) * (1.0 / 0.65), 1.0)
    shift, rise, side = plant.shift, plant.rise, plant.side
    a, b = puff_reach(rest, shift, (v - 0.70 - rise) * 3.45, 1.39)
    c, d = puff_reach(rest, shift - 0.42 * side, (v - 0.56 - rise) * 4.35, 1.72)
    e, f = puff_reach(rest, shift + 0.40 * side, (v - 0.52 - rise) * 4.76, 1.79)
    return min(min(a, c), min(e, -wood)), max(max(b, d), max(f, wood))


@inline_always
@float32_literals
def find_ends(foliage, plant, above, centre, width):
    """Find the plant's columns in `SPAN` rows, the first of which lies `above` its foot."""
    wide = 1.0 / plant.per_u
    middle, most = plant.aside + centre, np.float32(width)
    for n in range(SPAN):
        low, high = reach(plant, (above - np.float32(np.int32(n))) * plant.per_v)
        foliage["first"][n] = np.int32(min(max(np.floor(middle - high * wide), 0.0), most))
        foliage["last"][n] = np.int32(min(max(np.floor(middle - low * wide) + 2.0, 0.0), most))


@inline_always
def product(factor, colour, other):
    """The product of two colours, in single precision."""
    return (
        np.float32(factor * colour[0] * other[0]),
        np.float32(factor * colour[1] * other[1]),
        np.float32(factor * colour[2] * other[2]),
    )


@inline_always
def paint_of(obj, forward, left, haze, appearance, view):
    """Colours of a plant; `haze` is the share of air before it."""
    look = appearance["needle"] if obj["kind"] == CONIFER else appearance["leaf"]
    leaf = tinted(obj["tint"], obj["leaf"] if obj["leaf"][0] >= 0.0 else look)
    ambient, sunlight = vector_of(appearance["ambient"]), appearance["sunlight"]
    if appearance["night"] > 0.0:  # dipped: little of it goes up
        beam = appearance["night"] * headlight(forward, left) * min(2.0 / obj["height_m"], 1.0)
        ambient = shifted(ambient, beam, (1.0, GREEN, BLUE))
    clear, shine = 1.0 - haze, 1.6 * appearance["sunshine"] * (0.62 - 0.38 * view.sun_ahead) * (1.0 - haze)
    return Paint(
        product(clear, leaf, ambient),
        product(shine, leaf, sunlight),
        product(clear, WOOD, ambient),
        product(shine, WOOD, sunlight),
        single(tinted(haze, appearance["horizon"])),
    )


@inline_always
def plant_of(obj, forward, left, scale, blur, mirror, sun_left):
    """Shape of a plant in a picture of `scale` px/m."""
    tall, radius, twist = obj["height_m"], obj["radius_m"], obj["twist"]
    side, lean = (1.0, 0.5 * twist) if twist >= 0.0 else (-1.0, -0.5 * twist)
    return Plant(
        obj["kind"],
        np.float32(1.0 if scale > NEAR_PX_PER_M else 0.0),
        forward,
        np.float32(-left * scale),
        np.float32(1.0 / (radius * scale)),
        np.float32(1.0 / (tall * scale)),
        np.float32(blur),
        np.float32(-1e9 if obj["kind"] == BUSH else 0.028 * tall / radius),
        np.float32(side),
        np.float32(0.16 * side * lean),
        np.float32(0.06 * lean),
        np.float32(min(max((scale * radius - 4.0) / 12.0, 0.0), 1.0)),
        np.float32(7.0 * radius * mirror),
        np.float32(7.0 * tall),
        np.float32(40.0 * obj["tint"]),
        np.float32(sun_left),
    )


@no_refcount
def draw_plant(colour, aov, foliage, tile, obj, pose, appearance, view):
    """Draw a tree or bush; `foliage` is work space."""
    height, width, lens, needle = colour.shape[1], colour.shape[2], view.lens, obj["kind"] == CONIFER
    forward, left = pose.x, pose.y
    foot, column, scale = pixel_of(forward, left, 0.0, lens)
    tall_px, radius_px = obj["height_m"] * scale, obj["radius_m"] * scale
    blur = 2.0 / radius_px if needle else 2.0 / radius_px + 1.56 / tall_px
    wide = radius_px * (1.8 + 0.6 * blur if needle else 1.3 + 0.3 * blur)
    top = foot - tall_px
    if column + wide < 0.0 or column - wide > width - 1.0 or foot < 0.0 or top > height - 1.0:
        return
    plant = plant_of(obj, forward, left, scale, blur, appearance["mirror"], view.sun_left)
    paint = paint_of(obj, forward, left, 1.0 - np.exp(-forward / appearance["visibility_m"]), appearance, view)
    centre = np.float32(lens.centre_column)
    begin, end, spans, above = max(int(top), 0), min(int(foot + 1.5), height), 0, np.float32(0.0)
    for i in range(begin, end):
        n = (i - begin) % SPAN
        if n == 0:
            above = np.float32(foot - i)
            find_ends(foliage, plant, above, centre, width)
        first, last = int(foliage["first"][n]), int(foliage["last"][n])
        first = max(min(first, width - (last - first + SPAN - 1) // SPAN * SPAN), 0)
        for start in range(first, last, SPAN):
            if spans == SPANS:
                draw_spans(colour, aov, foliage, tile, spans, plant, paint)
                spans = 0
            foliage["line"][spans], foliage["start"][spans] = i, start
            foliage["edge"][spans], foliage["up"][spans] = start - lens.centre_column, above - np.float32(n)
            spans += 1
    if spans > 0:
        draw_spans(colour, aov, foliage, tile, spans, plant, paint)
