"""What noise in a frame does to the steering and to maps.

A map that hardly changes under noise proves nothing unless the map of an untrained network, or the edges of the picture,
change more.  Two maps are compared by SSIM on one scale, the larger of their two largest strengths.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from torch import Tensor

from lanekeep.effects import steering
from lanekeep.faithfulness.controls import edges, untrained
from lanekeep.faithfulness.examine import Examiner
from lanekeep.faithfulness.metrics import F32, F64, U8
from lanekeep.saliency import METHODS, maps, ssim

NOISES, DRAWS = (0.02, 0.05, 0.1, 0.2), 4  # deviations in full brightness, and how often each is drawn


@dataclass(frozen=True)
class NoiseResponse:
    """What noise in the frame does to a map and to the steering, at each of NOISES; n frames, N noises."""

    ssim: dict[str, F64]  # method, or `edges` -> [n, N]
    untrained: dict[str, F64]  # method -> [n, N], of the same network untrained
    steering: F64  # [n, N] mean of |change of the action|


def under_noise(examiner: Examiner, methods: Sequence[str], tell: Callable[[str], None]) -> NoiseResponse:
    """Compare maps and steering of clean and of noisy frames, at the costly instants."""
    driver, picks = examiner.subject.driver, list(examiner.instants.costly)
    frames, states, fresh = examiner.frames[picks], examiner.states[picks], untrained(driver)
    fresh_states = fresh.initial_state(1).expand(len(picks), -1)
    shape = (len(NOISES), DRAWS, *frames.shape)
    off = 255.0 * np.array(NOISES)[:, None, None, None, None, None] * np.random.default_rng(0).standard_normal(shape)
    noisy: U8 = np.clip(np.round(frames + off), 0, 255).astype(np.uint8)  # [N, D, n, H, W, 3]

    def similar(draw: Callable[[U8, Tensor], F32], memories: Tensor) -> F64:
        clean = np.abs(draw(frames, memories))
        both = [np.abs(draw(shown, memories)) for shown in noisy.reshape(-1, *frames.shape)]
        found = [
            [ssim(m, other[k], max(float(m.max()), float(other[k].max()), 1e-12)) for k, m in enumerate(clean)]
            for other in both
        ]
        return np.asarray(np.array(found).reshape(len(NOISES), DRAWS, len(picks)).mean(1).T)

    found, other = {"edges": similar(lambda x, h: edges(x), states)}, dict[str, F64]()
    for name in methods:
        tell(f"{METHODS[name].title} under noise")
        found[name] = similar(partial(maps, name, driver), states)
        other[name] = similar(partial(maps, name, fresh), fresh_states)
    clean = steering(driver, frames[:, None], states)
    changed_to = steering(driver, noisy.reshape(-1, *frames.shape).swapaxes(0, 1), states)
    moved = np.abs(changed_to - clean).reshape(len(picks), len(NOISES), DRAWS).mean(2)
    return NoiseResponse(found, other, moved)
