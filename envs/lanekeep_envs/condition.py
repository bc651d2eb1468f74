"""State of road and markings: worn and missing paint, seams, old and temporary lines, water, snow, leaves, cobbles.

Every condition is a share of a patch of ground (surface.py) that it covers, for the pixels of an image row at once, so that
only those that an episode has are computed.  Where a condition lies is a function of the place on the road: the noise tile
for what grows in patches (a threshold that moves with the strength), a hash for what comes in lengths (`Lengths`).  Patterns
finer than a patch fade into their mean.

Left and right enter only as `sided`, the lateral position in the unmirrored world.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.elements import Element
from lanekeep_envs.kernel import inlined, kernel
from lanekeep_envs.surface import clip01, overlap, painted_m
from lanekeep_envs.texture import TILE, hash32, sample, texel

CONCRETE, COBBLES = 1, 2  # of look.SURFACES
COVERS = tuple(  # elements of the rows of `cover`
    int(Element[name]) for name in ("WEAR", "SEAMS", "GHOST_LINES", "ROADWORKS", "WATER", "LEAVES", "SNOW")
)
WEAR, SEAMS, GHOST_LINES, ROADWORKS, WATER, LEAVES, SNOW = range(7)
TRACK_M, TRACK_WIDTH_M = 0.8, 0.34  # of a wheel track: from the middle of the lane, and half its width
GAPS, WORKS, SEAM_M, JOINT_M, STONE_M = 12.0, 40.0, 23.0, 5.0, (0.16, 0.20)
LEAF_FADE_M = 0.35  # extent of a patch in which single leaves begin to merge
SHIFT_M = 0.35  # at most, of the temporary lines
FAR_M = 1e6
LENGTHS = 24  # sections of road that a table of `lay_lengths` knows


class Condition(NamedTuple):
    """Strengths of a `LOOK` and where its patterns lie."""

    worn: float
    missing: float
    seams: float
    ghost_lines: float
    roadworks: float
    wet: float
    puddles: float
    snow: float
    leaves: float
    night: float
    kind: int
    mirror: float
    offset_x: float
    offset_y: float
    seed: int


class Patches(NamedTuple):
    """The patches of ground that the pixels of an image row cover, arrays [W]."""

    s: NDArray[np.float64]  # along the road [m]
    sided: NDArray[np.float64]  # lateral position, positive left in the unmirrored world [m]
    wide: NDArray[np.float64]  # extent across the road [m]
    long: NDArray[np.float64]  # and along it
    stain: NDArray[np.float64]  # slow texture


@inlined
def part_of(patches, first, last):
    """Some of the patches."""
    return Patches(
        patches.s[first:last],
        patches.sided[first:last],
        patches.wide[first:last],
        patches.long[first:last],
        patches.stain[first:last],
    )


@inlined
def condition_of(look):
    """Condition of a `LOOK`."""
    return Condition(
        look["worn"],
        look["missing"],
        look["seams"],
        look["ghost_lines"],
        look["roadworks"],
        look["wet"],
        look["puddles"],
        look["snow"],
        look["leaves"],
        look["night"],
        look["surface_kind"],
        look["mirror"],
        look["offset_x"],
        look["offset_y"],
        look["noise_seed"],
    )


# ---- lengths of road: gone, or under works ------------------------------------------------------------------------------


@kernel
def lay_lengths(table, s0, section_m, share, salt, seed):
    """Fill table [3, LENGTHS] for the sections of road from `s0` on: covered length before, its beginning and end in them.

    A `share` of the whole length is covered, by hash: some sections all, some not at all, few in part.
    """
    first, before = int(np.floor(s0 / section_m)), 0.0
    for k in range(table.shape[1]):
        bits = hash32(first + k, salt, 7, seed)
        length = section_m * clip01(20.0 * (1.05 * share - (bits & 0xFFFF) / 65536.0))
        table[0, k], table[1, k] = before, (section_m - length) * ((bits >> 16) / 65536.0)
        table[2, k] = table[1, k] + length
        before += length
    table[1, k], table[2, k] = 0.0, FAR_M if share > 0.5 else 0.0  # nobody sees what is beyond


@inlined
def length_before(table, s, origin_m, section_m):
    """Covered length of road between the table's origin and s."""
    ahead = s - origin_m
    k = int(min(max(np.floor(ahead / section_m), 0.0), table.shape[1] - 1.0))
    return table[0, k] + (min(max(ahead - k * section_m, table[1, k]), table[2, k]) - table[1, k])


@inlined
def covered_length(table, s, long, s0, section_m):
    """Share of a patch's length that the table covers."""
    origin_m = np.floor(s0 / section_m) * section_m
    covered = length_before(table, s + 0.5 * long, origin_m, section_m)
    return clip01((covered - length_before(table, s - 0.5 * long, origin_m, section_m)) / long)


# ---- shares of a row ----------------------------------------------------------------------------------------------------


@inlined
def fade(extent, grain_m):
    """Strength of a pattern with this grain in a patch of this extent."""
    return clip01(1.5 - extent / grain_m)


