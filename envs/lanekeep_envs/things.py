"""Trees, bushes and posts: upright pictures drawn from far to near, and the shadows that they cast on the ground.

Every outline is an implicit function whose value, divided by its slope, is a distance in pixels; the covered share of a
pixel is that distance clipped to [0, 1], so that no edge is a staircase.
"""

import numpy as np

from lanekeep_envs.camera import ground_distance_m, pixel_of
from lanekeep_envs.interventions import Element
from lanekeep_envs.kernel import inlined, kernel
from lanekeep_envs.scenery import BROADLEAF, BUSH, CONIFER, POST
from lanekeep_envs.texture import sample

TREES, BUSHES, POSTS, SHADOWS = int(Element.TREES), int(Element.BUSHES), int(Element.POSTS), int(Element.SHADOWS)
NEAREST_M, FARTHEST_M = 2.5, 220.0


@kernel
def element_of(kind):
    """Element that a thing belongs to."""
    if kind == POST:
        return POSTS
    return BUSHES if kind == BUSH else TREES


@inlined
def crown(kind, u, v, twist):
    """(value, light) of the outline at u = left/radius, v = up/height: value < 1 inside; light is the side it faces."""
    if kind == CONIFER:
        tier = (v - 0.08) * 7.0
        width = max(1.02 - v, 0.0) * (0.78 + 0.35 * (1.0 - (tier - np.floor(tier))))
        return max(abs(u) / max(width, 1e-3), (0.10 - v) * 20.0 + 1.0, v), u / max(width, 0.1)
    if kind == BUSH:
        return u * u + (v - 0.35) * (v - 0.35) / 0.4225, u
    lean = 0.5 * twist if twist >= 0.0 else 0.5 * (-1.0 - twist) + 0.5
    tilt = 0.16 * (1.0 if twist >= 0.0 else -1.0)
    best, face = 1e9, 0.0
    for k in range(3):
        cu = (0.0, -0.42, 0.40)[k] * (1.0 if twist >= 0.0 else -1.0) + tilt * lean
        cv = (0.70, 0.56, 0.52)[k] + 0.06 * lean
        ru, rv = (1.39, 1.72, 1.79)[k], (3.45, 4.35, 4.76)[k]
        du, dv = (u - cu) * ru, (v - cv) * rv
        value = du * du + dv * dv
        if value < best:
            best, face = value, du
    return best, face


@kernel
def draw_plant(canvas, by, thing, forward, left, look, lens, tile, haze, light):
    """Paint a tree or bush; `light` = (sun from the left, sun ahead, sun height) and `haze` the share of air in front."""
    height, width = canvas.shape[0], canvas.shape[1]
    kind, tall, radius = thing["kind"], thing["height_m"], thing["radius_m"]
    foot, column, scale = pixel_of(forward, left, 0.0, lens)
    top, first, last = foot - tall * scale, column - radius * 1.15 * scale, column + radius * 1.15 * scale
    if last < 0.0 or first > width - 1.0 or foot < 0.0 or top > height - 1.0:
        return
    red, green, blue = look["leaf_r"], look["leaf_g"], look["leaf_b"]
    if kind == CONIFER:
        red, green, blue = look["needle_r"], look["needle_g"], look["needle_b"]
    tint = thing["tint"]
    element = element_of(kind)
    grainy = min(max((scale * radius - 4.0) / 12.0, 0.0), 1.0)
    slope_u, slope_v = 2.0 / (radius * scale), 1.3 / (0.25 * tall * scale)
    mirror = look["mirror"]
    trunk = 0.0 if kind == BUSH else max(0.028 * tall / radius, 0.0)
    side, twist = light[0], thing["twist"]
    steep = 1.0 / (slope_u if kind == CONIFER else slope_u + 0.3 * slope_v)
    per_u, per_v = 1.0 / (radius * scale), 1.0 / (tall * scale)
    shine = look["sunshine"] * (0.62 - 0.38 * light[1])
    for i in range(max(int(top), 0), min(int(foot + 1.5), height)):
        v = (foot - i) * per_v
        for j in range(max(int(first), 0), min(int(last) + 2, width)):
            u = (column - j) * per_u
            value, face = crown(kind, u, v, twist)
            if value > 2.5 and (v > 0.5 or abs(u) > 2.0 * trunk + 0.2):
                continue
            rough = 0.0
            if grainy > 0.0 and value < 3.0:
                rough = grainy * sample(tile, 7.0 * radius * u * mirror + 40.0 * thing["tint"], 7.0 * tall * v)
            edge = (1.0 - value + 0.55 * rough) * steep
            cover = min(max(edge + 0.5, 0.0), 1.0)
            r, g, b = red * tint, green * tint, blue * tint
            if cover < 1.0 and trunk > 0.0 and v < 0.5:
                wood = min(max((trunk - abs(u)) * radius * scale + 0.5, 0.0), 1.0)
                if wood > cover:
                    r, g, b = 74.0, 60.0, 48.0
                    cover = wood
            cover *= min(max(foot - i + 0.5, 0.0), 1.0)
            if cover <= 0.0:
                continue
            shade = 0.62 + 0.38 * v + 0.45 * rough
            lit = max(0.55 + 0.55 * (side * face + 0.5 * (v - 0.3)), 0.12) * shine
            blend(canvas, i, j, r, g, b, shade, lit, look, haze, cover)
            if by is not None:
                mark(by, i, j, element, cover, forward)


