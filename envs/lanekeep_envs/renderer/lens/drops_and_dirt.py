"""Drops and dirt on the lens.

Where they lie and what they cover depends on the episode alone, so it is worked out once and kept: a frame only mixes.  What
takes colour from other pixels takes their contributor bits along; `bits` is empty where no by-products are asked for.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import jit, no_refcount, noalias
from lanekeep_envs.compiled.noise import TILE, hash32, sample
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.air.precipitation import part
from lanekeep_envs.renderer.coverage import clip01, shifted, single
from lanekeep_envs.renderer.lens.downsample import CELLS, downsampled, downsampled_bits

DROPS, DIRT = int(Element.DROPS), int(Element.DIRT)
MOST_DROPS = 40
SMALLEST, LARGEST = 0.014, 0.056  # a drop's radius [focal lengths]
FLATTEST, TALLEST = 0.9, 1.15  # a drop's height over its width
SOFTEST = 1.5  # a drop's reach over its radius
SHOWS = 0.62  # height of the picture that a drop shows, over its own radius
MUD = (112.0, 101.0, 86.0)  # albedo of dried mud
NUMBERS = 7  # that drops or dirt depend on, at most


class DropsAndDirt(NamedTuple):
    """What a frame needs to know of drops and dirt, and the numbers that these were worked out from."""

    wet_by: NDArray[np.float64]  # [NUMBERS]
    wet: NDArray[np.int64]  # [1] pixels under drops, one drop after another; of each:
    pixel: NDArray[np.uint32]  # its place in the picture
    square: NDArray[np.uint32]  # place in the downsampled picture of what is seen there
    cover: NDArray[np.float32]
    light: NDArray[np.float32]  # of the horizon's
    dirty_by: NDArray[np.float64]  # [NUMBERS]
    mud: NDArray[np.float32]  # [H, W] covered share of a pixel


def no_drops_and_dirt(height: int, width: int, focal_px: float) -> DropsAndDirt:
    """Allocate room for drops and dirt on a lens."""
    wide, tall = (2.0 * SOFTEST * over * LARGEST * focal_px + 3.0 for over in (1.0, TALLEST))
    room = MOST_DROPS * int(min(wide, width) * min(tall, height))
    return DropsAndDirt(
        np.full(NUMBERS, np.nan),
        np.zeros(1, np.int64),
        np.zeros(room, np.uint32),
        np.zeros(room, np.uint32),
        np.zeros(room, np.float32),
        np.zeros(room, np.float32),
        np.full(NUMBERS, np.nan),
        np.zeros((height, width), np.float32),
    )


@no_refcount
def renewed(numbers, kept):
    """Change `kept` to `numbers`; return whether that changed anything."""
    new = False
    for k in range(len(numbers)):
        if kept[k] != numbers[k]:
            kept[k], new = numbers[k], True
    return new


# ---- drops --------------------------------------------------------------------------------------------------------------


@jit
def wet_lens(colour, bits, marks, appearance, lens):
    """Lay drops over the picture, at fixed places: each shows the whole picture, small, blurred and upside down."""
    cell = max(colour.shape[1] // CELLS, 2)
    means, seed, mirror = downsampled(colour, cell, 0.0), float(appearance["noise_seed"]), appearance["mirror"]
    numbers = appearance["drops"], seed, mirror, lens.focal_px, lens.centre_row, lens.centre_column
    if renewed(numbers, marks.wet_by):
        place_drops(marks, (colour.shape[1], colour.shape[2]), (means.shape[1], means.shape[2]), cell, appearance, lens)
    pixel = marks.pixel[: marks.wet[0]]
    horizon = single(appearance["horizon"])
    flat, seen = colour.reshape(3, colour.shape[1] * colour.shape[2]), means.reshape(3, means.shape[1] * means.shape[2])
    show_drops(flat, seen, pixel, marks.square, marks.cover, marks.light, horizon)
    if bits.size > 0:
        write_aov_drops(bits, downsampled_bits(bits, cell), pixel, marks.square)


@no_refcount
def show_drops(colour, means, pixel, square, cover, light, horizon):
    """Mix the pixels of the drops into the picture."""
    red, green, blue = colour[0], colour[1], colour[2]
    mean_red, mean_green, mean_blue = means[0], means[1], means[2]
    dark = np.float32(0.0)
    for k in range(pixel.shape[0]):
        at, seen, share, shine = pixel[k], square[k], cover[k], light[k]
        red[at] += share * (max(mean_red[seen] + shine * horizon[0], dark) - red[at])
        green[at] += share * (max(mean_green[seen] + shine * horizon[1], dark) - green[at])
        blue[at] += share * (max(mean_blue[seen] + shine * horizon[2], dark) - blue[at])


@jit
def write_aov_drops(bits, found, pixel, square):
    """Write into the by-products the drops, and whatever is in what they show."""
    width, squares = bits.shape[1], found.shape[1]
    for k in range(pixel.shape[0]):
        bits[pixel[k] // width, pixel[k] % width] |= found[square[k] // squares, square[k] % squares] | 1 << DROPS


@jit
def place_drops(marks, size, squares, cell, appearance, lens):
    """Work out the drops on the lens; `size` is that of the picture, `squares` that of the downsampled one."""
    many, found = MOST_DROPS * appearance["drops"], 0
    for k in range(int(np.ceil(many))):
        place, more = hash32(k, 3, 1, appearance["noise_seed"]), hash32(k, 3, 2, appearance["noise_seed"])
        large = part(more, 0)
        drop = (
            appearance["mirror"] * (((place & 65535) + 0.5) / 65536.0 - 0.5) * size[1],
            ((place >> 16) + 0.5) / 65536.0 * size[0],
            (SMALLEST + 0.042 * large * large) * lens.focal_px * min(many - k, 1.0),
            FLATTEST + 0.25 * part(more, 8),
        )
        found = place_drop(marks, found, drop, size, squares, cell, appearance["mirror"], lens)
    marks.wet[0] = found


@no_refcount
def place_drop(marks, found, drop, size, squares, cell, mirror, lens):
    """Add the pixels of one drop to the `found` ones; return how many there are now.

    Of the drop there are its place, left of the centre column and row, its radius [px], and its height over its width.
    """
    height, width = size
    left, row, radius_px, tall = drop
    edge, per_px, half = min(1.2 / max(radius_px, 0.5) + 0.22, 1.0), 1.0 / radius_px, squares[1] // 2
    reach, steep, whole, centre = 1.0 + 0.5 * edge, 1.0 / edge, min(radius_px, 1.0), lens.centre_column - left
    for i in range(max(int(row - tall * reach * radius_px), 0), min(int(row + tall * reach * radius_px) + 2, height)):
        y = (i - row) * per_px / tall
        chord = radius_px * np.sqrt(max(reach * reach - y * y, 0.0))
        # a ball of water is a lens of short focal length
        m = int(min(max(np.rint((0.5 * (lens.centre_row + row) - SHOWS * height * y) / cell), 0.0), squares[0] - 1.0))
        for j in range(max(int(np.ceil(centre - chord)), 0), min(int(np.floor(centre + chord)) + 1, width)):
            x = ((lens.centre_column - j) - left) * per_px
            far = np.sqrt(x * x + y * y)
            cover = clip01((1.0 - far) * steep + 0.5) * whole
            n = half - int(min(max(np.rint((0.5 * left - SHOWS * height * x) / cell), -half), half))
            shine_x, shine_y = x - 0.3 * mirror, y + 0.45
            light = clip01((far - 0.55) * 3.0) * (0.26 - 0.30 * y)
            light += 0.35 * max(1.0 - 9.0 * (shine_x * shine_x + shine_y * shine_y), 0.0)
            marks.pixel[found], marks.square[found] = i * width + j, m * squares[1] + n
            marks.cover[found], marks.light[found] = cover, light
            found += 1 if cover > 0.0 else 0
    return found


# ---- dirt ---------------------------------------------------------------------------------------------------------------


@jit
def dirty_lens(colour, bits, marks, appearance, lens):
    """Lay smears of dried mud over the picture, at fixed places; they take the colour of the light that falls on them."""
    strength, offset_x, offset_y = appearance["dirt"], appearance["offset_x"], appearance["offset_y"]
    numbers = strength, offset_x, offset_y, appearance["mirror"], lens.focal_px, lens.centre_row, lens.centre_column
    if renewed(numbers, marks.dirty_by):
        place_mud(marks.mud, appearance, lens)
    light = shifted(appearance["ambient"], 0.6, appearance["sunlight"])
    show_mud(colour, marks.mud, single((MUD[0] * light[0], MUD[1] * light[1], MUD[2] * light[2])))
    for i in range(bits.shape[0]):
        for j in range(bits.shape[1]):
            bits[i, j] |= 1 << DIRT if marks.mud[i, j] > 0.0 else 0


@noalias
def show_mud(colour, cover, mud):
    """Mix the mud into the picture."""
    for c in range(3):
        plane, of = colour[c], mud[c]
        for i in range(plane.shape[0]):
            line, share = plane[i], cover[i]
            for j in range(line.shape[0]):
                line[j] += share[j] * (of - line[j])


@jit
def place_mud(cover, appearance, lens):
    """Work out the dirt on the lens, of which there is more low down."""
    focal_px, tile, amount, mirror = lens.focal_px, TILE, appearance["dirt"], appearance["mirror"]
    strong, thick = min(amount * 4.0, 1.0) * 0.72, 0.45 * amount - 0.35
    for i in range(cover.shape[0]):
        y = (i - lens.centre_row) / focal_px
        high, far, wide = 83.0 * y + appearance["offset_y"], 190.0 * y + 2.0 * appearance["offset_x"], 110.0 * y
        for j in range(cover.shape[1]):
            x = mirror * (lens.centre_column - j) / focal_px
            patch = sample(tile, high, 61.0 * x + appearance["offset_x"])
            smear = sample(tile, far, 70.0 * x + wide)
            cover[i, j] = strong * clip01(1.3 * (1.1 * patch + 0.7 * smear + 0.4 * y + thick))
