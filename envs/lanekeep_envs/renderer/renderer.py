"""A camera with its work space: pictures of N cars, on several threads, or of one with its by-products."""

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.boxed import boxed
from lanekeep_envs.elements import EVERYTHING, Frame
from lanekeep_envs.renderer.aov import NO_AOV, Aov
from lanekeep_envs.renderer.camera import Camera
from lanekeep_envs.renderer.render import render, render_cars
from lanekeep_envs.renderer.view import RenderScene
from lanekeep_envs.renderer.workspace import make_buffers
from lanekeep_envs.sampling.appearance import all_fine
from lanekeep_envs.world_state import WorldState

LEAST_CARS = 8  # per thread
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.lru_cache(1)
def threads_of(process: int) -> ThreadPoolExecutor:
    """The threads that render, kept, since starting one takes as long as a frame; a process that was forked has none."""
    return ThreadPoolExecutor(CORES)


@functools.lru_cache(16)
def everything_visible(cars: int) -> NDArray[np.int64]:
    """Masks [N] that hide nothing."""
    return np.full(cars, EVERYTHING)


def scene_tables(state: WorldState) -> tuple[NDArray[Any], ...]:
    """Return the tables [N, ...] from which the fields of `RenderScene` come, in their order, but for `visible`."""
    return state.cars, state.roads, state.objects, state.object_counts, state.appearances, state.traffic


class Renderer:
    """A camera with its work space, one for each thread; if not `full`, for worlds of fine days alone (view.py)."""

    def __init__(self, camera: Camera, full: bool = True) -> None:
        self.camera, self.full = camera, full
        buffers, self._lens = make_buffers(camera)
        self._buffers, self._boxed = [buffers], [boxed((buffers, self._lens, NO_AOV))]

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy has its own work space."""
        return Renderer, (self.camera, self.full)

    def images(self, state: WorldState, visible: NDArray[np.int64] | None = None) -> NDArray[np.uint8]:
        """Return what N cars see, [N, H, W, 3]; many cars are shared out among the processor's cores.

        `visible` [N] masks the elements: by default all.
        """
        full = self._variant(visible is None or all_fine(state.appearances))
        if visible is None:
            visible = everything_visible(len(state.cars))
        number, height, width = len(state.cars), self.camera.height_px, self.camera.width_px
        pixels = np.empty((number, height, 3 * width), np.uint8)
        threads = max(1, min(number // LEAST_CARS, CORES))
        while len(self._buffers) < threads:
            self._buffers.append(make_buffers(self.camera)[0])
            self._boxed.append(boxed((self._buffers[-1], self._lens, NO_AOV)))
        if threads == 1:
            self._render(0, pixels, state, visible, full)
        else:
            cuts = np.linspace(0, number, threads + 1).astype(int).tolist()
            shares = [(pixels[i:j], state.take(slice(i, j)), visible[i:j]) for i, j in pairwise(cuts)]
            pool = threads_of(os.getpid())
            jobs = [pool.submit(self._render, k, *shares[k], full) for k in range(1, threads)]
            self._render(0, *shares[0], full)
            for job in jobs:
                job.result()
        return pixels.reshape(number, height, width, 3)

    def _variant(self, fine: bool) -> bool | None:
        """The argument of `render` (view.py): a world of fine days that an intervention changed is rendered in full."""
        return None if fine and not self.full else True

    def _render(
        self, thread: int, pixels: NDArray[np.uint8], state: WorldState, visible: NDArray[np.int64], full: bool | None
    ) -> None:
        render_cars(pixels, self._boxed[thread], (*scene_tables(state), visible), full)

    def frame(self, state: WorldState, visible: int = EVERYTHING) -> Frame:
        """Return what the first of the cars sees, with the by-products; `visible` masks the elements."""
        height, width = self.camera.height_px, self.camera.width_px
        pixels, buffers = np.empty((height, 3 * width), np.uint8), self._buffers[0]
        size, margin = buffers.shade.shape, buffers.margin
        aov = Aov(np.zeros(size, np.uint8), np.zeros(size, np.uint64), np.zeros(size, np.float32))
        full = self._variant(all_fine(state.appearances[0]))
        scene = RenderScene._make((*(table[0] for table in scene_tables(state)), visible))
        render(pixels, buffers, aov, scene, self._lens, full)
        parts = (np.ascontiguousarray(table[:, margin : margin + width]) for table in aov)
        return Frame._make((pixels.reshape(height, width, 3), *parts))