@inlined
def uniform(tile, i, j):
    """A number between 0 and 1 for a whole place (i, j): texels far apart."""
    return clip01(0.5 + 0.85 * texel(tile, 61.0 * i + 29.0 * j, 83.0 * j - 17.0 * i))


@inlined
def pulses_m(x, on_m, period_m):
    """Length of pulses between 0 and x; one begins at every multiple of the period."""
    cycles = np.floor(x / period_m)
    return cycles * on_m + min(x - cycles * period_m, on_m)


@inlined
def pulse_share(x, extent, on_m, period_m):
    """Share of pulses in [x - extent/2, x + extent/2]."""
    return (pulses_m(x + 0.5 * extent, on_m, period_m) - pulses_m(x - 0.5 * extent, on_m, period_m)) / extent


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


@kernel
def cover_with_seams(share, patches, lane, condition):
    """Tar: one line wanders along between the lanes and one crosses now and then; on concrete, joints every few metres."""
    s, sided, wide, long, tile = patches.s, patches.sided, patches.wide, patches.long, TILE
    if condition.kind == CONCRETE:
        for j in range(share.shape[0]):
            paved = clip01(0.5 - (abs(sided[j]) - lane.edge_m) / wide[j])
            across = pulse_share(s[j] + 0.5, long[j], 0.035, JOINT_M)
            beside = overlap(sided[j] - 0.15, 0.03, wide[j]) / wide[j]
            share[j] = paved * max(across, beside) * min(2.0 * condition.seams, 1.0)
        return
    for j in range(share.shape[0]):
        paved = clip01(0.5 - (abs(sided[j]) - lane.edge_m) / wide[j])
        x = s[j] + condition.offset_y
        wander = sample(tile, 0.21 * x, 40.7) + 0.25 * fade(long[j], 2.0) * sample(tile, 2.7 * x, 77.2)
        along = overlap(sided[j] - 0.30 - 0.28 * wander, 0.055, wide[j])
        along += overlap(sided[j] + 0.5 * lane.lane_m + 0.6 * wander, 0.04, wide[j])
        cell = np.floor(x / SEAM_M)
        place = SEAM_M * (cell + 0.1 + 0.8 * uniform(tile, cell, 5.0))
        bent = x - place - 0.18 * sample(tile, 1.3 * sided[j], 13.0 * cell)
        share[j] = paved * min(along / wide[j] + overlap(bent, 0.07, long[j]) / long[j], 1.0) * condition.seams


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


@inlined
def off_track(sided, lane):
    """Distance from the nearest wheel track [m]."""
    return abs(abs(abs(sided) - 0.5 * lane.lane_m) - TRACK_M)


@kernel
def cover_with_puddles(share, patches, lane, condition):
    """Standing water, first in the wheel tracks and at the edges of the road."""
    s, sided, wide, long, tile = patches.s, patches.sided, patches.wide, patches.long, TILE
    strength = min(8.0 * condition.puddles, 1.0)
    for j in range(share.shape[0]):
        paved = clip01(0.5 - (abs(sided[j]) - lane.edge_m) / wide[j])
        hollow = max(clip01(1.0 - 1.6 * off_track(sided[j], lane)), clip01(1.0 - (lane.edge_m - abs(sided[j])) * 1.4))
        deep = 0.35 * hollow - sample(tile, 1.1 * s[j] + condition.offset_y, 2.3 * sided[j] + condition.offset_x)
        detail, far = fade(long[j], 5.0), 0.3 * condition.puddles * condition.puddles
        patch = clip01((deep - 1.0 + 0.72 * condition.puddles) * (1.0 / (0.08 + 0.05 * long[j])))
        share[j] = paved * strength * (far + detail * (patch - far))


@kernel
def cover_with_leaves(share, hue, patches, lane, condition):
    """Single leaves in cells of the ground, most where the wind lays them, along the edges; `hue` is 0 to 1 for each."""
    s, sided, wide, long, tile = patches.s, patches.sided, patches.wide, patches.long, TILE
    cell_m, leaf_m = 0.17, 0.10
    for j in range(share.shape[0]):
        beyond = abs(sided[j]) - lane.edge_m
        here = 0.16 + 0.84 * clip01(1.25 - abs(beyond) * 0.8) + 0.25 * clip01(beyond * 2.0)
        share[j] = min(condition.leaves * here * clip01(0.75 + 0.9 * patches.stain[j]), 1.0)
        hue[j] = 0.5
    if np.min(long) > 1.5 * LEAF_FADE_M:  # too far for single leaves
        for j in range(share.shape[0]):
            share[j] *= 0.35
        return
    for j in range(share.shape[0]):
        crowd = share[j]
        u, v = np.floor(s[j] / cell_m), np.floor(sided[j] / cell_m)
        draw = uniform(tile, u, v)
        half, turn = 0.5 * leaf_m, uniform(tile, v, u)
        along, across = s[j] - cell_m * (u + 0.35 + 0.3 * turn), sided[j] - cell_m * (v + 0.65 - 0.3 * draw)
        across, along = across + (turn - 0.5) * along, along - (turn - 0.5) * across
        deep, broad = half + 0.3 * long[j], half * (0.6 + 0.4 * turn) + 0.3 * wide[j]
        spot = clip01(1.6 * (1.0 - (along * along) / (deep * deep) - (across * across) / (broad * broad)))
        single = clip01(8.0 * (1.125 * crowd - draw)) * spot * (half / deep)
        mean = 0.35 * crowd
        share[j] = mean + fade(long[j], LEAF_FADE_M) * (single - mean)
        hue[j] = 0.5 + fade(long[j], LEAF_FADE_M) * (turn - 0.5)


