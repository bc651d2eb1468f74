"""An image row of ground: what its pixels share, and the nodes between which they lie.

A row is worked off in pieces of `PIECE` pixels.  At the ends of a piece, a metre or two apart, the ground is projected on
the road (a node); in between everything is as good as linear.

Seen under a grazing angle a pixel's patch of ground is long in the viewing direction and narrow across it, so both the
column step and the row step of the image are projected on the road's normal and tangent: a filter that only knew the
lateral extent would tear solid lines into dashes.

Pieces and pixels lie symmetrically about the middle of the image, so that a mirrored world gives the mirrored numbers.
Projections are in double precision, and so is whatever is far from the car; the pixels are in single.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount, noalias
from lanekeep_envs.compiled.noise import TILE, entry, texel_of, value_between, wrapped
from lanekeep_envs.dynamics.road import project
from lanekeep_envs.renderer.ground.cross_section import clip, fade, paved_share

PIECE = 16  # pixels, or half as many where they would span more than `SPAN_M`
SPAN_M = 2.0
PATCH = 240  # pixels of a row that are worked off at once: whole pieces, and so few that they stay in the fastest cache
NODES = 32  # room for their nodes; one more behind, since they are read in pairs
TEXEL_FROM_M = 0.2  # size of a patch from which on a texture's nearest texel will do

STRIP = np.dtype(  # the row at hand; one record, so that the compiler knows that no two parts of it overlap
    [
        *(
            (f"node_{name}", np.float32, NODES + 1)
            for name in ("s", "sided", "wide", "long", "there", "aside")  # as below; the last two are work space
        ),
        ("weights", np.float32, (3, PIECE)),  # of three nodes for the pixels between them (`weigh_nodes`)
        ("slow", np.float32, PATCH),  # slow textures at the nodes, one after the other (`fill_slow`)
        ("s", np.float32, PATCH),  # along the road from the beginning of the axis at hand [m]
        ("sided", np.float32, PATCH),  # lateral position, positive left in the unmirrored world [m]
        ("wide", np.float32, PATCH),  # extent of the patch across the road [m]
        ("long", np.float32, PATCH),  # and along it
        ("field", np.float32, PATCH),  # slow textures: meadow or crop, and
        ("stain", np.float32, PATCH),  # stains and ragged edges
        ("paved", np.float32, PATCH),  # share of road
        ("red", np.float32, PATCH),  # albedo
        ("green", np.float32, PATCH),
        ("blue", np.float32, PATCH),
        ("line", np.float32, (3, PATCH)),  # shares of the centre, left and right marking as they were new
        ("mark", np.float32, (3, PATCH)),  # and as they are
        ("paint", np.float32, PATCH),  # share of paint that throws headlights back
        ("beam", np.float32, PATCH),  # light of the headlights
        ("reflection", np.float32, PATCH),  # share of sky mirrored in water
        ("cover", np.float32, (7, PATCH)),  # shares of the conditions; more than 0 wherever one changes anything
        ("u", np.float32, PATCH),  # places in the tile (texture.py)
        ("v", np.float32, PATCH),
        ("share", np.float32, PATCH),  # for what is needed only for a while
        ("hue", np.float32, PATCH),
        ("fine", np.float32, PATCH),
        ("coarse", np.float32, PATCH),
    ]
)


class Row(NamedTuple):
    """What the pixels of an image row share."""

    forward: float  # distance ahead [m]
    per_px: float  # width of a pixel [m]
    deep: float  # and the way forward to the next row
    x: float  # texture coordinates of the point straight ahead: world, mirrored with it, moved by the look's offset
    y: float
    x_per_left: float
    y_per_left: float
    haze: np.float32  # from here on in single precision
    centre: np.float32  # column of the point straight ahead, from the patch's first
    left_per_px: np.float32
    near: bool  # so near that textures are interpolated
    piece: int  # pixels of a piece
    pieces: int
    nodes: np.uint64  # `NODES` or half of it: those at the ends of the pieces, and what makes a vector whole


@no_refcount
def place_nodes(strip, axis, start, row, first, half, centre, mirror):
    """Fill the nodes of the patch that begins at column `first`; return the next start row and the least length.

    `axis` is the road in the car's frame and `start` where in it to look first.  Beyond the centre of a bend a point has
    several projections, and which one is found depends on where one comes from: so a row is walked from its middle outwards.
    """
    start, _, _ = project(axis, start, row.forward, 0.0)
    before, middle = first // row.piece, int(np.ceil((centre + half) / row.piece))
    step, shortest = start, 1e9
    for n in range(middle, before + row.pieces + 1):
        step, long = place_node(
            strip, axis, step, row, n - before, (centre - (row.piece * n - half)) * row.per_px, mirror
        )
        shortest = min(shortest, long)
    step = start
    for n in range(middle - 1, before - 1, -1):
        step, long = place_node(
            strip, axis, step, row, n - before, (centre - (row.piece * n - half)) * row.per_px, mirror
        )
        shortest = min(shortest, long)
    return start, shortest


@inline_always
def place_node(strip, axis, step, row, k, left, mirror):
    """Project the point `left` m beside the middle of the row, and make it node k if the patch has one of this number.

    Return its row of the axis, and the length of its patch, huge for others.
    """
    step, s, d = project(axis, step, row.forward, left)
    if k < 0 or k > row.pieces:
        return step, 1e9
    tx, ty, lean = axis[step]["tangent_x"], axis[step]["tangent_y"], left / row.forward
    long = abs(ty) * row.per_px + abs(tx + ty * lean) * row.deep
    strip["node_s"][k], strip["node_sided"][k], strip["node_long"][k] = s, mirror * d, long
    strip["node_wide"][k] = abs(tx) * row.per_px + abs(tx * lean - ty) * row.deep
    return step, long


@no_refcount
@float32_literals
def fill_slow(strip, row, half, sided_at, s_at):
    """Fill in the slow textures of the ground at the nodes: field and stain; `s_at` and `sided_at` are of the stains."""
    u, v, nodes = strip["u"], strip["v"], row.nodes
    field_x, field_y = wrapped(0.035 * row.x), wrapped(0.035 * row.y)
    x_per_left, y_per_left = np.float32(row.x_per_left), np.float32(row.y_per_left)
    piece, start = np.float32(row.piece), row.centre + np.float32(half)
    for k in range(nodes):
        left = (start - piece * np.float32(np.int32(k))) * row.left_per_px
        u[k], v[k] = field_x + 0.035 * (x_per_left * left), field_y + 0.035 * (y_per_left * left)
        u[nodes + k] = s_at + 0.45 * strip["node_s"][k]
        v[nodes + k] = sided_at + 0.9 * strip["node_sided"][k]
    noise(strip["slow"], strip, np.uint64(0), nodes + nodes)


@inline_always
def three_nodes(row, g):
    """The nodes between which pixels lie, from 16 g on."""
    k = g if row.piece == PIECE else 2 * g
    return k, k + 1, k + PIECE // row.piece


@no_refcount
@float32_literals
def weigh_nodes(strip, row, half):
    """Fill in how much each of `PIECE` pixels has of its three nodes; of pieces of 16, the last two are one."""
    weights, per = strip["weights"], 1.0 / np.float32(row.piece)
    for m in range(PIECE):
        b = (np.float32(np.int32(m)) + np.float32(half)) * per
        weights[0, m], weights[2, m] = max(1.0 - b, 0.0), max(b - 1.0, 0.0)
        weights[1, m] = 1.0 - weights[0, m] - weights[2, m]


@no_refcount
@float32_literals
def unfold(strip, row, lane):
    """Fill what every pixel of a patch covers from its nodes."""
    s, sided, wide, long = strip["s"], strip["sided"], strip["wide"], strip["long"]
    field, stain, paved, slow, weights = strip["field"], strip["stain"], strip["paved"], strip["slow"], strip["weights"]
    columns = row.piece * row.pieces
    for g in range(columns // PIECE):
        x, y, z = three_nodes(row, g)
        s_x, s_y, s_z = strip["node_s"][x], strip["node_s"][y], strip["node_s"][z]
        sided_x, sided_y, sided_z = strip["node_sided"][x], strip["node_sided"][y], strip["node_sided"][z]
        wide_x, wide_y, wide_z = strip["node_wide"][x], strip["node_wide"][y], strip["node_wide"][z]
        long_x, long_y, long_z = strip["node_long"][x], strip["node_long"][y], strip["node_long"][z]
        field_x, field_y, field_z = slow[x], slow[y], slow[z]
        stain_x, stain_y, stain_z = slow[row.nodes + x], slow[row.nodes + y], slow[row.nodes + z]
        for m in range(PIECE):
            a, b, c, j = weights[0, m], weights[1, m], weights[2, m], np.uint64(PIECE * g + m)
            s[j] = a * s_x + b * s_y + c * s_z
            sided[j] = a * sided_x + b * sided_y + c * sided_z
            wide[j] = a * wide_x + b * wide_y + c * wide_z
            long[j] = a * long_x + b * long_y + c * long_z
            field[j] = a * field_x + b * field_y + c * field_z
            stain[j] = a * stain_x + b * stain_y + c * stain_z
    for n in range(columns):
        paved[n] = paved_share(sided[n], wide[n], lane)


@noalias
@float32_literals
def spread(out, values, strip, row, first, last):
    """Fill the columns from `first` to `last` with what is known at the nodes."""
    weights = strip["weights"]
    for g in range(int(first) // PIECE, int(last) // PIECE):
        x, y, z = three_nodes(row, g)
        value_x, value_y, value_z, begin = values[x], values[y], values[z], np.uint64(PIECE * g)
        # `last` is beyond; a loop of known length would be taken apart and vectorised over the pieces, which is slower
        for j in range(begin, min(begin + np.uint64(PIECE), last)):
            m = j - begin
            out[j] = weights[0, m] * value_x + weights[1, m] * value_y + weights[2, m] * value_z


@no_refcount
@float32_literals
def columns_near(aside, extent, middle, width, row):
    """Between which columns, multiples of `PIECE`, something of this width has a share whose middle is at `middle`.

    `aside` and `extent` are lateral positions and extents of the patches at the nodes.  If there are none, both are 0.
    """
    least, most, none = np.int32(NODES), np.int32(0), np.int32(NODES)
    for k in range(NODES):  # whatever the number of pieces, so that no part is left to do one by one
        piece, one, other = np.int32(k), aside[k] - middle, aside[k + 1] - middle
        reach = 0.5 * width + max(extent[k], extent[k + 1])
        near = (min(one, other) < reach) & (max(one, other) > -reach) & (k < row.pieces)
        least, most = min(least, piece if near else none), max(most, np.int32(k + 1) if near else np.int32(0))
    first, last = row.piece * min(int(least), int(most)), row.piece * int(most)
    return np.uint64(first // PIECE * PIECE), np.uint64((last + PIECE - 1) // PIECE * PIECE)


@no_refcount
def noise(out, strip, first, last):
    """Fill the columns from `first` to `last` with the tile's values at (u, v), interpolated."""
    u, v, tile = strip["u"], strip["v"], TILE
    for j in range(first, last):
        x, y = np.floor(u[j]), np.floor(v[j])
        out[j] = value_between(entry(tile, x, y), u[j] - x, v[j] - y)


