"""What lies on road and land: water, fallen leaves and snow.

Water is a film that mirrors the sky, and puddles, first in the wheel tracks and at the edges of the road.  Leaves are single
ones in cells of the ground, most where the wind lays them, along the edges.  Snow lies first on the land, then on shoulders
and edges, at last between the wheel tracks, which stay the darkest.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.renderer.coverage import clip, fade
from lanekeep_envs.renderer.ground.conditions import LEAVES, SNOW, WATER, blend
from lanekeep_envs.renderer.ground.cross_section import off_track
from lanekeep_envs.renderer.ground.textures import MEAN_FROM_GRAINS, pattern, uniform_noise

F32 = np.float32

# ---- water --------------------------------------------------------------------------------------------------------------

WET_MIRRORS = F32(0.75)  # share of the sky that a wet road mirrors at a grazing angle
FAR_SHARE = F32(0.3)  # of the road under puddles where single ones cannot be told apart, at strength 1
MORE = F32(0.72)  # rise of the water level from strength 0 to 1
SHORE = (F32(0.08), F32(0.05))  # width of a puddle's edge in levels, and its growth per metre of a footprint's length
GRAIN_M = F32(5.0)  # size of a puddle
MUDDY, OPAQUE = (F32(46.0), F32(44.0), F32(42.0)), F32(0.75)  # the water's own colour, and its share


@no_refcount
@float32_literals
def wet_road(scanline, fresnel, appearance, columns):
    """Fill in what of the sky a wet road mirrors, and where there is water at all."""
    reflection, water = scanline["reflection"], scanline["cover"][WATER]
    paved, stain, wet = scanline["paved"], scanline["stain"], np.float32(appearance["wet"])
    there = 1.0 if wet > 0.0 else 0.0
    for j in range(columns):
        reflection[j] = paved[j] * clip(WET_MIRRORS * wet * fresnel * (0.8 + 0.7 * stain[j]))
        water[j] = paved[j] * there


@no_refcount
@float32_literals
def lay_puddles(scanline, shortest, surface, mirrored, appearance, first, last):
    """Lay standing water; it mirrors a share of the sky."""
    lane, puddles = surface.lane, np.float32(appearance["puddles"])
    sided, long, paved, share = scanline["sided"], scanline["long"], scanline["paved"], scanline["share"]
    water, reflection, strength = scanline["cover"][WATER], scanline["reflection"], min(8.0 * puddles, 1.0)
    far, more = FAR_SHARE * puddles * puddles, MORE * puddles
    start = (wrapped(1.1 * surface.s0 + appearance["offset_y"]), wrapped(appearance["offset_x"]))
    pattern(share, scanline, (1.1, 2.3), start, GRAIN_M, shortest, first, last)
    for j in range(first, last):
        away = abs(sided[j])
        hollow = max(clip(1.0 - 1.6 * off_track(away, lane)), clip(1.0 - (lane.edge_m - away) * 1.4))
        detail = fade(long[j], GRAIN_M)
        deep = 0.35 * hollow - share[j] / max(detail, 1e-6)
        puddle = clip((deep - 1.0 + more) / (SHORE[0] + SHORE[1] * long[j]))
        wet = paved[j] * strength * (far + detail * (puddle - far))
        water[j] = max(wet, water[j])
        reflection[j] += wet * (mirrored - reflection[j])
        share[j] = OPAQUE * wet
    blend(scanline, share, MUDDY, MUDDY, None, first, last)


# ---- leaves -------------------------------------------------------------------------------------------------------------

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


# ---- snow ---------------------------------------------------------------------------------------------------------------

TRACK_WIDTH_M = F32(0.34)  # half the width of a wheel track
COVERING = F32(0.97)  # cover of deep snow
ROAD_NEED, EDGE_NEED, TRACK_NEED, LAND_NEED = F32(0.72), F32(0.22), F32(0.52), F32(0.06)  # amounts from which snow lies
DRIFTS, GRAINS = (
    (F32(1.7), F32(3.1)),
    (F32(9.0), F32(11.0)),
)  # texels of its relief per metre, along the road and across
HOLLOW, CREST = (F32(176.0), F32(185.0), F32(201.0)), (F32(218.0), F32(222.0), F32(228.0))


@no_refcount
@float32_literals
def lay_snow(scanline, shortest, surface, appearance, columns):
    """Lay snow; its colour is its relief, dark in hollows."""
    lane, snow, first = surface.lane, np.float32(appearance["snow"]), np.uint64(0)
    most, amount, per_edge = COVERING * clip(8.0 * snow), 1.25 * snow, 1.0 / lane.edge_m
    share, hue, sided, fine = scanline["cover"][SNOW], scanline["hue"], scanline["sided"], scanline["fine"]
    reflection, paint = scanline["reflection"], scanline["paint"]
    s_at, sided_at = surface.s0 + appearance["offset_x"], appearance["offset_y"]
    drifts_at = (wrapped(1.7 * s_at), wrapped(3.1 * sided_at))
    pattern(hue, scanline, DRIFTS, drifts_at, 6.0, shortest, first, columns)
    grains_at = (wrapped(9.0 * s_at + 70.0), wrapped(11.0 * sided_at))
    pattern(fine, scanline, GRAINS, grains_at, 0.8, shortest, first, columns)
    for j in range(first, columns):
        aside = abs(sided[j])
        on_land = clip((aside - lane.edge_m) * 0.8 + 0.1)
        in_track = clip(1.5 - off_track(aside, lane) * (1.0 / TRACK_WIDTH_M))
        need = ROAD_NEED - EDGE_NEED * clip(aside * per_edge) + TRACK_NEED * in_track
        need += on_land * (LAND_NEED - need)
        here = most * clip((amount - need + 0.30 * hue[j] + 0.22 * fine[j]) * 2.6)
        share[j] = here
        hue[j] = 0.5 + 0.5 * hue[j] + 0.35 * fine[j]
        reflection[j] *= 1.0 - here
        paint[j] *= 1.0 - here
    blend(scanline, share, HOLLOW, CREST, hue, first, columns)
