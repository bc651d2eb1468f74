"""Texture without storage: one periodic noise tile, sampled at many scales, and a hash for the sensor's noise.

The tile is fractal noise with a 1/f spectrum; sampling it faster or slower gives grass, asphalt, meadows, clouds or the
outline of hills.  Nothing here draws random numbers while rendering: the same place always looks the same.
"""

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount

TILE_SIZE = 256


def make_tile(seed: int = 20190120) -> NDArray[np.int32]:
    """Return periodic 1/f noise [256 * 256], about -1 to 1, zero mean, in steps of 1/127 so that every machine has the same.

    An entry holds four bytes, 128 + 127 x value, of the texel and its neighbours down, right, and down right: one look-up
    is enough to interpolate.
    """
    white = np.random.default_rng(seed).standard_normal((TILE_SIZE, TILE_SIZE))
    frequency = np.hypot(np.fft.fftfreq(TILE_SIZE)[:, None], np.fft.fftfreq(TILE_SIZE)[None, :])
    frequency[0, 0] = np.inf
    smooth = np.fft.ifft2(np.fft.fft2(white) / frequency**1.1).real
    smooth /= 2.5 * smooth.std()
    steps = np.round(np.clip(smooth, -1.0, 1.0) * 127.0).astype(np.int64) + 128
    down, right = np.roll(steps, -1, 0), np.roll(steps, -1, 1)
    packed = steps | down << 8 | right << 16 | np.roll(down, -1, 1) << 24
    return packed.astype(np.uint32).view(np.int32).ravel()


# A kernel that names TILE has a constant copy of it: nothing that it writes can change that, so loops are vectorised.
# It names TILE once and hands it to the functions below, because every mention is another copy.
TILE = make_tile()


@inline_always
def entry(tile, fx, fy):
    """Return the entry of the tile at whole coordinates."""
    return tile[place(fx, fy)]


@inline_always
def place(fx, fy):
    """Return the index in the tile of whole coordinates."""
    return (np.int32(fx) & 255) << 8 | (np.int32(fy) & 255)


@no_refcount
def look_up(cells, tile):
    """Turn a row of indices in the tile into the tile's entries, one by one.

    Not with the constant `TILE`: the compiler would gather several at once, which takes far longer than loading them.
    Unsigned: what might be negative might be counted from the end.
    """
    for j in range(cells.shape[0]):
        cells[j] = tile[np.uint32(cells[j])]


@inline_always
def texel(tile, x, y):
    """Return the tile's nearest texel below (x, y), in double precision: enough where a pixel is not finer than a texel."""
    return (np.int32(entry(tile, np.floor(x), np.floor(y)) & 255) - 128.0) * (1.0 / 127.0)


@inline_always
def sample(tile, x, y):
    """Return the bilinear value of the tile at (x, y) in texels, in double precision."""
    fx, fy = np.floor(x), np.floor(y)
    four, ax, ay = entry(tile, fx, fy), x - fx, y - fy
    here, down = np.int32(four & 255), np.int32(four >> 8 & 255)
    right, across = np.int32(four >> 16 & 255), np.int32(four >> 24 & 255)
    near = here + ax * (down - here)
    far = right + ax * (across - right)
    return (near + ay * (far - near) - 128.0) * (1.0 / 127.0)


@inline_always
def wrapped(x):
    """Bring a coordinate, which is in double precision because it may be far away, into the tile, in single."""
    return np.float32(x - TILE_SIZE * np.floor(x * (1.0 / TILE_SIZE)))


@inline_always
@float32_literals
def texel_of(four):
    """Return the texel itself from an entry of the tile, in single precision."""
    return (np.float32(np.int32(four & 255)) - 128.0) * (1.0 / 127.0)


@inline_always
@float32_literals
def value_between(four, ax, ay):
    """Return the bilinear value from an entry of the tile, in single precision."""
    here, down = np.float32(np.int32(four & 255)), np.float32(np.int32(four >> 8 & 255))
    right, across = np.float32(np.int32(four >> 16 & 255)), np.float32(np.int32(four >> 24 & 255))
    near = here + ax * (down - here)
    far = right + ax * (across - right)
    return (near + ay * (far - near) - 128.0) * (1.0 / 127.0)


@inline_always
def hash32(a, b, c, seed):
    """Return 32 well-mixed bits of three integers and a seed (multiply-xorshift)."""
    h = (a * 374761393 + b * 668265263 + c * 1103515245 + seed) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 739982445) & 0xFFFFFFFF
    h = ((h ^ (h >> 12)) * 695872825) & 0xFFFFFFFF
    return h ^ (h >> 15)
