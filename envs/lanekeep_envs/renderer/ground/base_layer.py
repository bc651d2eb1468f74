"""The base layer of a scanline: asphalt, shoulder and land without markings, and its light on a fine day.

Runs of segments are land, road or both, and each is laid in loops of its own.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.coverage import clip, mix, tinted
from lanekeep_envs.renderer.ground.cross_section import WHEEL_TRACK_M
from lanekeep_envs.renderer.ground.textures import nearest_noise, noise

CENTRE, LEFT, RIGHT = int(Element.CENTRE_MARKING), int(Element.LEFT_MARKING), int(Element.RIGHT_MARKING)
ROAD, TERRAIN, TEXTURE, SHADOWS = int(Element.ROAD), int(Element.TERRAIN), int(Element.TEXTURE), int(Element.SHADOWS)
ONLY_LAND, ONLY_ROAD, BOTH = 0, 1, 2
TEXEL_FROM_M = np.float64(0.2)  # size of a footprint from which on a texture's nearest texel will do
GRASS_PER_M, MEADOW_PER_M = np.float32(5.1), np.float32(0.7)  # texels of the land's fine and coarse texture
ASPHALT_PER_M = np.float32(19.0)  # texels of its grain
NO_CROP_M = np.float32(14.0)  # from the axis: up to there grows more grass than crop
STONES_M = np.float32(0.7)  # width in which gravel turns to grass
STONY = np.float32(0.75)  # share of gravel on the shoulder
TRACK_PER_M = np.float32(2.2)  # inverse of half the width of a track that wheels polish
PALER = np.float32(0.05)  # by so much stains and tracks are


@inline_always
@float32_literals
def segment_kind(sided, wide, k, edge_m):
    """Return what segment k of a row shows."""
    one, other, reach = sided[k], sided[k + 1], 0.5 * max(wide[k], wide[k + 1])
    if one * other > 0.0 and min(abs(one), abs(other)) - edge_m > reach:
        return ONLY_LAND
    return ONLY_ROAD if max(abs(one), abs(other)) - edge_m < -reach else BOTH


@no_refcount
@float32_literals
def lay_base(scanline, row, grain, lane, materials):
    """Fill the albedo of a row of land and road without markings."""
    k, sided, wide = 0, scanline["knot_sided"], scanline["knot_wide"]
    while k < row.segments:
        kind, first = segment_kind(sided, wide, k, lane.edge_m), k
        k += 1
        while k < row.segments and segment_kind(sided, wide, k, lane.edge_m) == kind:
            k += 1
        begin, end = np.uint64(row.segment_px * first), np.uint64(row.segment_px * k)
        if kind != ONLY_ROAD:
            lay_land(scanline, row, grain, lane, materials, begin, end)
        if kind != ONLY_LAND:
            lay_road(scanline, row, grain, lane, materials, kind == ONLY_ROAD, begin, end)


@no_refcount
@float32_literals
def fill_grain(out, scanline, row, first, last):
    """Fill `out` with texture at the places (u, v)."""
    if row.footprint < TEXEL_FROM_M:
        noise(out, scanline, first, last)
    else:
        nearest_noise(out, scanline, first, last)


@no_refcount
@float32_literals
def fill_land(out, scanline, row, texels, at, per_left, first, last):
    """Fill `out` with texture of so many texels per metre: `at` straight ahead, and `per_left` further by each metre."""
    u, v, start_u, start_v = scanline["u"], scanline["v"], wrapped(texels * at[0]), wrapped(texels * at[1])
    left_per_px, u_per_left, v_per_left = np.float32(row.per_px), np.float32(per_left[0]), np.float32(per_left[1])
    for j in range(first, last):
        left = (row.centre - np.float32(np.int32(j))) * left_per_px
        u[j], v[j] = start_u + texels * (u_per_left * left), start_v + texels * (v_per_left * left)
    fill_grain(out, scanline, row, first, last)


@no_refcount
@float32_literals
def lay_land(scanline, row, grain, lane, materials, first, last):
    """Lay grass, crop and the gravel shoulder."""
    fine, coarse = scanline["fine"], scanline["coarse"]
    fine[first:last] = 0.0
    coarse[first:last] = 0.0
    if grain.fine > 0.0:
        fill_land(fine, scanline, row, GRASS_PER_M, row.at, row.per_left, first, last)
    if grain.coarse > 0.0:
        at, per_left = (row.at[1], row.at[0]), (row.per_left[1], row.per_left[0])
        fill_land(coarse, scanline, row, MEADOW_PER_M, at, per_left, first, last)
    sided, wide, field, stain = scanline["sided"], scanline["wide"], scanline["field"], scanline["stain"]
    red, green, blue = scanline["red"], scanline["green"], scanline["blue"]
    for j in range(first, last):
        aside = abs(sided[j])
        crop = clip(2.5 * field[j] + 0.2 - 1.2 * clip(1.6 - aside * (1.0 / NO_CROP_M)))
        light = 1.0 + grain.fine * fine[j] + grain.coarse * coarse[j]
        ragged = 0.5 * grain.slow * stain[j]
        stony = STONY * clip(0.5 - (aside - lane.verge_m - ragged) / (wide[j] + STONES_M))
        grown = tinted(light, mix(materials.grass, materials.field, crop))
        red[j], green[j], blue[j] = mix(grown, tinted(1.0 + 0.4 * ragged, materials.gravel), stony)


@no_refcount
@float32_literals
def lay_road(scanline, row, grain, lane, materials, whole, first, last):
    """Lay asphalt with its grain, slow stains, and the paler tracks that wheels polish.

    It is laid over land, unless it is the `whole` ground.
    """
    u, v, s, sided, rough = scanline["u"], scanline["v"], scanline["s"], scanline["sided"], scanline["fine"]
    rough[first:last] = 0.0
    if grain.rough > 0.0:
        for j in range(first, last):
            u[j], v[j] = grain.rough_at + ASPHALT_PER_M * s[j], ASPHALT_PER_M * sided[j]
        fill_grain(rough, scanline, row, first, last)
    stain, paved = scanline["stain"], scanline["paved"]
    red, green, blue = scanline["red"], scanline["green"], scanline["blue"]
    for j in range(first, last):
        track = (abs(abs(sided[j]) - 0.5 * lane.lane_m) - WHEEL_TRACK_M) * TRACK_PER_M
        light = 1.0 + grain.rough * rough[j]
        light += grain.slow * (PALER * stain[j] + PALER * max(1.0 - track * track, 0.0))
        road = tinted(light, materials.asphalt)
        if whole:
            red[j], green[j], blue[j] = road
        else:
            red[j], green[j], blue[j] = mix((red[j], green[j], blue[j]), road, paved[j])


@no_refcount
@float32_literals
def light_row(colour, shade, scanline, row, materials):
    """Fill the colour of an image row on a fine day: albedo in daylight, and haze."""
    red, green, blue = scanline["red"], scanline["green"], scanline["blue"]
    reds, greens, blues = colour[0, row.i, row.first :], colour[1, row.i, row.first :], colour[2, row.i, row.first :]
    shades = shade[row.i, row.first :]
    ambient, sunlight = materials.ambient, materials.sunlight
    for j in range(row.segment_px * row.segments):
        sunny = 1.0 - shades[j]
        lit = (
            red[j] * (ambient[0] + sunny * sunlight[0]),
            green[j] * (ambient[1] + sunny * sunlight[1]),
            blue[j] * (ambient[2] + sunny * sunlight[2]),
        )
        reds[j], greens[j], blues[j] = mix(lit, materials.horizon, row.haze)


@no_refcount
def write_aov_ground(aov, shade, scanline, row, grain):
    """Write what a row shows into the by-products."""
    for j in range(row.segment_px * row.segments):
        paved, at = scanline["paved"][j], row.first + j
        element, bits = TERRAIN if paved < 0.5 else ROAD, 0
        bits |= 1 << TERRAIN if paved < 1.0 else 0
        bits |= 1 << ROAD if paved > 0.0 else 0
        bits |= 1 << TEXTURE if grain.slow > 0.0 else 0
        for n in range(3):
            share, line = scanline["line"][n, j], (CENTRE, LEFT, RIGHT)[n]
            if share > 0.0:
                bits |= 1 << line
            if share >= 0.4:
                element = line
        if shade[row.i, at] > 0.0:
            bits |= 1 << SHADOWS
            if shade[row.i, at] > 0.5 and element <= ROAD:
                element = SHADOWS
        aov.elements[row.i, at], aov.depth_m[row.i, at] = element, row.forward
        aov.contributors[row.i, at] |= bits
