"""What time leaves on the road: rubbed off and missing paint, old lines, and the yellow ones of road works.

What changes slowly along the road is worked out at the knots (scanline.py).
"""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.renderer.coverage import clip, fade, mix, overlap, pulse_share, tinted
from lanekeep_envs.renderer.ground.conditions import (
    GAP_SECTION_M,
    GHOST_LINES,
    ROADWORKS,
    WEAR,
    WORKS_SECTION_M,
    blend,
    fill_covered,
    sections_of,
)
from lanekeep_envs.renderer.ground.scanline import interpolate_knots
from lanekeep_envs.renderer.ground.textures import noise, pattern

F32 = np.float32
SHIFT_M = F32(0.35)  # at most, of the temporary lines
OUTWARDS_M = F32(0.1)  # at most, of the temporary lines at the edges: not out on the shoulder
YELLOW = (F32(0.98), F32(0.72), F32(0.10))  # of white paint
WANDER_PER_M = F32(0.07)  # texels
WANDER_LANES = (F32(200.3), F32(120.6))  # rows of the tile along which ghost lines and works wander
GHOST_SHIFT_M = F32(0.9)  # at most, of the old lines, to and fro
GROOVE_WIDTHS = F32(1.9)  # width of a milled groove over that of its line
GROOVE, PALE = F32(0.4), F32(0.75)  # cover of grooves and of paint that was left in them, at strength 1


@no_refcount
@float32_literals
def wear_marking(scanline, row, shortest, n, middle, surface, appearance, columns):
    """Take from the share of marking n what is rubbed off or missing, and add that to `lost`; `columns` are first, last."""
    first, last = columns
    if first == last:
        return
    offset_x, offset_y, s0 = appearance["offset_x"], appearance["offset_y"], surface.s0
    worn, side = np.float32(appearance["worn"]), np.float32(appearance["mirror"]) * (0.0, 1.0, -1.0)[n]
    u, v, s, long, left = scanline["u"], scanline["v"], scanline["s"], scanline["long"], scanline["share"]
    start, beside = wrapped(0.35 * (s0 + offset_x)), wrapped(0.2 * offset_y) + (31.0 * side + 0.2 * middle)
    for j in range(first, last):
        u[j], v[j] = start + 0.35 * s[j], beside
    noise(left, scanline, first, last)
    rub, lost, mark = scanline["fine"], scanline["cover"][WEAR], scanline["mark"][n]
    at = (wrapped(4.3 * (s0 + offset_x)), wrapped(9.0 * offset_y))
    pattern(rub, scanline, (4.3, 9.0), at, 1.6, shortest, first, last)
    weak, most = min(6.0 * worn, 1.0), 1.0 - 0.35 * worn
    for j in range(first, last):
        paint = clip(0.5 + 3.0 * (1.35 - 2.0 * worn + (0.9 * rub[j] + 0.7 * fade(long[j], 14.0) * left[j]))) * most
        left[j] = 1.0 - weak * (1.0 - paint)
    if appearance["missing"] > 0.0:
        whole, there = scanline["hue"], scanline["knot_there"]
        gaps = sections_of(surface.lengths[n], GAP_SECTION_M, s0)
        if fill_covered(there, scanline, row, gaps, True, first, last) > 0.0:
            interpolate_knots(whole, there, scanline, row, first, last)
            for j in range(first, last):
                left[j] *= whole[j]
    for j in range(first, last):
        lost[j] += mark[j] - left[j] * mark[j]
        mark[j] *= left[j]


@no_refcount
@float32_literals
def fill_wander(out, scanline, row, start, lane_of_tile, first, last):
    """Fill `out` with a number that goes to and fro along the road, mostly near its ends, -1 and 1."""
    u, v, slow, s = scanline["u"], scanline["v"], scanline["slow"], scanline["knot_s"]
    for k in range(row.knots):
        u[k], v[k] = start + WANDER_PER_M * s[k], lane_of_tile
    noise(slow, scanline, np.uint64(0), row.knots)
    for k in range(row.knots):
        slow[k] = min(max(2.6 * slow[k], -1.0), 1.0)
    interpolate_knots(out, slow, scanline, row, first, last)


