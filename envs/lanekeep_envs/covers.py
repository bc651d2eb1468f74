"""What lies on the ground: puddles, leaves and snow."""

import numpy as np

from lanekeep_envs.condition import fade, look_up_uniform, pattern, place_of
from lanekeep_envs.kernel import borrowing, inlined
from lanekeep_envs.surface import clip01

TRACK_M, TRACK_WIDTH_M = 0.8, 0.34  # of a wheel track: from the middle of the lane, and half its width
CELL_M, LEAF_M = 0.17, 0.10  # of the ground, with one leaf in it, and of the leaf
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
def cover_with_leaves(share, hue, patches, draw, lane, condition):
    """Single leaves in cells of the ground, most where the wind lays them, along the edges; `hue` is 0 to 1 for each.

    `draw` is work space.
    """
    sided, stain = patches.sided, patches.stain
    for j in range(share.shape[0]):
        beyond = abs(sided[j]) - lane.edge_m
        here = 0.16 + 0.84 * clip01(1.25 - abs(beyond) * 0.8) + 0.25 * clip01(beyond * 2.0)
        share[j] = min(condition.leaves * here * clip01(0.75 + 0.9 * stain[j]), 1.0)
    if patches.shortest[0] < 1.5 * LEAF_FADE_M:
        lay_leaves(share, hue, patches, draw)
    else:  # too far for single leaves
        for j in range(share.shape[0]):
            share[j] *= 0.35
            hue[j] = 0.5


@borrowing
def lay_leaves(share, hue, patches, draw):
    """Turn the density of leaves into single ones, as far as a patch lets them be seen."""
    s, sided, wide, long, cells, half = (
        patches.s,
        patches.sided,
        patches.wide,
        patches.long,
        patches.cells,
        0.5 * LEAF_M,
    )
    for j in range(cells.shape[0]):
        cells[j] = place_of(np.floor(sided[j] * (1.0 / CELL_M)), np.floor(s[j] * (1.0 / CELL_M)))
    look_up_uniform(hue, patches)
    for j in range(cells.shape[0]):
        cells[j] = place_of(np.floor(s[j] * (1.0 / CELL_M)), np.floor(sided[j] * (1.0 / CELL_M)))
    look_up_uniform(draw, patches)
    for j in range(share.shape[0]):
        u, v, turn = np.floor(s[j] * (1.0 / CELL_M)), np.floor(sided[j] * (1.0 / CELL_M)), hue[j]
        along, across = s[j] - CELL_M * (u + 0.35 + 0.3 * turn), sided[j] - CELL_M * (v + 0.65 - 0.3 * draw[j])
        across, along = across + (turn - 0.5) * along, along - (turn - 0.5) * across
        per_deep, per_broad = 1.0 / (half + 0.3 * long[j]), 1.0 / (half * (0.6 + 0.4 * turn) + 0.3 * wide[j])
        along, across = along * per_deep, across * per_broad
        spot = clip01(1.6 * (1.0 - along * along - across * across))
        single = clip01(8.0 * (1.125 * share[j] - draw[j])) * spot * (half * per_deep)
        mean = 0.35 * share[j]
        share[j] = mean + fade(long[j], LEAF_FADE_M) * (single - mean)
    for j in range(hue.shape[0]):
        hue[j] = 0.5 + fade(long[j], LEAF_FADE_M) * (hue[j] - 0.5)


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
