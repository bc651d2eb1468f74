"""The layout of the dashboard, against pictures that were looked at."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pygame
import pytest
from numpy.typing import NDArray

from lanekeep.watch.show.actions import perform
from lanekeep.watch.show.show import Show
from lanekeep_policies import Driver

pytestmark = pytest.mark.usefixtures("one_thread")
Untrained = Callable[..., Driver]
ShowOf = Callable[..., Show]
Drive = Callable[[Show, int], NDArray[np.float64]]


@pytest.mark.parametrize("cores", [("ncp",), ("ncp", "lstm")])
def test_the_layout_is_as_it_was(
    untrained: Untrained, show_of: ShowOf, drive: Drive, cores: tuple[str, ...], circuit_ends: set[tuple[int, int]]
) -> None:
    """A small copy of the picture against one that was looked at; `LANEKEEP_GOLDEN=1` writes it anew."""
    show = show_of(*cores)
    drive(show, 24)
    for line in (
        "overlay elements",
        "remove trees",
        "cut 1 0" if (1, 0) in circuit_ends else "silence 4",
        "hold",
    ):
        perform(show, line)
    show.message = ""
    small = pygame.transform.smoothscale(show.draw(), (480, 270))
    path = Path(__file__).parents[1] / "golden" / f"watch_{'_'.join(cores)}.png"
    if os.environ.get("LANEKEEP_GOLDEN"):
        pygame.image.save(small, path)
    golden = pygame.surfarray.array3d(pygame.image.load(path)).astype(float)
    assert np.abs(pygame.surfarray.array3d(small) - golden).mean() < 1.0
