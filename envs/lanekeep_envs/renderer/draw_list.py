"""What stands and drives around the car, near to far: the order in which objects are drawn and cast their shadows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.dynamics.road import SPACING_M
from lanekeep_envs.elements import GONE, POST, Element
from lanekeep_envs.renderer.view import FARTHEST_M, in_frame
from lanekeep_envs.sampling.roadside import element_of
from lanekeep_envs.sampling.traffic import place_of

MOST_OBJECTS = 400  # drawn at once
MOST_CARS = 32
BEHIND_M = 60.0  # along the road: what is farther behind the car is neither seen nor throws a shadow that is
CARS = int(Element.CARS)


class DrawList(NamedTuple):
    """Work space for the list."""

    order: NDArray[np.int64]  # [MOST_OBJECTS + MOST_CARS] row in the table of objects, or -1 - row in that of the cars
    poses: NDArray[np.float64]  # [MOST_OBJECTS + MOST_CARS, 4] of each the fields of `Pose`


class Pose(NamedTuple):
    """Place and heading of an object in the car's frame; a plant or post has no heading."""

    x: float  # [m]
    y: float
    ahead_x: float  # unit vector
    ahead_y: float


def empty_draw_list() -> DrawList:
    """Allocate the work space."""
    return DrawList(np.zeros(MOST_OBJECTS + MOST_CARS, np.int64), np.zeros((MOST_OBJECTS + MOST_CARS, 4)))


@no_refcount
def list_objects(draws, scene, view):
    """List the visible objects around the car, near to far, which is nearly their order in the table; return how many."""
    objects, s_m = scene.objects, scene.car["distance_m"]
    low, high = 0, scene.object_count
    while low < high:
        middle = (low + high) // 2
        if objects[middle]["s_m"] < s_m - BEHIND_M:
            low = middle + 1
        else:
            high = middle
    listed = 0
    # hidden ones count too: no removal makes room for others
    for k in range(low, min(scene.object_count, low + MOST_OBJECTS)):
        obj, ahead_x, ahead_y = objects[k], 0.0, 0.0
        if obj["s_m"] > s_m + FARTHEST_M:
            break
        if obj["kind"] == GONE or not scene.visible >> element_of(obj["kind"]) & 1:
            continue
        if obj["kind"] > POST:
            ahead_x, ahead_y = in_frame(view, np.cos(obj["twist"]), np.sin(obj["twist"]))
        x, y = in_frame(view, obj["x"] - view.x, obj["y"] - view.y)
        listed = insert(draws, listed, k, Pose(x, y, ahead_x, ahead_y))
    return listed


@no_refcount
def list_cars(draws, scene, view, listed):
    """Add the other cars that are near to the list; return its length."""
    if not scene.visible >> CARS & 1:
        return listed
    car, traffic, lane_m = scene.car, scene.traffic, scene.appearance["lane_m"] * scene.appearance["mirror"]
    near, last = 0, (scene.road.shape[0] - 1) * SPACING_M
    for k in range(traffic.shape[0]):
        if traffic[k]["lane"] == 0 or near == MOST_CARS:
            continue
        s, x, y, ahead_x, ahead_y = place_of(traffic[k], car["steps"], car["distance_m"], scene.road, lane_m)
        if not (0.0 < s < last and -BEHIND_M < s - car["distance_m"] < FARTHEST_M):
            continue
        x, y = in_frame(view, x - view.x, y - view.y)
        ahead_x, ahead_y = in_frame(view, ahead_x, ahead_y)
        listed = insert(draws, listed, -1 - k, Pose(x, y, ahead_x, ahead_y))
        near += 1
    return listed


@no_refcount
def insert(draws, listed, index, pose):
    """Insert one into the list, near to far, and return its new length; of two at one distance the later comes before."""
    place, order, poses = listed, draws.order, draws.poses
    while place > 0 and poses[place - 1, 0] >= pose.x:
        order[place] = order[place - 1]
        for n in range(4):
            poses[place, n] = poses[place - 1, n]
        place -= 1
    order[place] = index
    poses[place, 0], poses[place, 1], poses[place, 2], poses[place, 3] = pose
    return listed + 1


@inline_always
def pose_of(draws, k):
    """Return the pose of the k-th in the list."""
    return Pose(draws.poses[k, 0], draws.poses[k, 1], draws.poses[k, 2], draws.poses[k, 3])
