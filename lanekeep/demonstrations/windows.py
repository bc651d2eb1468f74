"""Windows: stretches of consecutive frames drawn from episodes, the unit that a recurrent driver learns from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lanekeep.demonstrations.shard import DemonstrationError, Episode


class Windows:
    """Every window of `length` frames in the episodes; an episode that is shorter has none.

    What does not fit together is refused here, not in the middle of a training.
    """

    def __init__(self, episodes: Sequence[Episode], length: int) -> None:
        if length < 1:
            raise DemonstrationError(f"a window has at least one frame, not {length}")
        _check_same_shape(episodes)
        self._episodes = tuple(episodes)
        self._length = length
        self._starts = np.array([max(0, len(episode) - length + 1) for episode in episodes], dtype=np.int64)
        self._ends = np.cumsum(self._starts)
        if len(self) == 0:
            raise DemonstrationError(f"none of the {len(episodes)} episodes has {length} frames")

    def __len__(self) -> int:
        return int(self._starts.sum())

    def sample(self, batch: int, generator: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Draw frames [B, T, H, W, 3] and the expert's actions [B, T, A], every window equally likely."""
        picks = generator.integers(len(self), size=batch)
        owners = np.searchsorted(self._ends, picks, side="right")
        starts = picks - (self._ends - self._starts)[owners]
        one = self._episodes[0]
        frames = np.empty((batch, self._length, *one.frame_shape[1:]), np.uint8)
        actions = np.empty((batch, self._length, *one.signals["expert_action"].shape[1:]), np.float32)
        for row, (owner, start) in enumerate(zip(owners, starts, strict=True)):
            episode, span = self._episodes[owner], slice(start, start + self._length)
            frames[row] = episode.frames[span]  # copied at once: a view would keep the episode's file open
            actions[row] = episode.signals["expert_action"][span]
        return frames, actions


def _check_same_shape(episodes: Sequence[Episode]) -> None:
    """One batch cannot hold frames of two sizes, nor actions of two widths."""
    shapes = {(episode.frame_shape[1:], episode.signals["expert_action"].shape[1:]): episode for episode in episodes}
    if len(shapes) > 1:
        one, other, *_ = shapes.values()
        raise DemonstrationError(f"{one.folder} and {other.folder} differ in the shape of their frames or actions")
