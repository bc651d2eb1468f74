"""Texture of a scanline: the noise tile (compiled/noise.py) at the places (u, v) of its pixels, in single precision."""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, no_refcount
from lanekeep_envs.compiled.noise import TILE, entry, texel_of, value_between
from lanekeep_envs.renderer.coverage import clip, fade

MEAN_FROM_GRAINS = np.float32(1.5)  # a footprint of so many grains shows only a texture's mean


@no_refcount
def noise(out, scanline, first, last):
    """Fill the columns from `first` to `last` with the tile's values at (u, v), interpolated."""
    u, v, tile = scanline["u"], scanline["v"], TILE
    for j in range(first, last):
        x, y = np.floor(u[j]), np.floor(v[j])
        out[j] = value_between(entry(tile, x, y), u[j] - x, v[j] - y)


@no_refcount
def nearest_noise(out, scanline, first, last):
    """Fill the columns from `first` to `last` with the tile's values at the texels nearest to (u, v)."""
    u, v, tile = scanline["u"], scanline["v"], TILE
    for j in range(first, last):
        out[j] = texel_of(entry(tile, np.floor(u[j]), np.floor(v[j])))


@no_refcount
@float32_literals
def uniform_noise(out, scanline, first, last):
    """Fill the columns from `first` to `last` with numbers between 0 and 1 for the whole places (u, v): texels far apart."""
    u, v, tile = scanline["u"], scanline["v"], TILE
    for j in range(first, last):
        out[j] = clip(0.5 + 0.85 * texel_of(entry(tile, 61.0 * u[j] + 29.0 * v[j], 83.0 * v[j] - 17.0 * u[j])))


@no_refcount
@float32_literals
def pattern(out, scanline, per_m, start, grain_m, shortest, first, last):
    """Fill `out` with noise, of `per_m` texels along the road and across it, faded with its grain.

    `start`, along and across, says where in the tile its origin is; nothing is seen where even the `shortest` footprint is
    too long.
    """
    u, v, s, sided, long = scanline["u"], scanline["v"], scanline["s"], scanline["sided"], scanline["long"]
    along, across, grain_m = np.float32(per_m[0]), np.float32(per_m[1]), np.float32(grain_m)
    if shortest >= MEAN_FROM_GRAINS * grain_m:
        for j in range(first, last):
            out[j] = 0.0
        return
    for j in range(first, last):
        u[j], v[j] = along * s[j] + start[0], across * sided[j] + start[1]
    noise(out, scanline, first, last)
    for j in range(first, last):
        out[j] *= fade(long[j], grain_m)
