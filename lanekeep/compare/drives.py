"""The two drives that are shown side by side: each driver in its own car, from the same place on the same road."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lanekeep.driving.controllers import DriverController
from lanekeep.driving.drivers import states_along
from lanekeep.effects import ReRenderer, record_drive
from lanekeep.faithfulness.examine import effects_now
from lanekeep.faithfulness.instants import Subject
from lanekeep.faithfulness.metrics import EVERYWHERE
from lanekeep.saliency import maps
from lanekeep_envs import CONTROL_STEP_S, REMOVABLE, Scenario

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
EVERY = 4  # steps between two frames that are kept


@dataclass(frozen=True)
class ShownDrive:
    """n kept frames of a drive, with what every element did to the steering and what share of the maps it has."""

    name: str
    times_s: F64  # [n]
    frames: NDArray[np.uint8]  # [n, H, W, 3]
    actions: F64  # [n]
    offsets_m: F64  # [n]
    effects: F64  # [n, K] now, of all removable elements
    maps: dict[str, F32]  # method -> [n, H, W]
    shares: dict[str, F64]  # method -> [n, K] of the map's strength that lies on an element's pixels
    truth: F32  # [n, H, W] at each pixel the effect of whatever there has the largest, of what is not everywhere
    departed: bool


def drive(
    subject: Subject, scenario: Scenario, seed: int, seconds: float, methods: Sequence[str], tell: Callable[[str], None]
) -> ShownDrive:
    """Let a driver drive from the start of a road, until it leaves its lane or the time is over."""
    driver, camera = subject.driver, subject.camera
    tape = record_drive(DriverController(driver, 1), scenario, camera, seed, round(seconds / CONTROL_STEP_S))
    projector = ReRenderer(scenario, camera)
    film = projector.frames(tape.snapshots)[:, 0]
    kept = range(0, len(tape), EVERY)
    frames, states = film[::EVERY], states_along(driver, film)[:-1:EVERY]
    found = {}
    for name in methods:
        tell(f"{subject.name}: {name}")
        found[name] = maps(name, driver, frames, states)
    effects = np.zeros((len(kept), len(REMOVABLE)))
    shares, truth = {name: np.zeros_like(effects) for name in methods}, np.zeros(frames.shape[:3], np.float32)
    for row, t in enumerate(kept):
        tell(f"{subject.name} drives")
        effects[row], masks = effects_now(driver, projector, tape.snapshots[t], states[row : row + 1])
        truth[row] = strongest(masks, effects[row])
        for name in methods:
            strength = np.abs(found[name][row])
            shares[name][row] = (masks * strength).sum((1, 2)) / max(float(strength.sum()), 1e-12)
    return ShownDrive(
        subject.name, np.array(kept) * CONTROL_STEP_S, frames, tape.actions[::EVERY],
        tape.traces["lateral_offset_m"][::EVERY], effects, found, shares, truth, tape.departed,
    )  # fmt: skip


def strongest(masks: NDArray[np.bool_], effects: F64) -> F32:
    """Masks [K, H, W] and effects [K] to a map [H, W] of the effect that is the largest at each pixel."""
    shown = np.zeros(masks.shape[1:], np.float32)
    for k in np.argsort(np.abs(effects)):
        if masks[k].mean() < EVERYWHERE:
            shown[masks[k]] = effects[k]
    return shown
