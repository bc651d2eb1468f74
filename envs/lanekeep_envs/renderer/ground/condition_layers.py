"""The conditions of a scanline: on the albedo of its base layer, layer by layer, whatever an episode has of them."""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount
from lanekeep_envs.dynamics.road import at
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.coverage import mix, single
from lanekeep_envs.renderer.ground.conditions import COVERS, WATER, WEAR, dim
from lanekeep_envs.renderer.ground.deposits import lay_leaves, lay_puddles, lay_snow, wet_road
from lanekeep_envs.renderer.ground.markings import lay_markings
from lanekeep_envs.renderer.ground.pavement import lay_pavement
from lanekeep_envs.renderer.ground.scanline import columns_near
from lanekeep_envs.renderer.ground.worn_markings import lay_ghost_lines, lay_roadworks
from lanekeep_envs.renderer.headlights import beam_at

LEFT, RIGHT, ROAD, FOG = (int(Element[name]) for name in ("LEFT_MARKING", "RIGHT_MARKING", "ROAD", "FOG"))
HEADLIGHT = (np.float32(0.90), np.float32(0.873), np.float32(0.792))  # light of the headlights where they are brightest
PAINT_SHINES, WATER_SWALLOWS = np.float32(0.8), np.float32(0.7)  # more and less of it than asphalt throws back
PUDDLE_MIRRORS = (np.float32(0.2), np.float32(0.72))  # share of the sky from above, and so much more at a grazing angle
MOST_OF_A_LINE = 0.399  # share from which on a line's condition dominates: a groove has 0.4, less what rounding takes


@no_refcount
@float32_literals
def lay_conditions(scanline, row, shortest, axis, grain, surface, appearance, lens):
    """Lay on the base layer of a row whatever the conditions cover, markings included."""
    lane, columns = surface.lane, np.uint64(row.segment_px * row.segments)
    reach = 2.0 * (lane.edge_m + lane.line_m) + 1.0
    first, last = columns_near(scanline["knot_sided"], scanline["knot_wide"], np.float32(0.0), reach, row)
    lay_pavement(scanline, row, shortest, grain.slow, surface, appearance, first, last)
    if appearance["dark_asphalt"] > 0.0 and grain.slow > 0.0:
        lay_tone(scanline, axis, first, last)
    if appearance["ghost_lines"] > 0.0:
        lay_ghost_lines(scanline, row, shortest, surface, appearance, first, last)
    lay_markings(scanline, row, shortest, lane, surface.materials, appearance, surface)
    if appearance["roadworks"] > 0.0:
        lay_roadworks(scanline, row, surface, appearance, first, last)
    if appearance["leaves"] > 0.0:
        lay_leaves(scanline, shortest, surface, appearance, columns)
    # water mirrors the sky the more, the flatter it is looked at
    grazing = np.float32(1.0 - lens.height_m / np.sqrt(lens.height_m * lens.height_m + row.forward * row.forward))
    fresnel = grazing * grazing * grazing * grazing
    if appearance["wet"] > 0.0 or appearance["puddles"] > 0.0:
        wet_road(scanline, fresnel, appearance, columns)
    if appearance["puddles"] > 0.0:
        mirrored = PUDDLE_MIRRORS[0] + PUDDLE_MIRRORS[1] * fresnel
        lay_puddles(scanline, shortest, surface, mirrored, appearance, first, last)
    if appearance["snow"] > 0.0:
        lay_snow(scanline, shortest, surface, appearance, columns)


@no_refcount
@float32_literals
def lay_tone(scanline, axis, first, last):
    """Lay patches of darker asphalt, a planted confounder; they count as the road's texture."""
    s, light = scanline["s"], scanline["share"]
    for j in range(first, last):
        light[j] = at(axis["tone"], s[j])
    dim(scanline, light, first, last)


@no_refcount
@float32_literals
def light_with_beam(scanline, row, night):
    """Fill in the light of the headlights (headlights.py), which paint throws back and water does not."""
    beam, paint, reflection = scanline["beam"], scanline["paint"], scanline["reflection"]
    wide, far = beam_at(row.forward)
    narrow, reach = np.float32(row.per_px / wide), np.float32(far)
    strength = night / (1.0 + reach * reach * reach)
    for j in range(row.segment_px * row.segments):
        aside = (row.centre - np.float32(np.int32(j))) * narrow
        light = strength * bell(aside * aside)
        beam[j] = light * (1.0 + PAINT_SHINES * min(paint[j], 1.0)) * (1.0 - WATER_SWALLOWS * reflection[j])


@inline_always
@float32_literals
def bell(square):
    """Return nearly exp(-square), in a way that is vectorised: the 32nd power of a root's series."""
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
def light_in_condition(colour, shade, scanline, row, materials, appearance, lens):
    """Fill the colour of an image row: albedo in daylight and headlights, water's reflection of the sky, haze."""
    night = np.float32(appearance["night"])
    if night > 0.0:
        light_with_beam(scanline, row, night)
    # water near the car mirrors what is high in the sky
    up = np.float32(0.6 * np.sqrt(lens.height_m / max(0.45 * row.forward, lens.height_m)))
    sky = mix(materials.horizon, single(appearance["zenith"]), up)
    red, green, blue = scanline["red"], scanline["green"], scanline["blue"]
    beam, reflection, shades = scanline["beam"], scanline["reflection"], shade[row.i, row.first :]
    reds, greens, blues = colour[0, row.i, row.first :], colour[1, row.i, row.first :], colour[2, row.i, row.first :]
    ambient, sunlight, horizon = materials.ambient, materials.sunlight, materials.horizon
    for j in range(row.segment_px * row.segments):
        sunny, lamp, mirrored = 1.0 - shades[j], beam[j], reflection[j]
        lit = (
            red[j] * ((ambient[0] + HEADLIGHT[0] * lamp) + sunny * sunlight[0]),
            green[j] * ((ambient[1] + HEADLIGHT[1] * lamp) + sunny * sunlight[1]),
            blue[j] * ((ambient[2] + HEADLIGHT[2] * lamp) + sunny * sunlight[2]),
        )
        reds[j], greens[j], blues[j] = mix(mix(lit, sky, mirrored), horizon, row.haze)


@no_refcount
def write_aov_conditions(aov, scanline, row, fog):
    """Add to what `write_aov_ground` wrote which conditions a row shows, and which of them dominate."""
    cover = scanline["cover"]
    for j in range(row.segment_px * row.segments):
        bits, element = 1 << FOG if fog > 0.0 else 0, aov.elements[row.i, row.first + j]
        if cover[WEAR, j] >= MOST_OF_A_LINE and LEFT <= element <= RIGHT:
            element = ROAD
            bits |= 1 << ROAD
        for n in range(cover.shape[0]):
            if cover[n, j] > 0.0:
                bits |= 1 << COVERS[n]
            if n != WEAR and cover[n, j] >= (MOST_OF_A_LINE if n < WATER else 0.6):
                element = COVERS[n]
        aov.elements[row.i, row.first + j] = element
        aov.contributors[row.i, row.first + j] |= bits
