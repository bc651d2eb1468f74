"""What stands beside the road: posts, and the shadows that plants cast on the ground."""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, jit, no_refcount, noalias
from lanekeep_envs.compiled.noise import TILE, entry, value_between
from lanekeep_envs.elements import BROADLEAF, Element
from lanekeep_envs.renderer.air.precipitation import headlight
from lanekeep_envs.renderer.camera import pixel_of

TREES, BUSHES, POSTS, SHADOWS = int(Element.TREES), int(Element.BUSHES), int(Element.POSTS), int(Element.SHADOWS)
NEAREST_M, FARTHEST_M = 2.5, 220.0


@inline_always
def span(low, high, width):
    """Image columns from the one that holds `low` to that of `high`: (first, one past the last).

    A little more than that, a multiple of sixteen, so that the loop over it has no remainder to do one by one.
    """
    first, last = max(int(np.floor(low)), 0), min(int(np.floor(high)) + 2, width)
    if last <= first:
        return 0, 0
    last = min(first + (last - first + 15) // 16 * 16, width)
    return max(last - (last - first + 15) // 16 * 16, 0), last


@inline_always
def blend(canvas, i, j, r, g, b, shade, lit, appearance, haze, cover):
    """Mix a lit, hazy surface colour into the canvas."""
    red = r * shade * (appearance["ambient_r"] + 1.6 * lit * appearance["sunlight_r"])
    green = g * shade * (appearance["ambient_g"] + 1.6 * lit * appearance["sunlight_g"])
    blue = b * shade * (appearance["ambient_b"] + 1.6 * lit * appearance["sunlight_b"])
    canvas[0, i, j] += cover * (red + haze * (appearance["horizon_r"] - red) - canvas[0, i, j])
    canvas[1, i, j] += cover * (green + haze * (appearance["horizon_g"] - green) - canvas[1, i, j])
    canvas[2, i, j] += cover * (blue + haze * (appearance["horizon_b"] - blue) - canvas[2, i, j])


@inline_always
def mark(aov, i, j, element, cover, forward):
    """Note a thing in the by-products."""
    aov.contributors[i, j] |= 1 << element
    if cover >= 0.5:
        aov.elements[i, j], aov.depth_m[i, j] = element, forward


@no_refcount
def draw_post(canvas, aov, obj, forward, left, appearance, lens, haze):
    """Paint a delineator: white, with a slanted black band and a reflector in it."""
    height, width = canvas.shape[1], canvas.shape[2]
    tall, radius = obj["height_m"], obj["radius_m"]
    foot, column, scale = pixel_of(forward, left, 0.0, lens)
    top = foot - tall * scale
    reach = radius * scale
    for i in range(max(int(top), 0), min(int(foot + 1.5), height)):
        rows = min(i + 0.5, foot) - max(i - 0.5, top)
        if rows <= 0.0:
            continue
        v = (foot - i) / (tall * scale)
        for j in range(max(int(column - reach - 1.0), 0), min(int(column + reach + 2.0), width)):
            columns = min(j + 0.5, column + reach) - max(j - 0.5, column - reach)
            cover = max(columns, 0.0) * min(rows, 1.0)
            if cover <= 0.0:
                continue
            u = (column - j) / max(reach, 1e-3)
            slant = v + (0.03 * u if left < 0.0 else -0.03 * u)
            blur = 0.5 / (tall * scale)
            band = min(max((0.10 - abs(slant - 0.78)) / blur * 0.5 + 0.5, 0.0), 1.0)
            grey = 228.0 - 196.0 * band
            if band > 0.5 and reach > 1.5 and abs(u) < 0.45 and abs(v - 0.78) < 0.05:
                grey = 190.0
            blend(canvas, i, j, grey, grey, grey, 1.0, 0.5 * appearance["sunshine"], appearance, haze, cover)
            if aov.contributors.size > 0:
                mark(aov, i, j, POSTS, cover, forward)
    if appearance["night"] > 0.0:
        shine_post(canvas, aov, foot, column, scale, tall, forward, left, appearance, haze)


@jit
def shine_post(canvas, aov, foot, column, scale, tall, forward, left, appearance, haze):
    """Light up a delineator in the headlights: its white body a little, its reflector as far as they carry."""
    height, width = canvas.shape[1], canvas.shape[2]
    seen = headlight(forward, left)
    glint = appearance["night"] * min(60.0 * seen, 1.0) * (1.0 - haze)
    body = 150.0 * appearance["night"] * seen * (1.0 - haze)
    row, core = foot - 0.78 * tall * scale, max(0.05 * scale, 0.8)
    for i in range(max(int(min(row - 3.0 * core, foot - tall * scale)), 0), min(int(foot + 2.5), height)):
        rows = min(max(min(i + 0.5, foot) - max(i - 0.5, foot - tall * scale), 0.0), 1.0)
        for j in range(max(int(column - 3.0 * core - 1.0), 0), min(int(column + 3.0 * core + 2.0), width)):
            reach, dq = 0.06 * scale, j - column
            columns = max(min(dq + 0.5, reach) - max(dq - 0.5, -reach), 0.0)
            square = (dq * dq + (i - row) * (i - row)) / (core * core)
            disc = min(max(1.0 - square / 9.0, 0.0), 1.0)
            light = body * rows * columns + 230.0 * glint * disc * disc / (1.0 + square)
            if light <= 0.0:
                continue
            canvas[0, i, j] += light
            canvas[1, i, j] += 0.96 * light
            canvas[2, i, j] += 0.86 * light
            if aov.contributors.size > 0:
                aov.contributors[i, j] |= 1 << POSTS


@no_refcount
def cast_shadow(shade, rows, obj, forward, left, away_x, away_y, reach, appearance, lens):
    """Darken `shade` [H, W] where a plant keeps the sun off the ground.

    `away` is the unit vector away from the sun in the car's frame, `reach` the length of shadow per metre of height.  The
    crown is an ellipsoid, whose shadow is an ellipse; the trunk of a broadleaf a strip from its foot.
    """
    tall, radius, leafy = obj["height_m"], obj["radius_m"], obj["kind"] == BROADLEAF
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
    centre, f32 = lens.centre_column, np.float32
    top, _, _ = pixel_of(far, 0.0, 0.0, lens)
    end, _, _ = pixel_of(near, 0.0, 0.0, lens)
    for i in range(max(int(top), 0), min(int(end) + 2, shade.shape[0])):
        x, per_px, deep = rows[i]["forward_m"], rows[i]["per_px_m"], min(rows[i]["deep_m"], 60.0)
        if x > FARTHEST_M:
            continue
        slope = lean * deep + per_px * per_least + 0.35 * per_wide
        low, high = chord(
            x - cx, away_x * per_long, away_y * per_long, away_x * per_wide, away_y * per_wide, 1.35 + 0.5 * slope
        )
        if low <= high:
            first, last = span(centre - (cy + high) / per_px, centre - (cy + low) / per_px, shade.shape[1])
            crown_shadow(
                shade[i, first:last], f32(first - centre), f32(x - cx), f32(cy), f32(per_px), f32(away_x), f32(away_y),
                f32(per_long), f32(per_wide), f32(slope), f32(30.0 * obj["tint"]), f32(appearance["mirror"]),
            )  # fmt: skip
        if leafy:
            edge, length, thick, dx = abs(away_y) * deep + per_px + 0.05, middle * reach, 0.028 * tall, x - forward
            low, high = trunk_span(dx, away_x, away_y, length, thick + 0.5 * edge)
            if low <= high:
                first, last = span(centre - (left + high) / per_px, centre - (left + low) / per_px, shade.shape[1])
                trunk_shadow(
                    shade[i, first:last], f32(first - centre), f32(dx), f32(left), f32(per_px), f32(away_x), f32(away_y),
                    f32(length), f32(thick), f32(edge),
                )  # fmt: skip


@inline_always
def trunk_span(dx, away_x, away_y, length, half):
    """Ends (low, high) at dx of the rectangle of this length along `away` from its foot, and `half` to both sides of it.

    A bit more on either side: nobody is to see where it was cut off.
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
def crown_shadow(row, right, dx, cy, per_px, away_x, away_y, per_long, per_wide, slope, ragged_at, side):
    """Shadow of a crown on part of an image row, `right` of its middle, `dx` ahead of the shadow's centre."""
    tile, steep = TILE, 1.0 / slope
    for j in range(row.shape[0]):
        dy = -(right + np.float32(np.int32(j))) * per_px - cy
        along, across = dx * away_x + dy * away_y, dy * away_x - dx * away_y
        p, q, x, y = along * per_long, across * per_wide, 2.0 * along + ragged_at, 2.0 * across * side
        fx, fy = np.floor(x), np.floor(y)
        ragged = 0.35 * value_between(entry(tile, fx, fy), x - fx, y - fy)
        cover = min(max((1.0 - np.sqrt(p * p + q * q) + ragged) * steep + 0.5, 0.0), 1.0)
        row[j] = max(cover, row[j])


@noalias
@float32_literals
def trunk_shadow(row, right, dx, left, per_px, away_x, away_y, length, thick, edge):
    """Shadow of a trunk, the same way; `dx` is counted from its foot."""
    full, per_edge = min(2.0 * thick / edge, 1.0), 1.0 / edge
    for j in range(row.shape[0]):
        dy = -(right + np.float32(np.int32(j))) * per_px - left
        along, across = dx * away_x + dy * away_y, dy * away_x - dx * away_y
        cover = min(max((thick - abs(across)) * per_edge + 0.5, 0.0), 1.0) * full
        row[j] = max(cover if 0.0 < along < length else 0.0, row[j])
