"""What the numbers of a world's state can be: the bounds of every column, and that a road is one.

A saved instant is a file from outside: `check_state` refuses what the kernels would read beyond their tables by, drive
without end from, or make NaN of.  Every column of every table has its row here (tests/world/test_state_bounds.py).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.dynamics.road import integrate_axis
from lanekeep_envs.elements import ELEMENT_OF_KIND
from lanekeep_envs.sampling.appearance import COLOURS, SURFACES
from lanekeep_envs.scenario.schema import STRENGTHS
from lanekeep_envs.world_state import WorldState

Bounds = dict[str, tuple[float, float]]
FAR_M = 100.0  # from the road
ANYWHERE_M, LONGEST_S, ANGLE = (-2e5, 2e5), 20.0, (-1e4, 1e4)
MOST_OBJECTS, MOST_CARS = 1_000_000, 50_000
COLOUR, UNIT, SIGNED = (-1e4, 1e4), (0.0, 1.0), (-1.0, 1.0)
INTEGER = (-(2**31), 2**31)

OF_CARS: Bounds = {
    "x": ANYWHERE_M,
    "y": ANYWHERE_M,
    "yaw": ANGLE,
    "speed": (0.0, 200.0),
    "lateral_speed": (-200.0, 200.0),
    "yaw_rate": (-20.0, 20.0),
    "wheel_angle": (-2.0, 2.0),
    "commands": (-2.0, 2.0),
    "tick": (0, 2**31),
    "row": (0, 100_259),
    "steps": (0, 2**31),
    "distance_m": (-200.0, 101_000.0),
    "lateral_offset_m": (-1000.0, 1000.0),
    "heading_error_rad": (-3.2, 3.2),
    "curvature_per_m": SIGNED,
    "curvature_preview_per_m": SIGNED,
    "lateral_acceleration_mps2": (-1e4, 1e4),
    "time_to_lane_crossing_s": (0.0, LONGEST_S),
    **dict.fromkeys(("centring", "heading", "smoothness", "departure", "reward"), (-2.0, 1.0)),
    "action": SIGNED,
    "lane_departure": UNIT,
    "truncated": UNIT,
    "gust_mps2": (-50.0, 50.0),
    "push_mps2": (-50.0, 50.0),
}
OF_EPISODES: Bounds = {
    "curvature_limit_per_m": (1e-4, 10.0),
    "acceleration_limit_mps2": (0.01, 50.0),
    "lane_width_m": (2.2, 6.0),
    "marking_width_m": (0.01, 1.0),
    "finish_m": (100.0, 100_000.0),
    "time_limit_s": (0.05, 100_000.0),
    "friction": (0.05, 1.5),
    "cross_fall_mps2": (-9.81, 9.81),
    "gust_mps2": (-5.0, 5.0),
    "wheel_offset_rad": (-0.1, 0.1),
    "extra_delay_s": (0.0, 0.4),
    "dropped_frames": UNIT,
    "late_frames": (0, 10),
    "disturbance_seed": INTEGER,
}
OF_ROADS: Bounds = {
    "x": ANYWHERE_M,
    "y": ANYWHERE_M,
    "heading": ANGLE,
    "curvature": (-0.05, 0.05),  # the tightest bend has 30 m
    "tangent_x": (-1.001, 1.001),
    "tangent_y": (-1.001, 1.001),
    "tone": (0.0, 2.0),
}
OF_APPEARANCES: Bounds = {
    **dict.fromkeys(COLOURS, COLOUR),
    "sun_x": SIGNED,
    "sun_y": SIGNED,
    "sun_z": (0.01, 1.0),
    "sunshine": SIGNED,
    "glow": (-2.0, 2.0),
    "cloudiness": (-5.0, 5.0),
    "hill_height": UNIT,
    "exposure": (0.01, 10.0),
    "visibility_m": (0.5, 1e6),
    "noise_grey": (0.0, 255.0),
    "noise_seed": INTEGER,
    "offset_x": (-1e6, 1e6),
    "offset_y": (-1e6, 1e6),
    "mirror": SIGNED,
    "lane_m": (2.2, 6.0),
    "line_m": (0.01, 1.0),
    "strip_m": (0.0, 10.0),
    "shoulder_m": (0.0, 20.0),
    "dash_m": (0.1, 1000.0),
    "gap_m": (0.0, 1000.0),
    **{name: UNIT for names in STRENGTHS.values() for name in names},
    **dict.fromkeys(("height_error_m", "pitch_error_deg", "yaw_error_deg", "roll_error_deg"), (-10.0, 10.0)),
    "surface_kind": (0, len(SURFACES) - 1),
    **dict.fromkeys(("centre_shift_m", "left_shift_m", "right_shift_m"), (-10.0, 10.0)),
    "own_paint": UNIT,
    "lamp": UNIT,
    "lamp_tie": SIGNED,
    "dark_asphalt": UNIT,
    "plain": UNIT,
    "sun_elevation_deg": (2.0, 85.0),
    "clear_sunshine": UNIT,
    "clear_visibility_m": (1.0, 1e6),
    "clear_cloudiness": UNIT,
}
OF_OBJECTS: Bounds = {
    "s_m": (-200.0, 101_000.0),
    "x": ANYWHERE_M,
    "y": ANYWHERE_M,
    "height_m": (0.01, 100.0),
    "radius_m": (0.001, 100.0),
    "tint": (0.0, 10.0),
    "twist": ANGLE,
    "kind": (-1, len(ELEMENT_OF_KIND) - 1),
    "length_m": (0.0, 200.0),
    "leaf": COLOUR,
    "variant": (-5, 5),
}
OF_TRAFFIC: Bounds = {
    "start_m": (-1000.0, 1e6),
    "speed_mps": (0.0, 200.0),
    "tint": UNIT,
    "van": UNIT,
    "lane": (-1, 1),
}
BOUNDS: dict[str, Bounds] = {  # by the name of the table in a `WorldState`
    "cars": OF_CARS,
    "episodes": OF_EPISODES,
    "roads": OF_ROADS,
    "appearances": OF_APPEARANCES,
    "objects": OF_OBJECTS,
    "traffic": OF_TRAFFIC,
}


def check_state(state: WorldState) -> None:
    """Refuse a state with a number beyond its bounds, a road that is none, or a car that is on no road; ValueError."""
    for table, bounds in BOUNDS.items():
        if table != "objects":
            check_records(getattr(state, table), table, bounds)
    for car in range(len(state.cars)):  # the table may have room for more
        check_records(state.objects_of(car), "objects", OF_OBJECTS)
    if state.objects.shape[1] > MOST_OBJECTS or state.traffic.shape[1] > MOST_CARS:
        raise ValueError("there is more beside the road, or on it, than can be")
    for placed, road in zip(state.cars, state.roads, strict=True):
        _check_road(road)
        if not 0 <= int(placed["row"]) < len(road) - 1:
            raise ValueError("the car is on no road")
        here = road[int(placed["row"])]
        if not np.hypot(placed["x"] - here["x"], placed["y"] - here["y"]) <= FAR_M:
            raise ValueError("the car is off the road")


def check_records(records: NDArray[np.void], table: str, bounds: Bounds) -> None:
    """Refuse records with a number beyond its bounds; ValueError names table, column and bounds."""
    for column in records.dtype.names or ():
        values, (low, high) = records[column], bounds[column]
        if not ((values >= low) & (values <= high)).all():
            raise ValueError(f"{column} in its table {table} must be from {low:g} to {high:g}")


def _check_road(road: NDArray[np.void]) -> None:
    """A road is the integral of its curvature: anything else has places that are nowhere, or many."""
    if len(road) < 3:
        raise ValueError("its road has no length")
    axis: NDArray[Any] = road.copy()
    integrate_axis(axis)
    for column in ("x", "y", "heading", "tangent_x", "tangent_y"):
        if not np.allclose(axis[column], road[column], rtol=1e-6, atol=1e-4):
            raise ValueError("its road is not the course of its curvature")
