"""Lines on the road: the valid markings and what is left of them, old ones, and the yellow ones of road works.

A line is laid only in the columns where it is, and what changes slowly along the road is worked out at the nodes
(ground_row.py).
"""

from lanekeep_envs.condition import GAPS, WORKS, covered_length, fade, part_of, pattern, pulse_share
from lanekeep_envs.ground_row import columns_near, spread
from lanekeep_envs.kernel import borrowing, inlined
from lanekeep_envs.surface import clip01, overlap
from lanekeep_envs.texture import TILE, sample

SHIFT_M = 0.35  # at most, of the temporary lines


@borrowing
def distance_from_line(out, strip, ends, width):
    """Fill `out` where a line of this width may lie whose middle is `ends.aside` m beside the nodes; return the columns."""
    first, last = columns_near(ends.aside, ends.wide, width, ends.piece)
    spread(out, ends.aside, ends, first, last)
    return first, last


@borrowing
def lay_marking(mark, strip, ends, middle, lane):
    """Fill the share of a solid line whose middle is at this lateral position; return between which columns it lies."""
    aside, sided = ends.aside, ends.sided
    for k in range(aside.shape[0]):
        aside[k] = sided[k] - middle
    first, last = distance_from_line(mark, strip, ends, lane.line_m)
    fill_line(mark[first:last], strip.patches.wide[first:last], lane.line_m)
    return first, last


@borrowing
def fill_line(share, wide, width):
    """Turn distances from a line's middle into the shares that it covers."""
    for j in range(share.shape[0]):
        share[j] = overlap(share[j], width, wide[j]) / wide[j]


@borrowing
def add(share, more):
    """Add what another line covers."""
    for j in range(share.shape[0]):
        share[j] += more[j]


@borrowing
def dash(share, patches, dash_m, period_m):
    """Leave of a line its dashes."""
    s, long = patches.s, patches.long
    for j in range(share.shape[0]):
        share[j] *= pulse_share(s[j], long[j], dash_m, period_m)


@borrowing
def wear_marking(mark, lost, strip, patches, ends, first, last, gaps, s0, side, middle, condition):
    """Take from the share of a marking what is rubbed off or missing, and add that to `lost`."""
    slow, there, tile = ends.slow, ends.there, TILE
    offset_x, offset_y, worn = condition.offset_x, condition.offset_y, condition.worn
    for k in range(first // ends.piece, last // ends.piece + 1):
        s, long = ends.s[k], ends.long[k]
        rub = sample(tile, 0.35 * (s + offset_x), 31.0 * side + 0.2 * (middle + offset_y))
        slow[k] = 0.7 * fade(long, 14.0) * rub
        there[k] = 1.0 - covered_length(gaps, s, long, s0, GAPS)
    spread(strip.share, slow, ends, first, last)
    spread(strip.hue, there, ends, first, last)
    slowly, whole, rub = strip.share[first:last], strip.hue[first:last], strip.fine[first:last]
    pattern(rub, patches, 4.3, 4.3 * offset_x, 9.0, 9.0 * offset_y, 1.6)
    weak, most = min(6.0 * worn, 1.0), 1.0 - 0.35 * worn
    for j in range(mark.shape[0]):
        left = clip01(0.5 + 3.0 * (1.35 - 2.0 * worn + (0.9 * rub[j] + slowly[j]))) * most
        left = (1.0 - weak * (1.0 - left)) * whole[j]
        lost[j] += mark[j] - left * mark[j]
        mark[j] *= left


@inlined
def wandering(tile, x, lane_of_tile):
    """A number that goes slowly to and fro between -1 and 1, mostly near its ends."""
    return min(max(2.6 * sample(tile, 0.07 * x, lane_of_tile), -1.0), 1.0)


@borrowing
def wander_at_nodes(out, s, offset, lane_of_tile):
    """The same at every node."""
    tile = TILE
    for k in range(out.shape[0]):
        out[k] = wandering(tile, s[k] + offset, lane_of_tile)


@borrowing
def cover_with_ghost_lines(dark, pale, strip, ends, lane, condition):
    """Old lines that cross the valid ones: the dark groove where they were milled off, and paint that was left in it."""
    aside, sided, slow = ends.aside, ends.sided, ends.slow
    edge, line = lane.lane_m + 0.5 * lane.line_m, lane.line_m
    dark[:] = 0.0
    pale[:] = 0.0
    wander_at_nodes(slow, ends.s, condition.offset_x, 200.3)
    for n in range(3):
        side = (0.0, 1.0, -1.0)[n]
        for k in range(aside.shape[0]):
            inwards = 0.7 * max(0.9 * slow[k], -0.1)
            aside[k] = side * sided[k] - edge + inwards if n > 0 else sided[k] - 0.9 * slow[k]
        first, last = distance_from_line(strip.hue, strip, ends, 1.9 * line)
        patches, distance, rub = part_of(strip.patches, first, last), strip.hue[first:last], strip.fine[first:last]
        pattern(rub, patches, 3.1, 3.1 * condition.offset_x, 5.0, 0.0, 1.5)
        add_ghost_line(dark[first:last], pale[first:last], distance, patches.wide, rub, line, condition.ghost_lines)


@borrowing
def add_ghost_line(dark, pale, distance, wide, rub, line, strength):
    """Add one line, its shares where others cover less."""
    for j in range(dark.shape[0]):
        groove = overlap(distance[j], 1.9 * line, wide[j]) / wide[j]
        dark[j] = max(dark[j], 0.4 * strength * groove)
    for j in range(pale.shape[0]):
        left = overlap(distance[j], line, wide[j]) / wide[j]
        pale[j] = max(pale[j], 0.75 * strength * left * clip01(0.7 + 1.3 * rub[j]))


@borrowing
def cover_with_roadworks(share, strip, ends, works, s0, lane, condition):
    """Yellow lines, shifted together, where the table `works` says."""
    aside, sided, slow, there = ends.aside, ends.sided, ends.slow, ends.there
    edge, line, distance = lane.lane_m + 0.5 * lane.line_m, 1.25 * lane.line_m, strip.hue
    share[:] = 0.0
    most = 0.0
    for k in range(there.shape[0]):
        there[k] = covered_length(works, ends.s[k], ends.long[k], s0, WORKS)
        most = max(most, there[k])
    if most == 0.0:
        return
    wander_at_nodes(slow, ends.s, condition.offset_y, 120.6)
    for n in range(3):
        side = (1.0, -1.0, 0.0)[n]
        for k in range(aside.shape[0]):
            out = min(side * SHIFT_M * slow[k], 0.1)  # not out on the shoulder
            aside[k] = side * sided[k] - edge - out if n < 2 else sided[k] - SHIFT_M * slow[k]
        first, last = distance_from_line(distance, strip, ends, line)
        covered = distance[first:last]
        fill_line(covered, strip.patches.wide[first:last], line)
        if n == 2:
            dash(covered, part_of(strip.patches, first, last), 0.5 * lane.dash_m, 0.5 * lane.period_m)
        add(share[first:last], covered)
    spread(distance, there, ends, 0, share.shape[0])
    for j in range(share.shape[0]):
        share[j] = min(share[j], 1.0) * distance[j]
