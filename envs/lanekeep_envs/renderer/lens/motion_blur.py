"""Motion blur: the picture smeared along the way that the world makes through it while the shutter is open.

A picture here is colour [3, H, W] without the work space's margin, `lens` that of the picture.  What takes colour from other
pixels takes their contributor bits along; `bits` is empty where no by-products are asked for.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import copy_row, jit, no_refcount, noalias
from lanekeep_envs.dynamics.vehicle import CONTROL_STEP_S

ASIDE_M = 12.0  # how far beside the car whatever stands above the horizon is taken to be
TAPS, MOST_TAPS = 6, 24  # of a streak: a multiple of the first, about one per pixel
PAIRS = TAPS // 2
STILL_PX = np.float32(0.5)  # what moves less than this is not smeared
UNIT = 32.0  # packed colours count in 1/32, channel by channel in 21 bits: 16 for one of them, the rest for `MOST_TAPS`


class Smear(NamedTuple):
    """Work space for a row of the picture."""

    left: NDArray[np.float32]  # [W] how far to the left each column looks
    across: NDArray[np.float32]  # [W] how far the world moves through the row, to the left [px]
    along: NDArray[np.float32]  # [W] and down
    longest: NDArray[np.float32]  # [W] the greater of both
    total: NDArray[np.int64]  # [W] sums of packed colours
    pairs: NDArray[np.uint64]  # [PAIRS, W] two places in the packed picture each, read as one number
    places: NDArray[np.uint32]  # [PAIRS, 2 W] the same places one by one
    border: int  # of the packed picture [px]


@jit
def blur_motion(colour, packed, bits, car, appearance, lens):
    """Smear the picture along the way that the world makes through it.

    The ground's way follows from the camera's height; what stands above the horizon is taken to be `ASIDE_M` beside the car.
    A smeared pixel is the mean of the pixels nearest to evenly spread places on its way.  `packed` is work space, larger
    than the picture by half the longest streak on every side.
    """
    width, pairs = colour.shape[2], np.zeros((PAIRS, colour.shape[2]), np.uint64)
    border, way = (packed.shape[1] - width) // 2, np.zeros((3, width), np.float32)
    left = ((lens.centre_column - np.arange(width)) / lens.focal_px).astype(np.float32)
    row = Smear(left, way[0], way[1], way[2], np.zeros(width, np.int64), pairs, pairs.view(np.uint32), border)
    pack(packed, colour, border)
    smear(colour, packed.ravel(), bits, bits_before(bits, border), row, car, appearance, lens)


@no_refcount
def smear(colour, packed, bits, before, row, car, appearance, lens):
    """Write the smeared rows, from the packed picture and the bits before, their rows one after the other."""
    total, pairs, places, border = row.total, row.pairs, row.places, row.border
    stride = total.shape[0] + 2 * border
    for i in range(colour.shape[1]):
        longest = lay_way(row, i, np.float32(2 * border - 1), car, appearance, lens)
        if longest < STILL_PX:
            continue
        taps = min(TAPS * (1 + int(longest / TAPS)), MOST_TAPS)
        total[:] = 0
        for k in range(0, taps, TAPS):
            first, a, b = (i + border) * stride + border, (k + 0.5) / taps - 0.5, (k + 2.5) / taps - 0.5
            shares = np.float32(a), np.float32(b), np.float32((k + 4.5) / taps - 0.5)
            find_taps((places[0], places[1], places[2]), first, stride, row.across, row.along, shares)
            add_taps(total, packed, pairs[0], pairs[1], pairs[2])
            if bits.size > 0:
                for n in range(PAIRS):
                    mix_taps(bits[i], before, row.longest, places[n])
        unpack(colour[0, i], colour[1, i], colour[2, i], total, row.longest, np.float32(1.0 / (UNIT * taps)))


@noalias
def lay_way(row, i, limit, car, appearance, lens):
    """Fill in how far the world moves through row i, at most `limit` px; return the longest: that of one of its ends."""
    left, across, along, longest = row.left, row.across, row.along, row.longest
    px = CONTROL_STEP_S * appearance["motion_blur"] * lens.focal_px
    slope = (i - lens.centre_row) / lens.focal_px + lens.sin_pitch / lens.cos_pitch
    down, ground = np.float32(slope), np.float32(px * car["speed"] * max(slope, 0.0) / lens.height_m)
    aside, turn, one = np.float32(px * car["speed"] / ASIDE_M), np.float32(px * car["yaw_rate"]), np.float32(1.0)
    for j in range(across.shape[0]):
        flow = max(ground, aside * abs(left[j]))
        across[j] = min(max(left[j] * flow - turn * (one + left[j] * left[j]), -limit), limit)
        along[j] = min(max(down * (flow - turn * left[j]), -limit), limit)
        longest[j] = max(abs(across[j]), abs(along[j]))
    return max(longest[0], longest[across.shape[0] - 1])


@no_refcount
def pack(packed, colour, border):
    """Put the three channels [3, H, W] of each pixel in one number: sums of whole numbers are exact in any order.

    The picture gets copies of its edge around it, as many as `border`.
    """
    for i in range(colour.shape[1]):
        pack_row(packed[border + i, border:], colour[0, i], colour[1, i], colour[2, i])
    surround(packed, border)


@noalias
def pack_row(line, red, green, blue):
    """Pack one row."""
    unit, most, dark = np.float32(UNIT), np.float32(65535.0), np.float32(0.0)
    for j in range(red.shape[0]):
        r = np.int64(np.int32(min(max(np.rint(unit * red[j]), dark), most)))
        g = np.int64(np.int32(min(max(np.rint(unit * green[j]), dark), most)))
        b = np.int64(np.int32(min(max(np.rint(unit * blue[j]), dark), most)))
        line[j] = r | g << 21 | b << 42


@no_refcount
def surround(picture, border):
    """Copy the edge of the picture [H, W] into its border."""
    height, width = picture.shape
    for i in range(border, height - border):
        line = picture[i]
        for j in range(border):
            line[j], line[width - border + j] = line[border], line[width - border - 1]
    for i in range(border):
        copy_row(picture[i], picture[border])
        copy_row(picture[height - border + i], picture[height - border - 1])


@noalias
def find_taps(places, first, stride, across, along, shares):
    """Fill three rows of pairs of places: of the pixels at a share of each way from its middle, and as far beyond it."""
    one, two, three = places
    rows, a, b, c = np.float32(stride), shares[0], shares[1], shares[2]
    for j in range(across.shape[0]):
        aside, down, here = across[j], along[j], first + j
        off = np.int32(rows * np.rint(a * down) - np.rint(a * aside))
        one[2 * j], one[2 * j + 1] = here + off, here - off
        off = np.int32(rows * np.rint(b * down) - np.rint(b * aside))
        two[2 * j], two[2 * j + 1] = here + off, here - off
        off = np.int32(rows * np.rint(c * down) - np.rint(c * aside))
        three[2 * j], three[2 * j + 1] = here + off, here - off


@no_refcount
def add_taps(total, packed, one, two, three):
    """Add to each pixel of a row those at three pairs of places, each pair read as one number."""
    low, high = np.uint64(0xFFFFFFFF), np.uint64(32)
    for j in range(total.shape[0]):
        a, b, c = one[j], two[j], three[j]
        more = packed[a & low] + packed[a >> high] + packed[b & low] + packed[b >> high]
        total[j] += more + packed[c & low] + packed[c >> high]


@noalias
def unpack(red, green, blue, total, longest, share):
    """Write the means of the sums into a row, except for the pixels that stand still."""
    for j in range(red.shape[0]):
        r, g = np.float32(np.int32(total[j] & 0x1FFFFF)), np.float32(np.int32(total[j] >> 21 & 0x1FFFFF))
        b, moves = np.float32(np.int32(total[j] >> 42)), longest[j] >= STILL_PX
        red[j] = share * r if moves else red[j]
        green[j] = share * g if moves else green[j]
        blue[j] = share * b if moves else blue[j]


@jit
def bits_before(bits, border):
    """Return a copy of the bits, as wide as the packed picture, its rows one after the other."""
    wide = np.empty((bits.shape[0] + 2 * border, bits.shape[1] + 2 * border), np.uint64)
    wide[border : border + bits.shape[0], border : border + bits.shape[1]] = bits
    surround(wide, border)
    return wide.ravel()


@no_refcount
def mix_taps(line, bits, longest, pair):
    """Mix the bits of two taps into those of a row."""
    for j in range(line.shape[0]):
        if longest[j] >= STILL_PX:
            line[j] |= bits[pair[2 * j]] | bits[pair[2 * j + 1]]
