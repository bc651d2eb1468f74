"""The ground in the picture, row by row from the bottom up.

A row is worked off in pieces of `PIECE` pixels.  At the ends of a piece, a metre or two apart, the ground is projected on
the road (a node); in between everything is as good as linear.  The pixels of a piece are land, road or both.

Seen under a grazing angle a pixel's patch of ground is long in the viewing direction and narrow across it, so both the
column step and the row step of the image are projected on the road's normal and tangent: a filter that only knew the
lateral extent would tear solid lines into dashes.

Pieces and pixels lie symmetrically about the middle of the image, so that a mirrored world gives the mirrored numbers.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.interventions import Element
from lanekeep_envs.kernel import inlined, kernel
from lanekeep_envs.road import project
from lanekeep_envs.sky import hill_haze
from lanekeep_envs.surface import (
    asphalt,
    grain_of,
    land,
    lane_of,
    lit,
    markings,
    materials_of,
    mix,
    paved_share,
    slow_texture,
)
from lanekeep_envs.texture import TILE

CENTRE, LEFT, RIGHT = int(Element.CENTRE_MARKING), int(Element.LEFT_MARKING), int(Element.RIGHT_MARKING)
ROAD, TERRAIN, TEXTURE, SHADOWS = int(Element.ROAD), int(Element.TERRAIN), int(Element.TEXTURE), int(Element.SHADOWS)
PIECE = 16  # pixels, or half as many where they would span more than `SPAN_M`
SPAN_M = 2.0
LAST_M = 4000.0  # forward distance of the farthest row
TEXEL_FROM_M = 0.2  # size of a patch from which on a texture's nearest texel will do


class Row(NamedTuple):
    """What the pixels of an image row share."""

    forward: float  # distance ahead [m]
    per_px: float  # width of a pixel [m]
    deep: float  # and the way forward to the next row
    x: float  # texture coordinates of the point straight ahead: world, mirrored with it, moved by the look's offset
    y: float
    x_per_left: float
    y_per_left: float
    haze: float
    piece: int  # pixels of a piece


@kernel
def place_nodes(nodes, pieces, axis, start, row, half, lens, look, s0, x, y, cos, sin):
    """Fill nodes [7, P] with s, d, width and length of a pixel's patch, and slow texture; return the next start row.

    `axis` is the road in the car's frame and `start` where in it to look first.
    """
    step, tile = start, TILE
    for k in range(pieces + 1):
        left = (lens.centre_column - (row.piece * k - half)) * row.per_px
        step, s, d = project(axis, step, row.forward, left)
        if k == 0:
            start = step
        tx, ty = axis[step]["tangent_x"], axis[step]["tangent_y"]
        lean = left / row.forward
        nodes[0, k], nodes[1, k] = s0 + s, d
        nodes[2, k] = abs(tx) * row.per_px + abs(tx * lean - ty) * row.deep
        nodes[3, k] = abs(ty) * row.per_px + abs(tx + ty * lean) * row.deep
        wx, wy = x + cos * row.forward - sin * left, y + sin * row.forward + cos * left
        nodes[4, k], nodes[5, k], nodes[6, k] = slow_texture(s0 + s, d, wx, wy, look, tile)
    return start


@inlined
def piece_of(nodes, k):
    """Node values at both ends of piece k."""
    return node_of(nodes, k), node_of(nodes, k + 1)


@inlined
def node_of(nodes, k):
    """Values of node k."""
    return nodes[0, k], nodes[1, k], nodes[2, k], nodes[3, k], nodes[4, k], nodes[5, k], nodes[6, k]


@inlined
def between(piece, i, b):
    """Linear interpolation of node value i."""
    return (1.0 - b) * piece[0][i] + b * piece[1][i]


@inlined
def land_at(piece, b, left, row, grain, lane, materials, tile, near):
    """Albedo of the land."""
    x, y = row.x + row.x_per_left * left, row.y + row.y_per_left * left
    d, wide, field = between(piece, 1, b), between(piece, 2, b), between(piece, 4, b)
    stain, tuft = between(piece, 5, b), between(piece, 6, b)
    return land(x, y, d, wide, field, stain, tuft, grain, lane, materials, tile, near)


@inlined
def road_at(piece, b, grain, lane, materials, mirror, tile, near):
    """Albedo of the asphalt."""
    s, sided = between(piece, 0, b), mirror * between(piece, 1, b)
    return asphalt(s, sided, between(piece, 5, b), grain, lane, materials, tile, near)


@inlined
def marked(albedo, piece, b, lane, materials):
    """Lay the markings over an albedo."""
    shares = markings(between(piece, 0, b), between(piece, 1, b), between(piece, 2, b), between(piece, 3, b), lane)
    return mix(albedo, materials.paint, shares[0] + (shares[1] + shares[2]))


@kernel
def paint_row(canvas, i, row, centre, grain, lane, materials, mirror, near):
    """Paint image row i; `near` is None where the nearest texel will do.

    Three loops, not one with branches, and a length that the compiler does not know: so they are vectorised.
    """
    red, green, blue, shade = canvas.colour[0, i], canvas.colour[1, i], canvas.colour[2, i], canvas.shade[i]
    nodes, width, half, tile, per_width = canvas.nodes, row.piece, canvas.half, TILE, 1.0 / row.piece
    for k in range(red.shape[0] // width):
        piece, first = piece_of(nodes, k), width * k
        nearest, farthest = min(abs(nodes[1, k]), abs(nodes[1, k + 1])), max(abs(nodes[1, k]), abs(nodes[1, k + 1]))
        reach = 0.5 * max(nodes[2, k], nodes[2, k + 1])
        if nodes[1, k] * nodes[1, k + 1] > 0.0 and nearest - max(lane.edge_m, lane.lane_m + lane.line_m) > reach:
            for m in range(width):
                j, b = first + m, (m + half) * per_width
                albedo = land_at(piece, b, (centre - j) * row.per_px, row, grain, lane, materials, tile, near)
                red[j], green[j], blue[j] = lit(albedo, 1.0 - shade[j], row.haze, materials)
        elif farthest - lane.edge_m < -reach:
            for m in range(width):
                j, b = first + m, (m + half) * per_width
                albedo = road_at(piece, b, grain, lane, materials, mirror, tile, near)
                albedo = marked(albedo, piece, b, lane, materials)
                red[j], green[j], blue[j] = lit(albedo, 1.0 - shade[j], row.haze, materials)
        else:
            for m in range(width):
                j, b = first + m, (m + half) * per_width
                albedo = land_at(piece, b, (centre - j) * row.per_px, row, grain, lane, materials, tile, near)
                road = road_at(piece, b, grain, lane, materials, mirror, tile, near)
                albedo = mix(albedo, road, paved_share(between(piece, 1, b), between(piece, 2, b), lane))
                albedo = marked(albedo, piece, b, lane, materials)
                red[j], green[j], blue[j] = lit(albedo, 1.0 - shade[j], row.haze, materials)


@kernel
def note_row(by, i, shade, nodes, row, half, grain, lane):
    """Write what row i shows into the by-products."""
    for j in range(shade.shape[0]):
        piece, b = piece_of(nodes, j // row.piece), (j % row.piece + half) * (1.0 / row.piece)
        s, d, wide = between(piece, 0, b), between(piece, 1, b), between(piece, 2, b)
        paved = paved_share(d, wide, lane)
        shares = markings(s, d, wide, between(piece, 3, b), lane)
        element, bits = TERRAIN if paved < 0.5 else ROAD, 0
        bits |= 1 << TERRAIN if paved < 1.0 else 0
        bits |= 1 << ROAD if paved > 0.0 else 0
        bits |= 1 << TEXTURE if grain.slow > 0.0 else 0
        for n in range(3):
            share, line = shares[n], (CENTRE, LEFT, RIGHT)[n]
            if share > 0.0:
                bits |= 1 << line
            if share >= 0.4:
                element = line
        if shade[j] > 0.0:
            bits |= 1 << SHADOWS
            if shade[j] > 0.5 and element <= ROAD:
                element = SHADOWS
        by.elements[i, j], by.depth_m[i, j] = element, row.forward
        by.contributors[i, j] |= bits


@kernel
def paint_ground(canvas, by, start, s0, look, lens, x, y, cos, sin, visible):
    """Paint every row below the horizon, from the bottom up; return the first painted row.

    `start` is the row of `canvas.axis` beside the car, and `s0` the arc length at the first one.
    """
    lane, materials, mirror = lane_of(look, visible), materials_of(look), look["mirror"]
    land_haze = hill_haze(False, look["visibility_m"])  # the land ends where the hills begin
    i, width = canvas.shade.shape[0] - 1, canvas.shade.shape[1]
    while i >= 0:
        forward, per_px, deep = canvas.rows[i]["forward_m"], canvas.rows[i]["per_px_m"], canvas.rows[i]["deep_m"]
        if forward > LAST_M:
            break
        row = Row(
            forward,
            per_px,
            deep,
            x + cos * forward + look["offset_x"],
            mirror * (y + sin * forward) + look["offset_y"],
            -sin,
            mirror * cos,
            min(1.0 - np.exp(-forward / look["visibility_m"]), land_haze),
            PIECE if PIECE * per_px < SPAN_M else PIECE // 2,
        )
        patch = np.sqrt(per_px * deep)
        grain = grain_of(patch, visible)
        start = place_nodes(
            canvas.nodes, width // row.piece, canvas.axis, start, row, canvas.half, lens, look, s0, x, y, cos, sin
        )
        if patch < TEXEL_FROM_M:
            paint_row(canvas, i, row, lens.centre_column, grain, lane, materials, mirror, True)
        else:
            paint_row(canvas, i, row, lens.centre_column, grain, lane, materials, mirror, None)
        if by is not None:
            note_row(by, i, canvas.shade[i], canvas.nodes, row, canvas.half, grain, lane)
        i -= 1
    return i + 1
