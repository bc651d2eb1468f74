"""The ground in the picture, row by row from the bottom up: its base layer (base_layer.py) with markings (markings.py), or
in any condition (condition_layers.py)."""

import numpy as np

from lanekeep_envs.compiled.decorators import jit, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.renderer.ground.base_layer import ASPHALT_PER_M, lay_base, light_row, write_aov_ground
from lanekeep_envs.renderer.ground.condition_layers import lay_conditions, light_in_condition, write_aov_conditions
from lanekeep_envs.renderer.ground.conditions import fill_lengths
from lanekeep_envs.renderer.ground.cross_section import Surface, grain_of, lane_of, materials_of
from lanekeep_envs.renderer.ground.markings import lay_markings
from lanekeep_envs.renderer.ground.scanline import (
    SCANLINE_PX,
    fill_slow_textures,
    interpolate_scanline,
    place_knots,
    row_of,
    weigh_knots,
)
from lanekeep_envs.renderer.view import BEHIND_ROWS

LAST_M = 4000.0  # forward distance of the farthest row


@jit
def paint_ground(buffers, aov, scene, view, full):
    """Paint every row below the horizon; return the first painted row.

    If `full` is None, only a fine day's ground is compiled.
    """
    s0, appearance, top = np.float64(view.axis_row), scene.appearance, 0
    lane, materials = lane_of(appearance, scene.visible, s0), materials_of(appearance)
    surface = Surface(lane, materials, s0, buffers.lengths)
    if full is not None:
        fill_lengths(buffers.lengths, appearance, s0)
        buffers.scanline[0]["cover"][:] = 0.0
        buffers.scanline[0]["beam"][:] = 0.0
        buffers.scanline[0]["reflection"][:] = 0.0
    for first in range(0, buffers.shade.shape[1], SCANLINE_PX):
        top = paint_columns(buffers, aov, scene, view, surface, first, full)
    return top


@no_refcount
def paint_columns(buffers, aov, scene, view, surface, first, full):
    """Paint the columns of one scanline, from `first` on and from the bottom up; return the first painted row."""
    scanline, appearance, lens, half = buffers.scanline[0], scene.appearance, view.lens, buffers.half
    lane, materials, colour, shade = surface.lane, surface.materials, buffers.colour, buffers.shade
    rough_at, sided_at = wrapped(ASPHALT_PER_M * surface.s0), wrapped(appearance["offset_y"])
    stain_at, columns = wrapped(0.45 * surface.s0 + appearance["offset_x"]), min(shade.shape[1] - first, SCANLINE_PX)
    i, weighed, start = shade.shape[0] - 1, 0, BEHIND_ROWS
    while i >= 0 and buffers.rows[i]["forward_m"] <= LAST_M:
        row = row_of(i, first, columns, buffers.rows[i], scene, view)
        grain = grain_of(row.footprint, scene.visible, appearance["wet"], rough_at)
        start, shortest = place_knots(
            scanline, buffers.axis, start, row, half, lens.centre_column, appearance["mirror"]
        )
        fill_slow_textures(scanline, row, half, sided_at, stain_at)
        if row.segment_px != weighed:
            weigh_knots(scanline, row, half)
            weighed = row.segment_px
        interpolate_scanline(scanline, row, lane)
        lay_base(scanline, row, grain, lane, materials)
        plain = True
        if full is not None:
            plain = appearance["plain"]
            if not plain:
                lay_conditions(scanline, row, shortest, buffers.axis, grain, surface, appearance, lens)
                light_in_condition(colour, shade, scanline, row, materials, appearance, lens)
        if plain:
            lay_markings(scanline, row, shortest, lane, materials, appearance, None)
            light_row(colour, shade, scanline, row, materials)
        if aov.contributors.size > 0:
            write_aov_ground(aov, shade, scanline, row, grain)
            if full is not None:
                if not plain:
                    write_aov_conditions(aov, scanline, row, appearance["fog"])
        i -= 1
    return i + 1
