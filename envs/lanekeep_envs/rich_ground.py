"""The ground in any other condition: on the bare albedo of a row, layer by layer, whatever the conditions cover."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.condition import (
    COVERS,
    GAPS,
    GHOST_LINES,
    LEAVES,
    LENGTHS,
    ROADWORKS,
    SEAMS,
    SNOW,
    WATER,
    WEAR,
    WORKS,
    Patches,
    blend,
    dim,
    lay_lengths,
    part_of,
)
from lanekeep_envs.covers import cover_with_leaves, cover_with_puddles, cover_with_snow
from lanekeep_envs.elements import Element
from lanekeep_envs.ground_row import (
    PIECE,
    TEXEL_FROM_M,
    between,
    columns_near,
    ends_of,
    land_at,
    piece_of,
    road_at,
    spread,
)
from lanekeep_envs.kernel import borrowing, inlined, kernel
from lanekeep_envs.lines import add, cover_with_ghost_lines, cover_with_roadworks, dash, lay_marking, wear_marking
from lanekeep_envs.pavement import COBBLES, CONCRETE, cobble_light, cover_with_joints, cover_with_seams, joint_light
from lanekeep_envs.plain_ground import note_row
from lanekeep_envs.road import at
from lanekeep_envs.surface import Grain, clip01, mix, paved_share, tinted
from lanekeep_envs.texture import TILE
from lanekeep_envs.weather import BEAM

LEFT, RIGHT, ROAD, FOG = (int(Element[name]) for name in ("LEFT_MARKING", "RIGHT_MARKING", "ROAD", "FOG"))
HEADLIGHT = (0.90, 0.873, 0.792)  # light of the headlights where they are brightest


class Strip(NamedTuple):
    """Work space for an image row whose ground is in some condition, W pixels wide."""

    patches: Patches
    paved: NDArray[np.float64]  # [W] share of road
    albedo: NDArray[np.float64]  # [3, W]
    marks: NDArray[np.float64]  # [3, W] shares of the centre, left and right marking
    paint: NDArray[np.float64]  # [W] share of paint that throws headlights back
    beam: NDArray[np.float64]  # [W] light of the headlights
    reflection: NDArray[np.float64]  # [W] share of sky mirrored in water
    share: NDArray[np.float64]  # [W] for what is needed only for a while
    hue: NDArray[np.float64]  # [W] likewise
    fine: NDArray[np.float64]  # [W] likewise
    ends: NDArray[np.float64]  # [4, 2 W / PIECE + 1] (ground_row.py)
    cover: NDArray[np.float64]  # [7, W] shares of the conditions; more than 0 wherever one changes anything
    lengths: NDArray[np.float64]  # [4, 3, LENGTHS] of road: gaps in the three markings, road works


@kernel
def make_strip(width, tile):
    """Allocate the work space."""
    rows, patches = np.zeros((7, width)), np.zeros((5, width))
    return Strip(
        Patches(
            patches[0], patches[1], patches[2], patches[3], patches[4], np.zeros(1), tile, np.zeros(width, np.int32)
        ),
        rows[0],
        np.zeros((3, width)),
        np.zeros((3, width)),
        rows[1],
        rows[2],
        rows[3],
        rows[4],
        rows[5],
        rows[6],
        np.zeros((4, 2 * width // PIECE + 1)),
        np.zeros((len(COVERS), width)),
        np.zeros((4, 3, LENGTHS)),
    )


@borrowing
def lay_all_lengths(lengths, s0, condition):
    """Where along the road each marking has gaps, and where the road is under works."""
    for n in range(3):
        side = int(condition.mirror) * (0, 1, -1)[n]
        lay_lengths(lengths[n], s0, GAPS, condition.missing, 11 + side, condition.seed)
    lay_lengths(lengths[3], s0, WORKS, condition.roadworks, 17, condition.seed)


@borrowing
def unfold(patches, paved, ends, stain, lane):
    """Fill what every pixel of a row covers; return between which columns the road lies, lines included."""
    width = paved.shape[0]
    spread(patches.s, ends.s, ends, 0, width)
    spread(patches.sided, ends.sided, ends, 0, width)
    spread(patches.wide, ends.wide, ends, 0, width)
    spread(patches.long, ends.long, ends, 0, width)
    spread(patches.stain, stain, ends, 0, width)
    shortest = ends.long[0]
    for k in range(1, ends.long.shape[0]):
        shortest = min(shortest, ends.long[k])
    patches.shortest[0] = shortest
    sided, wide = patches.sided, patches.wide
    for j in range(width):
        paved[j] = paved_share(sided[j], wide[j], lane)
    return columns_near(ends.sided, ends.wide, 2.0 * lane.outside_m + 1.0, ends.piece)


@borrowing
def bare_row(albedo, nodes, half, row, centre, grain, lane, materials, mirror, near):
    """Albedo [3, W] of a row of land and road without markings."""
    red, green, blue = albedo[0], albedo[1], albedo[2]
    width, tile, per_width = row.piece, TILE, 1.0 / row.piece
    for k in range(red.shape[0] // width):
        piece, first = piece_of(nodes, k), width * k
        nearest, farthest = min(abs(nodes[1, k]), abs(nodes[1, k + 1])), max(abs(nodes[1, k]), abs(nodes[1, k + 1]))
        reach = 0.5 * max(nodes[2, k], nodes[2, k + 1])
        if nodes[1, k] * nodes[1, k + 1] > 0.0 and nearest - lane.edge_m > reach:
            for m in range(width):
                j, b = first + m, (m + half) * per_width
                red[j], green[j], blue[j] = land_at(
                    piece, b, (centre - j) * row.per_px, row, grain, lane, materials, tile, near
                )
        elif farthest - lane.edge_m < -reach:
            for m in range(width):
                j, b = first + m, (m + half) * per_width
                red[j], green[j], blue[j] = road_at(piece, b, grain, lane, materials, mirror, tile, near)
        else:
            for m in range(width):
                j, b = first + m, (m + half) * per_width
                under = land_at(piece, b, (centre - j) * row.per_px, row, grain, lane, materials, tile, near)
                road = road_at(piece, b, grain, lane, materials, mirror, tile, near)
                red[j], green[j], blue[j] = mix(
                    under, road, paved_share(between(piece, 1, b), between(piece, 2, b), lane)
                )


@borrowing
def lay_surface(strip, ends, first, last, lane, materials, grain, condition):
    """The road's pavement, wet or dry, and its seams."""
    patches, albedo, light, paved = (
        part_of(strip.patches, first, last),
        strip.albedo,
        strip.share[first:last],
        strip.paved,
    )
    seams, part = strip.cover[SEAMS], paved[first:last]
    if condition.kind == COBBLES:
        cobble_light(light, patches, strip.hue[first:last], strip.fine[first:last], lane, grain.slow, condition.seams)
        dim(albedo, light, part, first, last)
        for j in range(seams.shape[0]):
            seams[j] = paved[j] * condition.seams
    elif condition.kind == CONCRETE:
        joint_light(light, patches)
        dim(albedo, light, part, first, last)
    if condition.wet > 0.0:
        light[:] = 1.0 - 0.5 * condition.wet
        dim(albedo, light, part, first, last)
    if condition.seams > 0.0 and condition.kind != COBBLES:
        dark = mix((26.0, 25.0, 25.0), materials.asphalt, 0.15)
        if condition.kind == CONCRETE:
            seams[:] = 0.0
            cover_with_joints(seams[first:last], patches, part, condition)
        else:
            cover_with_seams(seams, strip, ends, lane, condition)
        blend(albedo, seams[first:last], dark, dark, None, first, last)


