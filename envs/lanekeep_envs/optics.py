"""What lens, shutter and mounting do to the picture before exposure: motion blur, roll, drops, dirt and glare.

A picture here is colour [3, H, W] without the canvas's margin, `lens` that of the picture, and `spare` as much work space.
Whatever takes colour from other pixels takes their contributor bits along; `bits` is None where nobody asks for them.

A place between two columns is a multiple of 1/256 px, and its two weights are exchanged exactly when the world is mirrored.
"""

import numpy as np

from lanekeep_envs.elements import Element
from lanekeep_envs.kernel import inlined, kernel
from lanekeep_envs.texture import TILE, hash32, sample
from lanekeep_envs.weather import CONTROL_STEP_S, part

DROPS, DIRT, GLARE = int(Element.DROPS), int(Element.DIRT), int(Element.GLARE)
FINE = 256.0  # parts of a pixel
MOST_TAPS = 24  # of a streak of motion
ASIDE_M = 12.0  # how far beside the car whatever stands above the horizon is taken to be
MOST_DROPS = 40
COARSE_CELLS = 18  # to the height of the coarse picture that is seen in a drop
DAZZLING = 150.0  # brightness from which on something has a halo at night
HALO = 6.0
GLARE_COSINE = (
    0.766,
    0.966,
)  # of the sun's angle from the axis: where glare begins and where it is full (40, 15 degrees)
GHOSTS = (  # place on the line from the sun through the axis, radius [focal lengths], colour
    (-0.32, 0.045, 9.0, 16.0, 10.0),
    (-0.55, 0.025, 18.0, 11.0, 20.0),
    (-0.80, 0.080, 12.0, 9.0, 6.0),
    (0.45, 0.032, 8.0, 13.0, 18.0),
)


@inlined
def between(place, last):
    """(index, weight of the next one) of a place among 0 .. last."""
    within = min(max(place, 0.0), np.float64(last))
    low = min(int(within), last - 1)
    return low, within - low


@inlined
def interpolated(colour, c, i, down, j, right):
    """Bilinear value of channel c; the same sum from either side."""
    here = (1.0 - down) * np.float64(colour[c, i, j]) + down * np.float64(colour[c, i + 1, j])
    beside = (1.0 - down) * np.float64(colour[c, i, j + 1]) + down * np.float64(colour[c, i + 1, j + 1])
    return (1.0 - right) * here + right * beside


@inlined
def bits_around(bits, i, down, j, right):
    """Bits of the pixels that have a weight there."""
    found = np.int64(0)
    for y in range(2):
        for x in range(2):
            if (down if y == 1 else 1.0 - down) > 0.0 and (right if x == 1 else 1.0 - right) > 0.0:
                found |= np.int64(bits[i + y, j + x])
    return found


@kernel
def blur_motion(colour, spare, bits, spare_bits, car, look, lens):
    """Smear the picture along the way that the world makes through it while the shutter is open.

    The ground's way follows from the camera's height; what stands above the horizon is taken to be `ASIDE_M` beside the car.
    """
    height, width, focal_px = colour.shape[1], colour.shape[2], lens.focal_px
    open_s, horizon = CONTROL_STEP_S * look["motion_blur"], lens.sin_pitch / lens.cos_pitch
    speed, yaw_rate = car["speed"], car["yaw_rate"]
    for i in range(height):
        down = (i - lens.centre_row) / focal_px + horizon
        for j in range(width):
            left = (lens.centre_column - j) / focal_px
            near_per_m = max(max(down, 0.0) / lens.height_m, abs(left) / ASIDE_M)
            across = (left * speed * near_per_m - yaw_rate * (1.0 + left * left)) * open_s * focal_px
            along = (down * speed * near_per_m - yaw_rate * left * down) * open_s * focal_px
            taps = min(2 + int(np.hypot(across, along)), MOST_TAPS)
            red, green, blue, found = 0.0, 0.0, 0.0, np.int64(0)
            for k in range(taps):
                at = (k + 0.5) / taps - 0.5
                y, below = between(i + at * along, height - 1)
                x, right = between(j - np.rint(FINE * at * across) / FINE, width - 1)
                red += interpolated(colour, 0, y, below, x, right)
                green += interpolated(colour, 1, y, below, x, right)
                blue += interpolated(colour, 2, y, below, x, right)
                if bits is not None:
                    found |= bits_around(bits, y, below, x, right)
            spare[0, i, j], spare[1, i, j], spare[2, i, j] = red / taps, green / taps, blue / taps
            if bits is not None:
                spare_bits[i, j] = found
    take(colour, spare, bits, spare_bits)


