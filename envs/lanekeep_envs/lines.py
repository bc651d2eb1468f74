"""Lines on the road: the valid markings and what is left of them, old ones, and the yellow ones of road works.

A line is laid only in the columns where it is, and what changes slowly along the road is worked out at the nodes
(ground_row.py).
"""

import numpy as np

from lanekeep_envs.condition import GAPS, GHOST_LINES, ROADWORKS, WEAR, WORKS, blend, covered_length
from lanekeep_envs.ground_row import NODES, PATCH, columns_near, lay_winding_line, noise, pattern, spread
from lanekeep_envs.kernel import borrowing, single_precision
from lanekeep_envs.surface import clip, fade, mix, overlap, pulse_share, rgb, tinted
from lanekeep_envs.texture import wrapped

SHIFT_M = np.float32(0.35)  # at most, of the temporary lines


@borrowing
@single_precision
def lay_markings(strip, row, shortest, lane, materials, look, condition):
    """The valid markings; as far as they are left, unless `condition` is None."""
    paint, edge, mirror = strip["paint"], lane.lane_m + 0.5 * lane.line_m, np.float32(look["mirror"])
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
                wear_marking(mark, strip, row, shortest, n, side, middle, condition, first, last)
        for j in range(first, last):
            paint[j] += mark[j]
    blend(strip, paint, materials.paint, materials.paint, None, min(begin, end), end)
    if look["own_paint"]:
        tint_markings(strip, look, materials.paint, min(begin, end), end)


@borrowing
@single_precision
def tint_markings(strip, look, paint, first, last):
    """Turn the paint of every marking into its own; another that shares a pixel with it stays to the last bit."""
    owns = (
        rgb(look["centre_paint_r"], look["centre_paint_g"], look["centre_paint_b"]),
        rgb(look["left_paint_r"], look["left_paint_g"], look["left_paint_b"]),
        rgb(look["right_paint_r"], look["right_paint_g"], look["right_paint_b"]),
    )
    red, green, blue = strip["red"], strip["green"], strip["blue"]
    for n in range(3):
        own, mark = owns[n], strip["mark"][n]
        for j in range(first, last):
            red[j] += mark[j] * (own[0] - paint[0])
            green[j] += mark[j] * (own[1] - paint[1])
            blue[j] += mark[j] * (own[2] - paint[2])


@borrowing
@single_precision
def lay_line(out, strip, middle, width, first, last):
    """Fill the share of a solid line whose middle is at this lateral position."""
    sided, wide = strip["sided"], strip["wide"]
    for j in range(first, last):
        out[j] = overlap(sided[j] - middle, width, wide[j]) / wide[j]


@borrowing
@single_precision
def dash(share, strip, start, dash_m, period_m, first, last):
    """Leave of a line its dashes, of which one begins `start` m before the axis."""
    s, long = strip["s"], strip["long"]
    for j in range(first, last):
        share[j] *= pulse_share(s[j] + start, long[j], dash_m, period_m)


