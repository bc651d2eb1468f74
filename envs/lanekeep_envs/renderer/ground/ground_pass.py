"""The ground in the picture, row by row from the bottom up: bare (bare_ground.py), with markings (lines.py), and in any
condition (rich_ground.py)."""

import numpy as np

from lanekeep_envs.compiled.decorators import jit, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.renderer.air.sky import hill_haze
from lanekeep_envs.renderer.ground.base_layer import lay_bare, light_row, note_row
from lanekeep_envs.renderer.ground.condition_layers import lay_conditions, light_in_condition, note_condition
from lanekeep_envs.renderer.ground.conditions import condition_of
from lanekeep_envs.renderer.ground.cross_section import grain_of, lane_of, materials_of
from lanekeep_envs.renderer.ground.markings import lay_markings
from lanekeep_envs.renderer.ground.pavement import pavement_of
from lanekeep_envs.renderer.ground.scanline import (
    NODES,
    PATCH,
    PIECE,
    SPAN_M,
    TEXEL_FROM_M,
    Row,
    fill_slow,
    place_nodes,
    unfold,
    weigh_nodes,
)
from lanekeep_envs.renderer.view import BEHIND_ROWS

LAST_M = 4000.0  # forward distance of the farthest row


@jit
def paint_ground(canvas, aov, scene, view, full):
    """Paint every row below the horizon; return the first painted row.  `full` is None on a fine day (view.py)."""
    appearance, visible, lens, start, s0 = (
        scene.appearance,
        scene.visible,
        view.lens,
        BEHIND_ROWS,
        np.float64(view.axis_row),
    )
    x, y, cos, sin = view.x, view.y, view.cos, view.sin
    lane, materials, wet = lane_of(appearance, visible, s0), materials_of(appearance), 0.0
    if full is not None:
        condition = condition_of(appearance, s0)
        if not appearance["plain"]:
            materials, wet = pavement_of(materials, condition.kind), appearance["wet"]
        canvas.scanline[0]["cover"][:] = 0.0
        canvas.scanline[0]["beam"][:] = 0.0
        canvas.scanline[0]["reflection"][:] = 0.0
    else:
        condition = None
    top = canvas.shade.shape[0]
    for first in range(0, canvas.shade.shape[1], PATCH):
        columns = min(canvas.shade.shape[1] - first, PATCH)
        top = paint_patches(
            canvas,
            aov,
            first,
            columns,
            start,
            s0,
            appearance,
            lens,
            x,
            y,
            cos,
            sin,
            visible,
            lane,
            materials,
            wet,
            condition,
        )
    return top


@no_refcount
def paint_patches(
    canvas, aov, first, columns, start, s0, appearance, lens, x, y, cos, sin, visible, lane, materials, wet, condition
):
    """Paint so many columns, from the bottom up, and return the first painted row; `condition` is None on a fine day."""
    strip, half, mirror, plain = canvas.scanline[0], canvas.half, appearance["mirror"], appearance["plain"]
    land_haze = hill_haze(False, appearance["visibility_m"])  # the land ends where the hills begin
    rough_at, sided_at = wrapped(19.0 * s0), wrapped(appearance["offset_y"])
    stain_at = wrapped(0.45 * s0 + appearance["offset_x"])
    i, weighed = canvas.shade.shape[0] - 1, 0
    while i >= 0:
        forward, per_px, deep = canvas.rows[i]["forward_m"], canvas.rows[i]["per_px_m"], canvas.rows[i]["deep_m"]
        if forward > LAST_M:
            break
        piece, patch = PIECE if PIECE * per_px < SPAN_M else PIECE // 2, np.sqrt(per_px * deep)
        row = Row(
            forward,
            per_px,
            deep,
            x + cos * forward + appearance["offset_x"],
            mirror * (y + sin * forward) + appearance["offset_y"],
            -sin,
            mirror * cos,
            np.float32(min(1.0 - np.exp(-forward / appearance["visibility_m"]), land_haze)),
            np.float32(lens.centre_column - first),
            np.float32(per_px),
            patch < TEXEL_FROM_M,
            piece,
            columns // piece,
            np.uint64(NODES if piece < PIECE else NODES // 2),
        )
        grain = grain_of(patch, visible, wet)
        start, shortest = place_nodes(strip, canvas.axis, start, row, first, half, lens.centre_column, mirror)
        fill_slow(strip, row, half, sided_at, stain_at)
        if piece != weighed:
            weigh_nodes(strip, row, half)
            weighed = piece
        unfold(strip, row, lane)
        lay_bare(strip, row, grain, lane, materials, rough_at)
        if condition is not None:
            if plain:
                lay_markings(strip, row, shortest, lane, materials, appearance, None)
                light_row(canvas.colour, canvas.shade, strip, i, first, row, materials)
            else:
                lay_conditions(strip, row, shortest, canvas.axis, grain, lane, materials, appearance, lens, condition)
                light_in_condition(
                    canvas.colour, canvas.shade, strip, i, first, row, materials, appearance, lens, condition
                )
        else:
            lay_markings(strip, row, shortest, lane, materials, appearance, None)
            light_row(canvas.colour, canvas.shade, strip, i, first, row, materials)
        if aov.contributors.size > 0:
            note_row(aov, i, first, canvas.shade, strip, row, grain)
            if condition is not None:
                if not plain:
                    note_condition(aov, i, first, strip, columns, appearance["fog"])
        i -= 1
    return i + 1