@kernel
def roll_picture(colour, spare, bits, spare_bits, roll, lens):
    """Turn the camera to the right by a small angle [rad]: its left side rises and sees what is higher.

    Below the lowest row the road goes on as it came, on lines from the vanishing point.
    """
    height, width, slope = colour.shape[1], colour.shape[2], np.tan(roll)
    vanishing = lens.centre_row - lens.focal_px * lens.sin_pitch / lens.cos_pitch
    for i in range(height):
        for j in range(width):
            left = lens.centre_column - j
            row = i - slope * left
            if row > height - 1.0 and vanishing < height - 2.0:
                left = np.rint(FINE * left * ((height - 1.0 - vanishing) / (row - vanishing))) / FINE
            y, below = between(row, height - 1)
            x, right = between(lens.centre_column - left, width - 1)
            for c in range(3):
                spare[c, i, j] = interpolated(colour, c, y, below, x, right)
            if bits is not None:
                spare_bits[i, j] = bits_around(bits, y, below, x, right)
    take(colour, spare, bits, spare_bits)


@kernel
def take(colour, spare, bits, spare_bits):
    """Make what was written aside the picture."""
    for c in range(3):
        for i in range(colour.shape[1]):
            for j in range(colour.shape[2]):
                colour[c, i, j] = spare[c, i, j]
    if bits is not None:
        for i in range(bits.shape[0]):
            for j in range(bits.shape[1]):
                bits[i, j] = spare_bits[i, j]


