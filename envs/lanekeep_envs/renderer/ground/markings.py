"""Lines on the road: the valid markings and what is left of them, old ones, and the yellow ones of road works.

A line is laid only in the columns where it is, and what changes slowly along the road is worked out at the nodes
(ground_row.py).
"""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.renderer.ground.conditions import (
    FAR_M,
    GAPS,
    GHOST_LINES,
    ROADWORKS,
    WEAR,
    WORKS,
    blend,
    covered_length,
    length_before,
)
from lanekeep_envs.renderer.ground.cross_section import clip, fade, mix, overlap, pulse_share, rgb, tinted
from lanekeep_envs.renderer.ground.scanline import PATCH, columns_near, noise, pattern, spread

SHIFT_M = np.float32(0.35)  # at most, of the temporary lines


@no_refcount
@float32_literals
def lay_markings(strip, row, shortest, lane, materials, appearance, condition):
    """The valid markings; as far as they are left, unless `condition` is None."""
    paint, edge, mirror = strip["paint"], lane.lane_m + 0.5 * lane.line_m, np.float32(appearance["mirror"])
    middles = (lane.centre_shift, edge + lane.left_shift, lane.right_shift - edge)
    there, begin, end = (lane.centre, lane.left, lane.right), np.uint64(PATCH), np.uint64(0)
    paint[:] = 0.0
    strip["line"][:] = 0.0
    strip["mark"][:] = 0.0
    if condition is not None:
        strip["cover"][WEAR, :] = 0.0
    for n in (1, 2, 0):  # what lies on both sides first: the sum is the same in a mirrored world
        if there[n] == 0.0:
            continue
        middle, line, mark = mirror * middles[n], strip["line"][n], strip["mark"][n]
        first, last = columns_near(strip["node_sided"], strip["node_wide"], middle, lane.line_m, row)
        begin, end = min(begin, first), max(end, last)
        lay_line(line, strip, middle, lane.line_m, first, last)
        if n == 0:
            dash(line, strip, lane.dash_at, lane.dash_m, lane.period_m, first, last)
        for j in range(first, last):
            mark[j] = line[j]
        if condition is not None:
            if condition.worn > 0.0 or condition.missing > 0.0:
                side = mirror * (0.0, 1.0, -1.0)[n]
                wear_marking(strip, row, shortest, n, side, middle, condition, first, last)
        for j in range(first, last):
            paint[j] += mark[j]
    blend(strip, paint, materials.paint, materials.paint, None, min(begin, end), end)
    if appearance["own_paint"]:
        tint_markings(strip, appearance, materials.paint, min(begin, end), end)


@no_refcount
@float32_literals
def tint_markings(strip, appearance, paint, first, last):
    """Turn the paint of every marking into its own; another that shares a pixel with it stays to the last bit."""
    owns = (
        rgb(appearance["centre_paint_r"], appearance["centre_paint_g"], appearance["centre_paint_b"]),
        rgb(appearance["left_paint_r"], appearance["left_paint_g"], appearance["left_paint_b"]),
        rgb(appearance["right_paint_r"], appearance["right_paint_g"], appearance["right_paint_b"]),
    )
    mark = strip["mark"]
    for c in range(3):
        line, turns = (strip["red"], strip["green"], strip["blue"])[c], (
            owns[0][c] - paint[c], owns[1][c] - paint[c], owns[2][c] - paint[c],
        )  # fmt: skip
        for j in range(first, last):  # what lies on both sides first, as above
            line[j] += (mark[1, j] * turns[1] + mark[2, j] * turns[2]) + mark[0, j] * turns[0]


@no_refcount
@float32_literals
def lay_line(out, strip, middle, width, first, last):
    """Fill the share of a solid line whose middle is at this lateral position."""
    sided, wide = strip["sided"], strip["wide"]
    for j in range(first, last):
        out[j] = overlap(sided[j] - middle, width, wide[j]) / wide[j]


@no_refcount
@float32_literals
def dash(share, strip, start, dash_m, period_m, first, last):
    """Leave of a line its dashes, of which one begins `start` m before the axis."""
    s, long = strip["s"], strip["long"]
    for j in range(first, last):
        share[j] *= pulse_share(s[j] + start, long[j], dash_m, period_m)


@no_refcount
def fill_covered(there, strip, row, table, s0, section_m, rest, first, last):
    """Fill in the share of each node's patch that the table covers (condition.py), or the `rest`; return the greatest."""
    s, long, origin_m = strip["node_s"], strip["node_long"], np.floor(s0 / section_m) * section_m
    begin, end, low, high = int(first) // row.piece, int(last) // row.piece + 1, FAR_M, -FAR_M
    for k in range(begin, end):
        middle, half = np.float64(s[k]), 0.5 * np.float64(long[k])
        low, high = min(low, middle - half), max(high, middle + half)
    # most rows lie within one length, but for rounding, or between two: no need to look for each node
    covered = length_before(table, s0 + high, origin_m, section_m) - length_before(table, s0 + low, origin_m, section_m)
    alike, most = covered <= 0.0 or covered >= high - low - 1e-9, 0.0
    for k in range(begin, end):
        share = 1.0 if covered > 0.0 else 0.0
        if not alike:
            share = covered_length(table, s0 + s[k], long[k], s0, section_m)
        there[k], most = 1.0 - share if rest else share, max(most, share)
    return most


