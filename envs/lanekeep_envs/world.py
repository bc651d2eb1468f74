"""The world without gymnasium: begin an episode, step, and tell what is true of the cars.

Functions of a `WorldState`; `step` changes it in place, `begin` returns it, as its tables may have to grow.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.dynamics.control_step import (
    DEFAULT_VEHICLE,
    PREVIEW_M,
    place_car,
    show_frames,
    step_cars,
)
from lanekeep_envs.dynamics.road import SPACING_M
from lanekeep_envs.dynamics.vehicle import CONTROL_STEP_S
from lanekeep_envs.sampling.appearance import sample_appearance
from lanekeep_envs.sampling.episode import START_M, draw_episode, draw_road, generator_of
from lanekeep_envs.sampling.ranges import uniform
from lanekeep_envs.sampling.roadside import plant
from lanekeep_envs.sampling.traffic import draw_traffic, place_of
from lanekeep_envs.scenario.schema import Scenario
from lanekeep_envs.world_state import WorldState

OBSERVED = (  # name, field of the car and unit of what `observation="state"` shows
    ("lateral_offset_m", "lateral_offset_m", 2.0),
    ("heading_error_rad", "heading_error_rad", 0.3),
    ("speed_mps", "speed", 30.0),
    ("yaw_rate", "yaw_rate", 0.6),
    ("wheel_angle", "wheel_angle", 0.1),
)
STATE_NAMES = (
    *(f"{name} / {unit:g}" for name, _, unit in OBSERVED),
    "curvature_per_m / limit",
    *(f"curvature at {d:g} m / limit" for d in PREVIEW_M),
)
REWARD_TERMS = ("centring", "heading", "smoothness", "departure")
INFO_FIELDS = (  # fields of the car of which `info` is made
    "lateral_offset_m",
    "heading_error_rad",
    "curvature_per_m",
    "curvature_preview_per_m",
    "distance_m",
    "time_to_lane_crossing_s",
    "lane_departure",
    "lateral_acceleration_mps2",
    "speed",
    "steps",
    *REWARD_TERMS,
)
OUTCOME_FIELDS = ("reward", "lane_departure", "truncated")  # what a step returns besides


def begin(state: WorldState, car: int, scenario: Scenario, seed: int, start_m: float | None = None) -> WorldState:
    """Draw and start the episode of a seed for one car; `start_m` begins it that far along, in the middle of the lane."""
    generator, start, road = generator_of(seed), scenario.start, state.roads[car]
    design_speed_mps = draw_road(road, scenario, generator)
    sample_appearance(state.appearances[car], scenario, generator)
    state = state.with_objects(car, plant(road, scenario, generator))
    draw_episode(state.episodes[car], scenario, generator.spawn(1)[0])
    vehicles = draw_traffic(scenario, len(road) * SPACING_M, design_speed_mps, generator.spawn(1)[0])
    state = state.with_traffic(car, vehicles)
    ranges = (start.lateral_offset_m, start.heading_error_deg, start.speed_factor)
    offset_m, turn_deg, factor = map(uniform, ranges, generator.random(3))
    where_m, offset_m, turn_rad = (START_M, offset_m, np.deg2rad(turn_deg)) if start_m is None else (start_m, 0.0, 0.0)
    speed_mps = factor * design_speed_mps
    place_car(state.cars[car], road, state.episodes[car], DEFAULT_VEHICLE, where_m, offset_m, turn_rad, speed_mps)
    state.resting[car] = False
    return state


def step(state: WorldState, actions: NDArray[np.float64]) -> None:
    """Drive every car that does not rest for one control step; actions [N, 1 or 2] in [-1, 1]."""
    step_cars(state.cars, actions, state.episodes, state.roads, DEFAULT_VEHICLE, state.resting)


def state_numbers(state: WorldState, curvature_limit_per_m: float) -> NDArray[np.float32]:
    """Return the numbers [N, 14] of `STATE_NAMES`, clipped to [-1, 1]."""
    cars, curvatures = state.cars, ("curvature_per_m", "curvature_preview_per_m")
    scaled = [cars[field] / unit for _, field, unit in OBSERVED] + [cars[f] / curvature_limit_per_m for f in curvatures]
    columns = [numbers.reshape(len(cars), -1) for numbers in scaled]
    return np.clip(np.concatenate(columns, 1), -1.0, 1.0).astype(np.float32)


def shown(frames: NDArray[np.uint8], film: NDArray[np.uint8], state: WorldState) -> NDArray[np.uint8]:
    """Return the frames [N, H, W, 3] that the cameras hand out for what they see: some are dropped, some come late.

    `film` [N, K, H, W, 3] holds the last frames that they saw.
    """
    out, number = np.empty_like(frames), len(frames)
    flat = frames.reshape(number, -1)
    show_frames(out.reshape(number, -1), film.reshape(number, film.shape[1], -1), flat, state.cars, state.episodes)
    return out


def info_from(values: dict[str, Any]) -> dict[str, Any]:
    """Turn numbers of `INFO_FIELDS`, of one car or of arrays [N], into gymnasium's `info`."""
    values["speed_mps"], values["elapsed_s"] = values.pop("speed"), values.pop("steps") * CONTROL_STEP_S
    values["reward_terms"] = {term: values.pop(term) for term in REWARD_TERMS}
    return values


def masked(infos: dict[str, Any], told: NDArray[np.bool_]) -> dict[str, Any]:
    """Return infos with a mask `_key` [N] beside each key, as gymnasium's vector environments have them, also within."""
    out: dict[str, Any] = {}
    for key, values in infos.items():
        out[key] = masked(values, told) if isinstance(values, dict) else values
        out[f"_{key}"] = told.copy()
    return out


def path_ahead(state: WorldState, car: int) -> dict[str, Any]:
    """Return what a map needs: the road's axis [M] (x, y, heading), the car's pose, roadside objects, other cars.

    Of these `others` [V, 4] has the middle (x, y) and the unit vector ahead.
    """
    here, road, appearance = state.cars[car], state.roads[car], state.appearances[car]
    lane_m = appearance["lane_m"] * appearance["mirror"]
    vehicles = state.traffic[car][state.traffic[car]["lane"] != 0]
    others = [place_of(vehicle, here["steps"], here["distance_m"], road, lane_m) for vehicle in vehicles]
    return {
        "others": np.array([place for s, *place in others if 0.0 < s < len(road) - 1]).reshape(-1, 4),
        "road": road.copy(),
        **{name: float(here[name]) for name in ("x", "y", "yaw")},
        "things": state.objects_of(car).copy(),
    }
