"""What shutter and mounting do to the picture: motion blur and roll.

A picture here is colour [3, H, W] without the canvas's margin, `lens` that of the picture.  What takes colour from other
pixels takes their contributor bits along; `bits` is empty where nobody asks for them.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import copy_row, jit, no_refcount, noalias
from lanekeep_envs.renderer.air.precipitation import CONTROL_STEP_S

ASIDE_M = 12.0  # how far beside the car whatever stands above the horizon is taken to be
TAPS, MOST_TAPS = 6, 24  # of a streak: a multiple of the first, about one per pixel
PAIRS = TAPS // 2
FINE = (
    256.0  # parts of a pixel: the two weights of a place between two are exchanged exactly when the world is mirrored
)
STILL_PX = np.float32(0.5)  # what moves less than this is not smeared
UNIT = 32.0  # packed colours count in 1/32, channel by channel in 21 bits: 16 for one of them, the rest for `MOST_TAPS`


# ---- motion blur --------------------------------------------------------------------------------------------------------


@jit
def blur_motion(colour, packed, bits, car, appearance, lens):
    """Smear the picture along the way that the world makes through it while the shutter is open.

    The ground's way follows from the camera's height; what stands above the horizon is taken to be `ASIDE_M` beside the car.
    A smeared pixel is the mean of the pixels nearest to evenly spread places on its way.  `packed` is work space, larger
    than the picture by half the longest streak on every side.
    """
    width = colour.shape[2]
    border = (packed.shape[1] - width) // 2
    way, total, pairs = np.zeros((3, width), np.float32), np.zeros(width, np.int64), np.zeros((PAIRS, width), np.uint64)
    pack(packed, colour, border)
    before, left, places = bits_before(bits, border), columns_of(lens, width), pairs.view(np.uint32)
    smear(colour, packed.ravel(), border, bits, before, left, way, total, pairs, places, car, appearance, lens)


@no_refcount
def smear(colour, packed, border, bits, before, left, way, total, pairs, places, car, appearance, lens):
    """Write the smeared rows, from the packed picture, its rows one after the other; `places` are the two of each pair."""
    stride, most = total.shape[0] + 2 * border, np.float32(2 * border - 1)
    for i in range(colour.shape[1]):
        longest = lay_way(way[0], way[1], way[2], i, left, most, car, appearance, lens)
        if longest < STILL_PX:
            continue
        taps = min(TAPS * (1 + int(longest / TAPS)), MOST_TAPS)
        total[:] = 0
        for k in range(0, taps, TAPS):
            first, a, b = (i + border) * stride + border, (k + 0.5) / taps - 0.5, (k + 2.5) / taps - 0.5
            shares = np.float32(a), np.float32(b), np.float32((k + 4.5) / taps - 0.5)
            find_taps(places[0], places[1], places[2], first, stride, way[0], way[1], shares)
            add_taps(total, packed, pairs[0], pairs[1], pairs[2])
            if bits.size > 0:
                for n in range(PAIRS):
                    mix_taps(bits[i], before, way[2], places[n])
        unpack(colour[0, i], colour[1, i], colour[2, i], total, way[2], np.float32(1.0 / (UNIT * taps)))


@jit
def columns_of(lens, width):
    """How far to the left each column looks, [W]."""
    return ((lens.centre_column - np.arange(width)) / lens.focal_px).astype(np.float32)


@noalias
def lay_way(across, along, longest, i, left, limit, car, appearance, lens):
    """Fill three lines [W] with how far the world moves through row i, left and down, and the greater of both [px].

    Return the longest: that of one of the row's ends.
    """
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
    """One row of it."""
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
def find_taps(one, two, three, first, stride, across, along, shares):
    """Fill three rows of pairs of places: of the pixels at a share of each way from its middle, and as far beyond it."""
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
    """Write the sums, unless the pixel stands still."""
    for j in range(red.shape[0]):
        r, g = np.float32(np.int32(total[j] & 0x1FFFFF)), np.float32(np.int32(total[j] >> 21 & 0x1FFFFF))
        b, moves = np.float32(np.int32(total[j] >> 42)), longest[j] >= STILL_PX
        red[j] = share * r if moves else red[j]
        green[j] = share * g if moves else green[j]
        blue[j] = share * b if moves else blue[j]


@jit
def bits_before(bits, border):
    """A copy of the bits, as wide as the packed picture, its rows one after the other."""
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


# ---- roll ---------------------------------------------------------------------------------------------------------------


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
    """One channel of a row between two."""
    one = np.float32(1.0)
    for j in range(line.shape[0]):
        line[j] = (one - below[j]) * upper[j] + below[j] * lower[j]


@no_refcount
def join_bits(line, upper, lower, below):
    """The bits of those that have a weight."""
    none = np.uint64(0)
    for j in range(line.shape[0]):
        line[j] = (upper[j] if below[j] < 1.0 else none) | (lower[j] if below[j] > 0.0 else none)


@jit
def go_on_below(colour, level, bits, before, i, slope, vanishing, centre):
    """Those pixels of row i that would come from below the picture."""
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
