"""Drops and dirt on the lens.

Where they lie and what they cover depends on the episode alone, so it is worked out once and kept: a frame only mixes.  What
takes colour from other pixels takes their contributor bits along; `bits` is empty where nobody asks for them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import jit, no_refcount, noalias
from lanekeep_envs.compiled.noise import TILE, hash32, sample
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.air.precipitation import part
from lanekeep_envs.renderer.ground.cross_section import clip01
from lanekeep_envs.renderer.lens.downsample import CELLS, coarse_bits, coarse_picture

DROPS, DIRT = int(Element.DROPS), int(Element.DIRT)
MOST_DROPS = 40
LARGEST, TALLEST, SOFTEST = 0.056, 1.15, 1.5  # a drop's radius [focal lengths], height over width, reach over radius
NUMBERS = 7  # that drops or dirt depend on, at most


class Marks(NamedTuple):
    """What a frame needs to know of drops and dirt, and the numbers it was worked out from."""

    wet_by: NDArray[np.float64]  # [NUMBERS]
    wet: NDArray[np.int64]  # [1] pixels under drops, one drop after another; of each:
    pixel: NDArray[np.uint32]  # its place in the picture
    square: NDArray[np.uint32]  # that of what is seen there, in the coarse picture
    cover: NDArray[np.float32]
    light: NDArray[np.float32]  # of the horizon's
    dirty_by: NDArray[np.float64]  # [NUMBERS]
    mud: NDArray[np.float32]  # [H, W] covered share of a pixel


def no_marks(height: int, width: int, focal_px: float) -> Marks:
    """Room for the marks on a lens."""
    most = min(2.0 * SOFTEST * LARGEST * focal_px + 3.0, width) * min(
        2.0 * SOFTEST * TALLEST * LARGEST * focal_px + 3.0, height
    )
    room = MOST_DROPS * int(most)
    return Marks(
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
    """Whether `kept` had to be changed to `numbers`."""
    new = False
    for k in range(len(numbers)):
        if kept[k] != numbers[k]:
            kept[k], new = numbers[k], True
    return new


# ---- drops --------------------------------------------------------------------------------------------------------------


@jit
def wet_lens(colour, bits, marks, appearance, lens):
    """Drops on the lens, at fixed places: each shows the whole picture, small, blurred and upside down."""
    cell = max(colour.shape[1] // CELLS, 2)
    coarse = coarse_picture(colour, cell, 0.0)
    if renewed(
        (
            appearance["drops"],
            float(appearance["noise_seed"]),
            appearance["mirror"],
            lens.focal_px,
            lens.centre_row,
            lens.centre_column,
        ),
        marks.wet_by,
    ):
        place_drops(marks, colour.shape[1], colour.shape[2], coarse.shape[1], coarse.shape[2], cell, appearance, lens)
    many, one = marks.wet[0], coarse.shape[1] * coarse.shape[2]
    horizon = (
        np.float32(appearance["horizon_r"]),
        np.float32(appearance["horizon_g"]),
        np.float32(appearance["horizon_b"]),
    )
    show_drops(
        colour.reshape(3, colour.shape[1] * colour.shape[2]), coarse.reshape(3, one), marks.pixel[:many],
        marks.square, marks.cover, marks.light, horizon,
    )  # fmt: skip
    if bits.size > 0:
        note_drops(bits, coarse_bits(bits, cell), marks.pixel[:many], marks.square)


@no_refcount
def show_drops(colour, coarse, pixel, square, cover, light, horizon):
    """Mix the pixels of the drops into the picture."""
    red, green, blue = colour[0], colour[1], colour[2]
    coarse_red, coarse_green, coarse_blue = coarse[0], coarse[1], coarse[2]
    dark = np.float32(0.0)
    for k in range(pixel.shape[0]):
        at, seen, share, shine = pixel[k], square[k], cover[k], light[k]
        red[at] += share * (max(coarse_red[seen] + shine * horizon[0], dark) - red[at])
        green[at] += share * (max(coarse_green[seen] + shine * horizon[1], dark) - green[at])
        blue[at] += share * (max(coarse_blue[seen] + shine * horizon[2], dark) - blue[at])


@jit
def note_drops(bits, found, pixel, square):
    """Note the drops, and whatever is in what they show."""
    width, squares = bits.shape[1], found.shape[1]
    for k in range(pixel.shape[0]):
        bits[pixel[k] // width, pixel[k] % width] |= found[square[k] // squares, square[k] % squares] | 1 << DROPS


@jit
def place_drops(marks, height, width, rows, squares, cell, appearance, lens):
    """Work out the drops on the lens."""
    many, found = MOST_DROPS * appearance["drops"], 0
    for k in range(int(np.ceil(many))):
        place, more = hash32(k, 3, 1, appearance["noise_seed"]), hash32(k, 3, 2, appearance["noise_seed"])
        left = appearance["mirror"] * (((place & 65535) + 0.5) / 65536.0 - 0.5) * width
        row = ((place >> 16) + 0.5) / 65536.0 * height
        size = part(more, 0)
        radius_px = (0.014 + 0.042 * size * size) * lens.focal_px * min(many - k, 1.0)
        tall = 0.9 + 0.25 * part(more, 8)
        found = place_drop(
            marks, found, height, width, rows, squares, cell, left, row, radius_px, tall, appearance["mirror"], lens
        )  # fmt: skip
    marks.wet[0] = found


@no_refcount
def place_drop(marks, found, height, width, rows, squares, cell, left, row, radius_px, tall, mirror, lens):
    """Add the pixels of one drop to the `found` ones; `tall` is its height over its width."""
    edge, per_px, half = min(1.2 / max(radius_px, 0.5) + 0.22, 1.0), 1.0 / radius_px, squares // 2
    reach, steep, whole, centre = 1.0 + 0.5 * edge, 1.0 / edge, min(radius_px, 1.0), lens.centre_column - left
    for i in range(max(int(row - tall * reach * radius_px), 0), min(int(row + tall * reach * radius_px) + 2, height)):
        y = (i - row) * per_px / tall
        chord = radius_px * np.sqrt(max(reach * reach - y * y, 0.0))
        # a ball of water is a lens of short focal length
        m = int(min(max(np.rint((0.5 * (lens.centre_row + row) - 0.62 * height * y) / cell), 0.0), rows - 1.0))
        for j in range(max(int(np.ceil(centre - chord)), 0), min(int(np.floor(centre + chord)) + 1, width)):
            x = ((lens.centre_column - j) - left) * per_px
            far = np.sqrt(x * x + y * y)
            cover = clip01((1.0 - far) * steep + 0.5) * whole
            n = half - int(min(max(np.rint((0.5 * left - 0.62 * height * x) / cell), -half), half))
            shine_x, shine_y = x - 0.3 * mirror, y + 0.45
            light = clip01((far - 0.55) * 3.0) * (0.26 - 0.30 * y)
            light += 0.35 * max(1.0 - 9.0 * (shine_x * shine_x + shine_y * shine_y), 0.0)
            marks.pixel[found], marks.square[found] = i * width + j, m * squares + n
            marks.cover[found], marks.light[found] = cover, light
            found += 1 if cover > 0.0 else 0
    return found


# ---- dirt ---------------------------------------------------------------------------------------------------------------


@jit
def dirty_lens(colour, bits, marks, appearance, lens):
    """Smears of dried mud, at fixed places; they take the colour of the light that falls on them."""
    if renewed(
        (appearance["dirt"], appearance["offset_x"], appearance["offset_y"], appearance["mirror"], lens.focal_px,
         lens.centre_row,
         lens.centre_column), marks.dirty_by,
    ):  # fmt: skip
        place_mud(marks.mud, appearance, lens)
    red = 112.0 * (appearance["ambient_r"] + 0.6 * appearance["sunlight_r"])
    green = 101.0 * (appearance["ambient_g"] + 0.6 * appearance["sunlight_g"])
    blue = 86.0 * (appearance["ambient_b"] + 0.6 * appearance["sunlight_b"])
    show_mud(colour, marks.mud, (np.float32(red), np.float32(green), np.float32(blue)))
    if bits.size > 0:
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
    """Work out the dirt on the lens: more of it low down."""
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
