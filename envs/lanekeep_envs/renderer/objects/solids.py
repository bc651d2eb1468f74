"""Solids: frusta on the ground, of which only the quads that are turned to the camera are drawn.

A quad whose edge is shared with one that is drawn over it reaches a pixel beyond that edge, so that no seam shows.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import no_refcount
from lanekeep_envs.renderer.objects.fragments import CUT_M
from lanekeep_envs.renderer.objects.quad_setup import Quad, add_quad, side_of

NO_GROWTH = (0.0, 0.0, 0.0, 0.0)


class Solid(NamedTuple):
    """A frustum from `rear` to `front` along its heading and `half` to both sides, smaller at the top; all in metres."""

    rear: float
    front: float
    half: float
    bottom: float
    top: float
    rear_slant: float  # how much the top is shorter there
    front_slant: float
    top_half: float


@no_refcount
def point(pose, ahead, left, up):
    """Place in the car's frame of a point of a solid, `ahead` of its middle and to the `left` of it."""
    return pose.x + ahead * pose.ahead_x - left * pose.ahead_y, pose.y + ahead * pose.ahead_y + left * pose.ahead_x, up


@no_refcount
def side_quad(pose, solid, side):
    """Quad at the left (+1) or right (-1) of a solid."""
    lean, high = solid.half - solid.top_half, solid.top - solid.bottom
    tall = np.sqrt(lean * lean + high * high)
    inward = -side * lean / tall
    return Quad(
        point(pose, solid.rear, side * solid.half, solid.bottom),
        (pose.ahead_x, pose.ahead_y, 0.0),
        (-inward * pose.ahead_y, inward * pose.ahead_x, high / tall),
        solid.front - solid.rear,
        tall,
        solid.rear_slant,
        solid.front_slant,
    )


@no_refcount
def end_quad(pose, solid, end):
    """Quad at the front (+1) or rear (-1) of a solid."""
    lean, high = solid.front_slant if end > 0.0 else solid.rear_slant, solid.top - solid.bottom
    tall = np.sqrt(lean * lean + high * high)
    inward, slant = -end * lean / tall, solid.half - solid.top_half
    return Quad(
        point(pose, solid.front if end > 0.0 else solid.rear, -solid.half, solid.bottom),
        (-pose.ahead_y, pose.ahead_x, 0.0),
        (inward * pose.ahead_x, inward * pose.ahead_y, high / tall),
        2.0 * solid.half,
        tall,
        slant,
        slant,
    )


@no_refcount
def level_quad(pose, solid, up):
    """The top of a solid, or whatever lies flat at this height."""
    return Quad(
        point(pose, solid.rear + solid.rear_slant, -solid.top_half, up),
        (pose.ahead_x, pose.ahead_y, 0.0),
        (-pose.ahead_y, pose.ahead_x, 0.0),
        solid.front - solid.rear - solid.rear_slant - solid.front_slant,
        2.0 * solid.top_half,
        0.0,
        0.0,
    )


@no_refcount
def add_solid(quads, pose, solid, flank, ends, top, lens):
    """Add the quads of a solid that are turned to the camera; `flank`, `ends` (front, rear) and `top` are materials."""
    left, right = side_quad(pose, solid, 1.0), side_quad(pose, solid, -1.0)
    front, rear = end_quad(pose, solid, 1.0), end_quad(pose, solid, -1.0)
    on_left, on_right = side_of(left, lens) > 0.0, side_of(right, lens) < 0.0
    ahead, behind = side_of(front, lens) < 0.0, side_of(rear, lens) > 0.0
    at_left, at_right = 1.0 if on_left else 0.0, 1.0 if on_right else 0.0
    level = level_quad(pose, solid, solid.top)
    if lens.height_m > solid.top and solid.top_half > 0.0:
        add_quad(quads, level, top, (at_right, 1.0 if ahead else 0.0, at_left, 1.0 if behind else 0.0))
    if ahead:
        add_quad(quads, front, ends[0], (0.0, at_left, 0.0, at_right))
    if behind:
        add_quad(quads, rear, ends[1], (0.0, at_left, 0.0, at_right))
    if on_left:
        add_quad(quads, left, flank, NO_GROWTH)
    if on_right:
        add_quad(quads, right, flank, NO_GROWTH)


@no_refcount
def shown_part(pose, low, high, half):
    """The part (low, high) of a solid's length that lies ahead of the camera; empty if none does."""
    x, slope = pose.x - half * abs(pose.ahead_y), pose.ahead_x
    if slope > 1e-3:
        low = max(low, (CUT_M - x) / slope)
    elif slope < -1e-3:
        high = min(high, (CUT_M - x) / slope)
    elif x < CUT_M:
        return 0.0, 0.0
    return low, high
