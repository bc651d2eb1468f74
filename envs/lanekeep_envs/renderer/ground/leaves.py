"""Fallen leaves: single ones in cells of the ground, most where the wind lays them, along the edges."""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.renderer.coverage import clip, fade
from lanekeep_envs.renderer.ground.conditions import LEAVES, blend
from lanekeep_envs.renderer.ground.textures import MEAN_FROM_GRAINS, uniform_noise

F32 = np.float32
CELL_M, LEAF_M = F32(0.17), F32(0.10)  # size of a cell of the ground, with one leaf in it, and of the leaf
LEAF_FADE_M = F32(0.35)  # extent of a footprint in which single leaves begin to merge
MEAN = F32(0.35)  # share of a cell that its leaf covers, where single leaves cannot be told apart
BROWN, YELLOW = (F32(116.0), F32(62.0), F32(24.0)), (F32(206.0), F32(134.0), F32(40.0))


@no_refcount
@float32_literals
def lay_leaves(scanline, shortest, surface, appearance, columns):
    """Lay leaves on road and land."""
    sided, stain, hue, first = scanline["sided"], scanline["stain"], scanline["hue"], np.uint64(0)
    share, edge_m, leaves = scanline["cover"][LEAVES], surface.lane.edge_m, np.float32(appearance["leaves"])
    for j in range(first, columns):
        beyond = abs(sided[j]) - edge_m
        here = 0.16 + 0.84 * clip(1.25 - abs(beyond) * 0.8) + 0.25 * clip(beyond * 2.0)
        share[j] = min(leaves * here * clip(0.75 + 0.9 * stain[j]), 1.0)
    if shortest < MEAN_FROM_GRAINS * LEAF_FADE_M:
        strew_leaves(scanline, wrapped(surface.s0 / CELL_M), first, columns)
    else:  # too far for single leaves
        for j in range(first, columns):
            share[j] *= MEAN
            hue[j] = 0.5
    blend(scanline, share, BROWN, YELLOW, hue, first, columns)


@no_refcount
@float32_literals
def strew_leaves(scanline, start, first, last):
    """Turn the density of leaves into single ones, as far as a footprint lets them be seen; `hue` is 0 to 1 for each.

    The axis begins at `start` among the cells.
    """
    s, sided, wide, long = scanline["s"], scanline["sided"], scanline["wide"], scanline["long"]
    u, v, share, hue, draw = scanline["u"], scanline["v"], scanline["cover"][LEAVES], scanline["hue"], scanline["fine"]
    half, per_m = 0.5 * LEAF_M, 1.0 / CELL_M
    for j in range(first, last):
        u[j], v[j] = np.floor(sided[j] * per_m), np.floor(s[j] * per_m + start)
    uniform_noise(hue, scanline, first, last)
    for j in range(first, last):
        u[j], v[j] = np.floor(s[j] * per_m + start), np.floor(sided[j] * per_m)
    uniform_noise(draw, scanline, first, last)
    for j in range(first, last):
        turn, along, across = hue[j], s[j] * per_m + start - u[j], sided[j] * per_m - v[j]
        along, across = along - 0.35 - 0.3 * turn, across - 0.65 + 0.3 * draw[j]
        along, across = CELL_M * along, CELL_M * across
        across, along = across + (turn - 0.5) * along, along - (turn - 0.5) * across
        per_deep, per_broad = 1.0 / (half + 0.3 * long[j]), 1.0 / (half * (0.6 + 0.4 * turn) + 0.3 * wide[j])
        along, across = along * per_deep, across * per_broad
        spot = clip(1.6 * (1.0 - along * along - across * across))
        single = clip(8.0 * (1.125 * share[j] - draw[j])) * spot * (half * per_deep)
        mean, apart = MEAN * share[j], fade(long[j], LEAF_FADE_M)
        share[j] = mean + apart * (single - mean)
        hue[j] = 0.5 + apart * (turn - 0.5)