@borrowing
def lay_tone(strip, first, last, axis, s0):
    """Patches of darker asphalt, a planted confounder; they count as the road's texture."""
    s, light = strip.patches.s[first:last], strip.share[first:last]
    for j in range(light.shape[0]):
        light[j] = at(axis["tone"], s[j] - s0)
    dim(strip.albedo, light, strip.paved[first:last], first, last)


@borrowing
def tint_marking(albedo, mark, paint, own):
    """Turn a marking's paint into its own; another that shares a pixel with it stays to the last bit."""
    for c in range(3):
        line, turn = albedo[c], own[c] - paint[c]
        for j in range(line.shape[0]):
            line[j] += mark[j] * turn


@borrowing
def lay_markings(strip, ends, lane, materials, s0, look, condition):
    """The valid markings, as far as they are left."""
    albedo, paint, lost = strip.albedo, strip.paint, strip.cover[WEAR]
    edge = lane.lane_m + 0.5 * lane.line_m
    middles = (lane.centre_shift, edge + lane.left_shift, lane.right_shift - edge)
    there = (lane.centre, lane.left, lane.right)
    lost[:] = 0.0
    paint[:] = 0.0
    for n in (1, 2, 0):  # what lies on both sides first: the sum is the same in a mirrored world
        mark, middle = strip.marks[n], condition.mirror * middles[n]
        mark[:] = 0.0
        if there[n] == 0.0:
            continue
        first, last = lay_marking(mark, strip, ends, middle, lane)
        patches, part = part_of(strip.patches, first, last), mark[first:last]
        if n == 0:
            dash(part, patches, lane.dash_m, lane.period_m)
        if condition.worn > 0.0 or condition.missing > 0.0:
            side = condition.mirror * (0.0, 1.0, -1.0)[n]
            wear_marking(
                part, lost[first:last], strip, patches, ends, first, last, strip.lengths[n], s0, side, middle, condition
            )
        add(paint[first:last], part)
    blend(albedo, paint, materials.paint, materials.paint, None, 0, paint.shape[0])
    if look["own_paint"]:
        tint_marking(
            albedo,
            strip.marks[0],
            materials.paint,
            (look["centre_paint_r"], look["centre_paint_g"], look["centre_paint_b"]),
        )
        tint_marking(
            albedo, strip.marks[1], materials.paint, (look["left_paint_r"], look["left_paint_g"], look["left_paint_b"])
        )
        tint_marking(
            albedo,
            strip.marks[2],
            materials.paint,
            (look["right_paint_r"], look["right_paint_g"], look["right_paint_b"]),
        )


