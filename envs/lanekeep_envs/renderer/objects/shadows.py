"""The shadows of plants and of boxes on the ground: by how much they darken the pixels of the image's rows.

All shadows fall one way, `away` from the sun, and reach `per_height` metres per metre of height.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount, noalias
from lanekeep_envs.compiled.noise import TILE, entry, value_between
from lanekeep_envs.elements import BROADLEAF
from lanekeep_envs.renderer.camera import pixel_of
from lanekeep_envs.renderer.coverage import clip01
from lanekeep_envs.renderer.objects.solids import point
from lanekeep_envs.renderer.view import FARTHEST_M, NEAREST_M


class Sunlight(NamedTuple):
    """Where shadows fall: unit vector away from the sun in the car's frame, and their length per metre of height."""

    away_x: float
    away_y: float
    per_height: float


class ShadowBox(NamedTuple):
    """Half length, half width and height of what throws a shadow like a box's [m]."""

    half_long: float
    half: float
    tall: float


class Crown(NamedTuple):
    """The elliptic shadow of a plant's crown; its middle lies `left` of the car."""

    left: np.float32
    away_x: np.float32
    away_y: np.float32
    per_long: np.float32  # one over its half axes [1/m]
    per_wide: np.float32
    ragged_at: np.float32  # place of its outline in the noise tile
    mirror: np.float32


class Trunk(NamedTuple):
    """The straight shadow of a trunk, from its foot `left` of the car on."""

    left: np.float32
    away_x: np.float32
    away_y: np.float32
    length: np.float32
    thick: np.float32  # half its width


class Band(NamedTuple):
    """A straight band of ground: `at + slope dy` is the distance from its middle line, dy to the left in a row of pixels."""

    at: float
    slope: float
    half: float
    per_blur: float


class BoxShadow(NamedTuple):
    """The three bands that bound the shadow of a box, and how dark it is where a pixel is wider than they are."""

    a: Band
    b: Band
    c: Band
    full: float


