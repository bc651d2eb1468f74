"""What a mark must be compared with: maps that know nothing of the driver.

noise       a number drawn for every pixel
flat        the same for every pixel: what size alone explains
edges       the strength of the picture's edges (Sobel): what contrast alone explains
untrained   the same kind of map, of the same network before it learned
"""

import numpy as np
from numpy.typing import NDArray

from lanekeep_policies import Driver

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
UNTRAINED_SEED = 1


def noise(frames: U8) -> F32:
    """Frames [N, H, W, 3] to maps [N, H, W] that are drawn."""
    return np.random.default_rng(0).random(frames.shape[:-1], np.float32)


def flat(frames: U8) -> F32:
    """Frames [N, H, W, 3] to maps [N, H, W] that are all one."""
    return np.ones(frames.shape[:-1], np.float32)


def edges(frames: U8) -> F32:
    """Frames [N, H, W, 3] to the strength of their edges [N, H, W] after Sobel and Feldman, 1968, the border repeated."""
    grey = np.pad(frames.mean(-1, dtype=np.float32), ((0, 0), (1, 1), (1, 1)), mode="edge")
    smooth_down = grey[:, :-2] + 2.0 * grey[:, 1:-1] + grey[:, 2:]
    smooth_across = grey[:, :, :-2] + 2.0 * grey[:, :, 1:-1] + grey[:, :, 2:]
    found: F32 = np.hypot(smooth_down[:, :, 2:] - smooth_down[:, :, :-2], smooth_across[:, 2:] - smooth_across[:, :-2])
    return found


CONTROLS = {"noise": noise, "flat": flat, "edges": edges}


def untrained(driver: Driver) -> Driver:
    """The same network before it learned."""
    return Driver.build(driver.spec, UNTRAINED_SEED).eval()
