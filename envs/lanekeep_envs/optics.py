"""What the lens does to the picture before exposure: drops, dirt and glare.

A picture here is colour [3, H, W] without the canvas's margin, `lens` that of the picture.  Whatever takes colour from other
pixels takes their contributor bits along; `bits` is empty where nobody asks for them.
"""

import numpy as np

from lanekeep_envs.elements import Element
from lanekeep_envs.kernel import inlined, kernel
from lanekeep_envs.surface import clip01
from lanekeep_envs.texture import TILE, hash32, sample
from lanekeep_envs.weather import part

DROPS, DIRT, GLARE = int(Element.DROPS), int(Element.DIRT), int(Element.GLARE)
FINE = (
    256.0  # parts of a square: the two weights of a place between two are exchanged exactly when the world is mirrored
)
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


# ---- drops --------------------------------------------------------------------------------------------------------------


@kernel
def coarse_picture(colour, cell, above):
    """Means [3, M, N] of what is brighter than `above`, over squares of 2 `cell` + 1 px.

    One square every `cell` px, from the top and from the centre column (N // 2) to both sides.  Sums are of whole numbers:
    exact in any order.
    """
    height, width = colour.shape[1], colour.shape[2]
    rows, half = -(-(height - 1) // cell) + 1, -(-(width - 1) // (2 * cell))
    coarse = np.zeros((3, rows, 2 * half + 1))
    before, fine, dark, unit = (
        np.zeros(width + 1, np.int64),
        np.zeros(width, np.int32),
        np.float32(above),
        np.float32(16.0),
    )
    for c in range(3):
        for m in range(rows):
            top, end = max((m - 1) * cell, 0), min((m + 1) * cell, height - 1)
            fine[:] = 0
            for i in range(top, end + 1):
                line = colour[c, i]
                for j in range(width):
                    fine[j] += np.int32(np.rint(unit * max(line[j] - dark, np.float32(0.0))))
            for j in range(width):
                before[j + 1] = before[j] + fine[j]
            for n in range(2 * half + 1):
                first, last = square_at(n - half, cell, width)
                coarse[c, m, n] = (before[last + 1] - before[first]) / (16.0 * (end + 1 - top) * (last + 1 - first))
    return coarse


@inlined
def square_at(n, cell, width):
    """First and last column of the n-th square to the right of the middle one."""
    middle = (width - 1) + 2 * cell * n  # twice the column
    return max(-(-(middle - 2 * cell) // 2), 0), min((middle + 2 * cell) // 2, width - 1)


@kernel
def coarse_bits(bits, cell):
    """The bits [M, N] of all pixels of each square."""
    height, width = bits.shape
    rows, half = -(-(height - 1) // cell) + 1, -(-(width - 1) // (2 * cell))
    found = np.zeros((rows, 2 * half + 1), np.int64)
    for m in range(rows):
        for n in range(2 * half + 1):
            first, last = square_at(n - half, cell, width)
            for i in range(max((m - 1) * cell, 0), min((m + 1) * cell, height - 1) + 1):
                for j in range(first, last + 1):
                    found[m, n] |= np.int64(bits[i, j])
    return found


@kernel
def wet_lens(colour, bits, look, lens):
    """Drops on the lens, at fixed places: each shows the whole picture, small, blurred and upside down."""
    height, width, focal_px = colour.shape[1], colour.shape[2], lens.focal_px
    cell = max(height // COARSE_CELLS, 2)
    coarse, found = coarse_picture(colour, cell, 0.0), coarse_bits(bits, cell)
    many = MOST_DROPS * look["drops"]
    for k in range(int(np.ceil(many))):
        place, more = hash32(k, 3, 1, look["noise_seed"]), hash32(k, 3, 2, look["noise_seed"])
        left = look["mirror"] * (((place & 65535) + 0.5) / 65536.0 - 0.5) * width
        row = ((place >> 16) + 0.5) / 65536.0 * height
        size = part(more, 0)
        radius_px = (0.014 + 0.042 * size * size) * focal_px * min(many - k, 1.0)
        draw_drop(colour, bits, coarse, found, cell, left, row, radius_px, 0.9 + 0.25 * part(more, 8), look, lens)


@kernel
def draw_drop(colour, bits, coarse, found, cell, left, row, radius_px, tall, look, lens):
    """One drop; `tall` is its height over its width."""
    height, width, half = colour.shape[1], colour.shape[2], coarse.shape[2] // 2
    edge, per_px = min(1.2 / max(radius_px, 0.5) + 0.22, 1.0), 1.0 / radius_px
    reach, steep, whole, centre = 1.0 + 0.5 * edge, 1.0 / edge, min(radius_px, 1.0), lens.centre_column - left
    red, green, blue = look["horizon_r"], look["horizon_g"], look["horizon_b"]
    for i in range(max(int(row - tall * reach * radius_px), 0), min(int(row + tall * reach * radius_px) + 2, height)):
        y = (i - row) * per_px / tall
        chord = radius_px * np.sqrt(max(reach * reach - y * y, 0.0))
        # a ball of water is a lens of short focal length
        m = int(
            min(max(np.rint((0.5 * (lens.centre_row + row) - 0.62 * height * y) / cell), 0.0), coarse.shape[1] - 1.0)
        )
        for j in range(max(int(np.ceil(centre - chord)), 0), min(int(np.floor(centre + chord)) + 1, width)):
            x = ((lens.centre_column - j) - left) * per_px
            far = np.sqrt(x * x + y * y)
            cover = clip01((1.0 - far) * steep + 0.5) * whole
            n = half - int(min(max(np.rint((0.5 * left - 0.62 * height * x) / cell), -half), half))
            shine_x, shine_y = x - 0.3 * look["mirror"], y + 0.45
            light = clip01((far - 0.55) * 3.0) * (0.26 - 0.30 * y)
            light += 0.35 * max(1.0 - 9.0 * (shine_x * shine_x + shine_y * shine_y), 0.0)
            colour[0, i, j] += cover * (max(coarse[0, m, n] + light * red, 0.0) - np.float64(colour[0, i, j]))
            colour[1, i, j] += cover * (max(coarse[1, m, n] + light * green, 0.0) - np.float64(colour[1, i, j]))
            colour[2, i, j] += cover * (max(coarse[2, m, n] + light * blue, 0.0) - np.float64(colour[2, i, j]))
            if bits.size > 0:
                bits[i, j] |= (found[m, n] | 1 << DROPS) if cover > 0.0 else 0


@kernel
def dirty_lens(colour, bits, look, lens):
    """Smears of dried mud, at fixed places, more of them low down; they take the colour of the light that falls on them."""
    height, width, focal_px, tile = colour.shape[1], colour.shape[2], lens.focal_px, TILE
    amount, mirror = look["dirt"], look["mirror"]
    red = 112.0 * (look["ambient_r"] + 0.6 * look["sunlight_r"])
    green = 101.0 * (look["ambient_g"] + 0.6 * look["sunlight_g"])
    blue = 86.0 * (look["ambient_b"] + 0.6 * look["sunlight_b"])
    strong, thick, cover = min(amount * 4.0, 1.0) * 0.72, 0.45 * amount - 0.35, np.zeros(width)
    for i in range(height):
        y = (i - lens.centre_row) / focal_px
        high, far, wide = 83.0 * y + look["offset_y"], 190.0 * y + 2.0 * look["offset_x"], 110.0 * y
        for j in range(width):
            x = mirror * (lens.centre_column - j) / focal_px
            patch = sample(tile, high, 61.0 * x + look["offset_x"])
            smear = sample(tile, far, 70.0 * x + wide)
            cover[j] = strong * clip01(1.3 * (1.1 * patch + 0.7 * smear + 0.4 * y + thick))
        for c in range(3):
            line, mud = colour[c, i], (red, green, blue)[c]
            for j in range(width):
                line[j] += cover[j] * (mud - line[j])
        if bits.size > 0:
            for j in range(width):
                bits[i, j] |= 1 << DIRT if cover[j] > 0.0 else 0


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
        up = (lens.centre_row - i) / lens.focal_px - sun_up
        lines = colour[0, i], colour[1, i], colour[2, i]
        for j in range(colour.shape[2]):
            aside = (lens.centre_column - j) / lens.focal_px - sun_left
            far2 = aside * aside + up * up
            near = 1.0 / (1.0 + 175.0 * far2)
            light = 140.0 / (1.0 + 9.0 * far2) + 190.0 / (1.0 + 160.0 * far2) + 260.0 * near * near * near * near
            lines[0][j] += red * light
            lines[1][j] += green * light
            lines[2][j] += blue * light
    if bits.size > 0:
        for i in range(bits.shape[0]):
            for j in range(bits.shape[1]):
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
    cell, strength = max(colour.shape[1] // COARSE_CELLS, 2), HALO * look["glare"] * look["night"]
    light = coarse_picture(colour, cell, DAZZLING)
    for _ in range(3):
        spread_out(light)
    columns, weights = places_between(colour.shape[2], light.shape[2], cell, lens.centre_column)
    halo = np.zeros(light.shape[2])
    for i in range(colour.shape[1]):
        m = min(i // cell, light.shape[1] - 2)
        down = i / cell - m
        for c in range(3):
            line, above, below, brightest = colour[c, i], light[c, m], light[c, m + 1], 0.0
            for n in range(halo.shape[0]):
                halo[n] = strength * ((1.0 - down) * above[n] + down * below[n])
                brightest = max(brightest, halo[n])
            if brightest > 0.0:
                for j in range(line.shape[0]):
                    right = weights[j]
                    line[j] += (1.0 - right) * halo[columns[j]] + right * halo[columns[j] + np.uint32(1)]
    if bits.size > 0:
        note_halos(bits, light, cell, columns, weights)


@kernel
def note_halos(bits, light, cell, columns, weights):
    """Mix the bits of all around, dark or not: one of them may hide a lamp."""
    found = coarse_bits(bits, cell)
    for _ in range(3):
        found = bits_around(found)
    for i in range(bits.shape[0]):
        m = min(i // cell, light.shape[1] - 2)
        for j in range(bits.shape[1]):
            first, down, right = np.int64(columns[j]), i / cell - m, weights[j]
            for y in range(m, m + 2):
                for n in range(first, first + 2):
                    if (down if y > m else 1.0 - down) > 0.0 and (right if n > first else 1.0 - right) > 0.0:
                        bits[i, j] |= found[y, n] | (1 << GLARE if np.max(light[:, y, n]) > 0.0 else 0)


@kernel
def bits_around(found):
    """Mix the bits [M, N] of neighbours."""
    rows, columns = found.shape
    mixed = np.zeros(found.shape, np.int64)
    for m in range(rows):
        for n in range(columns):
            for y in range(max(m - 1, 0), min(m + 2, rows)):
                for x in range(max(n - 1, 0), min(n + 2, columns)):
                    mixed[m, n] |= found[y, x]
    return mixed


@kernel
def places_between(width, squares, cell, centre):
    """(n, w): each of `width` columns lies the share w of the way from the centre of square n to that of the next."""
    columns, weights, half = np.zeros(width, np.uint32), np.zeros(width), squares // 2
    for j in range(width):
        aside = np.rint(FINE * (centre - j) / cell) / FINE
        place = min(max(half - aside, 0.0), squares - 1.0)
        columns[j] = min(int(place), squares - 2)
        weights[j] = place - columns[j]
    return columns, weights


@kernel
def spread_out(light):
    """Blur a coarse picture [3, M, N] by 1 2 1 both ways, the same from either side."""
    rows, columns = light.shape[1], light.shape[2]
    tall = np.zeros(columns)
    for c in range(3):
        above = light[c, 0].copy()
        for m in range(rows):
            here, below = light[c, m], light[c, min(m + 1, rows - 1)]
            for n in range(columns):
                tall[n] = 0.25 * (above[n] + below[n]) + 0.5 * here[n]
                above[n] = here[n]
            here[0] = 0.25 * (tall[0] + tall[1]) + 0.5 * tall[0]
            here[columns - 1] = 0.25 * (tall[columns - 2] + tall[columns - 1]) + 0.5 * tall[columns - 1]
            for n in range(1, columns - 1):
                here[n] = 0.25 * (tall[n - 1] + tall[n + 1]) + 0.5 * tall[n]
