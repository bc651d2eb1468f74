"""An instant of N drives: kept, forked, and looked at under interventions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.interventions import Intervention, intervene
from lanekeep_envs.renderer.renderer import Renderer
from lanekeep_envs.scenario.schema import Scenario
from lanekeep_envs.scene import Scene
from lanekeep_envs.world_state import WorldState, joined


@dataclass(frozen=True)
class Snapshot:
    """All that decides how N drives go on; opaque, made by `snapshot()` and taken by `restore()` and `view()`."""

    state: WorldState
    road_seeds: NDArray[np.object_]  # [N] integers of any size
    generators: tuple[dict[str, Any], ...]  # [N] states of the generators of episode seeds
    scenario: Scenario  # from which the episodes were drawn
    film: NDArray[np.uint8] | None = None  # [N, K, H, W, 3] last frames of the cameras, where a scenario shows old ones

    def forked(self, times: int, car: int = 0) -> "Snapshot":
        """Return a snapshot of `times` drives that all go on from the instant of one of the cars."""
        rows = [car] * times
        film = None if self.film is None else self.film[rows]
        generators = (self.generators[car],) * times
        return Snapshot(self.state.take(rows), self.road_seeds[rows], generators, self.scenario, film)

    def scene(self, car: int, interventions: Iterable[Intervention]) -> Scene:
        """Return a copy of the world of one car, with interventions applied."""
        return intervene(Scene(self.state.row(car).copied()), interventions)


def pictures(renderer: Renderer, scenes: Sequence[Scene]) -> NDArray[np.uint8]:
    """Return the images [S, H, W, 3] of scenes."""
    if not scenes:
        return np.zeros((0, renderer.camera.height_px, renderer.camera.width_px, 3), np.uint8)
    return renderer.images(joined([scene.state for scene in scenes]), np.array([scene.visible for scene in scenes]))
