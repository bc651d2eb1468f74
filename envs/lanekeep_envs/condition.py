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

from lanekeep_envs.elements import Element
from lanekeep_envs.kernel import borrowing, inlined
from lanekeep_envs.surface import clip01
from lanekeep_envs.texture import first_of, hash32, interpolated, look_up, place

COVERS = tuple(  # elements of the rows of `cover`
    int(Element[name]) for name in ("WEAR", "SEAMS", "GHOST_LINES", "ROADWORKS", "WATER", "LEAVES", "SNOW")
)
WEAR, SEAMS, GHOST_LINES, ROADWORKS, WATER, LEAVES, SNOW = range(7)
GAPS, WORKS = 12.0, 40.0
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
    shortest: NDArray[np.float64]  # [1] the least of `long` in the row
    tile: NDArray[np.int32]  # (texture.py)
    cells: NDArray[np.int32]  # work space for places in the tile


@inlined
def part_of(patches, first, last):
    """Some of the patches."""
    return Patches(
        patches.s[first:last],
        patches.sided[first:last],
        patches.wide[first:last],
        patches.long[first:last],
        patches.stain[first:last],
        patches.shortest,
        patches.tile,
        patches.cells[first:last],
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


@borrowing
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


@inlined
def fade(extent, grain_m):
    """Strength of a pattern with this grain in a patch of this extent."""
    return clip01(1.5 - extent * (1.0 / grain_m))


@inlined
def uniform(tile, i, j):
    """A number between 0 and 1 for a whole place (i, j): texels far apart."""
    return clip01(0.5 + 0.85 * first_of(tile[place_of(i, j)]))


@inlined
def place_of(i, j):
    """Where in the tile the number for a whole place is."""
    return place(61.0 * i + 29.0 * j, 83.0 * j - 17.0 * i)


@inlined
def pulses_m(x, on_m, period_m):
    """Length of pulses between 0 and x; one begins at every multiple of the period."""
    cycles = np.floor(x * (1.0 / period_m))
    return cycles * on_m + min(x - cycles * period_m, on_m)


@inlined
def pulse_share(x, extent, on_m, period_m):
    """Share of pulses in [x - extent/2, x + extent/2]."""
    return (pulses_m(x + 0.5 * extent, on_m, period_m) - pulses_m(x - 0.5 * extent, on_m, period_m)) / extent


@borrowing
def pattern(out, patches, along, start, across, aside, grain_m):
    """Fill `out` with noise, of so many texels per metre along the road and across it, faded with its grain."""
    s, sided, long, cells = patches.s, patches.sided, patches.long, patches.cells
    if patches.shortest[0] >= 1.5 * grain_m:
        out[:] = 0.0
        return
    for j in range(out.shape[0]):
        cells[j] = place(np.floor(along * s[j] + start), np.floor(across * sided[j] + aside))
    look_up(cells, patches.tile)
    for j in range(out.shape[0]):
        x, y = along * s[j] + start, across * sided[j] + aside
        out[j] = fade(long[j], grain_m) * interpolated(cells[j], x - np.floor(x), y - np.floor(y))


@borrowing
def look_up_uniform(out, patches):
    """Turn the work space, places in the tile, into numbers between 0 and 1 (`uniform`)."""
    cells = patches.cells
    look_up(cells, patches.tile)
    for j in range(out.shape[0]):
        out[j] = clip01(0.5 + 0.85 * first_of(cells[j]))


@borrowing
def blend(albedo, share, low, high, hue, first, last):
    """Lay a colour over columns `first` to `last` of albedo [3, W]; where `hue` is not None, one between two."""
    for c in range(3):
        line, under, over = albedo[c, first:last], low[c], high[c] - low[c]
        if hue is None:
            for j in range(line.shape[0]):
                line[j] += share[j] * (under - line[j])
        else:
            for j in range(line.shape[0]):
                line[j] += share[j] * (under + hue[j] * over - line[j])


@borrowing
def dim(albedo, light, paved, first, last):
    """Darken or brighten columns `first` to `last` of albedo [3, W] where the road is."""
    for c in range(3):
        line = albedo[c, first:last]
        for j in range(line.shape[0]):
            line[j] *= 1.0 + paved[j] * (light[j] - 1.0)
