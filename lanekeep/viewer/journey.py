"""A journey: one car driven by one driver, road after road, and what the last seconds were like.

The car is driven as `rollout.drive_roads` drives it, so that what is watched is what is measured: after a departure it is
put back in the middle of its lane, a metre further on, with its memory cleared; at the end of a road the next seed follows.
"""

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep.rollout import DriverPilot, expert_actions
from lanekeep_envs import Camera, Frame, LaneKeepingEnv, Scenario
from lanekeep_envs.drive import CONTROL_STEP_S
from lanekeep_policies.driver import Driver
from lanekeep_policies.expert import Expert

STEP_S, FRAMES_PER_S = CONTROL_STEP_S, round(1 / CONTROL_STEP_S)
MEMORY_S = 8.0


class Instant(NamedTuple):
    """One line of the log.  The last one of a leg has no actions (NaN): the car is put down elsewhere before it acts."""

    elapsed_s: float
    leg: int  # counts the stretches between two places where the car was put down
    road_seed: int
    x: float
    y: float
    lateral_offset_m: float
    action: float
    expert: float
    departed: bool
    state: NDArray[np.float32]  # [S]


class Journey:
    """Drives a car, one call of `advance` per 1/20 s."""

    def __init__(
        self, driver: Driver, scenario: Scenario, camera: Camera, seed: int, memory_s: float = MEMORY_S
    ) -> None:
        self.driver, self.scenario = driver, scenario
        self.env = LaneKeepingEnv(scenario, camera)
        self.past: deque[Instant] = deque(maxlen=round(memory_s / STEP_S) + 1)
        self.steps, self.leg, self.departures = 0, -1, 0
        self._expert, self._pilot = Expert(), DriverPilot(driver, 1)
        self._put_down(seed, None)

    def advance(self) -> None:
        """Carry the driver's action out and let it look again."""
        self.frame, _, departed, finished, self.info = self.env.step(np.array([self.past[-1].action]))
        self.steps += 1
        where, seed = float(self.info["distance_m"]), int(self.info["road_seed"])
        self.departures += departed
        if departed or finished:
            self._note(float("nan"), float("nan"), departed)
        if finished or (departed and where + 1.0 >= self.scenario.road.length_m):
            self._put_down(seed + 1, None)
        elif departed:
            self._put_down(seed, where + 1.0)
        else:
            self._decide()

    def next_road(self) -> None:
        """Leave this road for the next."""
        self._put_down(int(self.info["road_seed"]) + 1, None)

    def view(self, height_px: int, width_px: int) -> Frame:
        """What the driver's camera would show with more pixels, at this instant."""
        return self.env.view(self.env.snapshot(), camera=self.env.camera.resized(height_px, width_px))

    def _put_down(self, seed: int, start_m: float | None) -> None:
        options = None if start_m is None else {"start_m": start_m}
        self.frame, self.info = self.env.reset(seed=seed, options=options)
        self._pilot.forget(np.ones(1, np.bool_))
        self.leg += 1
        self._decide()

    def _decide(self) -> None:
        infos: dict[str, Any] = {name: np.asarray(value)[None] for name, value in self.info.items()}
        expert = expert_actions(self._expert, infos, self.scenario.curvature_limit_per_m)
        self._note(float(self._pilot.act(self.frame[None], infos)[0, 0]), float(expert[0, 0]), False)

    def _note(self, action: float, expert: float, departed: bool) -> None:
        place, offset = self.env.path_ahead(), float(self.info["lateral_offset_m"])
        state = self._pilot.state[0].numpy().copy()
        seed, at = int(self.info["road_seed"]), (place["x"], place["y"])
        now = Instant(self.steps * STEP_S, self.leg, seed, *at, offset, action, expert, departed, state)
        self.past.append(now)