@borrowing
def lay_paint(strip, ends, first, last, lane, materials, s0, look, condition):
    """Lines: old ones, the valid ones as far as they are left, and yellow ones over them."""
    albedo, paint = strip.albedo, strip.paint
    if condition.ghost_lines > 0.0:
        dark, pale = tinted(0.5, materials.asphalt), mix(materials.asphalt, materials.paint, 0.75)
        grooves, left = strip.cover[GHOST_LINES], strip.share
        cover_with_ghost_lines(grooves, left, strip, ends, lane, condition)
        blend(albedo, grooves[first:last], dark, dark, None, first, last)
        blend(albedo, left[first:last], pale, pale, None, first, last)
    lay_markings(strip, ends, lane, materials, s0, look, condition)
    if condition.roadworks > 0.0:
        white, yellow_lines = materials.paint, strip.cover[ROADWORKS]
        yellow = (0.98 * white[0], 0.72 * white[1], 0.10 * white[2])
        cover_with_roadworks(yellow_lines, strip, ends, strip.lengths[3], s0, lane, condition)
        blend(albedo, yellow_lines[first:last], yellow, yellow, None, first, last)
        for j in range(paint.shape[0]):
            paint[j] = max(paint[j], yellow_lines[j])


@borrowing
def lay_covers(strip, first, last, row, lane, height_m, condition):
    """Leaves, water and snow, in this order; water mirrors the sky the more, the flatter it is looked at."""
    patches, albedo, reflection = strip.patches, strip.albedo, strip.reflection
    columns, paved, stain, water = reflection.shape[0], strip.paved, patches.stain, strip.cover[WATER]
    if condition.leaves > 0.0:
        leaves = strip.cover[LEAVES]
        cover_with_leaves(leaves, strip.hue, patches, strip.fine, lane, condition)
        blend(albedo, leaves, (116.0, 62.0, 24.0), (206.0, 134.0, 40.0), strip.hue, 0, columns)
    grazing = 1.0 - height_m / np.sqrt(height_m * height_m + row.forward * row.forward)
    fresnel = grazing * grazing * grazing * grazing
    if condition.wet > 0.0 or condition.puddles > 0.0:
        for j in range(columns):
            reflection[j] = paved[j] * clip01(0.75 * condition.wet * fresnel * (0.8 + 0.7 * stain[j]))
            water[j] = paved[j] if condition.wet > 0.0 else 0.0
    if condition.puddles > 0.0:
        share, water, mirror = strip.share[first:last], water[first:last], reflection[first:last]
        cover_with_puddles(share, part_of(patches, first, last), paved[first:last], lane, condition)
        muddy, mirrored = (46.0, 44.0, 42.0), 0.2 + 0.72 * fresnel
        for j in range(share.shape[0]):
            water[j] = max(share[j], water[j])
            mirror[j] += share[j] * (mirrored - mirror[j])
            share[j] *= 0.75
        blend(albedo, share, muddy, muddy, None, first, last)
    if condition.snow > 0.0:
        snow, paint = strip.cover[SNOW], strip.paint
        cover_with_snow(snow, strip.hue, patches, strip.fine, lane, condition)
        blend(albedo, snow, (176.0, 185.0, 201.0), (218.0, 222.0, 228.0), strip.hue, 0, columns)
        for j in range(columns):
            reflection[j] *= 1.0 - snow[j]
            paint[j] *= 1.0 - snow[j]


