"""State of road and markings: worn and missing paint, seams, old and temporary lines, water, snow, leaves, cobbles.

Every condition is a share of a patch of ground (surface.py) that it covers, for the pixels of an image row at once, so that
only those that an episode has are computed (pavement.py, lines.py, covers.py).  Where a condition lies is a function of the
place on the road: the noise tile for what grows in patches (a threshold that moves with the strength), a hash for what comes
in lengths (`lay_lengths`).  Patterns finer than a patch fade into their mean.

Left and right enter only as `sided`, the lateral position in the unmirrored world.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, jit, no_refcount
from lanekeep_envs.compiled.noise import hash32
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.ground.cross_section import clip01

COVERS = tuple(  # elements of the rows of `cover`
    int(Element[name]) for name in ("WEAR", "SEAMS", "GHOST_LINES", "ROADWORKS", "WATER", "LEAVES", "SNOW")
)
WEAR, SEAMS, GHOST_LINES, ROADWORKS, WATER, LEAVES, SNOW = range(7)
GAPS, WORKS = 12.0, 40.0
FAR_M = 1e6
LENGTHS = 24  # sections of road that a table of `lay_lengths` knows


class Condition(NamedTuple):
    """Strengths of a `LOOK`, in single precision, and where its patterns lie."""

    worn: np.float32
    missing: np.float32
    seams: np.float32
    ghost_lines: np.float32
    roadworks: np.float32
    wet: np.float32
    puddles: np.float32
    snow: np.float32
    leaves: np.float32
    night: np.float32
    kind: int
    mirror: np.float32
    offset_x: float
    offset_y: float
    s0: float  # of the beginning of the axis at hand [m]
    seed: int
    lengths: NDArray[np.float64]  # [4, 3, LENGTHS] of road: gaps in the three markings, road works


@jit
def condition_of(appearance, s0):
    """Condition of a `LOOK`."""
    lengths, seed, mirror = np.zeros((4, 3, LENGTHS)), appearance["noise_seed"], appearance["mirror"]
    if appearance["missing"] > 0.0:
        for n in range(3):
            lay_lengths(lengths[n], s0, GAPS, appearance["missing"], 11 + int(mirror) * (0, 1, -1)[n], seed)
    if appearance["roadworks"] > 0.0:
        lay_lengths(lengths[3], s0, WORKS, appearance["roadworks"], 17, seed)
    return Condition(
        np.float32(appearance["worn"]),
        np.float32(appearance["missing"]),
        np.float32(appearance["seams"]),
        np.float32(appearance["ghost_lines"]),
        np.float32(appearance["roadworks"]),
        np.float32(appearance["wet"]),
        np.float32(appearance["puddles"]),
        np.float32(appearance["snow"]),
        np.float32(appearance["leaves"]),
        np.float32(appearance["night"]),
        appearance["surface_kind"],
        np.float32(mirror),
        appearance["offset_x"],
        appearance["offset_y"],
        s0,
        seed,
        lengths,
    )


@no_refcount
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


@inline_always
def length_before(table, s, origin_m, section_m):
    """Covered length of road between the table's origin and s."""
    ahead = s - origin_m
    k = int(min(max(np.floor(ahead / section_m), 0.0), table.shape[1] - 1.0))
    return table[0, k] + (min(max(ahead - k * section_m, table[1, k]), table[2, k]) - table[1, k])


@inline_always
def covered_length(table, s, long, s0, section_m):
    """Share of a patch's length that the table covers."""
    origin_m = np.floor(s0 / section_m) * section_m
    covered = length_before(table, s + 0.5 * long, origin_m, section_m)
    return clip01((covered - length_before(table, s - 0.5 * long, origin_m, section_m)) / long)


@no_refcount
@float32_literals
def blend(strip, share, low, high, hue, first, last):
    """Lay a colour over the albedo from column `first` to `last`; where `hue` is not None, one between two."""
    red, green, blue = strip["red"], strip["green"], strip["blue"]
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
def dim(strip, light, first, last):
    """Darken or brighten the albedo from column `first` to `last` where the road is."""
    red, green, blue, paved = strip["red"], strip["green"], strip["blue"], strip["paved"]
    for j in range(first, last):
        own = 1.0 + paved[j] * (light[j] - 1.0)
        red[j] *= own
        green[j] *= own
        blue[j] *= own
