"""Bodies: frusta of which only the faces turned to the camera are painted, and the shadow of a box.

A face whose edge is shared with one that is painted over it reaches a pixel beyond, so that no seam shows.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.renderer.camera import pixel_of
from lanekeep_envs.renderer.ground.cross_section import clip01
from lanekeep_envs.renderer.objects.fragments import CUT_M
from lanekeep_envs.renderer.objects.posts import FARTHEST_M, NEAREST_M, span
from lanekeep_envs.renderer.objects.quad_setup import Face, add_face, turned


class Body(NamedTuple):
    """A frustum on the ground: from a_0 to a_1 along its heading and `half` to both sides, smaller at the top."""

    a_0: float
    a_1: float
    half: float
    z_0: float
    z_1: float
    slant_0: float  # how much the top is shorter at a_0
    slant_1: float
    top_half: float


@no_refcount
def point(place, a, b, z):
    """Car's frame of a point of a body at (x, y, heading's x and y): a ahead, b to the left of it."""
    return place[0] + a * place[2] - b * place[3], place[1] + a * place[3] + b * place[2], z


@no_refcount
def side_face(place, body, side):
    """Face at the left (+1) or right (-1) of a body."""
    lean, high = body.half - body.top_half, body.z_1 - body.z_0
    tall = np.sqrt(lean * lean + high * high)
    inward = -side * lean / tall
    return Face(
        point(place, body.a_0, side * body.half, body.z_0),
        (place[2], place[3], 0.0),
        (-inward * place[3], inward * place[2], high / tall),
        body.a_1 - body.a_0,
        tall,
        body.slant_0,
        body.slant_1,
    )


@no_refcount
def end_face(place, body, end):
    """Face at the front (+1) or rear (-1)."""
    lean, high = body.slant_1 if end > 0.0 else body.slant_0, body.z_1 - body.z_0
    tall = np.sqrt(lean * lean + high * high)
    inward, slant = -end * lean / tall, body.half - body.top_half
    return Face(
        point(place, body.a_1 if end > 0.0 else body.a_0, -body.half, body.z_0),
        (-place[3], place[2], 0.0),
        (inward * place[2], inward * place[3], high / tall),
        2.0 * body.half,
        tall,
        slant,
        slant,
    )


@no_refcount
def level_face(place, body, z):
    """The top, or whatever lies flat."""
    return Face(
        point(place, body.a_0 + body.slant_0, -body.top_half, z),
        (place[2], place[3], 0.0),
        (-place[3], place[2], 0.0),
        body.a_1 - body.a_0 - body.slant_0 - body.slant_1,
        2.0 * body.top_half,
        0.0,
        0.0,
    )


@no_refcount
def add_body(easel, place, body, flank, ends, top, lens):
    """Put the faces of a body that are turned to the camera on the easel; `ends` are the skins of front and rear."""
    left, right = side_face(place, body, 1.0), side_face(place, body, -1.0)
    front, rear = end_face(place, body, 1.0), end_face(place, body, -1.0)
    sees = (
        turned(left, lens) > 0.0, turned(right, lens) < 0.0, turned(front, lens) < 0.0, turned(rear, lens) > 0.0,
    )  # fmt: skip
    over = (1.0 if sees[0] else 0.0, 1.0 if sees[1] else 0.0, 1.0 if sees[2] else 0.0, 1.0 if sees[3] else 0.0)
    level = level_face(place, body, body.z_1)
    if lens.height_m > body.z_1 and body.top_half > 0.0:
        add_face(easel, level, top, (over[1], over[2], over[0], over[3]))
    if sees[2]:
        add_face(easel, front, ends[0], (0.0, over[0], 0.0, over[1]))
    if sees[3]:
        add_face(easel, rear, ends[1], (0.0, over[0], 0.0, over[1]))
    if sees[0]:
        add_face(easel, left, flank, (0.0, 0.0, 0.0, 0.0))
    if sees[1]:
        add_face(easel, right, flank, (0.0, 0.0, 0.0, 0.0))


class Strip(NamedTuple):
    """A strip of ground: `at + slope dy` is the distance from its middle line, dy to the left in a row of pixels."""

    at: float
    slope: float
    half: float
    per_blur: float


class Across(NamedTuple):
    """The three strips that bound the shadow of a box, and how dark it is where a pixel is wider than they are."""

    a: Strip
    b: Strip
    c: Strip
    full: float


@no_refcount
def shown_part(place, low, high, half):
    """The part (low, high) of a body's length that lies ahead of the camera; empty if none does."""
    x, slope = place[0] - half * abs(place[3]), place[2]
    if slope > 1e-3:
        low = max(low, (CUT_M - x) / slope)
    elif slope < -1e-3:
        high = min(high, (CUT_M - x) / slope)
    elif x < CUT_M:
        return 0.0, 0.0
    return low, high