@no_refcount
@float32_literals
def lay_ghost_lines(scanline, row, shortest, surface, appearance, first, last):
    """Lay old lines that cross the valid ones: the dark groove where they were milled off, and paint that was left in it.

    They lie between the first and the last column of the road.
    """
    lane, materials, strength = surface.lane, surface.materials, np.float32(appearance["ghost_lines"])
    sided, wide, wander, rub = scanline["sided"], scanline["wide"], scanline["hue"], scanline["fine"]
    grooves, left, at = scanline["cover"][GHOST_LINES], scanline["coarse"], surface.s0 + appearance["offset_x"]
    edge, line, broad = lane.lane_m + 0.5 * lane.line_m, lane.line_m, GROOVE_WIDTHS * lane.line_m
    groove, pale = GROOVE * strength, PALE * strength
    fill_wander(wander, scanline, row, wrapped(WANDER_PER_M * at), WANDER_LANES[0], first, last)
    pattern(rub, scanline, (3.1, 5.0), (wrapped(3.1 * at), np.float32(0.0)), 1.5, shortest, first, last)
    grooves[:] = 0.0
    for j in range(first, last):
        inwards = 0.7 * max(GHOST_SHIFT_M * wander[j], -0.1) - edge
        a, b, c = sided[j] - GHOST_SHIFT_M * wander[j], inwards + sided[j], inwards - sided[j]
        under = max(overlap(a, broad, wide[j]), max(overlap(b, broad, wide[j]), overlap(c, broad, wide[j])))
        over = max(overlap(a, line, wide[j]), max(overlap(b, line, wide[j]), overlap(c, line, wide[j])))
        grooves[j] = groove * (under / wide[j])
        left[j] = pale * (over / wide[j]) * clip(0.7 + 1.3 * rub[j])
    dark, grey = tinted(np.float32(0.5), materials.asphalt), mix(materials.asphalt, materials.paint, np.float32(0.75))
    blend(scanline, grooves, dark, dark, None, first, last)
    blend(scanline, left, grey, grey, None, first, last)


@no_refcount
@float32_literals
def lay_roadworks(scanline, row, surface, appearance, first, last):
    """Lay yellow lines, shifted together, over the white ones where the road is under works.

    They lie between the first and the last column of the road.
    """
    s, sided, wide, long = scanline["s"], scanline["sided"], scanline["wide"], scanline["long"]
    share, wander, works, paint = scanline["cover"][ROADWORKS], scanline["hue"], scanline["fine"], scanline["paint"]
    lane, white, s0, there = surface.lane, surface.materials.paint, surface.s0, scanline["knot_there"]
    edge, line = lane.lane_m + 0.5 * lane.line_m, 1.25 * lane.line_m
    share[:] = 0.0
    sections = sections_of(surface.lengths[3], WORKS_SECTION_M, s0)
    if fill_covered(there, scanline, row, sections, False, first, last) == 0.0:
        return
    start = wrapped(WANDER_PER_M * (s0 + appearance["offset_y"]))
    fill_wander(wander, scanline, row, start, WANDER_LANES[1], first, last)
    interpolate_knots(works, there, scanline, row, first, last)
    dash_m, period_m = 0.5 * lane.dash_m, 0.5 * lane.period_m
    for j in range(first, last):
        shift = SHIFT_M * wander[j]
        left, right = sided[j] - edge - min(shift, OUTWARDS_M), -sided[j] - edge - min(-shift, OUTWARDS_M)
        middle = overlap(sided[j] - shift, line, wide[j]) * pulse_share(s[j] + lane.dash_at, long[j], dash_m, period_m)
        covered = (overlap(left, line, wide[j]) + overlap(right, line, wide[j]) + middle) / wide[j]
        share[j] = min(covered, 1.0) * works[j]
        paint[j] = max(paint[j], share[j])
    yellow = (YELLOW[0] * white[0], YELLOW[1] * white[1], YELLOW[2] * white[2])
    blend(scanline, share, yellow, yellow, None, first, last)
