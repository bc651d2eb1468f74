"""Rollout: the one loop in which controllers drive cars.

A rollout holds what N cars see now.  A step lets the controller decide on it and drives for a control step; the caller notes
what happened, and puts cars down elsewhere.  A car that departs from its lane is put back in the middle of it, a metre
further on, with its memory cleared, as a safety driver would: so every controller drives the same kilometres, however often
it fails.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep.driving.controllers import Controller
from lanekeep.driving.seeds import Place
from lanekeep_envs import Camera, Intervention, LaneKeepingVectorEnv, Scenario, Snapshot

F64 = NDArray[np.float64]
PUT_BACK_M = 1.0  # further on, after a departure


class Outcome(NamedTuple):
    """How a control step ended for N cars."""

    actions: F64  # [N, 1] that were driven
    departed: NDArray[np.bool_]  # [N] out of the lane
    finished: NDArray[np.bool_]  # [N] at the end of the road, or of the time for it
    distance_m: F64  # [N] along the road

    def is_over(self, car: int, end_m: float) -> bool:
        """Whether a car has driven its road up to `end_m`, or would be put back beyond it."""
        back_m = PUT_BACK_M if self.departed[car] else 0.0
        return bool(self.finished[car]) or float(self.distance_m[car]) + back_m >= end_m

    def put_back(self, car: int, seed: int) -> Place | None:
        """Where a car goes on after a departure on the road of this seed; None if it drives on."""
        return Place(seed, float(self.distance_m[car]) + PUT_BACK_M) if self.departed[car] else None


def cars_on(scenario: Scenario, camera: Camera | None, cars: int) -> LaneKeepingVectorEnv:
    """An environment of N cars that are put down by hand; without a camera they are given the state [N, D]."""
    observation = "state" if camera is None else "camera"
    return LaneKeepingVectorEnv(cars, scenario, camera or "8x8", observation, autoreset_mode="Disabled")


class Rollout:
    """N cars of an environment, driven by a controller on from where they were put down.

    `variants` [N], where there are any, are the interventions under which each car's camera sees the world.
    """

    def __init__(self, env: LaneKeepingVectorEnv, controller: Controller) -> None:
        self.env, self.controller = env, controller
        env.rest_when_finished = True  # the other cars drive on
        self.frames: NDArray[Any] = np.empty(0)  # [N, H, W, 3], or states [N, D]
        self.infos: dict[str, Any] = {}
        self.variants: Sequence[Iterable[Intervention]] = ()

    def put_down(self, places: Sequence[Place | None]) -> None:
        """Put cars [N] down at their places, with their memory cleared; None leaves a car where it is."""
        mask = np.array([place is not None for place in places])
        if mask.any():
            seeds, starts = zip(*(place or (None, None) for place in places), strict=True)
            self.frames, self.infos = self.env.reset(seed=seeds, options={"reset_mask": mask, "start_m": starts})
            self.controller.forget(mask)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot; what the controller remembers is left to the caller."""
        self.frames = self.env.restore(snapshot)
        told = [self.env.info_of(car) for car in range(self.env.num_envs)]
        self.infos = {name: np.array([info[name] for info in told]) for name in told[0]}

    def decide(self) -> F64:
        """Actions [N, 1] of the controller for what the cars see now."""
        if self.variants:
            self.frames = self.env.views_of_cars(self.variants)
        return self.controller.act(self.frames, self.infos)

    def drive(self, actions: F64) -> Outcome:
        """Carry out actions [N, 1] for a control step."""
        self.frames, _, departed, finished, self.infos = self.env.step(actions)
        return Outcome(actions, departed, finished, self.infos["distance_m"])

    def step(self) -> Outcome:
        """Let the controller decide, and carry its actions out."""
        return self.drive(self.decide())
