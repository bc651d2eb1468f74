"""The ground in any other condition: on the bare albedo of a row, layer by layer, whatever the conditions cover."""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount
from lanekeep_envs.dynamics.road import at
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.ground.conditions import COVERS, WATER, WEAR, dim
from lanekeep_envs.renderer.ground.covers import lay_leaves, lay_puddles, lay_snow
from lanekeep_envs.renderer.ground.cross_section import clip, mix, rgb
from lanekeep_envs.renderer.ground.markings import lay_ghost_lines, lay_markings, lay_roadworks
from lanekeep_envs.renderer.ground.pavement import lay_pavement
from lanekeep_envs.renderer.ground.scanline import columns_near
from lanekeep_envs.renderer.headlights import BEAM

LEFT, RIGHT, ROAD, FOG = (int(Element[name]) for name in ("LEFT_MARKING", "RIGHT_MARKING", "ROAD", "FOG"))
HEADLIGHT = (np.float32(0.90), np.float32(0.873), np.float32(0.792))  # light of the headlights where they are brightest
MOST_OF_A_LINE = 0.399  # share from which on a line's condition dominates: a groove has 0.4, less what rounding takes


@no_refcount
@float32_literals
def lay_conditions(strip, row, shortest, axis, grain, lane, materials, appearance, lens, condition):
    """Lay on the bare ground of a row whatever the conditions cover, markings included."""
    reach = 2.0 * (lane.edge_m + lane.line_m) + 1.0
    first, last = columns_near(strip["node_sided"], strip["node_wide"], np.float32(0.0), reach, row)
    columns = np.uint64(row.piece * row.pieces)
    lay_pavement(strip, row, shortest, lane, grain.slow, materials, condition, first, last)
    if appearance["dark_asphalt"] > 0.0 and grain.slow > 0.0:
        lay_tone(strip, axis, first, last)
    if condition.ghost_lines > 0.0:
        lay_ghost_lines(strip, row, shortest, lane, materials, condition, first, last)
    lay_markings(strip, row, shortest, lane, materials, appearance, condition)
    if condition.roadworks > 0.0:
        lay_roadworks(strip, row, lane, materials, condition, first, last)
    if condition.leaves > 0.0:
        lay_leaves(strip, shortest, lane, condition, columns)
    # water mirrors the sky the more, the flatter it is looked at
    grazing = np.float32(1.0 - lens.height_m / np.sqrt(lens.height_m * lens.height_m + row.forward * row.forward))
    fresnel = grazing * grazing * grazing * grazing
    if condition.wet > 0.0 or condition.puddles > 0.0:
        wet_road(strip, fresnel, condition, columns)
    if condition.puddles > 0.0:
        lay_puddles(strip, shortest, lane, 0.2 + 0.72 * fresnel, condition, first, last)
    if condition.snow > 0.0:
        lay_snow(strip, shortest, lane, condition, columns)


@no_refcount
@float32_literals
def lay_tone(strip, axis, first, last):
    """Patches of darker asphalt, a planted confounder; they count as the road's texture."""
    s, light = strip["s"], strip["share"]
    for j in range(first, last):
        light[j] = at(axis["tone"], s[j])
    dim(strip, light, first, last)


@no_refcount
@float32_literals
def wet_road(strip, fresnel, condition, columns):
    """What of the sky a wet road mirrors, and where there is water at all."""
    reflection, water, paved, stain = strip["reflection"], strip["cover"][WATER], strip["paved"], strip["stain"]
    wet = 1.0 if condition.wet > 0.0 else 0.0
    for j in range(columns):
        reflection[j] = paved[j] * clip(0.75 * condition.wet * fresnel * (0.8 + 0.7 * stain[j]))
        water[j] = paved[j] * wet


@no_refcount
@float32_literals
def light_with_beam(strip, row, night):
    """Light of the headlights (weather.headlight), which paint throws back and water does not."""
    beam, paint, reflection = strip["beam"], strip["paint"], strip["reflection"]
    narrow = np.float32(row.per_px / (BEAM[0] + BEAM[1] * row.forward))
    reach = np.float32(row.forward / BEAM[2])
    strength = night / (1.0 + reach * reach * reach)
    for j in range(row.piece * row.pieces):
        aside = (row.centre - np.float32(np.int32(j))) * narrow
        light = strength * bell(aside * aside)
        beam[j] = light * (1.0 + 0.8 * min(paint[j], 1.0)) * (1.0 - 0.7 * reflection[j])


@inline_always
@float32_literals
def bell(square):
    """exp(-square), as good as, in a way that is vectorised."""
    t = min(square, 32.0) * (1.0 / 32.0)
    root = 1.0 - t * (
        1.0 - t * (1.0 / 2.0) * (1.0 - t * (1.0 / 3.0) * (1.0 - t * (1.0 / 4.0) * (1.0 - t * (1.0 / 5.0))))
    )
    square = root * root
    fourth = square * square
    eighth = fourth * fourth
    sixteenth = eighth * eighth
    return sixteenth * sixteenth


@no_refcount
@float32_literals
def light_in_condition(colour, shade, strip, i, first, row, materials, appearance, lens, condition):
    """Colour of image row i: albedo in daylight and headlights, water's reflection of the sky, haze."""
    if condition.night > 0.0:
        light_with_beam(strip, row, condition.night)
    # water near the car mirrors what is high in the sky
    up = np.float32(0.6 * np.sqrt(lens.height_m / max(0.45 * row.forward, lens.height_m)))
    sky = mix(materials.horizon, rgb(appearance["zenith_r"], appearance["zenith_g"], appearance["zenith_b"]), up)
    red, green, blue, beam, reflection = (
        strip["red"], strip["green"], strip["blue"], strip["beam"], strip["reflection"],
    )  # fmt: skip
    reds, greens, blues = colour[0, i, first:], colour[1, i, first:], colour[2, i, first:]
    shades = shade[i, first:]
    ambient, sunlight, horizon = materials.ambient, materials.sunlight, materials.horizon
    for j in range(row.piece * row.pieces):
        sunny, lamp, mirrored = 1.0 - shades[j], beam[j], reflection[j]
        lit = (
            red[j] * ((ambient[0] + HEADLIGHT[0] * lamp) + sunny * sunlight[0]),
            green[j] * ((ambient[1] + HEADLIGHT[1] * lamp) + sunny * sunlight[1]),
            blue[j] * ((ambient[2] + HEADLIGHT[2] * lamp) + sunny * sunlight[2]),
        )
        reds[j], greens[j], blues[j] = mix(mix(lit, sky, mirrored), horizon, row.haze)


@no_refcount
def note_condition(aov, i, first, strip, columns, fog):
    """Add to what `note_row` wrote which conditions row i shows, and which of them dominate."""
    cover = strip["cover"]
    for j in range(columns):
        bits, element = 1 << FOG if fog > 0.0 else 0, aov.elements[i, first + j]
        if cover[WEAR, j] >= MOST_OF_A_LINE and LEFT <= element <= RIGHT:
            element = ROAD
            bits |= 1 << ROAD
        for n in range(cover.shape[0]):
            if cover[n, j] > 0.0:
                bits |= 1 << COVERS[n]
            if n != WEAR and cover[n, j] >= (MOST_OF_A_LINE if n < WATER else 0.6):
                element = COVERS[n]
        aov.elements[i, first + j] = element
        aov.contributors[i, first + j] |= bits
