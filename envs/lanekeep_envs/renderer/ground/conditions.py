"""Conditions of road and markings: worn and missing paint, seams, old and temporary lines, water, snow, leaves.

Every condition is a share of a pixel's footprint on the ground (cross_section.py) that it covers, for the pixels of a
scanline at once, so that only those that an episode has are computed (worn_markings.py, pavement.py, deposits.py).  Where a
condition lies is a function of the place on the road: the noise tile for what grows in patches (a threshold that moves with
the strength), a hash for what comes in lengths (`cover_sections`).  A pattern that is finer than a footprint fades into its
mean.

Left and right enter only as `sided`, the lateral position in the unmirrored world.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount
from lanekeep_envs.compiled.noise import hash32
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.coverage import clip01

COVERS = tuple(  # elements of the rows of `cover`
    int(Element[name]) for name in ("WEAR", "SEAMS", "GHOST_LINES", "ROADWORKS", "WATER", "LEAVES", "SNOW")
)
WEAR, SEAMS, GHOST_LINES, ROADWORKS, WATER, LEAVES, SNOW = range(7)
# in double precision, as all arc lengths are: plain floats, which look the same, are refused in kernels of single precision
GAP_SECTION_M, WORKS_SECTION_M = np.float64(12.0), np.float64(40.0)
FAR_M = 1e6
LENGTHS = 24  # sections of road that a table of `cover_sections` knows


class Sections(NamedTuple):
    """Sections of road of one length, and what of them is covered."""

    table: NDArray[np.float64]  # [3, LENGTHS] covered length before each section, its beginning and end in the section
    section_m: float
    s0: float  # arc length at the beginning of the axis in the car's frame [m]
    origin_m: float  # and at that of the first section


@inline_always
def sections_of(table, section_m, s0):
    """Return the sections that a table describes, for an axis that begins at the arc length s0."""
    return Sections(table, section_m, s0, np.floor(s0 / section_m) * section_m)


@no_refcount
def fill_lengths(lengths, appearance, s0):
    """Fill tables [4, 3, LENGTHS] of the road from s0 on: gaps in the three markings and road works, if there are any."""
    seed = appearance["noise_seed"]
    if appearance["missing"] > 0.0:
        for n in range(3):
            salt = 11 + int(appearance["mirror"]) * (0, 1, -1)[n]
            cover_sections(lengths[n], s0, GAP_SECTION_M, appearance["missing"], salt, seed)
    if appearance["roadworks"] > 0.0:
        cover_sections(lengths[3], s0, WORKS_SECTION_M, appearance["roadworks"], 17, seed)


@no_refcount
def cover_sections(table, s0, section_m, share, salt, seed):
    """Fill the table of `Sections` for the road from `s0` on.

    A `share` of the whole length is covered, by hash: some sections all, some not at all, few in part.
    """
    first, before = int(np.floor(s0 / section_m)), 0.0
    for k in range(table.shape[1]):
        bits = hash32(first + k, salt, 7, seed)
        length = section_m * clip01(20.0 * (1.05 * share - (bits & 0xFFFF) / 65536.0))
        table[0, k], table[1, k] = before, (section_m - length) * ((bits >> 16) / 65536.0)
        table[2, k] = table[1, k] + length
        before += length
    table[1, k], table[2, k] = 0.0, FAR_M if share > 0.5 else 0.0  # the last section is too far away to be seen


@inline_always
def length_before(sections, s):
    """Return the covered length of road between the origin of the sections and s."""
    ahead, table = s - sections.origin_m, sections.table
    k = int(min(max(np.floor(ahead / sections.section_m), 0.0), table.shape[1] - 1.0))
    return table[0, k] + (min(max(ahead - k * sections.section_m, table[1, k]), table[2, k]) - table[1, k])


@inline_always
def covered_share(sections, s, long):
    """Return the share of a footprint's length that is covered."""
    covered = length_before(sections, s + 0.5 * long)
    return clip01((covered - length_before(sections, s - 0.5 * long)) / long)


@no_refcount
def fill_covered(there, scanline, row, sections, rest, first, last):
    """Fill in the covered share of each knot's footprint, or the `rest` of it; return the greatest covered share."""
    s, long, s0 = scanline["knot_s"], scanline["knot_long"], sections.s0
    begin, end, low, high = int(first) // row.segment_px, int(last) // row.segment_px + 1, FAR_M, -FAR_M
    for k in range(begin, end):
        middle, half = np.float64(s[k]), 0.5 * np.float64(long[k])
        low, high = min(low, middle - half), max(high, middle + half)
    # most rows lie within one length, but for rounding, or between two: no need to look for each knot
    covered = length_before(sections, s0 + high) - length_before(sections, s0 + low)
    alike, most = covered <= 0.0 or covered >= high - low - 1e-9, 0.0
    for k in range(begin, end):
        share = 1.0 if covered > 0.0 else 0.0
        if not alike:
            share = covered_share(sections, s0 + s[k], long[k])
        there[k], most = 1.0 - share if rest else share, max(most, share)
    return most


@no_refcount
@float32_literals
def blend(scanline, share, low, high, hue, first, last):
    """Lay a colour over the albedo from column `first` to `last`; where `hue` is not None, one between two."""
    red, green, blue = scanline["red"], scanline["green"], scanline["blue"]
    if hue is None:
        for j in range(first, last):
            red[j] += share[j] * (low[0] - red[j])
            green[j] += share[j] * (low[1] - green[j])
            blue[j] += share[j] * (low[2] - blue[j])
    else:
        over = (high[0] - low[0], high[1] - low[1], high[2] - low[2])
        for j in range(first, last):
            red[j] += share[j] * (low[0] + hue[j] * over[0] - red[j])
            green[j] += share[j] * (low[1] + hue[j] * over[1] - green[j])
            blue[j] += share[j] * (low[2] + hue[j] * over[2] - blue[j])


@no_refcount
@float32_literals
def dim(scanline, light, first, last):
    """Darken or brighten the albedo from column `first` to `last` where the road is."""
    red, green, blue, paved = scanline["red"], scanline["green"], scanline["blue"], scanline["paved"]
    for j in range(first, last):
        own = 1.0 + paved[j] * (light[j] - 1.0)
        red[j] *= own
        green[j] *= own
        blue[j] *= own