@no_refcount
def place_in_frame(obj, forward, left, cos, sin):
    """(x, y, heading's x and y) of a structure in the car's frame."""
    hx, hy = np.cos(obj["twist"]), np.sin(obj["twist"])
    return forward, left, cos * hx + sin * hy, cos * hy - sin * hx


@no_refcount
def cast_box_shadow(shade, rows, place, half_long, half, tall, away_x, away_y, reach, lens):
    """Darken `shade` [H, W] where a box keeps the sun off the ground: a rectangle drawn along the way of the light.

    In the box's own axes that hexagon is the intersection of three strips.
    """
    swept_a = tall * reach * (away_x * place[2] + away_y * place[3])
    swept_b = tall * reach * (away_y * place[2] - away_x * place[3])
    long, wide = half_long + 0.5 * abs(swept_a), half + 0.5 * abs(swept_b)
    swept = np.sqrt(swept_a * swept_a + swept_b * swept_b) + 1e-9
    slope_a, slope_b = -swept_b / swept, swept_a / swept
    thick = half_long * abs(slope_a) + half * abs(slope_b)
    middle = point(place, 0.5 * swept_a, 0.5 * swept_b, 0.0)
    radius = np.sqrt(half_long * half_long + half * half) + 0.5 * swept + 1.0
    near, far = max(middle[0] - radius, NEAREST_M), min(middle[0] + radius, FARTHEST_M)
    if far <= near:
        return
    top, _, _ = pixel_of(far, 0.0, 0.0, lens)
    end, _, _ = pixel_of(near, 0.0, 0.0, lens)
    soft = 0.05 + 0.03 * tall
    for i in range(max(int(top), 0), min(int(end) + 2, shade.shape[0])):
        x, per_px, deep = rows[i]["forward_m"], rows[i]["per_px_m"], min(rows[i]["deep_m"], 60.0)
        if x > FARTHEST_M:
            continue
        blur_a = abs(place[2]) * deep + abs(place[3]) * per_px + soft
        blur_b = abs(place[3]) * deep + abs(place[2]) * per_px + soft
        blur_c = abs(slope_a) * blur_a + abs(slope_b) * blur_b
        full = min(2.0 * long / blur_a, 1.0) * min(2.0 * wide / blur_b, 1.0)
        dx = x - middle[0]
        across = Across(
            Strip(dx * place[2], place[3], long, 1.0 / blur_a),
            Strip(-dx * place[3], place[2], wide, 1.0 / blur_b),
            Strip(
                dx * (slope_a * place[2] - slope_b * place[3]),
                slope_a * place[3] + slope_b * place[2],
                thick,
                1.0 / blur_c,
            ),
            full,
        )
        low, high = within_strip(within_strip(within_strip((-1e9, 1e9), across.a), across.b), across.c)
        if low < high:
            first, last = span(
                lens.centre_column - (middle[1] + high) / per_px,
                lens.centre_column - (middle[1] + low) / per_px,
                shade.shape[1],
            )
            box_shadow(shade[i, first:last], first - lens.centre_column, middle[1], per_px, across)


@inline_always
def within_strip(chord, strip):
    """The part of a chord (low, high) of a row of the ground on which a strip casts any shadow."""
    low, high = chord
    half = strip.half + 0.5 / strip.per_blur
    if abs(strip.slope) < 1e-9:
        return (low, high) if abs(strip.at) < half else (1.0, -1.0)
    one, other = (-half - strip.at) / strip.slope, (half - strip.at) / strip.slope
    return max(low, min(one, other)), min(high, max(one, other))


@inline_always
def covered(strip, dy):
    """Share of a pixel that lies in a strip."""
    return clip01((strip.half - abs(strip.at + strip.slope * dy)) * strip.per_blur + 0.5)


@inline_always
def box_shadow(row, first, left, per_px, across):
    """Shadow of a box on part of an image row, from column `first` beside the middle on."""
    for j in range(row.shape[0]):
        dy = -(first + j) * per_px - left
        row[j] = max(across.full * covered(across.a, dy) * covered(across.b, dy) * covered(across.c, dy), row[j])
