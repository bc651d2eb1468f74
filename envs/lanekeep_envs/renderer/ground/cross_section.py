"""What a patch of ground is made of: materials, the cross-section of the road, and the shares that a patch covers.

A pixel covers a patch of ground, `wide` across the road and `long` along it.  A marking covers the overlap of its width with
the one (box filter), a dash the exact integral of the pulse train along the other.  Textures fade out where a patch is
larger than their grain.  Everything here is free of branches, so that a loop over pixels is vectorised, and in single
precision, which is as exact as the picture and twice as fast.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always
from lanekeep_envs.elements import Element
from lanekeep_envs.sampling.appearance import RGB

CENTRE, LEFT, RIGHT = int(Element.CENTRE_MARKING), int(Element.LEFT_MARKING), int(Element.RIGHT_MARKING)
TEXTURE = int(Element.TEXTURE)


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
    """Cross-section of the road, and which markings are to be seen (1 or 0)."""

    lane_m: np.float32
    line_m: np.float32
    edge_m: np.float32  # of the asphalt
    verge_m: np.float32  # where gravel turns to grass
    dash_m: np.float32
    period_m: np.float32
    dash_at: np.float32  # where in a period the axis at hand begins
    centre: np.float32
    left: np.float32
    right: np.float32
    centre_shift: np.float32  # of the markings, to the left [m]
    left_shift: np.float32
    right_shift: np.float32


class Grain(NamedTuple):
    """Strength of the textures in an image row: fine and coarse of the land, of the asphalt, and of all that is slow."""

    fine: np.float32
    coarse: np.float32
    rough: np.float32
    slow: np.float32


@inline_always
def rgb(red, green, blue):
    """A colour in single precision."""
    return np.float32(red), np.float32(green), np.float32(blue)


@inline_always
def materials_of(appearance):
    """Materials of a `LOOK`."""
    return Materials(
        rgb(appearance["grass_r"], appearance["grass_g"], appearance["grass_b"]),
        rgb(appearance["field_r"], appearance["field_g"], appearance["field_b"]),
        rgb(appearance["gravel_r"], appearance["gravel_g"], appearance["gravel_b"]),
        rgb(appearance["asphalt_r"], appearance["asphalt_g"], appearance["asphalt_b"]),
        rgb(appearance["paint_r"], appearance["paint_g"], appearance["paint_b"]),
        rgb(appearance["ambient_r"], appearance["ambient_g"], appearance["ambient_b"]),
        rgb(appearance["sunlight_r"], appearance["sunlight_g"], appearance["sunlight_b"]),
        rgb(appearance["horizon_r"], appearance["horizon_g"], appearance["horizon_b"]),
    )


@inline_always
def lane_of(appearance, visible, s0):
    """Lane of a `LOOK`, for an axis that begins at s0."""
    edge, period = appearance["lane_m"] + appearance["strip_m"], appearance["dash_m"] + appearance["gap_m"]
    return Lane(
        np.float32(appearance["lane_m"]),
        np.float32(appearance["line_m"]),
        np.float32(edge),
        np.float32(edge + 0.6 * appearance["shoulder_m"]),
        np.float32(appearance["dash_m"]),
        np.float32(period),
        np.float32(s0 - period * np.floor(s0 / period)),
        np.float32(visible >> CENTRE & 1),
        np.float32(visible >> LEFT & 1),
        np.float32(visible >> RIGHT & 1),
        np.float32(appearance["centre_shift_m"]),
        np.float32(appearance["left_shift_m"]),
        np.float32(appearance["right_shift_m"]),
    )


@inline_always
def grain_of(patch, visible, wet):
    """Grain where a pixel covers a patch of this size [m]; a wet road is smoother."""
    slow = float(visible >> TEXTURE & 1)
    return Grain(
        np.float32(0.30 * slow * clip01((1.2 - patch) * 1.1)),
        np.float32(0.20 * slow * clip01((6.0 - patch) * 0.25)),
        np.float32(0.20 * slow * clip01(1.0 - 2.0 * patch) * (1.0 - 0.4 * wet)),
        np.float32(slow),
    )


@inline_always
def clip01(share):
    """Clip to [0, 1], in double precision."""
    return min(max(share, 0.0), 1.0)


@inline_always
@float32_literals
def clip(share):
    """Clip to [0, 1], in single precision."""
    return min(max(share, 0.0), 1.0)


@inline_always
def mix(under, over, share):
    """Lay a colour over another."""
    return (
        under[0] + share * (over[0] - under[0]),
        under[1] + share * (over[1] - under[1]),
        under[2] + share * (over[2] - under[2]),
    )


@inline_always
def tinted(light, colour):
    """Brighten or darken a colour."""
    return (light * colour[0], light * colour[1], light * colour[2])


@inline_always
@float32_literals
def paved_share(d, wide, lane):
    """Share of asphalt in a patch."""
    return clip(0.5 - (abs(d) - lane.edge_m) / wide)


@inline_always
@float32_literals
def overlap(offset, width, extent):
    """Length of [offset - extent/2, offset + extent/2] inside [-width/2, width/2]."""
    return max(min(offset + 0.5 * extent, 0.5 * width) - max(offset - 0.5 * extent, -0.5 * width), 0.0)


@inline_always
def pulses_m(x, on_m, period_m, per_period):
    """Length of pulses between 0 and x; one begins at every multiple of the period."""
    cycles = np.floor(x * per_period)
    return cycles * on_m + min(x - cycles * period_m, on_m)


@inline_always
@float32_literals
def pulse_share(x, extent, on_m, period_m):
    """Share of pulses in [x - extent/2, x + extent/2]."""
    per_period = 1.0 / period_m
    ahead = pulses_m(x + 0.5 * extent, on_m, period_m, per_period)
    return max(ahead - pulses_m(x - 0.5 * extent, on_m, period_m, per_period), 0.0) / extent


@inline_always
@float32_literals
def fade(extent, grain_m):
    """Strength of a pattern with this grain in a patch of this extent."""
    return clip(1.5 - extent * (1.0 / grain_m))
