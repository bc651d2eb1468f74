"""The bare ground of a row: asphalt, shoulder and land, and its light on a fine day.

Runs of pieces are land, road or both, and each is laid in loops of its own.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.ground.cross_section import clip, mix, tinted
from lanekeep_envs.renderer.ground.scanline import coarse_noise, noise

CENTRE, LEFT, RIGHT = int(Element.CENTRE_MARKING), int(Element.LEFT_MARKING), int(Element.RIGHT_MARKING)
ROAD, TERRAIN, TEXTURE, SHADOWS = int(Element.ROAD), int(Element.TERRAIN), int(Element.TEXTURE), int(Element.SHADOWS)
ONLY_LAND, ONLY_ROAD, BOTH = 0, 1, 2


@inline_always
@float32_literals
def piece_kind(sided, wide, k, edge_m):
    """What piece k of a row shows."""
    one, other, reach = sided[k], sided[k + 1], 0.5 * max(wide[k], wide[k + 1])
    if one * other > 0.0 and min(abs(one), abs(other)) - edge_m > reach:
        return ONLY_LAND
    return ONLY_ROAD if max(abs(one), abs(other)) - edge_m < -reach else BOTH


@no_refcount
@float32_literals
def lay_bare(strip, row, grain, lane, materials, rough_at):
    """Fill the albedo of a row of land and road without markings."""
    k, sided, wide = 0, strip["node_sided"], strip["node_wide"]
    while k < row.pieces:
        kind, first = piece_kind(sided, wide, k, lane.edge_m), k
        k += 1
        while k < row.pieces and piece_kind(sided, wide, k, lane.edge_m) == kind:
            k += 1
        begin, end = np.uint64(row.piece * first), np.uint64(row.piece * k)
        if kind != ONLY_ROAD:
            lay_land(strip, row, grain, lane, materials, begin, end)
        if kind != ONLY_LAND:
            lay_road(strip, row, grain, lane, materials, rough_at, kind == ONLY_ROAD, begin, end)


@no_refcount
@float32_literals
def fill_grain(out, strip, near, first, last):
    """Fill `out` with texture at the places (u, v)."""
    if near:
        noise(out, strip, first, last)
    else:
        coarse_noise(out, strip, first, last)


@no_refcount
@float32_literals
def fill_land(out, strip, row, texels, x, y, x_per_left, y_per_left, first, last):
    """Fill `out` with texture of so many texels per metre; (x, y) is straight ahead."""
    u, v, start_u, start_v = strip["u"], strip["v"], wrapped(texels * x), wrapped(texels * y)
    x_per_left, y_per_left = np.float32(x_per_left), np.float32(y_per_left)
    for j in range(first, last):
        left = (row.centre - np.float32(np.int32(j))) * row.left_per_px
        u[j], v[j] = start_u + texels * (x_per_left * left), start_v + texels * (y_per_left * left)
    fill_grain(out, strip, row.near, first, last)


@no_refcount
@float32_literals
def lay_land(strip, row, grain, lane, materials, first, last):
    """Grass, crop and the gravel shoulder."""
    fine, coarse = strip["fine"], strip["coarse"]
    fine[first:last] = 0.0
    coarse[first:last] = 0.0
    if grain.fine > 0.0:
        fill_land(fine, strip, row, 5.1, row.x, row.y, row.x_per_left, row.y_per_left, first, last)
    if grain.coarse > 0.0:
        fill_land(coarse, strip, row, 0.7, row.y, row.x, row.y_per_left, row.x_per_left, first, last)
    sided, wide, field, stain = strip["sided"], strip["wide"], strip["field"], strip["stain"]
    red, green, blue = strip["red"], strip["green"], strip["blue"]
    for j in range(first, last):
        aside = abs(sided[j])
        crop = clip(2.5 * field[j] + 0.2 - 1.2 * clip(1.6 - aside * (1.0 / 14.0)))
        light = 1.0 + grain.fine * fine[j] + grain.coarse * coarse[j]
        ragged = 0.5 * grain.slow * stain[j]
        stony = 0.75 * clip(0.5 - (aside - lane.verge_m - ragged) / (wide[j] + 0.7))
        grown = tinted(light, mix(materials.grass, materials.field, crop))
        red[j], green[j], blue[j] = mix(grown, tinted(1.0 + 0.4 * ragged, materials.gravel), stony)


@no_refcount
@float32_literals
def lay_road(strip, row, grain, lane, materials, rough_at, whole, first, last):
    """Asphalt: grain, slow stains, and the paler tracks that wheels polish; over land unless it is the `whole` ground."""
    u, v, s, sided, rough = strip["u"], strip["v"], strip["s"], strip["sided"], strip["fine"]
    rough[first:last] = 0.0
    if grain.rough > 0.0:
        for j in range(first, last):
            u[j], v[j] = rough_at + 19.0 * s[j], 19.0 * sided[j]
        fill_grain(rough, strip, row.near, first, last)
    stain, paved = strip["stain"], strip["paved"]
    red, green, blue = strip["red"], strip["green"], strip["blue"]
    for j in range(first, last):
        track = (abs(abs(sided[j]) - 0.5 * lane.lane_m) - 0.8) * 2.2
        light = 1.0 + grain.rough * rough[j]
        light += grain.slow * (0.05 * stain[j] + 0.05 * max(1.0 - track * track, 0.0))
        road = tinted(light, materials.asphalt)
        if whole:
            red[j], green[j], blue[j] = road
        else:
            red[j], green[j], blue[j] = mix((red[j], green[j], blue[j]), road, paved[j])


@no_refcount
@float32_literals
def light_row(colour, shade, strip, i, first, row, materials):
    """Colour of image row i on a fine day, from column `first` on: albedo in daylight, and haze."""
    red, green, blue = strip["red"], strip["green"], strip["blue"]
    reds, greens, blues = colour[0, i, first:], colour[1, i, first:], colour[2, i, first:]
    shades = shade[i, first:]
    ambient, sunlight = materials.ambient, materials.sunlight
    for j in range(row.piece * row.pieces):
        sunny = 1.0 - shades[j]
        lit = (
            red[j] * (ambient[0] + sunny * sunlight[0]),
            green[j] * (ambient[1] + sunny * sunlight[1]),
            blue[j] * (ambient[2] + sunny * sunlight[2]),
        )
        reds[j], greens[j], blues[j] = mix(lit, materials.horizon, row.haze)


@no_refcount
def note_row(aov, i, first, shade, strip, row, grain):
    """Write what row i shows into the by-products, from column `first` on."""
    for j in range(row.piece * row.pieces):
        paved, at = strip["paved"][j], first + j
        element, bits = TERRAIN if paved < 0.5 else ROAD, 0
        bits |= 1 << TERRAIN if paved < 1.0 else 0
        bits |= 1 << ROAD if paved > 0.0 else 0
        bits |= 1 << TEXTURE if grain.slow > 0.0 else 0
        for n in range(3):
            share, line = strip["line"][n, j], (CENTRE, LEFT, RIGHT)[n]
            if share > 0.0:
                bits |= 1 << line
            if share >= 0.4:
                element = line
        if shade[i, at] > 0.0:
            bits |= 1 << SHADOWS
            if shade[i, at] > 0.5 and element <= ROAD:
                element = SHADOWS
        aov.elements[i, at], aov.depth_m[i, at] = element, row.forward
        aov.contributors[i, at] |= bits
