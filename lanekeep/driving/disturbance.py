"""The disturbance of drives that are recorded: an Ornstein-Uhlenbeck process d, added to a controller's actions.

    d' = k d + sqrt(1 - k^2) deviation n,    k = exp(-CONTROL_STEP_S / CORRELATION_S),    n standard normal

It brings cars where a good driver never is, so that the expert's answers there show the way back.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep.driving.controllers import F64, Controller
from lanekeep_envs import CONTROL_STEP_S

CORRELATION_S = 0.5


def described(deviation: float) -> str:
    """The disturbance in words, as the record of an episode has it."""
    return f"Ornstein-Uhlenbeck, standard deviation {deviation:g}, {CORRELATION_S:g} s"


class DisturbedController:
    """A controller of N cars whose actions carry the disturbance, of the standard deviation `deviation` (action units)."""

    def __init__(self, controller: Controller, cars: int, deviation: float, generator: np.random.Generator) -> None:
        self._controller, self._generator = controller, generator
        self._kept = float(np.exp(-CONTROL_STEP_S / CORRELATION_S))
        self._size = np.sqrt(1 - self._kept**2) * deviation
        self._disturbance = np.zeros((cars, 1))

    def act(self, frames: NDArray[Any], infos: dict[str, Any]) -> F64:
        """The controller's actions [N, 1] with the disturbance, clipped to [-1, 1]."""
        drawn = self._generator.standard_normal(self._disturbance.shape)
        self._disturbance = self._kept * self._disturbance + self._size * drawn
        return np.clip(self._controller.act(frames, infos) + self._disturbance, -1.0, 1.0)

    def forget(self, cars: NDArray[np.bool_]) -> None:
        """Clear the controller's memory of these cars, and their disturbance."""
        self._controller.forget(cars)
        self._disturbance[cars] = 0.0
