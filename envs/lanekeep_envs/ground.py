"""Colour of the ground: asphalt with markings, gravel shoulder, grass and fields, anti-aliased analytically.

A pixel covers a patch of ground.  Its extent across the road is  |t_x + ...|: seen under a grazing angle the patch is long
in the viewing direction and narrow across it, so both the column step and the row step of the image are projected on the
road's normal and tangent.  A marking covers the overlap of its width with that extent (box filter), a dash the exact
integral of the pulse train along it.  A filter that only knew the lateral extent would tear solid lines into dashes.
"""

import numpy as np

from lanekeep_envs.interventions import Element
from lanekeep_envs.kernel import inlined, kernel
from lanekeep_envs.texture import sample, texel

CENTRE, LEFT, RIGHT = int(Element.CENTRE_MARKING), int(Element.LEFT_MARKING), int(Element.RIGHT_MARKING)
ROAD, TERRAIN, TEXTURE = int(Element.ROAD), int(Element.TERRAIN), int(Element.TEXTURE)


@inlined
def overlap(offset, width, extent):
    """Share of [offset - extent/2, offset + extent/2] inside [-width/2, width/2]."""
    low = max(offset - 0.5 * extent, -0.5 * width)
    high = min(offset + 0.5 * extent, 0.5 * width)
    return max(high - low, 0.0) / extent


@inlined
def painted_length(s, dash, period):
    """Length of dashes between 0 and s."""
    cycles = np.floor(s / period)
    return cycles * dash + min(s - cycles * period, dash)


@inlined
def dash_share(s, extent, dash, gap):
    """Share of [s - extent/2, s + extent/2] covered by dashes that begin at every multiple of dash + gap."""
    period = dash + gap
    return (painted_length(s + 0.5 * extent, dash, period) - painted_length(s - 0.5 * extent, dash, period)) / extent


@inlined
def soft_edge(beyond, extent):
    """Share of the patch on the near side of an edge that lies `beyond` metres behind its centre."""
    return min(max(0.5 - beyond / extent, 0.0), 1.0)


@kernel
def slow_texture(s, d, x, y, look, tile):
    """(field, stain): texture so slow that every eighth pixel will do; meadow against crop, stains and ragged edges."""
    side = look["mirror"]
    field = sample(tile, 0.035 * (x + look["offset_x"]), 0.035 * (side * y + look["offset_y"]))
    return field, sample(tile, 0.45 * s + look["offset_x"], 0.9 * side * d + look["offset_y"])


@inlined
def terrain(x, y, near, patch, field, look, tile, grain):
    """Albedo of grass and fields at world (x, mirror * y); `near` is 1 beside the road, 0 out in the fields."""
    px, py = x + look["offset_x"], y + look["offset_y"]
    crop = min(max(2.5 * field + 0.2 - 1.2 * near, 0.0), 1.0)
    fine = coarse = 0.0
    if patch < 1.2:
        fine = texel(tile, 5.1 * px, 5.1 * py) if patch > 0.1 else sample(tile, 5.1 * px, 5.1 * py)
        fine *= grain * min(1.0, (1.2 - patch) * 1.1)
    if patch < 6.0:
        coarse = texel(tile, 0.7 * py, 0.7 * px) if patch > 0.7 else sample(tile, 0.7 * py, 0.7 * px)
        coarse *= grain * min(1.0, (6.0 - patch) * 0.25)
    light = 1.0 + 0.30 * fine + 0.20 * coarse
    return (
        light * (look["grass_r"] + crop * (look["field_r"] - look["grass_r"])),
        light * (look["grass_g"] + crop * (look["field_g"] - look["grass_g"])),
        light * (look["grass_b"] + crop * (look["field_b"] - look["grass_b"])),
    )


@inlined
def asphalt_light(s, d, patch, stain, look, tile, grain):
    """Brightness of the asphalt: grain, slow stains along the road, and the paler tracks that wheels polish."""
    fine = 0.0
    if patch < 0.5:
        fine = texel(tile, 19.0 * s, 19.0 * d) if patch > 0.03 else sample(tile, 19.0 * s, 19.0 * d)
        fine *= 1.0 - 2.0 * patch
    track = (abs(abs(d) - 0.5 * look["lane_m"]) - 0.8) * 2.2
    return 1.0 + grain * (0.20 * fine + 0.05 * stain + 0.05 * max(1.0 - track * track, 0.0))


@inlined
def marking_share(s, d, wide, long, look):
    """(share, element) of the marking in a patch of extent `wide` across and `long` along the road."""
    line, lane = look["line_m"], look["lane_m"]
    reach = 0.5 * (line + wide)
    if abs(d) < reach:
        return overlap(d, line, wide) * dash_share(s, long, look["dash_m"], look["gap_m"]), CENTRE
    edge = lane + 0.5 * line
    if abs(abs(d) - edge) < reach:
        return overlap(abs(d) - edge, line, wide), LEFT if d > 0.0 else RIGHT
    return 0.0, CENTRE


@inlined
def ground_albedo(x, y, s, d, wide, long, field, stain, look, tile, visible):
    """(r, g, b, dominating element, contributing bits) of a patch; x, y world, s, d road coordinates [m]."""
    grain = 1.0 if visible >> TEXTURE & 1 else 0.0
    patch = np.sqrt(wide * long)
    sided = d * look["mirror"]
    paved = soft_edge(abs(d) - look["lane_m"] - look["strip_m"], wide)
    r = g = b = 0.0
    element, bits = TERRAIN, grain_bit(grain)
    if paved < 1.0:
        bits |= 1 << TERRAIN
        near = min(max(1.6 - abs(d) / 14.0, 0.0), 1.0)
        r, g, b = terrain(x, y * look["mirror"], near, patch, field, look, tile, grain)
        ragged = 0.5 * grain * stain
        stony = 0.75 * soft_edge(
            abs(d) - look["lane_m"] - look["strip_m"] - 0.6 * look["shoulder_m"] - ragged, wide + 0.7
        )
        if stony > 0.0:
            speck = 1.0 + 0.4 * ragged
            r += stony * (speck * look["gravel_r"] - r)
            g += stony * (speck * look["gravel_g"] - g)
            b += stony * (speck * look["gravel_b"] - b)
    if paved > 0.0:
        bits |= 1 << ROAD
        element = ROAD if paved >= 0.5 else TERRAIN
        light = asphalt_light(s, sided, patch, stain, look, tile, grain)
        r += paved * (light * look["asphalt_r"] - r)
        g += paved * (light * look["asphalt_g"] - g)
        b += paved * (light * look["asphalt_b"] - b)
        share, line = marking_share(s, d, wide, long, look)
        if share > 0.0 and visible >> line & 1:
            bits |= 1 << line
            element = line if share >= 0.4 else element
            r += share * (look["paint_r"] - r)
            g += share * (look["paint_g"] - g)
            b += share * (look["paint_b"] - b)
    return r, g, b, element, bits


@inlined
def grain_bit(grain):
    """Bit of the texture, if there is any."""
    return 1 << TEXTURE if grain > 0.0 else 0
