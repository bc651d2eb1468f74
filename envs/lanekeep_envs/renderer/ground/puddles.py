"""Water on the road: a film that mirrors the sky, and puddles, first in the wheel tracks and at the edges of the road."""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.renderer.coverage import clip, fade
from lanekeep_envs.renderer.ground.conditions import WATER, blend
from lanekeep_envs.renderer.ground.cross_section import off_track
from lanekeep_envs.renderer.ground.textures import pattern

F32 = np.float32
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
