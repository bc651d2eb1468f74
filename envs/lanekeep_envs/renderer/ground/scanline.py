"""A scanline: an image row of ground, what its pixels share, and the knots between which they lie.

A row is worked off in segments of `SEGMENT_PX` pixels.  At the ends of a segment, a metre or two apart, the ground is
projected on the road (a knot); in between everything is as good as linear.

Seen under a grazing angle a pixel's footprint on the ground is long in the viewing direction and narrow across it, so both
the column step and the row step of the image are projected on the road's normal and tangent: a filter that only knew the
lateral extent would tear solid lines into dashes.

Segments and pixels lie symmetrically about the middle of the image, so that a mirrored world gives the mirrored numbers.
Projections are in double precision, and so is whatever is far from the car; the pixels are in single.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount, noalias
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.dynamics.road import project
from lanekeep_envs.renderer.air.haze import hill_haze
from lanekeep_envs.renderer.ground.cross_section import paved_share
from lanekeep_envs.renderer.ground.textures import noise

SEGMENT_PX = 16  # or half as many where they would span more than `SPAN_M`
SPAN_M = 2.0
SCANLINE_PX = 240  # columns that are worked off at once: whole segments, and so few that they stay in the fastest cache
KNOTS = 32  # room for the knots of so many columns; one more behind, since they are read in pairs

SCANLINE = np.dtype(  # one record, so that the compiler knows that no two parts of it overlap
    [
        *(
            (f"knot_{name}", np.float32, KNOTS + 1)
            for name in ("s", "sided", "wide", "long", "there", "aside")  # as below; the last two are work space
        ),
        ("weights", np.float32, (3, SEGMENT_PX)),  # of three knots for the pixels between them (`weigh_knots`)
        ("slow", np.float32, SCANLINE_PX),  # slow textures at the knots, one after the other (`fill_slow_textures`)
        ("s", np.float32, SCANLINE_PX),  # along the road from the beginning of the axis in the car's frame [m]
        ("sided", np.float32, SCANLINE_PX),  # lateral position, positive left in the unmirrored world [m]
        ("wide", np.float32, SCANLINE_PX),  # extent of the footprint across the road [m]
        ("long", np.float32, SCANLINE_PX),  # extent of the footprint along the road [m]
        ("field", np.float32, SCANLINE_PX),  # slow texture of meadow and crop
        ("stain", np.float32, SCANLINE_PX),  # slow texture of stains and ragged edges
        ("paved", np.float32, SCANLINE_PX),  # share of road
        ("red", np.float32, SCANLINE_PX),  # albedo
        ("green", np.float32, SCANLINE_PX),
        ("blue", np.float32, SCANLINE_PX),
        ("line", np.float32, (3, SCANLINE_PX)),  # shares of the centre, left and right marking when new
        ("mark", np.float32, (3, SCANLINE_PX)),  # shares of the same markings as far as paint is left
        ("paint", np.float32, SCANLINE_PX),  # share of paint that throws headlights back
        ("beam", np.float32, SCANLINE_PX),  # light of the headlights
        ("reflection", np.float32, SCANLINE_PX),  # share of sky mirrored in water
        # shares of the conditions (conditions.py); more than 0 wherever one changes anything
        ("cover", np.float32, (7, SCANLINE_PX)),
        ("u", np.float32, SCANLINE_PX),  # places in the tile (noise.py)
        ("v", np.float32, SCANLINE_PX),
        ("share", np.float32, SCANLINE_PX),  # this and the next three are work space
        ("hue", np.float32, SCANLINE_PX),
        ("fine", np.float32, SCANLINE_PX),
        ("coarse", np.float32, SCANLINE_PX),
    ]
)


class GroundRow(NamedTuple):
    """What the pixels of an image row share, from column `first` on."""

    i: int
    first: int
    forward: float  # distance ahead [m]
    per_px: float  # width of a pixel [m]
    deep: float  # way forward to the next row [m]
    footprint: float  # size of a pixel's footprint [m]
    at: tuple[float, float]  # texture coordinates straight ahead: of the world, mirrored with it, moved by an offset
    per_left: tuple[float, float]  # how they change to the left [1/m]
    haze: np.float32  # from here on in single precision
    centre: np.float32  # column of the point straight ahead, from `first` on
    segment_px: int
    segments: int
    knots: np.uint64  # `KNOTS` or half of it: those at the ends of the segments, and what makes a vector whole


@inline_always
def row_of(i, first, columns, ground, scene, view):
    """Return row i of the image; `ground` is its record of GROUND_ROW, and its haze ends where the hills begin."""
    appearance, mirror = scene.appearance, scene.appearance["mirror"]
    forward, per_px, visibility_m = ground["forward_m"], ground["per_px_m"], appearance["visibility_m"]
    segment_px = SEGMENT_PX if SEGMENT_PX * per_px < SPAN_M else SEGMENT_PX // 2
    x, y = view.x + view.cos * forward + appearance["offset_x"], view.y + view.sin * forward
    return GroundRow(
        i,
        first,
        forward,
        per_px,
        ground["deep_m"],
        np.sqrt(per_px * ground["deep_m"]),
        (x, mirror * y + appearance["offset_y"]),
        (-view.sin, mirror * view.cos),
        np.float32(min(1.0 - np.exp(-forward / visibility_m), hill_haze(False, visibility_m))),
        np.float32(view.lens.centre_column - first),
        segment_px,
        columns // segment_px,
        np.uint64(KNOTS if segment_px < SEGMENT_PX else KNOTS // 2),
    )


@no_refcount
def place_knots(scanline, axis, start, row, half, centre, mirror):
    """Fill the knots of a row; return the next start row and the least length of a footprint.

    `axis` is the road in the car's frame and `start` where in it to look first.  Beyond the centre of a bend a point has
    several projections, and which one is found depends on where one comes from: so a row is walked from its middle outwards.
    """
    start, _, _ = project(axis, start, row.forward, 0.0)
    before, middle = row.first // row.segment_px, int(np.ceil((centre + half) / row.segment_px))
    shortest = 1e9
    for begin, end, way in ((middle, before + row.segments + 1, 1), (middle - 1, before - 1, -1)):
        step = start
        for n in range(begin, end, way):
            left = (centre - (row.segment_px * n - half)) * row.per_px
            step, long = place_knot(scanline, axis, step, row, n - before, left, mirror)
            shortest = min(shortest, long)
    return start, shortest


@inline_always
def place_knot(scanline, axis, step, row, k, left, mirror):
    """Project the point `left` m beside the middle of the row, and make it knot k if the row has one of this number.

    Return its row of the axis, and the length of its footprint, huge for a knot that the row has not.
    """
    step, s, d = project(axis, step, row.forward, left)
    if k < 0 or k > row.segments:
        return step, 1e9
    tx, ty, lean = axis[step]["tangent_x"], axis[step]["tangent_y"], left / row.forward
    long = abs(ty) * row.per_px + abs(tx + ty * lean) * row.deep
    scanline["knot_s"][k], scanline["knot_sided"][k], scanline["knot_long"][k] = s, mirror * d, long
    scanline["knot_wide"][k] = abs(tx) * row.per_px + abs(tx * lean - ty) * row.deep
    return step, long


@no_refcount
@float32_literals
def fill_slow_textures(scanline, row, half, sided_at, s_at):
    """Fill in the slow textures of the ground at the knots: first the field, then the stains, which begin at `s_at` and
    `sided_at` in the tile.
    """
    u, v, knots = scanline["u"], scanline["v"], row.knots
    field_x, field_y, left_per_px = wrapped(0.035 * row.at[0]), wrapped(0.035 * row.at[1]), np.float32(row.per_px)
    x_per_left, y_per_left = np.float32(row.per_left[0]), np.float32(row.per_left[1])
    segment_px, start = np.float32(row.segment_px), row.centre + np.float32(half)
    for k in range(knots):
        left = (start - segment_px * np.float32(np.int32(k))) * left_per_px
        u[k], v[k] = field_x + 0.035 * (x_per_left * left), field_y + 0.035 * (y_per_left * left)
        u[knots + k] = s_at + 0.45 * scanline["knot_s"][k]
        v[knots + k] = sided_at + 0.9 * scanline["knot_sided"][k]
    noise(scanline["slow"], scanline, np.uint64(0), knots + knots)


@inline_always
def three_knots(row, g):
    """Return the knots between which the pixels from column 16 g on lie."""
    k = g if row.segment_px == SEGMENT_PX else 2 * g
    return k, k + 1, k + SEGMENT_PX // row.segment_px


@no_refcount
@float32_literals
def weigh_knots(scanline, row, half):
    """Fill in how much each of `SEGMENT_PX` pixels has of its three knots; the last two of a segment of 16 are one."""
    weights, per = scanline["weights"], 1.0 / np.float32(row.segment_px)
    for m in range(SEGMENT_PX):
        b = (np.float32(np.int32(m)) + np.float32(half)) * per
        weights[0, m], weights[2, m] = max(1.0 - b, 0.0), max(b - 1.0, 0.0)
        weights[1, m] = 1.0 - weights[0, m] - weights[2, m]


@no_refcount
@float32_literals
def interpolate_scanline(scanline, row, lane):
    """Fill in what every pixel of a row covers, from its knots."""
    s, sided, wide, long = scanline["s"], scanline["sided"], scanline["wide"], scanline["long"]
    field, stain, paved = scanline["field"], scanline["stain"], scanline["paved"]
    slow, weights = scanline["slow"], scanline["weights"]
    columns = row.segment_px * row.segments
    for g in range(columns // SEGMENT_PX):
        x, y, z = three_knots(row, g)
        s_x, s_y, s_z = scanline["knot_s"][x], scanline["knot_s"][y], scanline["knot_s"][z]
        sided_x, sided_y, sided_z = scanline["knot_sided"][x], scanline["knot_sided"][y], scanline["knot_sided"][z]
        wide_x, wide_y, wide_z = scanline["knot_wide"][x], scanline["knot_wide"][y], scanline["knot_wide"][z]
        long_x, long_y, long_z = scanline["knot_long"][x], scanline["knot_long"][y], scanline["knot_long"][z]
        field_x, field_y, field_z = slow[x], slow[y], slow[z]
        stain_x, stain_y, stain_z = slow[row.knots + x], slow[row.knots + y], slow[row.knots + z]
        for m in range(SEGMENT_PX):
            a, b, c, j = weights[0, m], weights[1, m], weights[2, m], np.uint64(SEGMENT_PX * g + m)
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
def interpolate_knots(out, values, scanline, row, first, last):
    """Fill the columns from `first` to `last` with values that are known at the knots."""
    weights = scanline["weights"]
    for g in range(int(first) // SEGMENT_PX, int(last) // SEGMENT_PX):
        x, y, z = three_knots(row, g)
        value_x, value_y, value_z, begin = values[x], values[y], values[z], np.uint64(SEGMENT_PX * g)
        # `last` is beyond; a loop of known length would be taken apart and vectorised over the segments, which is slower
        for j in range(begin, min(begin + np.uint64(SEGMENT_PX), last)):
            m = j - begin
            out[j] = weights[0, m] * value_x + weights[1, m] * value_y + weights[2, m] * value_z


@no_refcount
@float32_literals
def columns_near(aside, extent, middle, width, row):
    """Return the columns (first, last), multiples of `SEGMENT_PX`, between which something of this width at the lateral
    position `middle` has a share; both are 0 if there are none.

    `aside` and `extent` are lateral positions and extents of the footprints at the knots.
    """
    least, most, none = np.int32(KNOTS), np.int32(0), np.int32(KNOTS)
    for k in range(KNOTS):  # whatever the number of segments, so that no part is left to do one by one
        segment, one, other = np.int32(k), aside[k] - middle, aside[k + 1] - middle
        reach = 0.5 * width + max(extent[k], extent[k + 1])
        near = (min(one, other) < reach) & (max(one, other) > -reach) & (k < row.segments)
        least, most = min(least, segment if near else none), max(most, np.int32(k + 1) if near else np.int32(0))
    first, last = row.segment_px * min(int(least), int(most)), row.segment_px * int(most)
    return np.uint64(first // SEGMENT_PX * SEGMENT_PX), np.uint64((last + SEGMENT_PX - 1) // SEGMENT_PX * SEGMENT_PX)
