"""What shutter and mounting do to the picture: motion blur and roll.

A picture here is colour [3, H, W] without the canvas's margin, `lens` that of the picture.  What takes colour from other
pixels takes their contributor bits along; `bits` is empty where nobody asks for them.
"""

import numpy as np

from lanekeep_envs.kernel import kernel
from lanekeep_envs.weather import CONTROL_STEP_S

ASIDE_M = 12.0  # how far beside the car whatever stands above the horizon is taken to be
TAPS, MOST_TAPS = 6, 24  # of a streak: a multiple of the first, about one per pixel
FINE = (
    256.0  # parts of a pixel: the two weights of a place between two are exchanged exactly when the world is mirrored
)
STILL_PX = np.float32(0.5)  # what moves less than this is not smeared
UNIT = 32.0  # packed colours count in 1/32, channel by channel in 21 bits: 16 for one of them, the rest for `MOST_TAPS`


# ---- motion blur --------------------------------------------------------------------------------------------------------


@kernel
def blur_motion(colour, packed, bits, car, look, lens):
    """Smear the picture along the way that the world makes through it while the shutter is open.

    The ground's way follows from the camera's height; what stands above the horizon is taken to be `ASIDE_M` beside the car.
    A smeared pixel is the mean of the pixels nearest to evenly spread places on its way.  `packed` is work space, larger
    than the picture by half the longest streak on every side.
    """
    height, width = colour.shape[1], colour.shape[2]
    border, stride = (packed.shape[1] - width) // 2, packed.shape[1]
    left, way, total = columns_of(lens, width), np.zeros((3, width), np.float32), np.zeros(width, np.int64)
    index, before = np.zeros((TAPS, width), np.uint32), bits_before(bits, border)
    pack(packed, colour, border)
    places = packed.ravel()
    for i in range(height):
        longest = lay_way(way, i, left, np.float32(2 * border - 1), car, look, lens)
        if longest < STILL_PX:
            continue
        taps = min(TAPS * (1 + int(longest / TAPS)), MOST_TAPS)
        total[:] = 0
        for k in range(0, taps, 2):
            share, n = np.float32((k + 0.5) / taps - 0.5), k % TAPS
            find_taps(index[n], index[n + 1], (i + border) * stride + border, stride, way[0], way[1], share)
            if bits.size > 0:
                mix_taps(bits[i], before, way[2], index[n], index[n + 1])
            if n == TAPS - 2:
                add_taps(total, places, index)
        for c in range(3):
            unpack(colour[c, i], total, 21 * c, way[2], np.float32(1.0 / (UNIT * taps)))


@kernel
def columns_of(lens, width):
    """How far to the left each column looks, [W]."""
    return ((lens.centre_column - np.arange(width)) / lens.focal_px).astype(np.float32)


@kernel
def lay_way(way, i, left, limit, car, look, lens):
    """Fill way [3, W] with how far the world moves through row i, left and down, and the greater of both [px].

    Return the longest: that of one of the row's ends.
    """
    px = CONTROL_STEP_S * look["motion_blur"] * lens.focal_px
    slope = (i - lens.centre_row) / lens.focal_px + lens.sin_pitch / lens.cos_pitch
    down, ground = np.float32(slope), np.float32(px * car["speed"] * max(slope, 0.0) / lens.height_m)
    aside, turn, one = np.float32(px * car["speed"] / ASIDE_M), np.float32(px * car["yaw_rate"]), np.float32(1.0)
    across, along, longest = way[0], way[1], way[2]
    for j in range(across.shape[0]):
        flow = max(ground, aside * abs(left[j]))
        across[j] = min(max(left[j] * flow - turn * (one + left[j] * left[j]), -limit), limit)
        along[j] = min(max(down * (flow - turn * left[j]), -limit), limit)
        longest[j] = max(abs(across[j]), abs(along[j]))
    return max(longest[0], longest[across.shape[0] - 1])


@kernel
def pack(packed, colour, border):
    """Put the three channels [3, H, W] of each pixel in one number: sums of whole numbers are exact in any order.

    The picture gets copies of its edge around it, as many as `border`.
    """
    height, width = colour.shape[1], colour.shape[2]
    unit, most, dark = np.float32(UNIT), np.float32(65535.0), np.float32(0.0)
    for i in range(height):
        line = packed[border + i, border : border + width]
        red, green, blue = colour[0, i], colour[1, i], colour[2, i]
        for j in range(width):
            r = np.int64(np.int32(min(max(np.rint(unit * red[j]), dark), most)))
            g = np.int64(np.int32(min(max(np.rint(unit * green[j]), dark), most)))
            b = np.int64(np.int32(min(max(np.rint(unit * blue[j]), dark), most)))
            line[j] = r | g << 21 | b << 42
    surround(packed, border)


