"""The world: roads, vehicle, camera and the gymnasium environment `LaneKeeping-v0`."""

import gymnasium

from lanekeep_envs.elements import REMOVABLE, Element, Frame
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
from lanekeep_envs.sampling.episode import START_M, curvature_along
from lanekeep_envs.scenario import Scenario, ScenarioError, load_scenario, scenario_names
from lanekeep_envs.snapshot import Snapshot
from lanekeep_envs.vector_env import STATE_NAMES, LaneKeepingVectorEnv

__all__ = [
    "REMOVABLE",
    "START_M",
    "STATE_NAMES",
    "Camera",
    "SetStrength",
    "Shift",
    "Recolour",
    "KeepOnly",
    "Intervention",
    "Contrast",
    "Add",
    "Element",
    "Frame",
    "LaneKeepingEnv",
    "LaneKeepingVectorEnv",
    "Noise",
    "Remove",
    "Scenario",
    "ScenarioError",
    "Snapshot",
    "curvature_along",
    "load_scenario",
    "scenario_names",
]

gymnasium.register(
    id="LaneKeeping-v0",
    entry_point="lanekeep_envs.lane_keeping:LaneKeepingEnv",
    vector_entry_point="lanekeep_envs.vector_env:LaneKeepingVectorEnv",
)
