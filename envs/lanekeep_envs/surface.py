"""Albedo of a patch of ground: asphalt with markings, gravel shoulder, grass and fields, anti-aliased analytically.

A pixel covers a patch of ground, `wide` across the road and `long` along it.  A marking covers the overlap of its width with
the one (box filter), a dash the exact integral of the pulse train along the other.  Textures fade out where a patch is
larger than their grain.  Everything here is free of branches, so that a loop over pixels is vectorised.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.elements import Element
from lanekeep_envs.kernel import inlined
from lanekeep_envs.look import RGB
from lanekeep_envs.texture import sample, texture

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

    lane_m: float
    line_m: float
    edge_m: float  # of the asphalt
    verge_m: float  # where gravel turns to grass
    dash_m: float
    period_m: float
    centre: float
    left: float
    right: float
    centre_shift: float  # of the markings, to the left [m]
    left_shift: float
    right_shift: float
    outside_m: float  # where there is neither asphalt nor marking any more


class Grain(NamedTuple):
    """Strength of the textures in an image row: fine and coarse of the land, of the asphalt, and of all that is slow."""

    fine: float
    coarse: float
    rough: float
    slow: float


@inlined
def materials_of(look):
    """Materials of a `LOOK`."""
    return Materials(
        (look["grass_r"], look["grass_g"], look["grass_b"]),
        (look["field_r"], look["field_g"], look["field_b"]),
        (look["gravel_r"], look["gravel_g"], look["gravel_b"]),
        (look["asphalt_r"], look["asphalt_g"], look["asphalt_b"]),
        (look["paint_r"], look["paint_g"], look["paint_b"]),
        (look["ambient_r"], look["ambient_g"], look["ambient_b"]),
        (look["sunlight_r"], look["sunlight_g"], look["sunlight_b"]),
        (look["horizon_r"], look["horizon_g"], look["horizon_b"]),
    )


@inlined
def lane_of(look, visible):
    """Lane of a `LOOK`."""
    edge, outer = look["lane_m"] + look["strip_m"], look["lane_m"] + look["line_m"]
    shift = max(abs(look["centre_shift_m"]) - look["lane_m"], abs(look["left_shift_m"]), abs(look["right_shift_m"]))
    return Lane(
        look["lane_m"],
        look["line_m"],
        edge,
        edge + 0.6 * look["shoulder_m"],
        look["dash_m"],
        look["dash_m"] + look["gap_m"],
        float(visible >> CENTRE & 1),
        float(visible >> LEFT & 1),
        float(visible >> RIGHT & 1),
        look["centre_shift_m"],
        look["left_shift_m"],
        look["right_shift_m"],
        max(edge, outer + max(shift, 0.0)),
    )


@inlined
def grain_of(patch, visible):
    """Grain where a pixel covers a patch of this size [m]."""
    slow = float(visible >> TEXTURE & 1)
    return Grain(
        0.30 * slow * clip01((1.2 - patch) * 1.1),
        0.20 * slow * clip01((6.0 - patch) * 0.25),
        0.20 * slow * clip01(1.0 - 2.0 * patch),
        slow,
    )


@inlined
def clip01(share):
    """Clip to [0, 1]."""
    return min(max(share, 0.0), 1.0)


@inlined
def mix(under, over, share):
    """Lay a colour over another."""
    return (
        under[0] + share * (over[0] - under[0]),
        under[1] + share * (over[1] - under[1]),
        under[2] + share * (over[2] - under[2]),
    )


@inlined
def tinted(light, colour):
    """Brighten or darken a colour."""
    return (light * colour[0], light * colour[1], light * colour[2])


@inlined
def slow_texture(s, d, x, y, look, tile):
    """(field, stain, tuft) so slow that every eighth pixel will do: meadow or crop, stains and ragged edges, tufts."""
    side = look["mirror"]
    px, py = x + look["offset_x"], side * y + look["offset_y"]
    stain = sample(tile, 0.45 * s + look["offset_x"], 0.9 * side * d + look["offset_y"])
    return sample(tile, 0.035 * px, 0.035 * py), stain, sample(tile, 0.7 * py, 0.7 * px)


@inlined
def land(x, y, d, wide, field, stain, tuft, grain, lane, materials, tile, near):
    """Albedo of grass, crop and the gravel shoulder at texture coordinates (x, y) [m], d beside the axis."""
    crop = clip01(2.5 * field + 0.2 - 1.2 * clip01(1.6 - abs(d) * (1.0 / 14.0)))
    light = (
        1.0 + grain.fine * texture(tile, 5.1 * x, 5.1 * y, near) + grain.coarse * texture(tile, 0.7 * y, 0.7 * x, near)
    )
    ragged = 0.5 * grain.slow * stain
    stony = 0.75 * clip01(0.5 - (abs(d) - lane.verge_m - ragged) / (wide + 0.7))
    green = tinted(light, mix(materials.grass, materials.field, crop))
    return mix(green, tinted(1.0 + 0.4 * ragged, materials.gravel), stony)


@inlined
def asphalt(s, sided, stain, grain, lane, materials, tile, near):
    """Albedo of the asphalt: grain, slow stains along the road, and the paler tracks that wheels polish."""
    track = (abs(abs(sided) - 0.5 * lane.lane_m) - 0.8) * 2.2
    light = 1.0 + grain.rough * texture(tile, 19.0 * s, 19.0 * sided, near)
    light += grain.slow * (0.05 * stain + 0.05 * max(1.0 - track * track, 0.0))
    return tinted(light, materials.asphalt)


@inlined
def paved_share(d, wide, lane):
    """Share of asphalt in a patch."""
    return clip01(0.5 - (abs(d) - lane.edge_m) / wide)


@inlined
def overlap(offset, width, extent):
    """Length of [offset - extent/2, offset + extent/2] inside [-width/2, width/2]."""
    return max(min(offset + 0.5 * extent, 0.5 * width) - max(offset - 0.5 * extent, -0.5 * width), 0.0)


@inlined
def painted_m(s, lane):
    """Length of dashes between 0 and s; one begins at every multiple of the period."""
    cycles = np.floor(s * (1.0 / lane.period_m))
    return cycles * lane.dash_m + min(s - cycles * lane.period_m, lane.dash_m)


@inlined
def markings(s, d, wide, long, lane):
    """Shares (centre, left, right) of a patch that the markings cover."""
    per_wide = 1.0 / wide
    dashes = (painted_m(s + 0.5 * long, lane) - painted_m(s - 0.5 * long, lane)) / long
    edge = lane.lane_m + 0.5 * lane.line_m
    return (
        lane.centre * overlap(d - lane.centre_shift, lane.line_m, wide) * per_wide * dashes,
        lane.left * overlap(d - lane.left_shift - edge, lane.line_m, wide) * per_wide,
        lane.right * overlap(d - lane.right_shift + edge, lane.line_m, wide) * per_wide,
    )


@inlined
def lit(albedo, sunny, haze, materials):
    """Colour of an albedo in light and air."""
    ambient, sunlight = materials.ambient, materials.sunlight
    colour = (
        albedo[0] * (ambient[0] + sunny * sunlight[0]),
        albedo[1] * (ambient[1] + sunny * sunlight[1]),
        albedo[2] * (ambient[2] + sunny * sunlight[2]),
    )
    return mix(colour, materials.horizon, haze)