@inline_always
def columns_between(low, high, width):
    """Image columns from the one that holds `low` to that of `high`: (first, one past the last).

    A little more than that, a multiple of sixteen, so that the loop over it has no remainder to do one by one.
    """
    first, last = max(int(np.floor(low)), 0), min(int(np.floor(high)) + 2, width)
    if last <= first:
        return 0, 0
    last = min(first + (last - first + 15) // 16 * 16, width)
    return max(last - (last - first + 15) // 16 * 16, 0), last


@inline_always
def rows_between(near, far, lens, height):
    """Image rows in which the ground between two forward distances lies: (first, one past the last)."""
    top, _, _ = pixel_of(far, 0.0, 0.0, lens)
    end, _, _ = pixel_of(near, 0.0, 0.0, lens)
    return max(int(top), 0), min(int(end) + 2, height)


# ---- plants -------------------------------------------------------------------------------------------------------------


@no_refcount
def cast_plant_shadow(shade, rows, obj, pose, sun, mirror, lens):
    """Darken `shade` [H, W] where a plant keeps the sun off the ground.

    The crown is an ellipsoid, whose shadow is an ellipse; the trunk of a broadleaf a strip from its foot.
    """
    tall, radius, leafy, forward, left = obj["height_m"], obj["radius_m"], obj["kind"] == BROADLEAF, pose.x, pose.y
    away_x, away_y, reach, f32 = sun.away_x, sun.away_y, sun.per_height, np.float32
    bottom = 0.32 if leafy else 0.10
    middle, half = 0.5 * (1.0 + bottom) * tall, 0.5 * (1.0 - bottom) * tall
    long, wide = np.sqrt(half * half * reach * reach + radius * radius), radius
    per_long, per_wide, per_least = 1.0 / long, 1.0 / wide, 1.0 / min(long, wide)
    lean = abs(away_x) * per_long + abs(away_y) * per_wide
    cx, cy = forward + away_x * middle * reach, left + away_y * middle * reach
    span_x = abs(away_x) * long + abs(away_y) * wide
    near = max(min(cx - span_x, forward) - 0.5, NEAREST_M)
    far = max(cx + span_x, forward) + 0.5
    if far <= NEAREST_M or near > FARTHEST_M:
        return
    centre, length, thick = lens.centre_column, middle * reach, 0.028 * tall
    crown = Crown(f32(cy), f32(away_x), f32(away_y), f32(per_long), f32(per_wide), f32(30.0 * obj["tint"]), f32(mirror))
    trunk = Trunk(f32(left), f32(away_x), f32(away_y), f32(length), f32(thick))
    first_row, end_row = rows_between(near, far, lens, shade.shape[0])
    for i in range(first_row, end_row):
        x, per_px, deep = rows[i]["forward_m"], rows[i]["per_px_m"], min(rows[i]["deep_m"], 60.0)
        if x > FARTHEST_M:
            continue
        slope = lean * deep + per_px * per_least + 0.35 * per_wide
        low, high = chord(
            x - cx, away_x * per_long, away_y * per_long, away_x * per_wide, away_y * per_wide, 1.35 + 0.5 * slope
        )
        if low <= high:
            first, last = columns_between(centre - (cy + high) / per_px, centre - (cy + low) / per_px, shade.shape[1])
            crown_shadow(shade[i, first:last], crown, f32(first - centre), f32(x - cx), f32(per_px), f32(slope))
        if leafy:
            edge, dx = abs(away_y) * deep + per_px + 0.05, x - forward
            low, high = trunk_chord(dx, away_x, away_y, length, thick + 0.5 * edge)
            if low <= high:
                first, last = columns_between(
                    centre - (left + high) / per_px, centre - (left + low) / per_px, shade.shape[1]
                )
                trunk_shadow(shade[i, first:last], trunk, f32(first - centre), f32(dx), f32(per_px), f32(edge))


@inline_always
def trunk_chord(dx, away_x, away_y, length, half):
    """Ends (low, high) at dx of the rectangle of this length along `away` from its foot, and `half` to both sides of it.

    They lie a bit further out on either side, so that it does not show where the shadow was cut off.
    """
    low, high = -1e4, 1e4
    for along, aside, from_m, to_m in ((away_x, away_y, 0.0, length), (-away_y, away_x, -half, half)):
        if abs(aside) > 1e-6:
            one, other = (from_m - dx * along) / aside, (to_m - dx * along) / aside
            low, high = max(low, min(one, other) - 0.01), min(high, max(one, other) + 0.01)
        elif not from_m - 0.01 < dx * along < to_m + 0.01:
            high = low - 1.0
    return low, high


@inline_always
def chord(x, ahead_p, aside_p, ahead_q, aside_q, size):
    """Ends (low, high) of the chord at x through (x ahead_p + y aside_p)^2 + (y ahead_q - x aside_q)^2 = size^2."""
    a = aside_p * aside_p + ahead_q * ahead_q
    b = x * (ahead_p * aside_p - ahead_q * aside_q)
    c = x * x * (ahead_p * ahead_p + aside_q * aside_q) - size * size
    root = b * b - a * c
    if root < 0.0:
        return 1.0, -1.0
    return (-b - np.sqrt(root)) / a, (-b + np.sqrt(root)) / a


@noalias
@float32_literals
def crown_shadow(row, crown, right, dx, per_px, slope):
    """Darken part of an image row that begins `right` of its middle and lies `dx` ahead of the middle of a crown's."""
    tile, steep, away_x, away_y = TILE, 1.0 / slope, crown.away_x, crown.away_y
    for j in range(row.shape[0]):
        dy = -(right + np.float32(np.int32(j))) * per_px - crown.left
        along, across = dx * away_x + dy * away_y, dy * away_x - dx * away_y
        p, q = along * crown.per_long, across * crown.per_wide
        x, y = 2.0 * along + crown.ragged_at, 2.0 * across * crown.mirror
        fx, fy = np.floor(x), np.floor(y)
        ragged = 0.35 * value_between(entry(tile, fx, fy), x - fx, y - fy)
        cover = min(max((1.0 - np.sqrt(p * p + q * q) + ragged) * steep + 0.5, 0.0), 1.0)
        row[j] = max(cover, row[j])


@noalias
@float32_literals
def trunk_shadow(row, trunk, right, dx, per_px, edge):
    """Darken part of an image row that begins `right` of its middle and lies `dx` ahead of the foot of a trunk."""
    full, per_edge, away_x, away_y = min(2.0 * trunk.thick / edge, 1.0), 1.0 / edge, trunk.away_x, trunk.away_y
    for j in range(row.shape[0]):
        dy = -(right + np.float32(np.int32(j))) * per_px - trunk.left
        along, across = dx * away_x + dy * away_y, dy * away_x - dx * away_y
        cover = min(max((trunk.thick - abs(across)) * per_edge + 0.5, 0.0), 1.0) * full
        row[j] = max(cover if 0.0 < along < trunk.length else 0.0, row[j])


# ---- boxes --------------------------------------------------------------------------------------------------------------


@no_refcount
def cast_box_shadow(shade, rows, pose, box, sun, lens):
    """Darken `shade` [H, W] where a box keeps the sun off the ground: a rectangle drawn along the way of the light.

    In the box's own axes that hexagon is the intersection of three bands.
    """
    hx, hy, half_long, half = pose.ahead_x, pose.ahead_y, box.half_long, box.half
    swept_a = box.tall * sun.per_height * (sun.away_x * hx + sun.away_y * hy)
    swept_b = box.tall * sun.per_height * (sun.away_y * hx - sun.away_x * hy)
    long, wide = half_long + 0.5 * abs(swept_a), half + 0.5 * abs(swept_b)
    swept = np.sqrt(swept_a * swept_a + swept_b * swept_b) + 1e-9
    slope_a, slope_b = -swept_b / swept, swept_a / swept
    thick = half_long * abs(slope_a) + half * abs(slope_b)
    middle = point(pose, 0.5 * swept_a, 0.5 * swept_b, 0.0)
    radius = np.sqrt(half_long * half_long + half * half) + 0.5 * swept + 1.0
    near, far = max(middle[0] - radius, NEAREST_M), min(middle[0] + radius, FARTHEST_M)
    if far <= near:
        return
    first_row, end_row = rows_between(near, far, lens, shade.shape[0])
    soft, centre = 0.05 + 0.03 * box.tall, lens.centre_column
    for i in range(first_row, end_row):
        x, per_px, deep = rows[i]["forward_m"], rows[i]["per_px_m"], min(rows[i]["deep_m"], 60.0)
        if x > FARTHEST_M:
            continue
        blur_a = abs(hx) * deep + abs(hy) * per_px + soft
        blur_b = abs(hy) * deep + abs(hx) * per_px + soft
        blur_c = abs(slope_a) * blur_a + abs(slope_b) * blur_b
        full = min(2.0 * long / blur_a, 1.0) * min(2.0 * wide / blur_b, 1.0)
        dx = x - middle[0]
        shadow = BoxShadow(
            Band(dx * hx, hy, long, 1.0 / blur_a),
            Band(-dx * hy, hx, wide, 1.0 / blur_b),
            Band(dx * (slope_a * hx - slope_b * hy), slope_a * hy + slope_b * hx, thick, 1.0 / blur_c),
            full,
        )
        low, high = within_band(within_band(within_band((-1e9, 1e9), shadow.a), shadow.b), shadow.c)
        if low < high:
            first, last = columns_between(
                centre - (middle[1] + high) / per_px, centre - (middle[1] + low) / per_px, shade.shape[1]
            )
            darken(shade[i, first:last], first - centre, middle[1], per_px, shadow)


@inline_always
def within_band(ends, band):
    """The part (low, high) of a part of a row of the ground that lies in a band or its soft edges."""
    low, high = ends
    half = band.half + 0.5 / band.per_blur
    if abs(band.slope) < 1e-9:
        return (low, high) if abs(band.at) < half else (1.0, -1.0)
    one, other = (-half - band.at) / band.slope, (half - band.at) / band.slope
    return max(low, min(one, other)), min(high, max(one, other))


@inline_always
def band_share(band, dy):
    """Share of a pixel that lies in a band."""
    return clip01((band.half - abs(band.at + band.slope * dy)) * band.per_blur + 0.5)


@inline_always
def darken(row, right, left, per_px, shadow):
    """Darken part of an image row that begins `right` of its middle by the shadow of a box whose middle lies `left`."""
    for j in range(row.shape[0]):
        dy = -(right + j) * per_px - left
        share = shadow.full * band_share(shadow.a, dy) * band_share(shadow.b, dy) * band_share(shadow.c, dy)
        row[j] = max(share, row[j])
