"""Texture without storage: one periodic noise tile, sampled at many scales, and a hash for the sensor's noise.

The tile is fractal noise with a 1/f spectrum; sampling it faster or slower gives grass, asphalt, meadows, clouds or the
outline of hills.  Nothing here draws random numbers while rendering: the same place always looks the same.
"""

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.kernel import inlined

TILE_SIZE = 256


def make_tile(seed: int = 20190120) -> NDArray[np.float32]:
    """Periodic 1/f noise [256, 256], about -1 to 1, zero mean; stepped in 1/127 so that every machine has the same."""
    white = np.random.default_rng(seed).standard_normal((TILE_SIZE, TILE_SIZE))
    frequency = np.hypot(np.fft.fftfreq(TILE_SIZE)[:, None], np.fft.fftfreq(TILE_SIZE)[None, :])
    frequency[0, 0] = np.inf
    smooth = np.fft.ifft2(np.fft.fft2(white) / frequency**1.1).real
    smooth /= 2.5 * smooth.std()
    return np.asarray(np.round(np.clip(smooth, -1.0, 1.0) * 127.0) / 127.0, np.float32)


TILE = make_tile()


@inlined
def sample(tile, x, y):
    """Bilinear value of the tile at (x, y) in texels."""
    fx, fy = np.floor(x), np.floor(y)
    i, j = int(fx) & 255, int(fy) & 255
    k, m = (i + 1) & 255, (j + 1) & 255
    ax, ay = x - fx, y - fy
    near = tile[i, j] + ax * (tile[k, j] - tile[i, j])
    far = tile[i, m] + ax * (tile[k, m] - tile[i, m])
    return near + ay * (far - near)


@inlined
def texel(tile, x, y):
    """Value of the tile at the nearest texel below (x, y): enough where a pixel is not finer than a texel."""
    return tile[int(np.floor(x)) & 255, int(np.floor(y)) & 255]


@inlined
def hash32(a, b, c, seed):
    """32 well-mixed bits of three integers and a seed (multiply-xorshift)."""
    h = (a * 374761393 + b * 668265263 + c * 1103515245 + seed) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 739982445) & 0xFFFFFFFF
    h = ((h ^ (h >> 12)) * 695872825) & 0xFFFFFFFF
    return h ^ (h >> 15)