@inlined
def blend(canvas, i, j, r, g, b, shade, lit, look, haze, cover):
    """Mix a lit, hazy surface colour into the canvas."""
    red = r * shade * (look["ambient_r"] + 1.6 * lit * look["sunlight_r"])
    green = g * shade * (look["ambient_g"] + 1.6 * lit * look["sunlight_g"])
    blue = b * shade * (look["ambient_b"] + 1.6 * lit * look["sunlight_b"])
    canvas[i, j, 0] += cover * (red + haze * (look["horizon_r"] - red) - canvas[i, j, 0])
    canvas[i, j, 1] += cover * (green + haze * (look["horizon_g"] - green) - canvas[i, j, 1])
    canvas[i, j, 2] += cover * (blue + haze * (look["horizon_b"] - blue) - canvas[i, j, 2])


@inlined
def mark(by, i, j, element, cover, forward):
    """Note a thing in the by-products."""
    by.contributors[i, j] |= 1 << element
    if cover >= 0.5:
        by.elements[i, j], by.depth_m[i, j] = element, forward


@kernel
def draw_post(canvas, by, thing, forward, left, look, lens, haze):
    """Paint a delineator: white, with a slanted black band and a reflector in it."""
    height, width = canvas.shape[0], canvas.shape[1]
    tall, radius = thing["height_m"], thing["radius_m"]
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
            blend(canvas, i, j, grey, grey, grey, 1.0, 0.5 * look["sunshine"], look, haze, cover)
            if by is not None:
                mark(by, i, j, POSTS, cover, forward)


@kernel
def cast_shadow(shade, thing, forward, left, away_x, away_y, reach, look, lens, tile):
    """Darken `shade` [H, W] where a plant keeps the sun off the ground.

    `away` is the unit vector away from the sun in the car's frame, `reach` the length of shadow per metre of height.  The
    crown is an ellipsoid, whose shadow is an ellipse; the trunk a strip from its foot.
    """
    tall, radius = thing["height_m"], thing["radius_m"]
    bottom = 0.10 if thing["kind"] != BROADLEAF else 0.32
    middle, half = 0.5 * (1.0 + bottom) * tall, 0.5 * (1.0 - bottom) * tall
    long, wide = np.sqrt(half * half * reach * reach + radius * radius), radius
    per_long, per_wide = 1.0 / long, 1.0 / wide
    cx, cy = forward + away_x * middle * reach, left + away_y * middle * reach
    span_x, span_y = abs(away_x) * long + abs(away_y) * wide, abs(away_y) * long + abs(away_x) * wide
    near = max(min(cx - span_x, forward) - 0.5, NEAREST_M)
    far = max(cx + span_x, forward) + 0.5
    if far <= NEAREST_M or near > FARTHEST_M:
        return
    low, high = min(cy - span_y, left) - 0.5, max(cy + span_y, left) + 0.5
    top, _, _ = pixel_of(far, 0.0, 0.0, lens)
    end, _, _ = pixel_of(near, 0.0, 0.0, lens)
    for i in range(max(int(top), 0), min(int(end) + 2, shade.shape[0])):
        x = ground_distance_m(i, lens)
        if x > FARTHEST_M:
            continue
        depth = x * lens.cos_pitch + lens.height_m * lens.sin_pitch
        per_px = depth / lens.focal_px
        deep = min(abs(ground_distance_m(i - 0.5, lens) - ground_distance_m(i + 0.5, lens)), 60.0)
        slope = (abs(away_x) / long + abs(away_y) / wide) * deep + per_px / min(long, wide) + 0.35 / wide
        steep, outside = 1.0 / slope, (1.4 + slope) * (1.4 + slope)
        first = max(int(lens.centre_column - high / per_px), 0)
        last = min(int(np.floor(lens.centre_column - low / per_px)) + 2, shade.shape[1])  # int() alone rounds -0.3 up
        for j in range(first, last):
            y = (lens.centre_column - j) * per_px
            along = (x - cx) * away_x + (y - cy) * away_y
            across = (y - cy) * away_x - (x - cx) * away_y
            p, q = along * per_long, across * per_wide
            square = p * p + q * q
            if square > outside and thing["kind"] != BROADLEAF:
                continue
            value = np.sqrt(square)
            ragged = 0.0
            if value < 1.4 + slope:
                ragged = 0.35 * sample(tile, 2.0 * along + 30.0 * thing["tint"], 2.0 * across * look["mirror"])
            cover = min(max((1.0 - value + ragged) * steep + 0.5, 0.0), 1.0)
            if thing["kind"] == BROADLEAF:
                stem = along + middle * reach
                if 0.0 < stem < middle * reach:
                    thick = 0.028 * tall
                    edge = abs(away_y) * deep + per_px + 0.05
                    strip = min(max((thick - abs(across)) / edge + 0.5, 0.0), 1.0) * min(2.0 * thick / edge, 1.0)
                    cover = max(cover, strip)
            if cover > shade[i, j]:
                shade[i, j] = cover
