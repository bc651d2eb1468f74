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

from lanekeep_envs.kernel import borrowing, inlined, single_precision
from lanekeep_envs.road import project
from lanekeep_envs.surface import clip, fade, overlap, paved_share
from lanekeep_envs.texture import first_of, look_up, place, texel_of, value_between, wrapped

PIECE = 16  # pixels, or half as many where they would span more than `SPAN_M`
HALF_PIECE = 8
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
        ("slow", np.float32, PATCH),  # slow textures at the nodes, `NODES` of each (`fill_slow`)
        ("s", np.float32, PATCH),  # along the road from the beginning of the axis at hand [m]
        ("sided", np.float32, PATCH),  # lateral position, positive left in the unmirrored world [m]
        ("wide", np.float32, PATCH),  # extent of the patch across the road [m]
        ("long", np.float32, PATCH),  # and along it
        ("field", np.float32, PATCH),  # slow textures: meadow or crop,
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
        ("cells", np.int32, PATCH),
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
    haze: float  # from here on in single precision
    centre: float  # column of the point straight ahead, from the patch's first
    left_per_px: float
    near: bool  # so near that textures are interpolated
    piece: int  # pixels of a piece
    pieces: int


@borrowing
def place_nodes(strip, axis, start, row, first, half, centre, mirror):
    """Fill the nodes of the patch that begins at column `first`; return the next start row and the least length.

    `axis` is the road in the car's frame and `start` where in it to look first.
    """
    step, shortest = start, 1e9
    for k in range(row.pieces + 1):
        left = (centre - (first + row.piece * k - half)) * row.per_px
        step, s, d = project(axis, step, row.forward, left)
        if k == 0:
            start = step
        tx, ty = axis[step]["tangent_x"], axis[step]["tangent_y"]
        lean = left / row.forward
        long = abs(ty) * row.per_px + abs(tx + ty * lean) * row.deep
        strip["node_s"][k], strip["node_sided"][k] = s, mirror * d
        strip["node_wide"][k] = abs(tx) * row.per_px + abs(tx * lean - ty) * row.deep
        strip["node_long"][k] = long
        shortest = min(shortest, long)
    return start, shortest


@borrowing
@single_precision
def fill_slow(strip, tile, row, half, sided_at, s_at):
    """Fill in the slow textures of the ground at the nodes: field and stain; `s_at` and `sided_at` are of the stains."""
    u, v = strip["u"], strip["v"]
    field_x, field_y = wrapped(0.035 * row.x), wrapped(0.035 * row.y)
    x_per_left, y_per_left = np.float32(row.x_per_left), np.float32(row.y_per_left)
    piece, start = np.float32(row.piece), row.centre + np.float32(half)
    for k in range(NODES):
        left = (start - piece * np.float32(np.int32(k))) * row.left_per_px
        u[k], v[k] = field_x + 0.035 * (x_per_left * left), field_y + 0.035 * (y_per_left * left)
        u[NODES + k] = s_at + 0.45 * strip["node_s"][k]
        v[NODES + k] = sided_at + 0.9 * strip["node_sided"][k]
    noise(strip["slow"], strip, tile, np.uint64(0), np.uint64(2 * NODES))


