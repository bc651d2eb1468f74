"""An instant of N drives: kept, forked, and looked at under interventions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.dynamics.control_step import CAR_STATE
from lanekeep_envs.interventions import Scene
from lanekeep_envs.renderer.renderer import Renderer
from lanekeep_envs.sampling.appearance import APPEARANCE


@dataclass(frozen=True)
class Snapshot:
    """Everything that decides how N drives go on; opaque, made by `snapshot()` and taken by `restore()` and `view()`."""

    cars: NDArray[np.void]
    episodes: NDArray[np.void]
    roads: NDArray[np.void]
    appearances: NDArray[np.void]
    objects: tuple[NDArray[np.void], ...]
    road_seeds: NDArray[np.object_]  # of whatever size
    resting: NDArray[np.bool_]
    generators: tuple[dict[str, Any], ...]
    traffic: NDArray[np.void]  # [N, K], the other cars
    film: NDArray[np.uint8] | None = None  # the last frames of the cameras, where a scenario shows old ones

    def forked(self, times: int, car: int = 0) -> "Snapshot":
        """One of the cars `times` times over: as many drives that go on from the same instant."""
        rows = [car] * times
        return Snapshot(
            self.cars[rows], self.episodes[rows], self.roads[rows], self.appearances[rows], (self.objects[car],) * times,
            self.road_seeds[rows], self.resting[rows], (self.generators[car],) * times, self.traffic[rows],
            None if self.film is None else self.film[rows],
        )  # fmt: skip


def scene_of(snapshot: Snapshot, car: int) -> Scene:
    """A copy of what one car of a snapshot sees, to intervene on."""
    return Scene(
        snapshot.cars[car].copy(),
        snapshot.roads[car],
        snapshot.objects[car].copy(),
        snapshot.traffic[car].copy(),
        snapshot.appearances[car].copy(),
    )


def pictures(renderer: Renderer, scenes: Sequence[Scene]) -> NDArray[np.uint8]:
    """Images [K, H, W, 3] of scenes."""
    if not scenes:
        return np.zeros((0, renderer.camera.height_px, renderer.camera.width_px, 3), np.uint8)
    return renderer.images(
        np.array([scene.car for scene in scenes], CAR_STATE),
        np.stack([scene.road for scene in scenes]),
        stacked([scene.objects for scene in scenes]),
        np.array([len(scene.objects) for scene in scenes], np.int64),
        np.array([scene.appearance for scene in scenes], APPEARANCE),
        stacked([scene.traffic for scene in scenes]),
        np.array([scene.visible for scene in scenes], np.int64),
    )


def stacked(tables: Sequence[NDArray[np.void]]) -> NDArray[np.void]:
    """Tables [K] of different lengths as one [N, K], the shorter ones with records of zeros at their end."""
    together = np.zeros((len(tables), max(map(len, tables))), tables[0].dtype)
    for row, table in zip(together, tables, strict=True):
        row[: len(table)] = table
    return together
