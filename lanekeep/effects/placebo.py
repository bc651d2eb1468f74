"""The placebo threshold: the largest effect that means nothing, from changes of a frame that no eye can see.

The placebo changes every number of a frame by -1, 0 or +1 grey level, drawn anew: less than the noise of any sensor.  An
effect counts as one if it is beyond the 95th percentile of the placebos' effects on the same driver.
"""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from lanekeep.effects.interventional import F64, U8, steering
from lanekeep.effects.recorded_drive import ReRenderer
from lanekeep_envs import Snapshot
from lanekeep_policies import Driver

PLACEBOS = 8  # for each instant
PERCENTILE = 95.0


def placebos(frames: U8, draws: int = PLACEBOS, seed: int = 0) -> U8:
    """Frames [I, H, W, 3] to placebos of them [I, draws, H, W, 3], which look the same."""
    shape = (len(frames), draws, *frames.shape[1:])
    off = np.random.default_rng(seed).integers(-1, 2, shape, np.int16)
    changed: U8 = np.clip(frames[:, None] + off, 0, 255).astype(np.uint8)
    return changed


def placebo_threshold(driver: Driver, re_renderer: ReRenderer, snapshots: Sequence[Snapshot], states: Tensor) -> float:
    """The effect above which one counts, from the placebos at instants with memories [I, S]."""
    effects: F64 = placebo_effects(driver, re_renderer.frames(snapshots)[:, 0], states)
    return float(np.percentile(np.abs(effects), PERCENTILE))


def placebo_effects(driver: Driver, frames: U8, states: Tensor) -> F64:
    """Effects [I, PLACEBOS] of placebos on frames [I, H, W, 3]."""
    together = np.concatenate([frames[:, None], placebos(frames)], 1)
    actions = steering(driver, together, states)
    return actions[:, :1] - actions[:, 1:]
