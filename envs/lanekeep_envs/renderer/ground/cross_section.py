"""What the ground is made of: materials, the cross-section of the road, and the shares of a footprint that they cover.

A pixel has a footprint on the ground, `wide` across the road and `long` along it.  A marking covers the overlap of its width
with the one (box filter), a dash the exact integral of the pulse train along the other.  Textures fade out where a footprint
is larger than their grain.  Everything here is free of branches, so that a loop over pixels is vectorised, and in single
precision, which is as exact as the picture and twice as fast.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import float32_literals, inline_always
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.coverage import clip, clip01, single
from lanekeep_envs.sampling.appearance import RGB
from lanekeep_envs.sampling.pavement import surface_colour

CENTRE, LEFT, RIGHT = int(Element.CENTRE_MARKING), int(Element.LEFT_MARKING), int(Element.RIGHT_MARKING)
TEXTURE = int(Element.TEXTURE)
WHEEL_TRACK_M = np.float32(0.8)  # a wheel track's distance from mid-lane
VERGE_SHARE = 0.6  # of the shoulder that is gravel


class Materials(NamedTuple):
    """Albedos, light and air: values, not memory, so that loops need not read them again."""

    grass: RGB
    field: RGB
    gravel: RGB
    asphalt: RGB
    paint: RGB
    ambient: RGB
    sunlight: RGB
    horizon: RGB


class Lane(NamedTuple):
    """Cross-section of the road and its markings; the three markings are the centre, left and right one."""

    lane_m: np.float32
    line_m: np.float32
    edge_m: np.float32  # of the asphalt
    verge_m: np.float32  # where gravel turns to grass
    dash_m: np.float32
    period_m: np.float32
    dash_at: np.float32  # where in a period the axis in the car's frame begins
    visible: tuple[np.float32, np.float32, np.float32]  # 1 or 0
    shift_m: tuple[np.float32, np.float32, np.float32]  # to the left


class Surface(NamedTuple):
    """The ground of one picture."""

    lane: Lane
    materials: Materials
    s0: float  # arc length at the beginning of the axis in the car's frame [m]
    lengths: NDArray[np.float64]  # [4, 3, LENGTHS] of road (conditions.py): gaps in the markings, road works


class Grain(NamedTuple):
    """Strength of the textures in an image row."""

    fine: np.float32  # of the land
    coarse: np.float32
    rough: np.float32  # of the asphalt
    slow: np.float32  # 0 where textures were removed
    rough_at: np.float32  # where in the tile the asphalt's grain begins


@inline_always
def materials_of(appearance):
    """Return the materials of a record of APPEARANCE; concrete and cobbles have colours of their own."""
    road = surface_colour(single(appearance["asphalt"]), appearance["surface_kind"])
    return Materials(
        single(appearance["grass"]),
        single(appearance["field"]),
        single(appearance["gravel"]),
        single(road),
        single(appearance["paint"]),
        single(appearance["ambient"]),
        single(appearance["sunlight"]),
        single(appearance["horizon"]),
    )


@inline_always
def lane_of(appearance, visible, s0):
    """Return the lane of a record of APPEARANCE, for an axis that begins at the arc length s0."""
    edge, period = appearance["lane_m"] + appearance["strip_m"], appearance["dash_m"] + appearance["gap_m"]
    return Lane(
        np.float32(appearance["lane_m"]),
        np.float32(appearance["line_m"]),
        np.float32(edge),
        np.float32(edge + VERGE_SHARE * appearance["shoulder_m"]),
        np.float32(appearance["dash_m"]),
        np.float32(period),
        np.float32(s0 - period * np.floor(s0 / period)),
        single((visible >> CENTRE & 1, visible >> LEFT & 1, visible >> RIGHT & 1)),
        single((appearance["centre_shift_m"], appearance["left_shift_m"], appearance["right_shift_m"])),
    )


@inline_always
def grain_of(footprint, visible, wet, rough_at):
    """Return the grain where a pixel's footprint has this size [m]; a wet road is smoother."""
    slow = float(visible >> TEXTURE & 1)
    return Grain(
        np.float32(0.30 * slow * clip01((1.2 - footprint) * 1.1)),
        np.float32(0.20 * slow * clip01((6.0 - footprint) * 0.25)),
        np.float32(0.20 * slow * clip01(1.0 - 2.0 * footprint) * (1.0 - 0.4 * wet)),
        np.float32(slow),
        rough_at,
    )


@inline_always
@float32_literals
def off_track(aside, lane):
    """Return the distance from the nearest wheel track [m], `aside` m beside the axis."""
    return abs(abs(aside - 0.5 * lane.lane_m) - WHEEL_TRACK_M)


@inline_always
@float32_literals
def paved_share(d, wide, lane):
    """Return the share of asphalt in a footprint."""
    return clip(0.5 - (abs(d) - lane.edge_m) / wide)
