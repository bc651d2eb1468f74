"""Controllers: what the cars see (or, for the expert, what is true) to actions [N, 1], positive to the left.

An action of 1 is the scenario's curvature limit.  A controller of N cars has N memories.
"""

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lanekeep.driving.threads import one_thread
from lanekeep_policies import Driver, Expert

F64 = NDArray[np.float64]


class Controller(Protocol):
    """Drives N cars."""

    def act(self, frames: NDArray[Any], infos: dict[str, Any]) -> F64:
        """Actions [N, 1] for frames [N, H, W, 3], or states [N, D], and the environment's infos."""
        ...

    def forget(self, cars: NDArray[np.bool_]) -> None:
        """Clear the memory of these cars [N]: their next frame does not follow their last."""
        ...


class ExpertController:
    """The privileged expert, which has no memory."""

    def __init__(self, curvature_limit_per_m: float) -> None:
        self._expert, self._limit = Expert(), curvature_limit_per_m

    def act(self, frames: NDArray[Any], infos: dict[str, Any]) -> F64:
        """Actions [N, 1] from the true state in the infos, clipped to [-1, 1]."""
        names = ("lateral_offset_m", "heading_error_rad", "speed_mps", "curvature_per_m", "curvature_preview_per_m")
        curvature = self._expert.curvature(*(infos[name] for name in names))
        return np.clip(curvature / self._limit, -1.0, 1.0)[:, None]

    def forget(self, cars: NDArray[np.bool_]) -> None:
        """Do nothing: the expert has no memory."""


class DriverController:
    """A trained driver, one memory per car, with the weights it has now."""

    def __init__(self, driver: Driver, cars: int) -> None:
        self.driver = driver.eval()
        self.state = driver.initial_state(cars)  # [N, S]
        self._step = driver.stepper()

    @one_thread()
    def act(self, frames: NDArray[Any], infos: dict[str, Any]) -> F64:
        """Actions [N, 1] from the frames; the memories go on by a step."""
        actions, self.state = self._step(frames, self.state)
        return np.asarray(actions, np.float64)

    def forget(self, cars: NDArray[np.bool_]) -> None:
        """Put the memory of these cars back to the initial state."""
        rows = torch.from_numpy(np.asarray(cars))
        self.state = torch.where(rows[:, None], self.driver.initial_state(len(cars)), self.state)
