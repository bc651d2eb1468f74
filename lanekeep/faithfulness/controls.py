"""What a metric of a map must be compared with: maps that know nothing of the driver.

noise       a number drawn for every pixel
flat        one number for every pixel: what size alone explains
edges       the strength of the picture's edges (Sobel): what contrast alone explains
untrained   a map of the same method, of the same network before it learned
"""

import numpy as np

from lanekeep.faithfulness.metrics import F32, U8
from lanekeep_policies import Driver

UNTRAINED_SEED = 1


def noise(frames: U8) -> F32:
    """Draw a number for every pixel: frames [N, H, W, 3] to maps [N, H, W]."""
    return np.random.default_rng(0).random(frames.shape[:-1], np.float32)


def flat(frames: U8) -> F32:
    """Give every pixel a one: frames [N, H, W, 3] to maps [N, H, W]."""
    return np.ones(frames.shape[:-1], np.float32)


def edges(frames: U8) -> F32:
    """The strength of edges [N, H, W] in frames [N, H, W, 3], after Sobel and Feldman, 1968, the border repeated."""
    grey = np.pad(frames.mean(-1, dtype=np.float32), ((0, 0), (1, 1), (1, 1)), mode="edge")
    smooth_down = grey[:, :-2] + 2.0 * grey[:, 1:-1] + grey[:, 2:]
    smooth_across = grey[:, :, :-2] + 2.0 * grey[:, :, 1:-1] + grey[:, :, 2:]
    found: F32 = np.hypot(smooth_down[:, :, 2:] - smooth_down[:, :, :-2], smooth_across[:, 2:] - smooth_across[:, :-2])
    return found


CONTROLS = {"noise": noise, "flat": flat, "edges": edges}


def untrained(driver: Driver) -> Driver:
    """Build the network of a driver anew, before it learned."""
    return Driver.build(driver.spec, UNTRAINED_SEED).eval()
