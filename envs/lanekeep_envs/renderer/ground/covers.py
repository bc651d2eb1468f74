"""What lies on the ground: puddles, leaves and snow."""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.renderer.ground.conditions import LEAVES, SNOW, WATER, blend
from lanekeep_envs.renderer.ground.cross_section import clip, fade, rgb
from lanekeep_envs.renderer.ground.scanline import pattern, uniform_noise

TRACK_M, TRACK_WIDTH_M = np.float32(0.8), np.float32(0.34)  # a wheel track's distance from mid-lane, and half its width
CELL_M, LEAF_M = np.float32(0.17), np.float32(0.10)  # of the ground, with one leaf in it, and of the leaf
LEAF_FADE_M = np.float32(0.35)  # extent of a patch in which single leaves begin to merge


@inline_always
@float32_literals
def off_track(aside, lane):
    """Distance from the nearest wheel track [m], `aside` m beside the axis."""
    return abs(abs(aside - 0.5 * lane.lane_m) - TRACK_M)


@no_refcount
@float32_literals
def lay_leaves(strip, shortest, lane, condition, columns):
    """Single leaves in cells of the ground, most where the wind lays them, along the edges."""
    sided, stain, share, hue, first = strip["sided"], strip["stain"], strip["cover"][LEAVES], strip["hue"], np.uint64(0)
    for j in range(first, columns):
        beyond = abs(sided[j]) - lane.edge_m
        here = 0.16 + 0.84 * clip(1.25 - abs(beyond) * 0.8) + 0.25 * clip(beyond * 2.0)
        share[j] = min(condition.leaves * here * clip(0.75 + 0.9 * stain[j]), 1.0)
    if shortest < 1.5 * LEAF_FADE_M:
        strew_leaves(strip, wrapped(condition.s0 / 0.17), first, columns)
    else:  # too far for single leaves
        for j in range(first, columns):
            share[j] *= 0.35
            hue[j] = 0.5
    blend(strip, share, rgb(116.0, 62.0, 24.0), rgb(206.0, 134.0, 40.0), hue, first, columns)


@no_refcount
@float32_literals
def strew_leaves(strip, start, first, last):
    """Turn the density of leaves into single ones, as far as a patch lets them be seen; `hue` is 0 to 1 for each.

    The axis begins at `start` among the cells.
    """
    s, sided, wide, long, share = strip["s"], strip["sided"], strip["wide"], strip["long"], strip["cover"][LEAVES]
    u, v, hue, draw, half, per_m = strip["u"], strip["v"], strip["hue"], strip["fine"], 0.5 * LEAF_M, 1.0 / CELL_M
    for j in range(first, last):
        u[j], v[j] = np.floor(sided[j] * per_m), np.floor(s[j] * per_m + start)
    uniform_noise(hue, strip, first, last)
    for j in range(first, last):
        u[j], v[j] = np.floor(s[j] * per_m + start), np.floor(sided[j] * per_m)
    uniform_noise(draw, strip, first, last)
    for j in range(first, last):
        turn, along, across = hue[j], s[j] * per_m + start - u[j], sided[j] * per_m - v[j]
        along, across = along - 0.35 - 0.3 * turn, across - 0.65 + 0.3 * draw[j]
        along, across = CELL_M * along, CELL_M * across
        across, along = across + (turn - 0.5) * along, along - (turn - 0.5) * across
        per_deep, per_broad = 1.0 / (half + 0.3 * long[j]), 1.0 / (half * (0.6 + 0.4 * turn) + 0.3 * wide[j])
        along, across = along * per_deep, across * per_broad
        spot = clip(1.6 * (1.0 - along * along - across * across))
        single = clip(8.0 * (1.125 * share[j] - draw[j])) * spot * (half * per_deep)
        mean, apart = 0.35 * share[j], fade(long[j], LEAF_FADE_M)
        share[j] = mean + apart * (single - mean)
        hue[j] = 0.5 + apart * (turn - 0.5)


@no_refcount
@float32_literals
def lay_puddles(strip, shortest, lane, mirrored, condition, first, last):
    """Standing water, first in the wheel tracks and at the edges of the road; it mirrors a share of the sky."""
    sided, long, paved, share = strip["sided"], strip["long"], strip["paved"], strip["share"]
    water, reflection, strength = strip["cover"][WATER], strip["reflection"], min(8.0 * condition.puddles, 1.0)
    far, more = 0.3 * condition.puddles * condition.puddles, 0.72 * condition.puddles
    start, aside = wrapped(1.1 * condition.s0 + condition.offset_y), wrapped(condition.offset_x)
    pattern(share, strip, 1.1, start, 2.3, aside, 5.0, shortest, first, last)
    for j in range(first, last):
        away = abs(sided[j])
        hollow = max(clip(1.0 - 1.6 * off_track(away, lane)), clip(1.0 - (lane.edge_m - away) * 1.4))
        detail = fade(long[j], 5.0)
        deep = 0.35 * hollow - share[j] / max(detail, 1e-6)
        patch = clip((deep - 1.0 + more) / (0.08 + 0.05 * long[j]))
        wet = paved[j] * strength * (far + detail * (patch - far))
        water[j] = max(wet, water[j])
        reflection[j] += wet * (mirrored - reflection[j])
        share[j] = 0.75 * wet
    muddy = rgb(46.0, 44.0, 42.0)
    blend(strip, share, muddy, muddy, None, first, last)


@no_refcount
@float32_literals
def lay_snow(strip, shortest, lane, condition, columns):
    """Snow lies first on the land, then on shoulders and edges, at last between the wheel tracks, which stay the darkest.

    Its colour is its relief, dark in hollows.
    """
    strength, amount, share, hue = (
        min(8.0 * condition.snow, 1.0),
        1.25 * condition.snow,
        strip["cover"][SNOW],
        strip["hue"],
    )
    sided, fine, reflection, paint = strip["sided"], strip["fine"], strip["reflection"], strip["paint"]
    s_at, sided_at, first, per_edge = (
        condition.s0 + condition.offset_x,
        condition.offset_y,
        np.uint64(0),
        1.0 / lane.edge_m,
    )
    pattern(hue, strip, 1.7, wrapped(1.7 * s_at), 3.1, wrapped(3.1 * sided_at), 6.0, shortest, first, columns)
    pattern(fine, strip, 9.0, wrapped(9.0 * s_at + 70.0), 11.0, wrapped(11.0 * sided_at), 0.8, shortest, first, columns)
    for j in range(first, columns):
        aside = abs(sided[j])
        on_land = clip((aside - lane.edge_m) * 0.8 + 0.1)
        in_track = clip(1.5 - off_track(aside, lane) * (1.0 / TRACK_WIDTH_M))
        need = 0.72 - 0.22 * clip(aside * per_edge) + 0.52 * in_track
        need += on_land * (0.06 - need)
        here = 0.97 * strength * clip((amount - need + 0.30 * hue[j] + 0.22 * fine[j]) * 2.6)
        share[j] = here
        hue[j] = 0.5 + 0.5 * hue[j] + 0.35 * fine[j]
        reflection[j] *= 1.0 - here
        paint[j] *= 1.0 - here
    blend(strip, share, rgb(176.0, 185.0, 201.0), rgb(218.0, 222.0, 228.0), hue, first, columns)
