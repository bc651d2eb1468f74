"""A person drives: a trip is what happens on the road, the cockpit what the person sees and does, a loop joins them.

What is recorded of a person is what is recorded of the expert: the frames of the driver's camera, the truth, and the action,
which is the driven one and the one to learn at once.  Before a car leaves its lane the person has steered wrongly for a
while: the last two seconds of such a trip are left out, as they show how to get out of a lane.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pygame

from lanekeep.driving.controllers import ExpertController
from lanekeep.driving.labelled_drives import Stretch, StretchLog
from lanekeep.driving.rollout import Rollout, cars_on
from lanekeep.driving.seeds import TRAINING_SEEDS, Place
from lanekeep.watch.panels.style import BLUE, BRIGHT, FAINT, GROUND, LARGE, NORMAL, ORANGE, PANEL, PLAIN, Canvas
from lanekeep.watch.window.display import open_window
from lanekeep.watch.window.wheel import Hands, Wheel
from lanekeep_envs import CONTROL_STEP_S, Camera, Scenario

FRAMES_PER_S = round(1 / CONTROL_STEP_S)
LEAVING_S = 2.0  # before a departure: about a second in which the mistake is made, and one until it is noticed
LEAST_S = 1.0  # of a trip; what is shorter is not kept
SEEN_PX = (360, 640)  # rows x columns of the view through the windscreen, which is then enlarged
WINDSCREEN = pygame.Rect(0, 0, 960, 540)
STEERING = pygame.Rect(640, 556, 304, 24)
SIZE = (960, 644)
KEYS = (
    "steer: Left and Right, A and D, or a gamepad     Space: hold and go on     N: keep this drive, next road",
    "R: throw this drive away, same road again     Esc: end, without the present drive",
)
WAY_OUT = "leave --human out to record the expert's drives"


class Trip:
    """A drive of a person from the start of a road, for so many steps at most."""

    def __init__(self, scenario: Scenario, camera: Camera, steps: int, seed: int) -> None:
        self.env, self.steps = cars_on(scenario, camera, 1), steps
        self._rollout = Rollout(self.env, ExpertController(scenario.curvature_limit_per_m))  # who is never asked
        self.begin(seed)

    def begin(self, seed: int) -> None:
        """Start on the road of this seed; what was driven before is forgotten."""
        self.seed, self.over, self.departed = seed, False, False
        self._rollout.put_down([Place(seed)])
        self._log = StretchLog(seed)

    @property
    def info(self) -> dict[str, Any]:
        """The environment's info of the car, as plain numbers."""
        return self.env.info_of(0)

    @property
    def driven(self) -> int:
        """Steps driven so far."""
        return len(self._log)

    def advance(self, action: float) -> None:
        """Note what is seen and done, and do it for a step, in single precision: so the record drives the same again."""
        driven = np.array([[np.float32(action)]], np.float64)
        self._log.note(self._rollout, 0, driven, driven)
        outcome = self._rollout.drive(driven)
        self.departed = bool(outcome.departed[0])
        self.over = self.departed or bool(outcome.finished[0]) or self.driven == self.steps

    def kept(self) -> Stretch | None:
        """The part of the trip that is worth learning from; None if it is too short."""
        count = self.driven - (round(LEAVING_S / CONTROL_STEP_S) if self.departed else 0)
        return self._log.stretch(self.departed, count) if count >= round(LEAST_S / CONTROL_STEP_S) else None


