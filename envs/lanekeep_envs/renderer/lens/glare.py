"""Glare: what bright light does in the lens before exposure.

A picture here is colour [3, H, W] without the canvas's margin, `lens` that of the picture.  Whatever takes colour from other
pixels takes their contributor bits along; `bits` is empty where no by-products are asked for.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import jit, noalias
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.lens.downsample import CELLS, downsampled, downsampled_bits

GLARE = int(Element.GLARE)
FINE = 256.0  # parts of a square: the two weights of a place between two are exchanged exactly in a mirrored world
DAZZLING = 150.0  # brightness from which on something has a halo at night
HALO = 6.0  # strength of halos in the darkest night
GLARE_COSINE = (0.766, 0.966)  # of the sun's angle from the axis: glare begins at 40 degrees and is full at 15
GHOSTS = (  # place on the line from the sun through the axis, radius [focal lengths], colour
    (-0.32, 0.045, 9.0, 16.0, 10.0),
    (-0.55, 0.025, 18.0, 11.0, 20.0),
    (-0.80, 0.080, 12.0, 9.0, 6.0),
    (0.45, 0.032, 8.0, 13.0, 18.0),
)


@jit
def glare_of_sun(colour, bits, appearance, lens, sun_ahead, sun_left):
    """Add the light of a sun in or near the picture, scattered in the lens: a veil, a bloom, and ghosts across the axis."""
    depth = sun_ahead * lens.cos_pitch - appearance["sun_z"] * lens.sin_pitch
    rise = sun_ahead * lens.sin_pitch + appearance["sun_z"] * lens.cos_pitch
    near = min(max((depth - GLARE_COSINE[0]) / (GLARE_COSINE[1] - GLARE_COSINE[0]), 0.0), 1.0)
    strength = appearance["glare"] * appearance["sunshine"] * near * near
    if strength <= 0.0:
        return
    sun_left, sun_up = sun_left / depth, rise / depth
    white = strength / max(appearance["sunlight"][0], 1e-6)
    red, green, blue = strength, white * appearance["sunlight"][1], white * appearance["sunlight"][2]
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
    for i in range(bits.shape[0]):
        for j in range(bits.shape[1]):
            bits[i, j] |= 1 << GLARE
    for place, radius, r, g, b in GHOSTS:
        add_ghost(colour, place * sun_left, place * sun_up, radius, (strength * r, strength * g, strength * b), lens)


@jit
def add_ghost(colour, at_left, at_up, radius, light, lens):
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
            for c in range(3):
                colour[c, i, j] += share * light[c]


@jit
def glare_of_lamps(colour, bits, appearance, lens):
    """Add halos around bright things in the dark."""
    cell, strength = max(colour.shape[1] // CELLS, 2), np.float32(HALO * appearance["glare"] * appearance["night"])
    squares = downsampled(colour, cell, DAZZLING)
    rows, columns = squares.shape[1], squares.shape[2]
    light = np.zeros((3, rows + 2, columns + 2), np.float32)  # with a margin, so that all is one long loop
    light[:, 1:-1, 1:-1] = squares
    flat, spare = light.reshape(light.size), np.zeros(light.size, np.float32)
    for _ in range(3):
        spread_out(flat, spare, rows, columns)
    before, weights = places_between(columns, cell, lens.centre_column)
    halo, lit = np.empty((3, rows, columns * cell), np.float32), np.zeros((3, rows), np.bool_)
    stretch(halo, lit, light, weights, strength)
    add_halos(colour, halo, lit, before, cell)
    if bits.size > 0:
        write_aov_halos(bits, light, cell, before, weights)


@noalias
def spread_out(light, spare, rows, columns):
    """Blur a downsampled picture [3, M + 2, N + 2] by 1 2 1 both ways, alike from either side; its edge goes on outside."""
    wide, half, quarter = columns + 2, np.float32(0.5), np.float32(0.25)
    for c in range(3):
        top = c * (rows + 2) * wide
        for k in range(top, top + wide):
            light[k], light[k + (rows + 1) * wide] = light[k + wide], light[k + rows * wide]
    size = light.shape[0] - 2 * wide
    above, here, below, out = light[:size], light[wide : wide + size], light[2 * wide :], spare[wide : wide + size]
    for k in range(size):
        out[k] = quarter * (above[k] + below[k]) + half * here[k]
    for k in range(0, light.shape[0], wide):
        spare[k], spare[k + columns + 1] = spare[k + 1], spare[k + columns]
    size = light.shape[0] - 2
    left, here, right, out = spare[:size], spare[1 : 1 + size], spare[2:], light[1 : 1 + size]
    for k in range(size):
        out[k] = quarter * (left[k] + right[k]) + half * here[k]


@jit
def places_between(squares, cell, centre):
    """Return (p, w): column j lies w[(j + p) % cell] of the way from the centre of square (j + p) // cell to the next."""
    aside, weights = cell * (squares // 2) - centre, np.zeros(cell, np.float32)
    before = int(np.floor(aside))
    for k in range(cell):
        weights[k] = np.rint(FINE * (k + aside - before) / cell) / FINE
    return before, weights


@noalias
def stretch(halo, lit, light, weights, strength):
    """Widen each row of the downsampled picture to the picture's columns, and tell whether there is any light in it."""
    cell, one = weights.shape[0], np.float32(1.0)
    for c in range(3):
        for m in range(halo.shape[1]):
            row, wide, some = light[c, m + 1, 1:], halo[c, m], False
            squares = row.shape[0] - 1
            for n in range(squares):
                some |= row[n] > 0.0
            lit[c, m] = some
            if some:
                for k in range(cell):
                    near, far = strength * (one - weights[k]), strength * weights[k]
                    for n in range(squares):
                        wide[np.uint64(n * cell + k)] = near * row[n] + far * row[n + 1]
            else:
                for n in range(wide.shape[0]):
                    wide[n] = 0.0


@noalias
def add_halos(colour, halo, lit, before, cell):
    """Add the light of the rows above and below to each row of the picture."""
    for i in range(colour.shape[1]):
        m = min(i // cell, halo.shape[1] - 2)
        down = np.float32(i / cell - m)
        up = np.float32(1.0) - down
        for c in range(3):
            if lit[c, m] or lit[c, m + 1]:
                line, above, below = colour[c, i], halo[c, m, before:], halo[c, m + 1, before:]
                for j in range(line.shape[0]):
                    line[j] += up * above[j] + down * below[j]


@jit
def write_aov_halos(bits, light, cell, before, weights):
    """Write into the by-products the bits of all around, dark or not: one of them may hide a lamp."""
    found = downsampled_bits(bits, cell)
    for _ in range(3):
        found = bits_around(found)
    for i in range(bits.shape[0]):
        m = min(i // cell, found.shape[0] - 2)
        for j in range(bits.shape[1]):
            first, down, right = (j + before) // cell, i / cell - m, weights[(j + before) % cell]
            for y in range(m, m + 2):
                for n in range(first, first + 2):
                    if (down if y > m else 1.0 - down) > 0.0 and (right if n > first else 1.0 - right) > 0.0:
                        bits[i, j] |= found[y, n] | (1 << GLARE if np.max(light[:, y + 1, n + 1]) > 0.0 else 0)


@jit
def bits_around(found):
    """Return bits [M, N] mixed with those of all neighbours."""
    rows, columns = found.shape
    mixed = np.zeros(found.shape, np.uint64)
    for m in range(rows):
        for n in range(columns):
            for y in range(max(m - 1, 0), min(m + 2, rows)):
                for x in range(max(n - 1, 0), min(n + 2, columns)):
                    mixed[m, n] |= found[y, x]
    return mixed
