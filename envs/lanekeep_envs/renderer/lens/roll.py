"""Roll: the picture of a camera that is turned about its axis, sheared from the picture of a level one.

A picture here is colour [3, H, W] without the work space's margin, `lens` that of the picture.  What takes colour from other
pixels takes their contributor bits along; `bits` is empty where no by-products are asked for.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import copy_row, jit, no_refcount, noalias

FINE = 256.0  # parts of a pixel: the two weights of a place between two are exchanged exactly in a mirrored world


@jit
def roll_picture(colour, level, bits, roll, lens):
    """Fill `colour` with the picture `level` of a camera that is turned to the right by a small angle [rad].

    Its left side rises and sees what is higher.

    A shear: neighbouring columns, as long as they come from the same row, are mixed from two rows.  Below the lowest row the
    road goes on as it came, on lines from the vanishing point.
    """
    height, width, slope = colour.shape[1], colour.shape[2], np.tan(roll)
    vanishing = lens.centre_row - lens.focal_px * lens.sin_pitch / lens.cos_pitch
    down, below = np.zeros(width, np.int64), np.zeros(width, np.float32)
    for j in range(width):
        lower = -slope * (lens.centre_column - j)
        down[j] = int(np.floor(lower))
        below[j] = lower - down[j]
    before = bits.copy()
    shear(colour, level, bits, before, down, below)
    if vanishing < height - 2.0:
        for i in range(height):
            if i + abs(slope) * lens.centre_column > height - 1.0:
                go_on_below(colour, level, bits, before, i, slope, vanishing, lens.centre_column)


@no_refcount
def shear(colour, level, bits, before, down, below):
    """Fill `colour` with what each column of `level` is when it is moved up by so many pixels and parts of one."""
    height, start = colour.shape[1], 0
    while start < down.shape[0]:
        end, moved = start + 1, down[start]
        while end < down.shape[0] and down[end] == moved:
            end += 1
        lower = below[start:end]
        for i in range(height):
            row = i + moved
            upper, inside = min(max(row, 0), height - 1), 0 <= row < height - 1
            for c in range(3):
                line, one = colour[c, i, start:end], level[c, upper, start:end]
                if inside:
                    mix_rows(line, one, level[c, upper + 1, start:end], lower)
                else:
                    copy_row(line, one)
            if bits.size > 0 and inside:
                join_bits(bits[i, start:end], before[upper, start:end], before[upper + 1, start:end], lower)
            elif bits.size > 0:
                copy_row(bits[i, start:end], before[upper, start:end])
        start = end


@noalias
def mix_rows(line, upper, lower, below):
    """Fill one channel of a row with a mixture of two rows."""
    one = np.float32(1.0)
    for j in range(line.shape[0]):
        line[j] = (one - below[j]) * upper[j] + below[j] * lower[j]


@no_refcount
def join_bits(line, upper, lower, below):
    """Fill a row with the bits of those of two rows that have a weight."""
    none = np.uint64(0)
    for j in range(line.shape[0]):
        line[j] = (upper[j] if below[j] < 1.0 else none) | (lower[j] if below[j] > 0.0 else none)


@jit
def go_on_below(colour, level, bits, before, i, slope, vanishing, centre):
    """Fill those pixels of row i that would come from below the picture."""
    lowest, last = colour.shape[1] - 1, colour.shape[2] - 1
    for j in range(last + 1):
        row = i - slope * (centre - j)
        if row > lowest:
            aside = np.rint(FINE * (centre - j) * ((lowest - vanishing) / (row - vanishing))) / FINE
            place = min(max(centre - aside, 0.0), np.float64(last))
            n = min(int(place), last - 1)
            right = place - n
            for c in range(3):
                colour[c, i, j] = (1.0 - right) * level[c, lowest, n] + right * level[c, lowest, n + 1]
            if bits.size > 0:
                bits[i, j] = before[lowest, n] if right < 1.0 else np.uint64(0)
                bits[i, j] |= before[lowest, n + 1] if right > 0.0 else np.uint64(0)