@borrowing
@single_precision
def wear_marking(mark, strip, row, shortest, n, side, middle, condition, first, last):
    """Take from the share of a marking what is rubbed off or missing, and add that to `lost`."""
    offset_x, offset_y, worn, lengths = condition.offset_x, condition.offset_y, condition.worn, condition.lengths[n]
    slow, there, slowly, whole = strip["node_aside"], strip["node_there"], strip["share"], strip["hue"]
    rub, lost = strip["fine"], strip["cover"][WEAR]
    if first == last:
        return
    u, v, at, beside = strip["u"], strip["v"], wrapped(0.35 * (condition.s0 + offset_x)), wrapped(0.2 * offset_y)
    for k in range(NODES):
        u[k], v[k] = at + 0.35 * strip["node_s"][k], beside + (31.0 * side + 0.2 * middle)
    noise(slow, strip, np.uint64(0), np.uint64(NODES))
    for k in range(int(first) // row.piece, int(last) // row.piece + 1):
        s, long = condition.s0 + strip["node_s"][k], strip["node_long"][k]
        slow[k] *= 0.7 * fade(long, 14.0)
        there[k] = 1.0 - covered_length(lengths, s, long, condition.s0, GAPS)
    spread(slowly, slow, strip, row, first, last)
    spread(whole, there, strip, row, first, last)
    start, aside = wrapped(4.3 * (condition.s0 + offset_x)), wrapped(9.0 * offset_y)
    pattern(rub, strip, 4.3, start, 9.0, aside, 1.6, shortest, first, last)
    weak, most = min(6.0 * worn, 1.0), 1.0 - 0.35 * worn
    for j in range(first, last):
        left = clip(0.5 + 3.0 * (1.35 - 2.0 * worn + (0.9 * rub[j] + slowly[j]))) * most
        left = (1.0 - weak * (1.0 - left)) * whole[j]
        lost[j] += mark[j] - left * mark[j]
        mark[j] *= left


@borrowing
@single_precision
def wander_at_nodes(strip, start, lane_of_tile):
    """Fill `slow` at the nodes with a number that goes to and fro along the road, mostly near its ends, -1 and 1."""
    u, v, out, s = strip["u"], strip["v"], strip["slow"], strip["node_s"]
    for k in range(NODES):
        u[k], v[k] = start + 0.07 * s[k], lane_of_tile
    noise(out, strip, np.uint64(0), np.uint64(NODES))
    for k in range(NODES):
        out[k] = min(max(2.6 * out[k], -1.0), 1.0)


@borrowing
@single_precision
def lay_ghost_lines(strip, row, shortest, lane, materials, condition):
    """Old lines that cross the valid ones: the dark groove where they were milled off, and paint that was left in it."""
    aside, sided, slow, grooves, left = (
        strip["node_aside"], strip["node_sided"], strip["slow"], strip["cover"][GHOST_LINES], strip["coarse"],
    )  # fmt: skip
    distance, wide, rub = strip["hue"], strip["wide"], strip["fine"]
    edge, line, begin, end = lane.lane_m + 0.5 * lane.line_m, lane.line_m, np.uint64(PATCH), np.uint64(0)
    groove, pale = 0.4 * condition.ghost_lines, 0.75 * condition.ghost_lines
    grooves[:] = 0.0
    left[:] = 0.0
    wander_at_nodes(strip, wrapped(0.07 * (condition.s0 + condition.offset_x)), np.float32(200.3))
    start = wrapped(3.1 * (condition.s0 + condition.offset_x))
    for n in range(3):
        side = (0.0, 1.0, -1.0)[n]
        for k in range(NODES):
            inwards = 0.7 * max(0.9 * slow[k], -0.1)
            aside[k] = side * sided[k] - edge + inwards if n > 0 else sided[k] - 0.9 * slow[k]
        first, last = columns_near(aside, strip["node_wide"], np.float32(0.0), 1.9 * line, row)
        if first == last:
            continue
        begin, end = min(begin, first), max(end, last)
        spread(distance, aside, strip, row, first, last)
        pattern(rub, strip, 3.1, start, 5.0, np.float32(0.0), 1.5, shortest, first, last)
        for j in range(first, last):
            grooves[j] = max(grooves[j], groove * (overlap(distance[j], 1.9 * line, wide[j]) / wide[j]))
            share = pale * (overlap(distance[j], line, wide[j]) / wide[j])
            left[j] = max(left[j], share * clip(0.7 + 1.3 * rub[j]))
    dark, grey = tinted(np.float32(0.5), materials.asphalt), mix(materials.asphalt, materials.paint, np.float32(0.75))
    blend(strip, grooves, dark, dark, None, min(begin, end), end)
    blend(strip, left, grey, grey, None, min(begin, end), end)


@borrowing
@single_precision
def lay_roadworks(strip, row, lane, materials, condition):
    """Yellow lines, shifted together, over the white ones where the road is under works."""
    aside, sided, slow, there = strip["node_aside"], strip["node_sided"], strip["slow"], strip["node_there"]
    edge, line, share, more = (
        lane.lane_m + 0.5 * lane.line_m,
        1.25 * lane.line_m,
        strip["cover"][ROADWORKS],
        strip["hue"],
    )
    share[:] = 0.0
    most, begin, end = 0.0, np.uint64(PATCH), np.uint64(0)
    for k in range(row.pieces + 1):
        s, long = condition.s0 + strip["node_s"][k], strip["node_long"][k]
        there[k] = covered_length(condition.lengths[3], s, long, condition.s0, WORKS)
        most = max(most, there[k])
    if most == 0.0:
        return
    wander_at_nodes(strip, wrapped(0.07 * (condition.s0 + condition.offset_y)), np.float32(120.6))
    for n in range(3):
        side = (1.0, -1.0, 0.0)[n]
        for k in range(NODES):
            out = min(side * SHIFT_M * slow[k], 0.1)  # not out on the shoulder
            aside[k] = side * sided[k] - edge - out if n < 2 else sided[k] - SHIFT_M * slow[k]
        first, last = lay_winding_line(more, strip, row, line)
        begin, end = min(begin, first), max(end, last)
        if n == 2:
            period_m = 0.5 * lane.period_m
            dash(more, strip, lane.dash_at, 0.5 * lane.dash_m, period_m, first, last)
        for j in range(first, last):
            share[j] += more[j]
    begin = min(begin, end)
    spread(more, there, strip, row, begin, end)
    white, paint = materials.paint, strip["paint"]
    for j in range(begin, end):
        share[j] = min(share[j], 1.0) * more[j]
        paint[j] = max(paint[j], share[j])
    yellow = (0.98 * white[0], 0.72 * white[1], 0.10 * white[2])
    blend(strip, share, yellow, yellow, None, begin, end)