@borrowing
@single_precision
def unfold(strip, row, half, lane):
    """Fill what every pixel of a patch covers from its nodes."""
    s, sided, wide, long = strip["s"], strip["sided"], strip["wide"], strip["long"]
    field, stain, paved, slow = strip["field"], strip["stain"], strip["paved"], strip["slow"]
    per, columns = 1.0 / np.float32(row.piece), row.piece * row.pieces
    for g in range(columns // HALF_PIECE):
        k = HALF_PIECE * g // row.piece
        begin = np.float32(HALF_PIECE * g - row.piece * k) + np.float32(half)
        s_0, s_1 = strip["node_s"][k], strip["node_s"][k + 1]
        sided_0, sided_1 = strip["node_sided"][k], strip["node_sided"][k + 1]
        wide_0, wide_1 = strip["node_wide"][k], strip["node_wide"][k + 1]
        long_0, long_1 = strip["node_long"][k], strip["node_long"][k + 1]
        field_0, field_1 = slow[k], slow[k + 1]
        stain_0, stain_1 = slow[NODES + k], slow[NODES + k + 1]
        for m in range(HALF_PIECE):
            b = (begin + np.float32(np.int32(m))) * per
            a, j = 1.0 - b, np.uint64(HALF_PIECE * g + m)
            s[j], sided[j] = a * s_0 + b * s_1, a * sided_0 + b * sided_1
            wide[j], long[j] = a * wide_0 + b * wide_1, a * long_0 + b * long_1
            field[j], stain[j] = a * field_0 + b * field_1, a * stain_0 + b * stain_1
    for j in range(columns):
        paved[j] = paved_share(sided[j], wide[j], lane)


@borrowing
@single_precision
def spread(out, values, row, half, first, last):
    """Fill the columns from `first` to `last` with what is known at the nodes."""
    per = 1.0 / np.float32(row.piece)
    for g in range(int(first) // HALF_PIECE, int(last) // HALF_PIECE):
        k = HALF_PIECE * g // row.piece
        begin = np.float32(HALF_PIECE * g - row.piece * k) + np.float32(half)
        low, high = values[k], values[k + 1]
        for m in range(HALF_PIECE):
            b = (begin + np.float32(np.int32(m))) * per
            out[np.uint64(HALF_PIECE * g + m)] = (1.0 - b) * low + b * high


@borrowing
@single_precision
def columns_near(aside, extent, middle, width, row):
    """Between which columns, multiples of `PIECE`, something of this width has a share whose middle is at `middle`.

    `aside` and `extent` are lateral positions and extents of the patches at the nodes.  If there are none, both are 0.
    """
    first, last = row.pieces, 0
    for k in range(row.pieces):
        reach, one, other = 0.5 * width + max(extent[k], extent[k + 1]), aside[k] - middle, aside[k + 1] - middle
        if min(one, other) < reach and max(one, other) > -reach:
            first, last = min(first, k), k + 1
    first, last = row.piece * min(first, last), row.piece * last
    return np.uint64(first // PIECE * PIECE), np.uint64((last + PIECE - 1) // PIECE * PIECE)


@borrowing
@single_precision
def lay_winding_line(out, strip, row, half, width):
    """Fill the share of a line whose middle is `node_aside` m beside the nodes; return between which columns it lies."""
    aside, wide, width = strip["node_aside"], strip["wide"], np.float32(width)
    first, last = columns_near(aside, strip["node_wide"], np.float32(0.0), width, row)
    spread(out, aside, row, half, first, last)
    for j in range(first, last):
        out[j] = overlap(out[j], width, wide[j]) / wide[j]
    return first, last


@borrowing
@single_precision
def noise(out, strip, tile, first, last):
    """Fill the columns from `first` to `last` with the tile's values at (u, v), interpolated."""
    u, v, cells = strip["u"], strip["v"], strip["cells"]
    for j in range(first, last):
        cells[j] = place(np.floor(u[j]), np.floor(v[j]))
    look_up(cells[first:last], tile)
    for j in range(first, last):
        out[j] = value_between(cells[j], u[j] - np.floor(u[j]), v[j] - np.floor(v[j]))


@borrowing
@single_precision
def coarse_noise(out, strip, tile, first, last):
    """The same with the nearest texel's."""
    u, v, cells = strip["u"], strip["v"], strip["cells"]
    for j in range(first, last):
        cells[j] = place(np.floor(u[j]), np.floor(v[j]))
    look_up(cells[first:last], tile)
    for j in range(first, last):
        out[j] = texel_of(cells[j])


@borrowing
@single_precision
def pattern(out, strip, tile, along, start, across, aside, grain_m, shortest, first, last):
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
    noise(out, strip, tile, first, last)
    for j in range(first, last):
        out[j] *= fade(long[j], grain_m)


@inlined
@single_precision
def place_of(i, j):
    """Where in the tile the number for a whole place (i, j) is: texels far apart."""
    return place(61.0 * i + 29.0 * j, 83.0 * j - 17.0 * i)


@inlined
def uniform(tile, i, j):
    """A number between 0 and 1 for a whole place, in double precision."""
    return min(max(0.5 + 0.85 * first_of(tile[place_of(i, j)]), 0.0), 1.0)


@borrowing
@single_precision
def look_up_uniform(out, strip, tile, first, last):
    """Turn the work space `cells`, places in the tile, into numbers between 0 and 1 (`uniform`)."""
    cells = strip["cells"]
    look_up(cells[first:last], tile)
    for j in range(first, last):
        out[j] = clip(0.5 + 0.85 * texel_of(cells[j]))