@no_refcount
def coarse_noise(out, strip, first, last):
    """The same with the nearest texel's."""
    u, v, tile = strip["u"], strip["v"], TILE
    for j in range(first, last):
        out[j] = texel_of(entry(tile, np.floor(u[j]), np.floor(v[j])))


@no_refcount
@float32_literals
def uniform_noise(out, strip, first, last):
    """Fill them with numbers between 0 and 1 for the whole places (u, v): texels far apart."""
    u, v, tile = strip["u"], strip["v"], TILE
    for j in range(first, last):
        out[j] = clip(0.5 + 0.85 * texel_of(entry(tile, 61.0 * u[j] + 29.0 * v[j], 83.0 * v[j] - 17.0 * u[j])))


@no_refcount
@float32_literals
def pattern(out, strip, along, start, across, aside, grain_m, shortest, first, last):
    """Fill `out` with noise, of so many texels per metre along the road and across it, faded with its grain.

    `start` and `aside` say where in the tile its origin is; nothing is seen where even the `shortest` patch is too long.
    """
    u, v, s, sided, long = strip["u"], strip["v"], strip["s"], strip["sided"], strip["long"]
    along, across, grain_m = np.float32(along), np.float32(across), np.float32(grain_m)
    if shortest >= 1.5 * grain_m:
        for j in range(first, last):
            out[j] = 0.0
        return
    for j in range(first, last):
        u[j], v[j] = along * s[j] + start, across * sided[j] + aside
    noise(out, strip, first, last)
    for j in range(first, last):
        out[j] *= fade(long[j], grain_m)