class Cockpit:
    """A window with the road ahead and, under it, what the person needs to know; it listens to keys and gamepads."""

    def __init__(self, title: str) -> None:
        self.screen = open_window(SIZE, title, WAY_OUT)
        self.canvas = Canvas(SIZE, SIZE)
        self.hands, self.wheel = Hands(), Wheel()
        self.open, self.wants_again, self.wants_next = True, False, False
        self.hold("")

    def hold(self, notice: str) -> None:
        """Wait, wheel straight, until the person goes on; the notice says why."""
        self.held, self.notice = True, notice
        self.wheel.centre()

    def listen(self) -> None:
        """Take in the keys and buttons that were pressed."""
        self.wants_again = self.wants_next = False
        for event in pygame.event.get():
            self.hands.heed(event)
            key = event.key if event.type == pygame.KEYDOWN else None
            if event.type == pygame.QUIT or key == pygame.K_ESCAPE:
                self.open = False
            elif key == pygame.K_SPACE or event.type == pygame.JOYBUTTONDOWN:
                self.held, self.notice = not self.held, "held"
            elif key == pygame.K_r:
                self.wants_again = True
            elif key == pygame.K_n:
                self.wants_next = True

    def steer(self) -> float:
        """The action of the next step."""
        return self.wheel.turned(self.hands.left, self.hands.right, self.hands.axis, CONTROL_STEP_S)

    def show(self, trip: Trip, kept: int, wanted: int) -> None:
        """Draw the instant that the trip is at."""
        if self.canvas.surface.get_size() != self.screen.get_size():
            self.canvas = Canvas(self.screen.get_size(), SIZE)
        canvas = self.canvas
        canvas.clear()
        camera = trip.env.camera.resized(*SEEN_PX)
        canvas.image(WINDSCREEN, trip.env.views([trip.env.snapshot()], [()], camera=camera)[0, 0], smooth=True)
        if self.held:
            self._plate(self.notice, "Space: go")
        elif self.hands.lost_gamepad:
            self._plate("the gamepad is gone", "Left and Right steer")
        numbers = (
            ("speed", f"{3.6 * trip.info['speed_mps']:.0f} km/h"),
            ("time", f"{trip.driven * CONTROL_STEP_S:.1f} of {trip.steps * CONTROL_STEP_S:g} s"),
            ("drives kept", f"{kept} of {wanted}"),
        )
        for k, (label, value) in enumerate(numbers):
            x = 16.0 + (0, 150, 340)[k]
            x += canvas.write(label, (x, STEERING.centery), NORMAL, FAINT) + 6
            canvas.write(value, (x, STEERING.centery), NORMAL, PLAIN)
        self._steering()
        for k, line in enumerate(KEYS):
            canvas.write(line, (16, STEERING.bottom + 18 + 24 * k), NORMAL, FAINT)
        self.screen.blit(canvas.surface, (0, 0))
        pygame.display.flip()

    def close(self) -> None:
        """Close the window."""
        pygame.joystick.quit()
        pygame.display.quit()

    def _steering(self) -> None:
        """Draw the position of the wheel: to the left, a bar to the left."""
        self.canvas.plate(STEERING, PANEL)
        reach = round(self.wheel.position * STEERING.width / 2)
        bar = pygame.Rect(STEERING.centerx - max(reach, 0), STEERING.y, abs(reach), STEERING.height)
        self.canvas.plate(bar, ORANGE if reach > 0 else BLUE)
        self.canvas.line([STEERING.midtop, (STEERING.centerx, STEERING.bottom - 1)], FAINT)

    def _plate(self, *lines: str) -> None:
        """Write lines in the upper middle of the windscreen, above the road."""
        said = [line for line in lines if line]
        plate = pygame.Rect(0, 48, 560, 20 + 34 * len(said))
        plate.centerx = WINDSCREEN.centerx
        self.canvas.plate(plate, GROUND, 8)
        for k, line in enumerate(said):
            self.canvas.write(line, (plate.centerx, plate.y + 27 + 34 * k), LARGE, BRIGHT, "middle")


def drive_by_hand(
    cockpit: Cockpit, scenario: Scenario, camera: Camera, drives: int, steps: int, generator: np.random.Generator
) -> Iterator[Stretch]:
    """Let a person drive in real time, road after road, until so many drives are kept or the window is closed.

    Every trip begins held, at the start of a road for training.
    """
    trip, clock, kept = Trip(scenario, camera, steps, road(generator)), pygame.time.Clock(), 0
    while kept < drives and cockpit.open:
        cockpit.show(trip, kept, drives)
        clock.tick(FRAMES_PER_S)
        cockpit.listen()
        if cockpit.wants_again:
            trip.begin(trip.seed)
            cockpit.hold("thrown away: the same road again")
        elif not cockpit.held and not cockpit.wants_next:
            trip.advance(cockpit.steer())
        if trip.over or cockpit.wants_next:
            stretch = trip.kept()
            if stretch is not None:
                kept += 1
                yield stretch
            cockpit.hold(verdict(trip, stretch))
            trip.begin(road(generator))


def road(generator: np.random.Generator) -> int:
    """Seed of a road that may be learned on."""
    return int(generator.integers(TRAINING_SEEDS))


def verdict(trip: Trip, stretch: Stretch | None) -> str:
    """A sentence about the end of a trip, for the person who drove it."""
    kept_s = 0.0 if stretch is None else len(stretch.frames) * CONTROL_STEP_S
    if trip.departed:
        return f"out of the lane: kept {kept_s:.1f} s, not the last {LEAVING_S:g} s" if stretch else "out of the lane"
    return f"kept {kept_s:.1f} s" if stretch else f"shorter than {LEAST_S:g} s: not kept"
