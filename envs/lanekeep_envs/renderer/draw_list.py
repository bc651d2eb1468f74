"""What stands and drives around the car, near to far: the order in which objects are drawn and cast their shadows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import no_refcount
from lanekeep_envs.dynamics.road import SPACING_M
from lanekeep_envs.elements import GONE, Element
from lanekeep_envs.renderer.view import FARTHEST_M, in_frame
from lanekeep_envs.sampling.roadside import element_of
from lanekeep_envs.sampling.traffic import place_of

MOST_OBJECTS = 400  # drawn at once
MOST_CARS = 32
BEHIND_M = 60.0  # along the road: what is farther behind the car is neither seen nor throws a shadow that is
CARS = int(Element.CARS)


class DrawList(NamedTuple):
    """Work space for the list."""

    order: NDArray[
        np.int64
    ]  # [MOST_OBJECTS + MOST_CARS] row in the table of objects; -1 - n: the n-th of the near cars
    forward: NDArray[np.float64]  # [MOST_OBJECTS + MOST_CARS] place in the car's frame [m]
    left: NDArray[np.float64]  # [MOST_OBJECTS + MOST_CARS]
    car_heading: NDArray[np.float64]  # [MOST_CARS, 2] unit vector in the car's frame, of the near cars
    car_index: NDArray[np.int64]  # [MOST_CARS] their rows in the table of traffic


class Pose(NamedTuple):
    """Place and heading of an object in the car's frame."""

    x: float  # [m]
    y: float
    ahead_x: float  # unit vector
    ahead_y: float


def empty_draw_list() -> DrawList:
    """Allocate the work space."""
    most = MOST_OBJECTS + MOST_CARS
    return DrawList(
        np.zeros(most, np.int64),
        np.zeros(most),
        np.zeros(most),
        np.zeros((MOST_CARS, 2)),
        np.zeros(MOST_CARS, np.int64),
    )


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
    for k in range(
        low, min(scene.object_count, low + MOST_OBJECTS)
    ):  # hidden ones count too: no removal makes room for others
        if objects[k]["s_m"] > s_m + FARTHEST_M:
            break
        if objects[k]["kind"] == GONE or not scene.visible >> element_of(objects[k]["kind"]) & 1:
            continue
        forward, left = in_frame(view, objects[k]["x"] - view.x, objects[k]["y"] - view.y)
        listed = insert(draws, listed, forward, left, k)
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
        draws.car_heading[near, 0], draws.car_heading[near, 1] = in_frame(view, ahead_x, ahead_y)
        draws.car_index[near] = k
        forward, left = in_frame(view, x - view.x, y - view.y)
        listed = insert(draws, listed, forward, left, -1 - near)
        near += 1
    return listed


@no_refcount
def insert(draws, listed, forward, left, index):
    """Insert one into the list, near to far, and return its new length; of two at one distance the later comes before."""
    place = listed
    while place > 0 and draws.forward[place - 1] >= forward:
        draws.forward[place], draws.left[place] = draws.forward[place - 1], draws.left[place - 1]
        draws.order[place] = draws.order[place - 1]
        place -= 1
    draws.forward[place], draws.left[place], draws.order[place] = forward, left, index
    return listed + 1


@no_refcount
def pose_of_car(draws, k):
    """Pose of the car that stands k-th in the list."""
    heading = draws.car_heading[-1 - draws.order[k]]
    return Pose(draws.forward[k], draws.left[k], heading[0], heading[1])


@no_refcount
def pose_of_object(draws, k, twist, view):
    """Pose of the object that stands k-th in the list, whose heading in the world is `twist`."""
    ahead_x, ahead_y = in_frame(view, np.cos(twist), np.sin(twist))
    return Pose(draws.forward[k], draws.left[k], ahead_x, ahead_y)
