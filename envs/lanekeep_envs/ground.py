"""The ground in the picture, row by row from the bottom up: plain (plain_ground.py) or in any condition (rich_ground.py)."""

import numpy as np

from lanekeep_envs.condition import condition_of
from lanekeep_envs.ground_row import PIECE, SPAN_M, TEXEL_FROM_M, Row, place_nodes
from lanekeep_envs.kernel import kernel
from lanekeep_envs.pavement import pavement_of
from lanekeep_envs.plain_ground import note_row, paint_row
from lanekeep_envs.rich_ground import lay_all_lengths, make_strip, paint_row_in_condition
from lanekeep_envs.sky import hill_haze
from lanekeep_envs.surface import grain_of, lane_of, materials_of

LAST_M = 4000.0  # forward distance of the farthest row


@kernel
def paint_ground(canvas, by, start, s0, look, lens, x, y, cos, sin, visible, rich):
    """Paint every row below the horizon, from the bottom up; return the first painted row.

    `start` is the row of `canvas.axis` beside the car, and `s0` the arc length at the first one; the ground is plain if
    `rich` is None.
    """
    lane, materials, mirror = lane_of(look, visible), materials_of(look), look["mirror"]
    land_haze = hill_haze(False, look["visibility_m"])  # the land ends where the hills begin
    i, width, plain = canvas.shade.shape[0] - 1, canvas.shade.shape[1], look["plain"]
    if rich is not None:
        strip, condition = make_strip(0 if plain else width, canvas.tile), condition_of(look)
        if not plain:
            materials = pavement_of(materials, condition.kind)
            lay_all_lengths(strip.lengths, s0, condition)
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
        if plain:
            if patch < TEXEL_FROM_M:
                paint_row(canvas, i, row, lens.centre_column, grain, lane, materials, mirror, True)
            else:
                paint_row(canvas, i, row, lens.centre_column, grain, lane, materials, mirror, None)
            if by.contributors.size > 0:
                note_row(by, i, canvas.shade[i], canvas.nodes, row, canvas.half, grain, lane)
        if rich is not None:
            if not plain:
                paint_row_in_condition(
                    canvas, by, i, row, patch, grain, lane, materials, strip, s0, look, lens, condition
                )
        i -= 1
    return i + 1
