"""Lines on the road: the valid markings and what is left of them, old ones, and the yellow ones of road works."""

from lanekeep_envs.condition import GAPS, WORKS, covered_length, fade, pulse_share
from lanekeep_envs.kernel import inlined, kernel
from lanekeep_envs.surface import clip01, overlap, painted_m
from lanekeep_envs.texture import TILE, sample

SHIFT_M = 0.35  # at most, of the temporary lines


@kernel
def centre_marking(out, patches, lane, shift):
    """Share of the dashed line, shifted by so much of `sided`."""
    s, sided, wide, long = patches.s, patches.sided, patches.wide, patches.long
    for j in range(out.shape[0]):
        dashes = (painted_m(s[j] + 0.5 * long[j], lane) - painted_m(s[j] - 0.5 * long[j], lane)) / long[j]
        out[j] = lane.centre * overlap(sided[j] - shift, lane.line_m, wide[j]) * (1.0 / wide[j]) * dashes


@kernel
def edge_marking(out, patches, lane, side, there, shift):
    """Share of the solid line at this side (1 or -1 of `sided`), shifted outwards; `there` is 0 where it was removed."""
    sided, wide = patches.sided, patches.wide
    edge = lane.lane_m + 0.5 * lane.line_m
    for j in range(out.shape[0]):
        out[j] = there * overlap(side * sided[j] - shift - edge, lane.line_m, wide[j]) * (1.0 / wide[j])


@kernel
def wear_marking(mark, lost, patches, gaps, s0, row, condition):
    """Take from the share `mark` of a marking what is rubbed off or missing, and add that to `lost`."""
    s, sided, long, tile = patches.s, patches.sided, patches.long, TILE
    for j in range(mark.shape[0]):
        if mark[j] > 0.0:
            x, y = s[j] + condition.offset_x, sided[j] + condition.offset_y
            rub = 0.9 * fade(long[j], 1.6) * sample(tile, 4.3 * x, 9.0 * y)
            rub += 0.7 * fade(long[j], 14.0) * sample(tile, 0.35 * x, 31.0 * row + 0.2 * y)
            left = clip01(0.5 + 3.0 * (1.35 - 2.0 * condition.worn + rub)) * (1.0 - 0.35 * condition.worn)
            left = 1.0 - min(6.0 * condition.worn, 1.0) * (1.0 - left)
            left *= 1.0 - covered_length(gaps, s[j], long[j], s0, GAPS)
            lost[j] += mark[j] - left * mark[j]
            mark[j] *= left


@inlined
def wandering(tile, x, lane_of_tile):
    """A number that goes slowly to and fro between -1 and 1, mostly near its ends."""
    return min(max(2.6 * sample(tile, 0.07 * x, lane_of_tile), -1.0), 1.0)


@kernel
def cover_with_ghost_lines(dark, pale, patches, lane, condition):
    """Old lines that cross the valid ones: the dark groove where they were milled off, and paint that was left in it."""
    s, sided, wide, long, tile = patches.s, patches.sided, patches.wide, patches.long, TILE
    edge, line = lane.lane_m + 0.5 * lane.line_m, lane.line_m
    for j in range(dark.shape[0]):
        x = s[j] + condition.offset_x
        off = 0.9 * wandering(tile, x, 200.3)
        centre, side = sided[j] - off, abs(sided[j]) - edge + 0.7 * max(off, -0.1)
        rub = 0.7 + 1.3 * fade(long[j], 1.5) * sample(tile, 3.1 * x, 5.0 * sided[j])
        groove = max(overlap(centre, 1.9 * line, wide[j]), overlap(side, 1.9 * line, wide[j])) / wide[j]
        left = max(overlap(centre, line, wide[j]), overlap(side, line, wide[j])) / wide[j]
        dark[j] = 0.4 * condition.ghost_lines * groove
        pale[j] = 0.75 * condition.ghost_lines * left * clip01(rub)


@kernel
def cover_with_roadworks(share, patches, lane, works, s0, condition):
    """Yellow lines, shifted together, where the table `works` says."""
    s, sided, wide, long, tile = patches.s, patches.sided, patches.wide, patches.long, TILE
    edge, line = lane.lane_m + 0.5 * lane.line_m, 1.25 * lane.line_m
    for j in range(share.shape[0]):
        shift = SHIFT_M * wandering(tile, s[j] + condition.offset_y, 120.6)
        dashes = pulse_share(s[j], long[j], 0.5 * lane.dash_m, 0.5 * lane.period_m)
        centre = overlap(sided[j] - shift, line, wide[j]) * dashes
        beside = overlap(sided[j] - edge - min(shift, 0.1), line, wide[j])  # not out on the shoulder
        beside += overlap(-sided[j] - edge - min(-shift, 0.1), line, wide[j])
        share[j] = (centre + beside) / wide[j]
    for j in range(share.shape[0]):
        if share[j] > 0.0:
            share[j] = min(share[j], 1.0) * covered_length(works, s[j], long[j], s0, WORKS)
