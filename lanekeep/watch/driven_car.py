"""A driven car: one car driven by one driver, road after road, and what its last seconds were like.

The car is driven by a `Rollout`, as drivers are measured: after a departure it is put back in the middle of its lane, a
metre further on, with its memory cleared; at the end of a road the next seed follows.

A person acts on it while it drives: `edit` changes what the camera sees, `lesion` the driver, `hand` steers, `gust` blows
on the car, `saved` keeps an instant and `come_back` goes on from it.  Under edits the camera shows the present, in
scenarios with late frames as well.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lanekeep.driving.controllers import DriverController, ExpertController
from lanekeep.driving.rollout import Rollout, cars_on
from lanekeep.driving.seeds import Place
from lanekeep_envs import (
    CONTROL_STEP_S,
    Camera,
    Element,
    Frame,
    Intervention,
    Noise,
    Remove,
    Scenario,
    SetStrength,
    Snapshot,
)
from lanekeep_policies import LTC, Driver, Lesions, lesioned

STEP_S, FRAMES_PER_S = CONTROL_STEP_S, round(1 / CONTROL_STEP_S)
MEMORY_S = 8.0
GUST_STEPS = 10  # half a second
NOISIEST = 24.0  # grey levels of the strength 1
NAN = float("nan")


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
    hand: float = NAN  # what a person at the wheel did instead


@dataclass(frozen=True)
class Edits:
    """Changes of all that the camera sees."""

    removed: frozenset[Element] = frozenset()
    strengths: dict[str, float] = field(default_factory=dict)  # of SetStrength, and "noise"

    def variant(self) -> tuple[Intervention, ...]:
        """The edits as interventions on the scene."""
        made: list[Intervention] = [
            Noise(NOISIEST * strength) if name == "noise" else SetStrength(name, strength)
            for name, strength in sorted(self.strengths.items())
        ]
        return (*made, *(Remove(element) for element in sorted(self.removed)))


@dataclass(frozen=True)
class SavedInstant:
    """An instant of a driven car, to come back to."""

    snapshot: Snapshot
    before: Tensor  # [1, S] the memory that the driver brings to it
    steps: int
    departures: int
    edits: Edits
    lesions: Lesions
    gust_mps2: float
    gust_steps: int  # that it still blows


class DrivenCar:
    """Drives a car, one call of `advance` per 1/20 s."""

    def __init__(
        self, driver: Driver, scenario: Scenario, camera: Camera, seed: int, memory_s: float = MEMORY_S
    ) -> None:
        self.driver, self.scenario = driver, scenario
        self.env = cars_on(scenario, camera, 1)
        self.past: deque[Instant] = deque(maxlen=round(memory_s / STEP_S) + 1)
        self.steps, self.leg, self.departures = 0, -1, 0
        self.edits, self.lesions = Edits(), Lesions()
        self.hand: float | None = None  # the action of a person at the wheel
        self._gust_mps2, self._gust_steps = 0.0, 0
        self._expert = ExpertController(scenario.curvature_limit_per_m)
        self._controller = DriverController(driver, 1)
        self._rollout = Rollout(self.env, self._controller)
        self.go_to(seed)

    @property
    def running(self) -> Driver:
        """The driver as it is under lesions."""
        return self._controller.driver

    @property
    def frame(self) -> NDArray[np.uint8]:
        """The frame [H, W, 3] that the driver sees now."""
        frame: NDArray[np.uint8] = self._rollout.frames[0]
        return frame

    @property
    def info(self) -> dict[str, Any]:
        """The environment's info of the car, as plain numbers."""
        return self.env.info_of(0)

    @property
    def road_seed(self) -> int:
        """Seed of the road it is on."""
        return int(self.info["road_seed"])

    @property
    def is_plain(self) -> bool:
        """Whether pictures of the car take little time: on a fine day, as the scenario has it."""
        return self.scenario.fine and not self.edits.strengths

    def advance(self) -> None:
        """Carry the action out and let the driver look again."""
        action = self.past[-1].action if self.hand is None else self.hand
        if self.hand is not None:
            self.past[-1] = self.past[-1]._replace(hand=self.hand)
        self._gust_steps -= 1
        self.env.push(self._gust_mps2 if self._gust_steps >= 0 else 0.0)
        outcome = self._rollout.drive(np.array([[action]]))
        self.steps += 1
        departed, seed = bool(outcome.departed[0]), self.road_seed
        self.departures += departed
        if departed or outcome.finished[0]:
            self._note(NAN, NAN, departed)
        if outcome.is_over(0, self.scenario.road.length_m):
            self.go_to(seed + 1)
        elif (place := outcome.put_back(0, seed)) is not None:
            self._put_down(place)
        else:
            self._look()

    def go_to(self, seed: int) -> None:
        """Leave this road for the beginning of another, or of the same."""
        self._put_down(Place(seed))

    def edit(self, edits: Edits) -> None:
        """Change how this instant and all that follow are seen, and let the driver decide about this instant again."""
        if edits != self.edits:
            self.edits = edits
            self._again()

    @property
    def left_to_steer(self) -> str:
        """What steers when every motor neuron is silenced, in words: the read-out's bias, always the same; else nothing."""
        core = self.driver.core
        if not isinstance(core, LTC) or not set(core.wiring.motor_neurons) <= self.lesions.silenced:
            return ""
        bias = float(self.running.readout.bias.detach()[0])
        share, side = "fully" if abs(bias) >= 1.0 else f"{abs(bias):.2f}", "left" if bias > 0.0 else "right"
        return f"motor silenced: only the read-out's bias steers, {share} to the {side}"

    def lesion(self, lesions: Lesions) -> None:
        """Put the driver under other lesions, at the present instant; ValueError for what it does not have."""
        self._put_under(lesions)
        self._again()

    def gust(self, acceleration_mps2: float) -> None:
        """Blow on the car for half a second, positive to the left."""
        self._gust_mps2, self._gust_steps = acceleration_mps2, GUST_STEPS

    def saved(self) -> SavedInstant:
        """The present instant, to come back to."""
        gust = self._gust_mps2, max(self._gust_steps, 0)
        return SavedInstant(
            self.env.snapshot(), self.before, self.steps, self.departures, self.edits, self.lesions, *gust
        )

    def come_back(self, saved: SavedInstant) -> None:
        """Go on from an instant of this driver on this kind of road; ValueError for another."""
        if saved.before.shape != self.before.shape:
            raise ValueError(f"this instant is of a driver with {saved.before.shape[1]} numbers of state")
        self._put_under(saved.lesions)
        self._rollout.restore(saved.snapshot)
        self.steps, self.departures = saved.steps, saved.departures
        self.edits = saved.edits
        self._gust_mps2, self._gust_steps = saved.gust_mps2, saved.gust_steps
        self.past.clear()
        self._controller.state = saved.before.clone()
        self._again()

    def picture(self, height_px: int, width_px: int) -> NDArray[np.uint8]:
        """An image [H, W, 3] of this instant by the driver's camera with another number of pixels."""
        camera = self.env.camera.resized(height_px, width_px)
        seen: NDArray[np.uint8] = self.env.views([self.env.snapshot()], [self.edits.variant()], camera=camera)[0, 0]
        return seen

    def scenery(self) -> Frame:
        """The driver's picture of this instant, with the elements of every pixel."""
        return self.env.view(self.env.snapshot(), self.edits.variant())

    def _put_under(self, lesions: Lesions) -> None:
        """Let a driver under these lesions go on; its memory is yet to be given."""
        self._controller = DriverController(lesioned(self.driver, lesions) if lesions else self.driver, 1)
        self._rollout.controller = self._controller
        self.lesions = lesions

    def _put_down(self, place: Place) -> None:
        """Go on from another place, with the memory cleared."""
        self._rollout.put_down([place])
        self.leg += 1
        self._look()

    def _look(self) -> None:
        """Let the driver decide on what it sees now."""
        self._rollout.variants = [] if self.edits == Edits() else [self.edits.variant()]
        expert = self._expert.act(self._rollout.frames, self._rollout.infos)
        self.before = self._controller.state.detach().clone()
        self._note(float(self._rollout.decide()[0, 0]), float(expert[0, 0]), False)

    def _again(self) -> None:
        """Decide anew on the present instant, with the memory that was brought to it."""
        if self.past:
            self.past.pop()
            self._controller.state = self.before
        self._rollout.restore(self.env.snapshot())
        self._look()

    def _note(self, action: float, expert: float, departed: bool) -> None:
        """Write a line of the log."""
        place, offset = self.env.path_ahead(), float(self.info["lateral_offset_m"])
        state = self._controller.state[0].detach().numpy().copy()
        at = (place["x"], place["y"])
        now = Instant(self.steps * STEP_S, self.leg, self.road_seed, *at, offset, action, expert, departed, state)
        self.past.append(now)
