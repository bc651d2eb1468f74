"""What lies on the ground: puddles, leaves and snow."""

import numpy as np

from lanekeep_envs.condition import fade, uniform
from lanekeep_envs.kernel import inlined, kernel
from lanekeep_envs.surface import clip01
from lanekeep_envs.texture import TILE, sample

TRACK_M, TRACK_WIDTH_M = 0.8, 0.34  # of a wheel track: from the middle of the lane, and half its width
LEAF_FADE_M = 0.35  # extent of a patch in which single leaves begin to merge


@inlined
def off_track(sided, lane):
    """Distance from the nearest wheel track [m]."""
    return abs(abs(abs(sided) - 0.5 * lane.lane_m) - TRACK_M)


@kernel
def cover_with_puddles(share, patches, lane, condition):
    """Standing water, first in the wheel tracks and at the edges of the road."""
    s, sided, wide, long, tile = patches.s, patches.sided, patches.wide, patches.long, TILE
    strength = min(8.0 * condition.puddles, 1.0)
    for j in range(share.shape[0]):
        paved = clip01(0.5 - (abs(sided[j]) - lane.edge_m) / wide[j])
        hollow = max(clip01(1.0 - 1.6 * off_track(sided[j], lane)), clip01(1.0 - (lane.edge_m - abs(sided[j])) * 1.4))
        deep = 0.35 * hollow - sample(tile, 1.1 * s[j] + condition.offset_y, 2.3 * sided[j] + condition.offset_x)
        detail, far = fade(long[j], 5.0), 0.3 * condition.puddles * condition.puddles
        patch = clip01((deep - 1.0 + 0.72 * condition.puddles) * (1.0 / (0.08 + 0.05 * long[j])))
        share[j] = paved * strength * (far + detail * (patch - far))


@kernel
def cover_with_leaves(share, hue, patches, lane, condition):
    """Single leaves in cells of the ground, most where the wind lays them, along the edges; `hue` is 0 to 1 for each."""
    s, sided, wide, long, tile = patches.s, patches.sided, patches.wide, patches.long, TILE
    cell_m, leaf_m = 0.17, 0.10
    for j in range(share.shape[0]):
        beyond = abs(sided[j]) - lane.edge_m
        here = 0.16 + 0.84 * clip01(1.25 - abs(beyond) * 0.8) + 0.25 * clip01(beyond * 2.0)
        share[j] = min(condition.leaves * here * clip01(0.75 + 0.9 * patches.stain[j]), 1.0)
        hue[j] = 0.5
    if np.min(long) > 1.5 * LEAF_FADE_M:  # too far for single leaves
        for j in range(share.shape[0]):
            share[j] *= 0.35
        return
    for j in range(share.shape[0]):
        crowd = share[j]
        u, v = np.floor(s[j] / cell_m), np.floor(sided[j] / cell_m)
        draw = uniform(tile, u, v)
        half, turn = 0.5 * leaf_m, uniform(tile, v, u)
        along, across = s[j] - cell_m * (u + 0.35 + 0.3 * turn), sided[j] - cell_m * (v + 0.65 - 0.3 * draw)
        across, along = across + (turn - 0.5) * along, along - (turn - 0.5) * across
        deep, broad = half + 0.3 * long[j], half * (0.6 + 0.4 * turn) + 0.3 * wide[j]
        spot = clip01(1.6 * (1.0 - (along * along) / (deep * deep) - (across * across) / (broad * broad)))
        single = clip01(8.0 * (1.125 * crowd - draw)) * spot * (half / deep)
        mean = 0.35 * crowd
        share[j] = mean + fade(long[j], LEAF_FADE_M) * (single - mean)
        hue[j] = 0.5 + fade(long[j], LEAF_FADE_M) * (turn - 0.5)


@kernel
def cover_with_snow(share, hue, patches, lane, condition):
    """Snow lies first on the land, then on shoulders and edges, at last between the wheel tracks, which stay the darkest.

    `hue` is its relief, 0 in hollows to 1.
    """
    s, sided, long, tile = patches.s, patches.sided, patches.long, TILE
    strength, amount = min(8.0 * condition.snow, 1.0), 1.25 * condition.snow
    for j in range(share.shape[0]):
        aside = abs(sided[j])
        on_land = clip01((aside - lane.edge_m) * 0.8 + 0.1)
        in_track = clip01(1.5 - off_track(sided[j], lane) / TRACK_WIDTH_M)
        need = 0.72 - 0.22 * clip01(aside / lane.edge_m) + 0.52 * in_track
        need += on_land * (0.06 - need)
        x, y = s[j] + condition.offset_x, sided[j] + condition.offset_y
        coarse = fade(long[j], 6.0) * sample(tile, 1.7 * x, 3.1 * y)
        fine = fade(long[j], 0.8) * sample(tile, 9.0 * x + 70.0, 11.0 * y)
        share[j] = 0.97 * strength * clip01((amount - need + 0.30 * coarse + 0.22 * fine) * 2.6)
        hue[j] = 0.5 + 0.5 * coarse + 0.35 * fine
