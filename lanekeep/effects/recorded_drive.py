"""A recorded drive: every instant of it can be seen again, from any camera and under any intervention.

Drivers are compared on the recorded drive of a third one, so that what each would have done differs and what each saw does
not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lanekeep.driving.controllers import Controller
from lanekeep.driving.rollout import Rollout, cars_on
from lanekeep.driving.seeds import Place
from lanekeep_envs import Camera, Frame, Intervention, Scenario, Snapshot

U8 = NDArray[np.uint8]
Variant = Sequence[Intervention]
AT_ONCE = 256  # pictures rendered in one call
TRACES = ("lateral_offset_m", "heading_error_rad", "speed_mps", "curvature_per_m", "distance_m")


@dataclass(frozen=True)
class RecordedDrive:
    """T instants, 1/20 s apart, of a drive in a scenario."""

    scenario: Scenario
    seed: int
    snapshots: tuple[Snapshot, ...]
    actions: NDArray[np.float64]  # [T], of the controller that drove
    traces: dict[str, NDArray[np.float64]]  # name of TRACES -> [T]
    departed: bool  # whether it ends because the car left its lane

    def __len__(self) -> int:
        return len(self.snapshots)


def record_drive(
    controller: Controller,
    scenario: Scenario,
    camera: Camera | None,
    seed: int,
    steps: int,
    start_m: float | None = None,
) -> RecordedDrive:
    """Let a controller of one car drive for so many steps, or to the end of the road, or out of its lane."""
    rollout = Rollout(cars_on(scenario, camera, 1), controller)
    rollout.put_down([Place(seed, start_m)])
    snapshots, actions, rows, departed = list[Snapshot](), list[float](), list[list[float]](), False
    for _ in range(steps):
        snapshots.append(rollout.env.snapshot())
        rows.append([float(rollout.infos[name][0]) for name in TRACES])
        outcome = rollout.step()
        actions.append(float(outcome.actions[0, 0]))
        departed = bool(outcome.departed[0])
        if departed or outcome.finished[0]:
            break
    traces = dict(zip(TRACES, np.array(rows).T, strict=True))
    return RecordedDrive(scenario, seed, tuple(snapshots), np.array(actions), traces, departed)


class ReRenderer:
    """Renders the instants of recorded drives of one scenario again, as one camera sees them under interventions.

    `base` is done to the scene before any variant.
    """

    def __init__(self, scenario: Scenario, camera: Camera, base: Variant = ()) -> None:
        self.scenario, self.camera, self.base = scenario, camera, tuple(base)
        self._env = cars_on(scenario, camera, 1)

    def frames(self, snapshots: Sequence[Snapshot], variants: Sequence[Variant] = ((),)) -> U8:
        """Frames [I, V, H, W, 3] of instants under variants."""
        some = max(1, AT_ONCE // max(1, len(variants)))
        all_variants = [(*self.base, *variant) for variant in variants]
        parts = [self._env.views(snapshots[i : i + some], all_variants) for i in range(0, len(snapshots), some)]
        return np.concatenate(parts)

    def frame(self, snapshot: Snapshot, variant: Variant = ()) -> Frame:
        """A picture of one instant, with the elements, contributors and depth of every pixel."""
        return self._env.view(snapshot, (*self.base, *variant))
