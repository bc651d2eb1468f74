"""Markings of the road: the solid lines at its edges and the dashed one between its lanes.

A line is laid only in the columns where it is.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, no_refcount
from lanekeep_envs.renderer.coverage import overlap, pulse_share, single
from lanekeep_envs.renderer.ground.conditions import WEAR, blend
from lanekeep_envs.renderer.ground.scanline import SCANLINE_PX, columns_near
from lanekeep_envs.renderer.ground.worn_markings import wear_marking


@no_refcount
@float32_literals
def lay_markings(scanline, row, shortest, lane, materials, appearance, worn):
    """Lay the valid markings: as new if `worn` is None, else what is left of them on that `Surface`."""
    paint, edge, mirror = scanline["paint"], lane.lane_m + 0.5 * lane.line_m, np.float32(appearance["mirror"])
    middles = (lane.shift_m[0], edge + lane.shift_m[1], lane.shift_m[2] - edge)
    begin, end = np.uint64(SCANLINE_PX), np.uint64(0)
    paint[:] = 0.0
    scanline["line"][:] = 0.0
    scanline["mark"][:] = 0.0
    if worn is not None:
        scanline["cover"][WEAR, :] = 0.0
    for n in (1, 2, 0):  # what lies on both sides first: the sum is the same in a mirrored world
        if lane.visible[n] == 0.0:
            continue
        middle, line, mark = mirror * middles[n], scanline["line"][n], scanline["mark"][n]
        first, last = columns_near(scanline["knot_sided"], scanline["knot_wide"], middle, lane.line_m, row)
        begin, end = min(begin, first), max(end, last)
        lay_line(line, scanline, middle, lane.line_m, first, last)
        if n == 0:
            dash(line, scanline, lane.dash_at, lane.dash_m, lane.period_m, first, last)
        for j in range(first, last):
            mark[j] = line[j]
        if worn is not None:
            if appearance["worn"] > 0.0 or appearance["missing"] > 0.0:
                wear_marking(scanline, row, shortest, n, middle, worn, appearance, (first, last))
        for j in range(first, last):
            paint[j] += mark[j]
    blend(scanline, paint, materials.paint, materials.paint, None, min(begin, end), end)
    if appearance["own_paint"]:
        tint_markings(scanline, appearance, materials.paint, min(begin, end), end)


@no_refcount
@float32_literals
def tint_markings(scanline, appearance, paint, first, last):
    """Turn the paint of every marking into its own; another that shares a pixel with it stays to the last bit."""
    owns = (
        single(appearance["centre_paint"]),
        single(appearance["left_paint"]),
        single(appearance["right_paint"]),
    )
    mark, colours = scanline["mark"], (scanline["red"], scanline["green"], scanline["blue"])
    for c in range(3):
        colour = colours[c]
        centre, left, right = owns[0][c] - paint[c], owns[1][c] - paint[c], owns[2][c] - paint[c]
        for j in range(first, last):  # what lies on both sides first, as above
            colour[j] += (mark[1, j] * left + mark[2, j] * right) + mark[0, j] * centre


@no_refcount
@float32_literals
def lay_line(out, scanline, middle, width, first, last):
    """Fill the share of a solid line whose middle is at this lateral position."""
    sided, wide = scanline["sided"], scanline["wide"]
    for j in range(first, last):
        out[j] = overlap(sided[j] - middle, width, wide[j]) / wide[j]


@no_refcount
@float32_literals
def dash(share, scanline, start, dash_m, period_m, first, last):
    """Leave of a line its dashes, of which one begins `start` m before the axis."""
    s, long = scanline["s"], scanline["long"]
    for j in range(first, last):
        share[j] *= pulse_share(s[j] + start, long[j], dash_m, period_m)
