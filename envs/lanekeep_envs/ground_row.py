"""An image row of ground: what its pixels share, and the nodes between which they lie.

A row is worked off in pieces of `PIECE` pixels.  At the ends of a piece, a metre or two apart, the ground is projected on
the road (a node); in between everything is as good as linear.

Seen under a grazing angle a pixel's patch of ground is long in the viewing direction and narrow across it, so both the
column step and the row step of the image are projected on the road's normal and tangent: a filter that only knew the
lateral extent would tear solid lines into dashes.

Pieces and pixels lie symmetrically about the middle of the image, so that a mirrored world gives the mirrored numbers.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.kernel import borrowing, inlined
from lanekeep_envs.road import project
from lanekeep_envs.surface import asphalt, land, slow_texture
from lanekeep_envs.texture import TILE

PIECE = 16  # pixels, or half as many where they would span more than `SPAN_M`
SPAN_M = 2.0
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


@borrowing
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


class Ends(NamedTuple):
    """What is known at the ends of the pieces of a row, arrays [P + 1]; the last three are work space."""

    piece: int
    half: float
    s: NDArray[np.float64]
    sided: NDArray[np.float64]
    wide: NDArray[np.float64]
    long: NDArray[np.float64]
    aside: NDArray[np.float64]  # distance from the middle of a line
    slow: NDArray[np.float64]
    there: NDArray[np.float64]


@borrowing
def ends_of(nodes, work, columns, row, half, mirror):
    """The ends of the pieces of a row; `work` is [4, as many as there can be]."""
    many = columns // row.piece + 1
    sided = work[0, :many]
    for k in range(many):
        sided[k] = mirror * nodes[1, k]
    return Ends(
        row.piece, half, nodes[0, :many], sided, nodes[2, :many], nodes[3, :many], work[1, :many], work[2, :many],
        work[3, :many],
    )  # fmt: skip


@borrowing
def spread(out, values, ends, first, last):
    """Fill the columns from `first` to `last`, whole pieces, with what is known at the ends of the pieces."""
    piece, half = ends.piece, ends.half
    per_width = 1.0 / piece
    for k in range(first // piece, last // piece):
        low, high, part = values[k], values[k + 1], out[piece * k : piece * k + piece]
        for m in range(part.shape[0]):
            b = (m + half) * per_width
            part[m] = (1.0 - b) * low + b * high


@borrowing
def columns_near(aside, extent, width, piece):
    """Between which columns something of this width has a share whose middle is `aside` m beside the ends of the pieces.

    `extent` is that of their patches.  The columns begin and end with a piece; if there are none, both are 0.
    """
    first, last = piece * aside.shape[0], 0
    for k in range(aside.shape[0] - 1):
        reach = 0.5 * width + max(extent[k], extent[k + 1])
        if min(aside[k], aside[k + 1]) < reach and max(aside[k], aside[k + 1]) > -reach:
            first, last = min(first, piece * k), piece * (k + 1)
    return min(first, last), last
