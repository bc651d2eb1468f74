"""The reward of a control step: terms that people can read, each with its weight.

    progress     1 at 30 m/s along the road
    centring     1 - (offset / 1 m)^2
    heading      -(error / 0.05 rad)^2
    smoothness   -(lateral jerk / 10 m/s^3)^2
    departure    -1 in the step in which the car leaves its lane

Every square is at most 1.  With the usual weights a car in its lane earns more than it loses: a reward that can stay
negative teaches to leave the road early.  Lateral jerk is the change of the lateral acceleration in a step.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs import CONTROL_STEP_S

F64 = NDArray[np.float64]
FULL_SPEED_MPS, FAR_OFF_M, FAR_TURNED_RAD, HARD_JERK_MPS3 = 30.0, 1.0, 0.05, 10.0
TERMS = ("progress", "centring", "heading", "smoothness", "departure")


@dataclass(frozen=True)
class Rewards:
    """Weight of each term."""

    progress: float = 0.03
    centring: float = 0.05
    heading: float = 0.01
    smoothness: float = 0.01
    departure: float = 1.0

    def terms(
        self, infos: dict[str, Any], acceleration_before_mps2: F64, departed: NDArray[np.bool_]
    ) -> dict[str, F64]:
        """The weighted terms [N] of a step from the environment's infos after it and the lateral acceleration before it."""
        jerk = (infos["lateral_acceleration_mps2"] - acceleration_before_mps2) / CONTROL_STEP_S
        return {
            "progress": self.progress * np.clip(infos["speed_mps"] / FULL_SPEED_MPS, 0.0, 1.0),
            "centring": self.centring * (1.0 - share(infos["lateral_offset_m"] / FAR_OFF_M)),
            "heading": -self.heading * share(infos["heading_error_rad"] / FAR_TURNED_RAD),
            "smoothness": -self.smoothness * share(jerk / HARD_JERK_MPS3),
            "departure": -self.departure * departed.astype(np.float64),
        }


def share(number: F64) -> F64:
    """The square of a ratio, at most 1."""
    return np.minimum(number * number, 1.0)