@kernel
def cover_with_snow(share, hue, patches, lane, condition):
    """Snow lies first on the land, then on shoulders and edges, at last between the wheel tracks, which stay the darkest.

    `hue` is its relief, 0 in hollows to 1.
    """
    s, sided, long, tile = patches.s, patches.sided, patches.long, TILE
    strength, amount = min(8.0 * condition.snow, 1.0), 1.25 * condition.snow
    for j in range(share.shape[0]):
        aside = abs(sided[j])
        on_land = clip01((aside - lane.edge_m) * 0.8 + 0.1)
        in_track = clip01(1.5 - off_track(sided[j], lane) / TRACK_WIDTH_M)
        need = 0.72 - 0.22 * clip01(aside / lane.edge_m) + 0.52 * in_track
        need += on_land * (0.06 - need)
        x, y = s[j] + condition.offset_x, sided[j] + condition.offset_y
        coarse = fade(long[j], 6.0) * sample(tile, 1.7 * x, 3.1 * y)
        fine = fade(long[j], 0.8) * sample(tile, 9.0 * x + 70.0, 11.0 * y)
        share[j] = 0.97 * strength * clip01((amount - need + 0.30 * coarse + 0.22 * fine) * 2.6)
        hue[j] = 0.5 + 0.5 * coarse + 0.35 * fine


@kernel
def cobble_light(out, patches, lane, slow, seams):
    """Light of rows of stones, each in its own grey, with dark joints; `slow` is 0 where textures were removed."""
    s, sided, wide, long, tile = patches.s, patches.sided, patches.wide, patches.long, TILE
    joint_m, deep = 0.028, 0.5 + 0.35 * seams
    for j in range(out.shape[0]):
        course = np.floor(s[j] / STONE_M[0])
        y = (
            sided[j]
            + 0.5 * STONE_M[1] * (course - 2.0 * np.floor(0.5 * course))
            + 0.04 * texel(tile, 7.0 * course, 3.0)
        )
        sharp, mean = fade(long[j], 2.0 * STONE_M[0]), joint_m / STONE_M[1]
        beside = mean + sharp * (pulse_share(y, wide[j], joint_m, STONE_M[1]) - mean)
        joint = max(pulse_share(s[j], long[j], joint_m, STONE_M[0]), beside)
        stone = uniform(tile, course, np.floor(y / STONE_M[1])) - 0.5
        patch = sample(tile, 1.1 * s[j], 1.7 * sided[j])
        out[j] = 1.0 - deep * joint + slow * (0.45 * sharp * stone + 0.10 * fade(long[j], 4.0) * patch)


@kernel
def joint_light(out, patches):
    """Light of concrete with shallow joints between its slabs, each of which has its own grey."""
    s, sided, wide, long, tile = patches.s, patches.sided, patches.wide, patches.long, TILE
    for j in range(out.shape[0]):
        joint = max(pulse_share(s[j] + 0.5, long[j], 0.02, JOINT_M), overlap(sided[j] - 0.15, 0.02, wide[j]) / wide[j])
        slab = uniform(tile, np.floor((s[j] + 0.5) / JOINT_M), np.floor((sided[j] + 4.0) * 0.25)) - 0.5
        out[j] = 1.0 - 0.4 * joint + 0.09 * fade(long[j], 2.0 * JOINT_M) * slab


# ---- colours ------------------------------------------------------------------------------------------------------------


@kernel
def blend(albedo, share, low, high, hue):
    """Lay a colour over albedo [3, W]; where `hue` is not None, one between two."""
    for c in range(3):
        line, under, over = albedo[c], low[c], high[c] - low[c]
        if hue is None:
            for j in range(share.shape[0]):
                line[j] += share[j] * (under - line[j])
        else:
            for j in range(share.shape[0]):
                line[j] += share[j] * (under + hue[j] * over - line[j])


@kernel
def dim(albedo, light, paved):
    """Darken or brighten albedo [3, W] where the road is."""
    for c in range(3):
        line = albedo[c]
        for j in range(light.shape[0]):
            line[j] *= 1.0 + paved[j] * (light[j] - 1.0)


@inlined
def surface_colour(asphalt, kind):
    """Albedo of the road: pale concrete or grey stones, the darker the darker the asphalt would have been."""
    if kind == CONCRETE:
        return (74.0 + 0.72 * asphalt[0], 70.0 + 0.72 * asphalt[1], 60.0 + 0.72 * asphalt[2])
    if kind == COBBLES:
        return (10.0 + 1.1 * asphalt[0], 5.0 + 1.1 * asphalt[1], 1.0 + 1.1 * asphalt[2])
    return asphalt
