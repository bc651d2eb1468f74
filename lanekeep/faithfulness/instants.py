"""The instants that drivers are judged at: an expert drives, every driver is shown the same moments of its drives.

On each road the expert drives for SECONDS from a place that the seed decides.  Every JUDGED_EVERY_S seconds, once memories
have settled, an instant is picked; one instant of each road, in the middle of its picks, also gets the costly effects.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lanekeep.driving.controllers import ExpertController
from lanekeep.effects import RecordedDrive, record_drive
from lanekeep.effects.interventional import AHEAD_S
from lanekeep.errors import UserError
from lanekeep_envs import CONTROL_STEP_S, START_M, Camera, Scenario
from lanekeep_policies import Driver

SECONDS = 12.0  # of each drive
SETTLING_S = 2.0  # in which memories fill
JUDGED_EVERY_S = 2.0
AFTER_STEPS = 40  # that a pulse is watched for


@dataclass(frozen=True)
class Subject:
    """A driver that is examined, the name it goes by and the camera it was made for."""

    name: str
    driver: Driver
    camera: Camera


@dataclass(frozen=True)
class JudgedInstants:
    """Moments of recorded drives."""

    tapes: tuple[RecordedDrive, ...]
    picks: tuple[tuple[int, int], ...]  # (tape, step), some of each tape
    costly: tuple[int, ...]  # the picks that get the costly effects: one of each tape

    @property
    def roads(self) -> list[int]:
        """The tape of each pick, over which intervals are drawn."""
        return [tape for tape, _ in self.picks]


def check_frames_are_fresh(scenario: Scenario) -> None:
    """Refuse a scenario in which the effect of what is in a frame cannot be measured."""
    late, dropped = scenario.disturbance.late_frames, scenario.disturbance.dropped_frames
    if late[1] > 0 or dropped[1] > 0.0:
        raise UserError(
            f"{scenario.name} shows drivers old frames, so that what is taken out of the present one says nothing; "
            "choose another scenario, or a copy of it without late_frames and dropped_frames"
        )


def record_instants(scenario: Scenario, seeds: Sequence[int]) -> JudgedInstants:
    """Let the expert drive the roads of these seeds, and pick the instants; UserError if too few roads are long enough."""
    tapes, picks, costly = list[RecordedDrive](), list[tuple[int, int]](), list[int]()
    steps, settling, every = (round(s / CONTROL_STEP_S) for s in (SECONDS, SETTLING_S, JUDGED_EVERY_S))
    after = max(AFTER_STEPS, round(AHEAD_S / CONTROL_STEP_S))  # of road, for the costly effects
    room = max(scenario.road.length_m - 400.0, START_M)
    for seed in seeds:
        start = START_M + np.random.default_rng([seed, 7]).random() * (room - START_M)
        tape = record_drive(ExpertController(scenario.curvature_limit_per_m), scenario, None, seed, steps, float(start))
        chosen = [(len(tapes), t) for t in range(settling, len(tape) - after, every)]
        if chosen:
            costly.append(len(picks) + len(chosen) // 2)
            picks += chosen
            tapes.append(tape)
    if len(tapes) < 2:
        raise UserError(f"the roads of {scenario.name} are too short to judge anything on")
    return JudgedInstants(tuple(tapes), tuple(picks), tuple(costly))
