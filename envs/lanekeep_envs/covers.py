"""What lies on the ground: puddles, leaves and snow."""

import numpy as np

from lanekeep_envs.condition import fade, pattern, uniform
from lanekeep_envs.kernel import borrowing, inlined, kernel
from lanekeep_envs.surface import clip01
from lanekeep_envs.texture import TILE

TRACK_M, TRACK_WIDTH_M = 0.8, 0.34  # of a wheel track: from the middle of the lane, and half its width
LEAF_FADE_M = 0.35  # extent of a patch in which single leaves begin to merge


@inlined
def off_track(sided, lane):
    """Distance from the nearest wheel track [m]."""
    return abs(abs(abs(sided) - 0.5 * lane.lane_m) - TRACK_M)


@borrowing
def cover_with_puddles(share, patches, paved, lane, condition):
    """Standing water, first in the wheel tracks and at the edges of the road."""
    sided, long = patches.sided, patches.long
    strength, far = min(8.0 * condition.puddles, 1.0), 0.3 * condition.puddles * condition.puddles
    pattern(share, patches, 1.1, condition.offset_y, 2.3, condition.offset_x, 5.0)
    for j in range(share.shape[0]):
        hollow = max(clip01(1.0 - 1.6 * off_track(sided[j], lane)), clip01(1.0 - (lane.edge_m - abs(sided[j])) * 1.4))
        detail = fade(long[j], 5.0)
        deep = 0.35 * hollow - share[j] / max(detail, 1e-6)
        patch = clip01((deep - 1.0 + 0.72 * condition.puddles) / (0.08 + 0.05 * long[j]))
        share[j] = paved[j] * strength * (far + detail * (patch - far))


@borrowing
def cover_with_leaves(share, hue, patches, lane, condition):
    """Single leaves in cells of the ground, most where the wind lays them, along the edges; `hue` is 0 to 1 for each."""
    s, sided, wide, long, tile = patches.s, patches.sided, patches.wide, patches.long, TILE
    cell_m, leaf_m = 0.17, 0.10
    for j in range(share.shape[0]):
        beyond = abs(sided[j]) - lane.edge_m
        here = 0.16 + 0.84 * clip01(1.25 - abs(beyond) * 0.8) + 0.25 * clip01(beyond * 2.0)
        share[j] = min(condition.leaves * here * clip01(0.75 + 0.9 * patches.stain[j]), 1.0)
        hue[j] = 0.5
    if patches.shortest[0] > 1.5 * LEAF_FADE_M:  # too far for single leaves
        for j in range(share.shape[0]):
            share[j] *= 0.35
        return
    for j in range(share.shape[0]):
        crowd = share[j]
        u, v = np.floor(s[j] * (1.0 / cell_m)), np.floor(sided[j] * (1.0 / cell_m))
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


@borrowing
def cover_with_snow(share, hue, patches, fine, lane, condition):
    """Snow lies first on the land, then on shoulders and edges, at last between the wheel tracks, which stay the darkest.

    `hue` is its relief, 0 in hollows to 1; `fine` is work space.
    """
    sided, strength, amount = patches.sided, min(8.0 * condition.snow, 1.0), 1.25 * condition.snow
    offset_x, offset_y = condition.offset_x, condition.offset_y
    pattern(hue, patches, 1.7, 1.7 * offset_x, 3.1, 3.1 * offset_y, 6.0)
    pattern(fine, patches, 9.0, 9.0 * offset_x + 70.0, 11.0, 11.0 * offset_y, 0.8)
    for j in range(share.shape[0]):
        aside = abs(sided[j])
        on_land = clip01((aside - lane.edge_m) * 0.8 + 0.1)
        in_track = clip01(1.5 - off_track(sided[j], lane) * (1.0 / TRACK_WIDTH_M))
        need = 0.72 - 0.22 * clip01(aside * (1.0 / lane.edge_m)) + 0.52 * in_track
        need += on_land * (0.06 - need)
        share[j] = 0.97 * strength * clip01((amount - need + 0.30 * hue[j] + 0.22 * fine[j]) * 2.6)
    for j in range(share.shape[0]):
        hue[j] = 0.5 + 0.5 * hue[j] + 0.35 * fine[j]
