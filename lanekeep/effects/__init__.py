"""Effects: what each element of the scene really does to the steering, by rendering the same instant without it.

from lanekeep.effects import ReRenderer, now, record_drive, removal_of
tape = record_drive(ExpertController(limit), scenario, None, seed=10_000, steps=200)
projector = ReRenderer(scenario, camera_of(driver))
frames = projector.frames(tape.snapshots)[:, 0]
states = states_along(driver, frames)                                       # lanekeep.saliency
effect = now(driver, projector, tape.snapshots, states[:-1], [removal_of([Element.TREES])])     # [T, 1]
"""

from lanekeep.effects.elements import changed, removal_of, seen_in
from lanekeep.effects.interventional import (
    Forks,
    closed_loop,
    half_life_s,
    now,
    placebo_threshold,
    placebos,
    pulse,
    steering,
    with_memory,
)
from lanekeep.effects.recorded_drive import RecordedDrive, ReRenderer, record_drive
from lanekeep.effects.shapley import add_one_in, coalitions, leave_one_out, shapley

__all__ = [
    "Forks",
    "ReRenderer",
    "RecordedDrive",
    "add_one_in",
    "changed",
    "closed_loop",
    "coalitions",
    "placebo_threshold",
    "half_life_s",
    "leave_one_out",
    "now",
    "placebos",
    "pulse",
    "record_drive",
    "removal_of",
    "seen_in",
    "shapley",
    "steering",
    "with_memory",
]