@kernel
def surround(picture, border):
    """Copy the edge of the picture [H, W] into its border."""
    height, width = picture.shape
    for i in range(border, height - border):
        picture[i, :border], picture[i, width - border :] = picture[i, border], picture[i, width - border - 1]
    picture[:border], picture[height - border :] = picture[border], picture[height - border - 1]


@kernel
def find_taps(before, after, first, stride, across, along, share):
    """Fill two rows of places: of the pixels at `share` of each way from its middle, and as far on the other side."""
    rows = np.float32(stride)
    for j in range(across.shape[0]):
        off = np.int32(rows * np.rint(share * along[j]) - np.rint(share * across[j]))
        before[j], after[j] = first + j + off, first + j - off


@kernel
def add_taps(total, packed, index):
    """Add to each pixel of a row those at `index` [TAPS, W]."""
    for j in range(total.shape[0]):
        more = np.int64(0)
        for k in range(TAPS):
            more += packed[index[k, j]]
        total[j] += more


@kernel
def unpack(line, total, shift, longest, share):
    """Write one channel of the sums, unless the pixel stands still."""
    still = STILL_PX
    for j in range(line.shape[0]):
        mean = share * np.float32(np.int32(total[j] >> shift & 0x1FFFFF))
        line[j] = mean if longest[j] >= still else line[j]


@kernel
def bits_before(bits, border):
    """A copy of the bits, as wide as the packed picture, its rows one after the other."""
    wide = np.empty((bits.shape[0] + 2 * border, bits.shape[1] + 2 * border), np.uint32)
    wide[border : border + bits.shape[0], border : border + bits.shape[1]] = bits
    surround(wide, border)
    return wide.ravel()


@kernel
def mix_taps(line, bits, longest, before, after):
    """Mix the bits of two taps into those of a row."""
    for j in range(line.shape[0]):
        if longest[j] >= STILL_PX:
            line[j] |= bits[before[j]] | bits[after[j]]


# ---- roll ---------------------------------------------------------------------------------------------------------------


@kernel
def roll_picture(colour, spare, bits, roll, lens):
    """Turn the camera to the right by a small angle [rad]: its left side rises and sees what is higher.

    A shear.  Below the lowest row the road goes on as it came, on lines from the vanishing point.
    """
    height, width, slope = colour.shape[1], colour.shape[2], np.tan(roll)
    vanishing = lens.centre_row - lens.focal_px * lens.sin_pitch / lens.cos_pitch
    place, below = np.zeros(width, np.uint32), np.zeros(width, np.float32)
    before = bits.copy()
    spare[:] = colour
    for i in range(height):
        for j in range(width):
            row = min(max(i - slope * (lens.centre_column - j), 0.0), height - 1.0)
            upper = min(np.floor(row), height - 2.0)
            below[j], place[j] = row - upper, int(upper) * width + j
        for c in range(3):
            shear_row(colour[c, i], spare[c].ravel(), spare[c, 1:].ravel(), place, below)
        if bits.size > 0:
            shear_bits(bits[i], before, place, below)
        if i + abs(slope) * lens.centre_column > height - 1.0 and vanishing < height - 2.0:
            go_on_below(colour, spare, bits, before, i, slope, vanishing, lens.centre_column)


@kernel
def shear_row(line, upper, lower, place, below):
    """One channel of a row, from pixels at `place` and those below them."""
    one = np.float32(1.0)
    for j in range(line.shape[0]):
        line[j] = (one - below[j]) * upper[place[j]] + below[j] * lower[place[j]]


@kernel
def shear_bits(line, before, place, below):
    """The bits of those that have a weight."""
    upper, lower = before.ravel(), before[1:].ravel()
    for j in range(line.shape[0]):
        line[j] = (upper[place[j]] if below[j] < 1.0 else 0) | (lower[place[j]] if below[j] > 0.0 else 0)


@kernel
def go_on_below(colour, spare, bits, before, i, slope, vanishing, centre):
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
                colour[c, i, j] = (1.0 - right) * spare[c, lowest, n] + right * spare[c, lowest, n + 1]
            if bits.size > 0:
                bits[i, j] = before[lowest, n] if right < 1.0 else 0
                bits[i, j] |= before[lowest, n + 1] if right > 0.0 else 0
