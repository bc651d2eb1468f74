"""What a picture is made of, and how the camera sees it.

`RenderScene` holds what one car's picture shows, `View` the camera at that instant.  Both are filled once per picture and
handed to every pass: a pass takes (buffers, aov, scene, view), where `buffers` is the work space (workspace.py) and `aov`
are the by-products (aov.py).  Both are tuples of scalars, records and arrays, which numba hands on as separate arguments:
grouping them costs nothing.

The fine-day variant.  Most pictures show what a fine day has and no more, and compiling the rest takes minutes.  So `render`
and some passes have an argument `full`: True, or None for a world of fine days.  numba knows the type of None when it
compiles, and leaves out each branch on `full is not None` that stands alone in its `if`: the fine-day variant is another,
smaller program.  (A field of a tuple would not do: only an argument of the function itself is known that early.)

The car's frame: x forward and y left along the camera's axis, z up, from the point on the ground below the camera.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import inline_always, jit, no_refcount
from lanekeep_envs.renderer.camera import Lens, badly_mounted, fill_ground_rows, mounted

BEHIND_ROWS, AHEAD_ROWS = 8, 240  # of the road table, around the car
NEAREST_M, FARTHEST_M = 2.5, 220.0  # forward distances between which objects are drawn


class RenderScene(NamedTuple):
    """What one car's picture shows."""

    car: Any  # record of CAR_STATE
    road: NDArray[np.void]  # [R] of ROAD
    objects: NDArray[np.void]  # [M] of OBJECT, sorted by arc length
    object_count: int  # of the objects; the rest of the table is empty
    appearance: Any  # record of APPEARANCE
    traffic: NDArray[np.void]  # [K] of OTHER_CAR
    visible: int  # bit e set: element e is drawn


class View(NamedTuple):
    """How the camera sees the scene at one instant; what is in double precision here is so because it is far away."""

    lens: Lens
    x: float  # of the camera in the world [m]
    y: float
    yaw: float  # of its axis [rad]
    cos: float  # of the yaw
    sin: float
    roll: float  # to the right [rad]
    sun_ahead: float  # direction to the sun in the car's frame
    sun_left: float
    axis_row: int  # row of the road table where the road in the car's frame begins (`buffers.axis`)


@inline_always
def in_frame(view, dx, dy):
    """(forward, left) of a vector of the world, in the car's frame."""
    return view.cos * dx + view.sin * dy, view.cos * dy - view.sin * dx


@jit
def place_camera(buffers, scene, lens, full):
    """Return the `View`, and bring the rows of the ground and the road's axis into its frame."""
    car, seen, yaw, roll = scene.car, lens, scene.car["yaw"], 0.0
    if full is not None:
        if badly_mounted(scene.appearance):
            seen, turn, roll = mounted(lens, car, scene.appearance)
            yaw += turn
            fill_ground_rows(buffers.rows, seen)
    cos, sin, sun_x, sun_y = np.cos(yaw), np.sin(yaw), scene.appearance["sun_x"], scene.appearance["sun_y"]
    sun_ahead, sun_left = cos * sun_x + sin * sun_y, cos * sun_y - sin * sun_x
    first = min(max(car["row"] - BEHIND_ROWS, 0), scene.road.shape[0] - 1)
    view = View(seen, car["x"], car["y"], yaw, cos, sin, roll, sun_ahead, sun_left, first)
    fill_axis(buffers.axis, scene.road, view)
    return view


@no_refcount
def fill_axis(axis, road, view):
    """Fill `axis` with the road in the car's frame, from `view.axis_row` on; straight on beyond the table's end."""
    last = road.shape[0] - 1
    for k in range(axis.shape[0]):
        row = min(view.axis_row + k, last)
        beyond = float(view.axis_row + k - row)
        tx, ty = road[row]["tangent_x"], road[row]["tangent_y"]
        dx, dy = road[row]["x"] + beyond * tx - view.x, road[row]["y"] + beyond * ty - view.y
        axis[k]["x"], axis[k]["y"] = in_frame(view, dx, dy)
        axis[k]["tangent_x"], axis[k]["tangent_y"] = in_frame(view, tx, ty)
        axis[k]["tone"] = road[row]["tone"]
