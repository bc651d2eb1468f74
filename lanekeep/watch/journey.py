"""A journey: one car driven by one driver, road after road, and what the last seconds were like.

The car is driven as `rollout.drive_roads` drives it, so that what is watched is what is measured: after a departure it is
put back in the middle of its lane, a metre further on, with its memory cleared; at the end of a road the next seed follows.

What a person does to it while it drives: `edit` what the camera sees, lesion the driver, take the wheel, blow on the car,
`keep` an instant and come back to it.  Under edits the camera shows the present, in scenarios with late frames as well.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lanekeep.driving.rollout import DriverPilot, expert_actions
from lanekeep_envs import (
    CONTROL_STEP_S,
    Camera,
    Element,
    Frame,
    Intervention,
    LaneKeepingEnv,
    Noise,
    Remove,
    Scenario,
    SetStrength,
    Snapshot,
)
from lanekeep_policies import Driver, Expert, Lesions, lesioned

STEP_S, FRAMES_PER_S = CONTROL_STEP_S, round(1 / CONTROL_STEP_S)
MEMORY_S = 8.0
GUST_STEPS = 10  # half a second
NOISIEST = 24.0  # grey levels of the strength 1


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
    hand: float = float("nan")  # what a person at the wheel did instead


@dataclass(frozen=True)
class Edits:
    """What is changed in everything that the camera sees."""

    removed: frozenset[Element] = frozenset()
    strengths: dict[str, float] = field(default_factory=dict)  # of SetStrength, and "noise"

    def variant(self) -> tuple[Intervention, ...]:
        """As interventions."""
        made: list[Intervention] = [
            Noise(NOISIEST * strength) if name == "noise" else SetStrength(name, strength)
            for name, strength in sorted(self.strengths.items())
        ]
        return (*made, *(Remove(element) for element in sorted(self.removed)))


@dataclass(frozen=True)
class Moment:
    """An instant of a journey, to come back to."""

    snapshot: Snapshot
    before: Tensor  # [1, S] the memory that the driver brings to it
    steps: int
    departures: int
    edits: Edits
    lesions: Lesions
    gust_mps2: float
    gust_steps: int  # that it still blows


class Journey:
    """Drives a car, one call of `advance` per 1/20 s."""

    def __init__(
        self, driver: Driver, scenario: Scenario, camera: Camera, seed: int, memory_s: float = MEMORY_S
    ) -> None:
        self.driver, self.scenario = driver, scenario
        self.env = LaneKeepingEnv(scenario, camera)
        self.past: deque[Instant] = deque(maxlen=round(memory_s / STEP_S) + 1)
        self.steps, self.leg, self.departures = 0, -1, 0
        self.edits, self.lesions = Edits(), Lesions()
        self.hand: float | None = None  # the action of a person at the wheel
        self._gust, self._gust_steps = 0.0, 0
        self._expert, self._pilot = Expert(), DriverPilot(driver, 1)
        self._put_down(seed, None)

    @property
    def running(self) -> Driver:
        """The driver as it is under lesions."""
        return self._pilot.driver

    def advance(self) -> None:
        """Carry the action out and let the driver look again."""
        action = self.past[-1].action if self.hand is None else self.hand
        if self.hand is not None:
            self.past[-1] = self.past[-1]._replace(hand=self.hand)
        self._gust_steps -= 1
        self.env.push(self._gust if self._gust_steps >= 0 else 0.0)
        self.frame, _, departed, finished, self.info = self.env.step(np.array([action]))
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
            self._look()

    @property
    def road_seed(self) -> int:
        """Seed of the road it is on."""
        return int(self.info["road_seed"])

    @property
    def is_plain(self) -> bool:
        """Whether pictures of it are soon made: a fine day as the scenario has it."""
        return self.scenario.fine and not self.edits.strengths

    def go_to(self, seed: int) -> None:
        """Leave this road for the beginning of another, or of the same."""
        self._put_down(seed, None)

    def edit(self, edits: Edits) -> None:
        """See the present instant, and all that follow, otherwise; the driver thinks again about it."""
        if edits != self.edits:
            self.edits = edits
            self._again()

    def lesion(self, lesions: Lesions) -> None:
        """Put the driver under other lesions, at the present instant; ValueError for what it does not have."""
        self._put_under(lesions)
        self._again()

    def gust(self, acceleration_mps2: float) -> None:
        """Blow on the car for half a second, positive to the left."""
        self._gust, self._gust_steps = acceleration_mps2, GUST_STEPS

    def keep(self) -> Moment:
        """The present instant."""
        gust = self._gust, max(self._gust_steps, 0)
        return Moment(self.env.snapshot(), self.before, self.steps, self.departures, self.edits, self.lesions, *gust)

    def come_back(self, moment: Moment) -> None:
        """Go on from an instant of this driver on this kind of road; ValueError for another."""
        if moment.before.shape != self.before.shape:
            raise ValueError(f"this instant is of a driver with {moment.before.shape[1]} numbers of state")
        self._put_under(moment.lesions)
        self.env.restore(moment.snapshot)
        self.info = self.env.info()
        self.steps, self.departures = moment.steps, moment.departures
        self.edits = moment.edits
        self._gust, self._gust_steps = moment.gust_mps2, moment.gust_steps
        self.past.clear()
        self._pilot.state = moment.before.clone()
        self._again()

    def picture(self, height_px: int, width_px: int) -> NDArray[np.uint8]:
        """What the driver's camera would show with other pixels, at this instant: an image [H, W, 3]."""
        camera = self.env.camera.resized(height_px, width_px)
        seen: NDArray[np.uint8] = self.env.views([self.env.snapshot()], [self.edits.variant()], camera)[0, 0]
        return seen

    def scenery(self) -> Frame:
        """What the driver's camera shows, with the elements of every pixel."""
        return self.env.view(self.env.snapshot(), self.edits.variant())

    def _put_under(self, lesions: Lesions) -> None:
        """Let a driver under these lesions go on; its memory is yet to be given."""
        self._pilot = DriverPilot(lesioned(self.driver, lesions) if lesions else self.driver, 1)
        self.lesions = lesions

    def _put_down(self, seed: int, start_m: float | None) -> None:
        options = None if start_m is None else {"start_m": start_m}
        self.frame, self.info = self.env.reset(seed=seed, options=options)
        self._pilot.forget(np.ones(1, np.bool_))
        self.leg += 1
        self._look()

    def _look(self) -> None:
        """Let the driver decide on what it sees now."""
        if self.edits != Edits():
            self.frame = self.env.views([self.env.snapshot()], [self.edits.variant()])[0, 0]
        infos: dict[str, Any] = {name: np.asarray(value)[None] for name, value in self.info.items()}
        expert = expert_actions(self._expert, infos, self.scenario.curvature_limit_per_m)
        self.before = self._pilot.state.detach().clone()
        self._note(float(self._pilot.act(self.frame[None], infos)[0, 0]), float(expert[0, 0]), False)

    def _again(self) -> None:
        """Decide anew on the present instant, with the memory that was brought to it."""
        if self.past:
            self.past.pop()
            self._pilot.state = self.before
        self.frame = self.env.restore(self.env.snapshot())
        self._look()

    def _note(self, action: float, expert: float, departed: bool) -> None:
        place, offset = self.env.path_ahead(), float(self.info["lateral_offset_m"])
        state = self._pilot.state[0].detach().numpy().copy()
        at = (place["x"], place["y"])
        now = Instant(self.steps * STEP_S, self.leg, self.road_seed, *at, offset, action, expert, departed, state)
        self.past.append(now)
