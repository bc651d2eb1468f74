"""The world, and its only door: roads, vehicle, camera and the gymnasium environment `LaneKeeping-v0`."""

import gymnasium

from lanekeep_envs.dynamics.control_step import CAR_STATE, DEFAULT_VEHICLE, EPISODE, PREVIEW_M
from lanekeep_envs.dynamics.road import ROAD
from lanekeep_envs.dynamics.vehicle import CONTROL_STEP_S
from lanekeep_envs.elements import (
    AUTUMN,
    ELEMENT_OF_KIND,
    GROUPS,
    RAINY,
    REMOVABLE,
    WINTER,
    Element,
    Frame,
    element_named,
)
from lanekeep_envs.interventions import (
    Add,
    Contrast,
    Intervention,
    KeepOnly,
    Noise,
    Recolour,
    Remove,
    SetStrength,
    Shift,
)
from lanekeep_envs.lane_keeping import LaneKeepingEnv
from lanekeep_envs.renderer.camera import Camera
from lanekeep_envs.sampling.appearance import APPEARANCE, SURFACES
from lanekeep_envs.sampling.episode import START_M, curvature_along
from lanekeep_envs.sampling.roadside import OBJECT
from lanekeep_envs.sampling.traffic import OTHER_CAR
from lanekeep_envs.scenario.loading import checked_scenario, load_scenario, read_scenario, scenario_names
from lanekeep_envs.scenario.schema import STRENGTHS, ConfounderTable, Scenario, ScenarioError, Strength, Table
from lanekeep_envs.scene import Scene
from lanekeep_envs.snapshot import Snapshot
from lanekeep_envs.state_bounds import BOUNDS, check_state
from lanekeep_envs.vector_env import LaneKeepingVectorEnv
from lanekeep_envs.world import STATE_NAMES
from lanekeep_envs.world_state import WorldState

gymnasium.register(
    id="LaneKeeping-v0",
    entry_point="lanekeep_envs.lane_keeping:LaneKeepingEnv",
    vector_entry_point="lanekeep_envs.vector_env:LaneKeepingVectorEnv",
)