@no_refcount
@float32_literals
def wear_marking(strip, row, shortest, n, side, middle, condition, first, last):
    """Take from the share of a marking what is rubbed off or missing, and add that to `lost`."""
    if first == last:
        return
    offset_x, offset_y, worn, s0 = condition.offset_x, condition.offset_y, condition.worn, condition.s0
    u, v, s, long, left, mark = strip["u"], strip["v"], strip["s"], strip["long"], strip["share"], strip["mark"][n]
    start, beside = wrapped(0.35 * (s0 + offset_x)), wrapped(0.2 * offset_y) + (31.0 * side + 0.2 * middle)
    for j in range(first, last):
        u[j], v[j] = start + 0.35 * s[j], beside
    noise(left, strip, first, last)
    rub, lost, whole, there = strip["fine"], strip["cover"][WEAR], strip["hue"], strip["node_there"]
    start, beside = wrapped(4.3 * (s0 + offset_x)), wrapped(9.0 * offset_y)
    pattern(rub, strip, 4.3, start, 9.0, beside, 1.6, shortest, first, last)
    weak, most = min(6.0 * worn, 1.0), 1.0 - 0.35 * worn
    for j in range(first, last):
        paint = clip(0.5 + 3.0 * (1.35 - 2.0 * worn + (0.9 * rub[j] + 0.7 * fade(long[j], 14.0) * left[j]))) * most
        left[j] = 1.0 - weak * (1.0 - paint)
    if condition.missing > 0.0:
        if fill_covered(there, strip, row, condition.lengths[n], s0, GAPS, True, first, last) > 0.0:
            spread(whole, there, strip, row, first, last)
            for j in range(first, last):
                left[j] *= whole[j]
    for j in range(first, last):
        lost[j] += mark[j] - left[j] * mark[j]
        mark[j] *= left[j]


@no_refcount
@float32_literals
def fill_wander(out, strip, row, start, lane_of_tile, first, last):
    """Fill `out` with a number that goes to and fro along the road, mostly near its ends, -1 and 1."""
    u, v, slow, s = strip["u"], strip["v"], strip["slow"], strip["node_s"]
    for k in range(row.nodes):
        u[k], v[k] = start + 0.07 * s[k], lane_of_tile
    noise(slow, strip, np.uint64(0), row.nodes)
    for k in range(row.nodes):
        slow[k] = min(max(2.6 * slow[k], -1.0), 1.0)
    spread(out, slow, strip, row, first, last)


@no_refcount
@float32_literals
def lay_ghost_lines(strip, row, shortest, lane, materials, condition, first, last):
    """Old lines that cross the valid ones: the dark groove where they were milled off, and paint that was left in it.

    This and the next lie between the first and the last column of the road.
    """
    sided, wide, wander, rub = strip["sided"], strip["wide"], strip["hue"], strip["fine"]
    grooves, left, at = strip["cover"][GHOST_LINES], strip["coarse"], condition.s0 + condition.offset_x
    edge, line, broad = lane.lane_m + 0.5 * lane.line_m, lane.line_m, 1.9 * lane.line_m
    groove, pale = 0.4 * condition.ghost_lines, 0.75 * condition.ghost_lines
    fill_wander(wander, strip, row, wrapped(0.07 * at), np.float32(200.3), first, last)
    pattern(rub, strip, 3.1, wrapped(3.1 * at), 5.0, np.float32(0.0), 1.5, shortest, first, last)
    grooves[:] = 0.0
    for j in range(first, last):
        inwards = 0.7 * max(0.9 * wander[j], -0.1) - edge
        a, b, c = sided[j] - 0.9 * wander[j], inwards + sided[j], inwards - sided[j]
        under = max(overlap(a, broad, wide[j]), max(overlap(b, broad, wide[j]), overlap(c, broad, wide[j])))
        over = max(overlap(a, line, wide[j]), max(overlap(b, line, wide[j]), overlap(c, line, wide[j])))
        grooves[j] = groove * (under / wide[j])
        left[j] = pale * (over / wide[j]) * clip(0.7 + 1.3 * rub[j])
    dark, grey = tinted(np.float32(0.5), materials.asphalt), mix(materials.asphalt, materials.paint, np.float32(0.75))
    blend(strip, grooves, dark, dark, None, first, last)
    blend(strip, left, grey, grey, None, first, last)


@no_refcount
@float32_literals
def lay_roadworks(strip, row, lane, materials, condition, first, last):
    """Yellow lines, shifted together, over the white ones where the road is under works."""
    s, sided, wide, long, there = strip["s"], strip["sided"], strip["wide"], strip["long"], strip["node_there"]
    share, wander, works, paint = strip["cover"][ROADWORKS], strip["hue"], strip["fine"], strip["paint"]
    edge, line, s0 = lane.lane_m + 0.5 * lane.line_m, 1.25 * lane.line_m, condition.s0
    share[:] = 0.0
    if fill_covered(there, strip, row, condition.lengths[3], s0, WORKS, False, first, last) == 0.0:
        return
    fill_wander(wander, strip, row, wrapped(0.07 * (s0 + condition.offset_y)), np.float32(120.6), first, last)
    spread(works, there, strip, row, first, last)
    dash_m, period_m = 0.5 * lane.dash_m, 0.5 * lane.period_m
    for j in range(first, last):
        shift = SHIFT_M * wander[j]
        left, right = sided[j] - edge - min(shift, 0.1), -sided[j] - edge - min(-shift, 0.1)  # not out on the shoulder
        middle = overlap(sided[j] - shift, line, wide[j]) * pulse_share(s[j] + lane.dash_at, long[j], dash_m, period_m)
        covered = (overlap(left, line, wide[j]) + overlap(right, line, wide[j]) + middle) / wide[j]
        share[j] = min(covered, 1.0) * works[j]
        paint[j] = max(paint[j], share[j])
    white = materials.paint
    yellow = (0.98 * white[0], 0.72 * white[1], 0.10 * white[2])
    blend(strip, share, yellow, yellow, None, first, last)