@borrowing
def light_with_beam(beam, paint, reflection, row, centre, night):
    """Light of the headlights (weather.headlight), which paint throws back and water does not."""
    narrow, reach = row.per_px / (BEAM[0] + BEAM[1] * row.forward), row.forward / BEAM[2]
    strength = night / (1.0 + reach * reach * reach)
    for j in range(beam.shape[0]):
        aside = (centre - j) * narrow
        light = strength * bell(aside * aside)
        beam[j] = light * (1.0 + 0.8 * min(paint[j], 1.0)) * (1.0 - 0.7 * reflection[j])


@inlined
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


@borrowing
def light_row(canvas, strip, i, row, centre, materials, sky, condition):
    """Colour of image row i: albedo in daylight and headlights, water's reflection of the sky, haze."""
    beam, reflection, shade = strip.beam, strip.reflection, canvas.shade[i]
    if condition.night > 0.0:
        light_with_beam(beam, strip.paint, reflection, row, centre, condition.night)
    for c in range(3):
        out, albedo, lamp, mirrored = canvas.colour[c, i], strip.albedo[c], HEADLIGHT[c], sky[c]
        ambient, sunlight, horizon = materials.ambient[c], materials.sunlight[c], materials.horizon[c]
        for j in range(beam.shape[0]):
            sunny = 1.0 - np.float64(shade[j])
            colour = albedo[j] * (ambient + lamp * beam[j] + sunny * sunlight)
            colour += reflection[j] * (mirrored - colour)
            out[j] = colour + row.haze * (horizon - colour)


@kernel
def note_condition(by, i, cover, fog):
    """Add to what `note_row` wrote which conditions row i shows, and which of them dominate."""
    for j in range(cover.shape[1]):
        bits, element = 1 << FOG if fog > 0.0 else 0, by.elements[i, j]
        if cover[WEAR, j] >= 0.4 and LEFT <= element <= RIGHT:
            element = ROAD
            bits |= 1 << ROAD
        for n in range(cover.shape[0]):
            if cover[n, j] > 0.0:
                bits |= 1 << COVERS[n]
            if n != WEAR and cover[n, j] >= (0.4 if n < WATER else 0.6):
                element = COVERS[n]
        by.elements[i, j] = element
        by.contributors[i, j] |= bits


@borrowing
def paint_row_in_condition(canvas, by, i, row, patch, grain, lane, materials, strip, s0, look, lens, condition):
    """Paint image row i of a road that is not plain asphalt on a fine day, layer by layer, on its bare albedo."""
    centre, nodes, half, mirror = lens.centre_column, canvas.nodes, canvas.half, condition.mirror
    damp = Grain(grain.fine, grain.coarse, grain.rough * (1.0 - 0.4 * condition.wet), grain.slow)
    if patch < TEXEL_FROM_M:
        bare_row(strip.albedo, nodes, half, row, centre, damp, lane, materials, mirror, True)
    else:
        bare_row(strip.albedo, nodes, half, row, centre, damp, lane, materials, mirror, None)
    ends = ends_of(nodes, strip.ends, strip.paved.shape[0], row, half, mirror)
    first, last = unfold(strip.patches, strip.paved, ends, nodes[5], lane)
    lay_surface(strip, ends, first, last, lane, materials, grain, condition)
    if look["dark_asphalt"] > 0.0 and grain.slow > 0.0:
        lay_tone(strip, first, last, canvas.axis, s0)
    lay_paint(strip, ends, first, last, lane, materials, s0, look, condition)
    lay_covers(strip, first, last, row, lane, lens.height_m, condition)
    up = 0.6 * np.sqrt(
        min(lens.height_m / (0.45 * row.forward), 1.0)
    )  # water near the car mirrors what is high in the sky
    sky = mix(materials.horizon, (look["zenith_r"], look["zenith_g"], look["zenith_b"]), up)
    light_row(canvas, strip, i, row, centre, materials, sky, condition)
    if by.contributors.size > 0:
        note_row(by, i, canvas.shade[i], nodes, row, half, grain, lane)
        note_condition(by, i, strip.cover, look["fog"])