@kernel
def coarse_picture(colour, bits, cell, above):
    """Means of what is brighter than `above`, over squares of 2 x `cell` px.

    One square every `cell` px, from the top and from the centre column to both sides.
    Returns (colour [3, M, N], bits [M, N]), column N // 2 in the middle.  Sums are of whole numbers: exact in any order.
    """
    height, width = colour.shape[1], colour.shape[2]
    rows, half = -(-(height - 1) // cell) + 1, -(-(width - 1) // (2 * cell))
    coarse, found = np.zeros((3, rows, 2 * half + 1)), np.zeros((rows, 2 * half + 1), np.int64)
    for m in range(rows):
        for n in range(2 * half + 1):
            middle = (width - 1) + 2 * cell * (n - half)  # twice the column
            first, last = max(-(-(middle - 2 * cell) // 2), 0), min((middle + 2 * cell) // 2, width - 1)
            top, end = max((m - 1) * cell, 0), min((m + 1) * cell, height - 1)
            red, green, blue, these = 0, 0, 0, np.int64(0)
            for i in range(top, end + 1):
                for j in range(first, last + 1):
                    red += int(np.rint(16.0 * max(np.float64(colour[0, i, j]) - above, 0.0)))
                    green += int(np.rint(16.0 * max(np.float64(colour[1, i, j]) - above, 0.0)))
                    blue += int(np.rint(16.0 * max(np.float64(colour[2, i, j]) - above, 0.0)))
                    if bits is not None:
                        these |= np.int64(bits[i, j])
            per_pixel = 1.0 / (16.0 * (end + 1 - top) * (last + 1 - first))
            coarse[0, m, n], coarse[1, m, n], coarse[2, m, n] = red * per_pixel, green * per_pixel, blue * per_pixel
            found[m, n] = these
    return coarse, found


@kernel
def wet_lens(colour, bits, look, lens):
    """Drops on the lens, at fixed places: each shows the whole picture, small, blurred and upside down."""
    height, width, focal_px = colour.shape[1], colour.shape[2], lens.focal_px
    cell = max(height // COARSE_CELLS, 2)
    coarse, coarse_bits = coarse_picture(colour, bits, cell, 0.0)
    many = MOST_DROPS * look["drops"]
    for k in range(int(np.ceil(many))):
        place, more = hash32(k, 3, 1, look["noise_seed"]), hash32(k, 3, 2, look["noise_seed"])
        left = look["mirror"] * (((place & 65535) + 0.5) / 65536.0 - 0.5) * width
        row = ((place >> 16) + 0.5) / 65536.0 * height
        size = part(more, 0)
        radius_px = (0.014 + 0.042 * size * size) * focal_px * min(many - k, 1.0)
        draw_drop(colour, bits, coarse, coarse_bits, cell, left, row, radius_px, 0.9 + 0.25 * part(more, 8), look, lens)


@kernel
def draw_drop(colour, bits, coarse, coarse_bits, cell, left, row, radius_px, tall, look, lens):
    """One drop; `tall` is its height over its width."""
    height, width, half = colour.shape[1], colour.shape[2], coarse.shape[2] // 2
    edge, reach = min(1.2 / max(radius_px, 0.5) + 0.22, 1.0), 1.3 * radius_px + 2.0
    for i in range(max(int(row - tall * reach), 0), min(int(row + tall * reach) + 2, height)):
        for j in range(max(int(lens.centre_column - left - reach), 0), width):
            x, y = ((lens.centre_column - j) - left) / radius_px, (i - row) / (tall * radius_px)
            if x < 0.0 and -x * radius_px > reach:
                break
            far = np.sqrt(x * x + y * y)
            cover = min(max((1.0 - far) / edge + 0.5, 0.0), 1.0) * min(radius_px, 1.0)
            if cover <= 0.0:
                continue
            # a ball of water is a lens of short focal length
            m, down = between((0.5 * (lens.centre_row + row) - 0.62 * height * y) / cell, coarse.shape[1] - 1)
            n, right = between(
                half - np.rint(FINE * (0.5 * left - 0.62 * height * x) / cell) / FINE, coarse.shape[2] - 1
            )
            rim = min(max((far - 0.55) * 3.0, 0.0), 1.0) * (0.26 - 0.30 * y)
            shine_x, shine_y = x - 0.3 * look["mirror"], y + 0.45
            shine = max(1.0 - 9.0 * (shine_x * shine_x + shine_y * shine_y), 0.0)
            for c in range(3):
                seen = interpolated(coarse, c, m, down, n, right)
                light = look["horizon_r"] if c == 0 else (look["horizon_g"] if c == 1 else look["horizon_b"])
                seen += (rim + 0.35 * shine) * light
                colour[c, i, j] += cover * (max(seen, 0.0) - np.float64(colour[c, i, j]))
            if bits is not None:
                bits[i, j] |= bits_around(coarse_bits, m, down, n, right) | 1 << DROPS


@kernel
def dirty_lens(colour, bits, look, lens):
    """Smears of dried mud, at fixed places, more of them low down; they take the colour of the light that falls on them."""
    height, width, focal_px, tile = colour.shape[1], colour.shape[2], lens.focal_px, TILE
    amount, mirror = look["dirt"], look["mirror"]
    red = 112.0 * (look["ambient_r"] + 0.6 * look["sunlight_r"])
    green = 101.0 * (look["ambient_g"] + 0.6 * look["sunlight_g"])
    blue = 86.0 * (look["ambient_b"] + 0.6 * look["sunlight_b"])
    for i in range(height):
        y = (i - lens.centre_row) / focal_px
        for j in range(width):
            x = mirror * (lens.centre_column - j) / focal_px
            patch = sample(tile, 83.0 * y + look["offset_y"], 61.0 * x + look["offset_x"])
            smear = sample(tile, 190.0 * y + 2.0 * look["offset_x"], 70.0 * x + 110.0 * y)
            thick = 1.1 * patch + 0.7 * smear + 0.4 * y + 0.45 * amount - 0.35
            cover = min(amount * 4.0, 1.0) * 0.72 * min(max(1.3 * thick, 0.0), 1.0)
            colour[0, i, j] += cover * (red - np.float64(colour[0, i, j]))
            colour[1, i, j] += cover * (green - np.float64(colour[1, i, j]))
            colour[2, i, j] += cover * (blue - np.float64(colour[2, i, j]))
            if bits is not None:
                bits[i, j] |= 1 << DIRT if cover > 0.0 else 0


@kernel
def glare_of_sun(colour, bits, look, lens, cos, sin):
    """Light of a sun in or near the picture, scattered in the lens: a veil, a bloom, and ghosts across the axis."""
    forward = cos * look["sun_x"] + sin * look["sun_y"]
    aside = cos * look["sun_y"] - sin * look["sun_x"]
    depth = forward * lens.cos_pitch - look["sun_z"] * lens.sin_pitch
    rise = forward * lens.sin_pitch + look["sun_z"] * lens.cos_pitch
    near = min(max((depth - GLARE_COSINE[0]) / (GLARE_COSINE[1] - GLARE_COSINE[0]), 0.0), 1.0)
    strength = look["glare"] * look["sunshine"] * near * near
    if strength <= 0.0:
        return
    sun_left, sun_up = aside / depth, rise / depth
    white = strength / max(look["sunlight_r"], 1e-6)
    red, green, blue = strength, white * look["sunlight_g"], white * look["sunlight_b"]
    for i in range(colour.shape[1]):
        up = (lens.centre_row - i) / lens.focal_px
        for j in range(colour.shape[2]):
            left = (lens.centre_column - j) / lens.focal_px
            dx, dy = left - sun_left, up - sun_up
            far2 = dx * dx + dy * dy
            light = 140.0 / (1.0 + 9.0 * far2) + 190.0 / (1.0 + 160.0 * far2) + 260.0 * np.exp(-700.0 * far2)
            colour[0, i, j] += red * light
            colour[1, i, j] += green * light
            colour[2, i, j] += blue * light
            if bits is not None:
                bits[i, j] |= 1 << GLARE
    for place, radius, r, g, b in GHOSTS:
        add_ghost(colour, place * sun_left, place * sun_up, radius, strength * r, strength * g, strength * b, lens)


@kernel
def add_ghost(colour, at_left, at_up, radius, red, green, blue, lens):
    """Add a disc of light, a little brighter at its rim."""
    per_px = 1.0 / lens.focal_px
    edge = 1.0 / max(0.12 * radius, per_px)
    for i in range(colour.shape[1]):
        up = (lens.centre_row - i) * per_px - at_up
        if abs(up) > 1.5 * radius + per_px:
            continue
        for j in range(colour.shape[2]):
            left = (lens.centre_column - j) * per_px - at_left
            far = np.sqrt(left * left + up * up)
            share = min(max((radius - far) * edge + 0.5, 0.0), 1.0) * (0.7 + 0.8 * min(far / radius, 1.0))
            colour[0, i, j] += share * red
            colour[1, i, j] += share * green
            colour[2, i, j] += share * blue


@kernel
def glare_of_lamps(colour, bits, look, lens):
    """Halos of bright things in the dark."""
    height, cell = colour.shape[1], max(colour.shape[1] // COARSE_CELLS, 2)
    light, found = coarse_picture(colour, bits, cell, DAZZLING)
    for _ in range(3):
        light, found = spread_out(light, found)
    half, strength = light.shape[2] // 2, HALO * look["glare"] * look["night"]
    for i in range(height):
        m, down = between(i / cell, light.shape[1] - 1)
        for j in range(colour.shape[2]):
            aside = np.rint(FINE * (lens.centre_column - j) / cell) / FINE
            n, right = between(half - aside, light.shape[2] - 1)
            halo = 0.0
            for c in range(3):
                more = strength * interpolated(light, c, m, down, n, right)
                colour[c, i, j] += more
                halo += more
            if bits is not None:  # of all around, dark or not: one of them may hide a lamp
                bits[i, j] |= bits_around(found, m, down, n, right) | (1 << GLARE if halo > 0.0 else 0)


@kernel
def spread_out(light, found):
    """Blur a coarse picture by 1 2 1 both ways, and its bits with it; the same sum from either side."""
    rows, columns = light.shape[1], light.shape[2]
    wide, bits = np.zeros(light.shape), np.zeros(found.shape, np.int64)
    for m in range(rows):
        above, below = max(m - 1, 0), min(m + 1, rows - 1)
        for n in range(columns):
            left, right = max(n - 1, 0), min(n + 1, columns - 1)
            for c in range(3):
                beside = (light[c, above, left] + light[c, above, right]) + (
                    light[c, below, left] + light[c, below, right]
                )
                beside += 2.0 * (light[c, m, left] + light[c, m, right])
                wide[c, m, n] = (beside + 2.0 * (light[c, above, n] + light[c, below, n]) + 4.0 * light[c, m, n]) / 16.0
            for y in (above, m, below):
                bits[m, n] |= found[y, left] | found[y, n] | found[y, right]
    return wide, bits
