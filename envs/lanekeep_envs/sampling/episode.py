"""What a seed stands for: the road, with or without a car on it, and what will disturb the drive."""

import math

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.dynamics.road import MINIMUM_RADIUS_M, ROAD, Profile, lay_out, sample_curvature
from lanekeep_envs.dynamics.vehicle import GRAVITY_MPS2
from lanekeep_envs.sampling.confounders import apart_from, darken
from lanekeep_envs.sampling.ranges import present
from lanekeep_envs.scenario.schema import Scenario

LEAD_IN_M, START_M, LOOKAHEAD_M = 60.0, 20.0, 260


def generator_of(seed: int) -> np.random.Generator:
    """Return the source of all that is random in the episode of a seed: any integer, negative ones too."""
    return np.random.default_rng([abs(seed), int(seed < 0)])


def empty_roads(scenario: Scenario, number: int) -> NDArray[np.void]:
    """Return tables [number, M] for roads of this scenario, which go on for a while beyond the end of the drive."""
    return np.zeros((number, scenario.road.length_m + LOOKAHEAD_M), ROAD)


def draw_profile(scenario: Scenario, generator: np.random.Generator) -> tuple[Profile, NDArray[np.float64]]:
    """Return what a road of the scenario is laid out from: its profile, and uniform numbers in [0, 1) for its bends."""
    table = scenario.road
    speed_kmh = int(table.design_speeds_kmh[generator.integers(len(table.design_speeds_kmh))])
    radius = MINIMUM_RADIUS_M[speed_kmh]
    profile = Profile(
        speed_kmh / 3.6, radius, radius * table.radius_factor, *table.straight_m, LEAD_IN_M, table.s_curve_probability
    )
    return profile, generator.random(6 * (2 + (table.length_m + LOOKAHEAD_M) // 20))


def draw_road(road: NDArray[np.void], scenario: Scenario, generator: np.random.Generator) -> float:
    """Lay out a road of the scenario in the table `road` [M]; return its design speed [m/s]."""
    profile, draws = draw_profile(scenario, generator)
    lay_out(road, profile, draws, 1.0)
    road["tone"] = 1.0
    if scenario.confounder.dark_asphalt > 0.0:
        darken(road, scenario.confounder, apart_from(generator))
    return profile.design_speed_mps


def curvature_along(scenario: Scenario, seed: int) -> NDArray[np.float64]:
    """Return the curvature [1/m] of the road of an episode at every metre from its beginning."""
    curvature = np.empty(scenario.road.length_m + LOOKAHEAD_M)
    sample_curvature(curvature, *draw_profile(scenario, generator_of(seed)))
    return curvature[: scenario.road.length_m]


def draw_episode(episode: np.void, scenario: Scenario, generator: np.random.Generator) -> None:
    """Write what is fixed for an episode into a record of `EPISODE`; the generator is for the disturbances alone."""
    episode["curvature_limit_per_m"] = scenario.curvature_limit_per_m
    episode["acceleration_limit_mps2"] = scenario.acceleration_limit_mps2
    episode["lane_width_m"] = scenario.lane.lane_width_m
    episode["marking_width_m"] = scenario.lane.marking_width_m
    episode["finish_m"], episode["time_limit_s"] = scenario.road.length_m, scenario.time_limit_s
    u = iter(generator.random((7, 2)).tolist())

    def drawn(name: str) -> float:
        return present(scenario.disturbance, name, *next(u))

    fall = 0.01 * drawn("crown_percent")
    episode["cross_fall_mps2"] = -GRAVITY_MPS2 * fall / math.sqrt(1.0 + fall * fall)  # the right edge lies lower
    for name in ("friction", "gust_mps2", "extra_delay_s", "dropped_frames"):
        episode[name] = drawn(name)
    episode["wheel_offset_rad"] = math.radians(drawn("steering_offset_deg"))
    episode["late_frames"] = math.floor(drawn("late_frames") + 0.5)
    episode["disturbance_seed"] = generator.integers(2**31)
