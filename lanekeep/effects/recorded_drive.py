"""A drive on tape: every instant of it can be seen again, from any camera and under any intervention.

Drivers are compared on the tape of a third one, so that what each would have done differs and what each saw does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep.driving.rollout import Pilot
from lanekeep_envs import Camera, Intervention, LaneKeepingVectorEnv, Scenario, Snapshot

U8 = NDArray[np.uint8]
Variant = Sequence[Intervention]
AT_ONCE = 256  # pictures rendered in one call


@dataclass(frozen=True)
class Tape:
    """T instants, 1/20 s apart, of a drive in a scenario."""

    scenario: Scenario
    seed: int
    snapshots: tuple[Snapshot, ...]
    actions: NDArray[np.float64]  # [T], of the one who drove
    traces: dict[str, NDArray[np.float64]]  # name of TRACES -> [T]
    departed: bool  # whether it ends because the car left its lane

    def __len__(self) -> int:
        return len(self.snapshots)


TRACES = ("lateral_offset_m", "heading_error_rad", "speed_mps", "curvature_per_m", "distance_m")


def record(
    pilot: Pilot, scenario: Scenario, camera: Camera | None, seed: int, steps: int, start_m: float | None = None
) -> Tape:
    """Let a pilot of one car drive for so many steps, or to the end of the road, or out of its lane."""
    env = LaneKeepingVectorEnv(
        1, scenario, camera or "8x8", "state" if camera is None else "camera", autoreset_mode="Disabled"
    )
    frames, infos = env.reset(seed=[seed], options={"start_m": [start_m]})
    snapshots, actions, rows, departed = list[Snapshot](), list[float](), list[list[float]](), False
    for _ in range(steps):
        snapshots.append(env.snapshot())
        rows.append([float(infos[name][0]) for name in TRACES])
        action = pilot.act(frames, infos)
        actions.append(float(action[0, 0]))
        frames, _, terminated, truncated, infos = env.step(action)
        if terminated[0] or truncated[0]:
            departed = bool(terminated[0])
            break
    traces = dict(zip(TRACES, np.array(rows).T, strict=True))
    return Tape(scenario, seed, tuple(snapshots), np.array(actions), traces, departed)


class Projector:
    """Shows the instants of tapes of one scenario to one camera; `base` is done to the scene before any variant."""

    def __init__(self, scenario: Scenario, camera: Camera, base: Variant = ()) -> None:
        self.scenario, self.camera, self.base = scenario, camera, tuple(base)
        self._env = LaneKeepingVectorEnv(1, scenario, camera, autoreset_mode="Disabled")

    def frames(self, snapshots: Sequence[Snapshot], variants: Sequence[Variant] = ((),)) -> U8:
        """Frames [I, V, H, W, 3] of instants under variants."""
        some = max(1, AT_ONCE // max(1, len(variants)))
        all_variants = [(*self.base, *variant) for variant in variants]
        parts = [self._env.views(snapshots[i : i + some], all_variants) for i in range(0, len(snapshots), some)]
        return np.concatenate(parts)

    def frame(self, snapshot: Snapshot, variant: Variant = ()) -> Any:
        """A `Frame`, which also says what is to be seen where."""
        return self._env.view(snapshot, (*self.base, *variant))
