"""Snow: it lies first on the land, then on shoulders and edges, at last between the wheel tracks, which stay the darkest."""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.renderer.coverage import clip
from lanekeep_envs.renderer.ground.conditions import SNOW, blend
from lanekeep_envs.renderer.ground.cross_section import off_track
from lanekeep_envs.renderer.ground.textures import pattern

F32 = np.float32
TRACK_WIDTH_M = F32(0.34)  # half the width of a wheel track
COVERING = F32(0.97)  # cover of deep snow
ROAD_NEED, EDGE_NEED, TRACK_NEED, LAND_NEED = F32(0.72), F32(0.22), F32(0.52), F32(0.06)  # amounts from which snow lies
DRIFTS, GRAINS = (
    (F32(1.7), F32(3.1)),
    (F32(9.0), F32(11.0)),
)  # texels per metre of its relief, along the road and across
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
