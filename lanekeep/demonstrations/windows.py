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

    def place(self, generator: np.random.Generator) -> tuple[int, int]:
        """Draw (episode, first frame) of a window, every window equally likely."""
        pick = int(generator.integers(len(self)))
        owner = int(np.searchsorted(self._ends, pick, side="right"))
        return owner, pick - int(self._ends[owner] - self._starts[owner])

    def sharpness(self, place: tuple[int, int]) -> float:
        """Mean size of the expert's actions in the window at a place."""
        owner, start = place
        return float(np.abs(self._episodes[owner].signals["expert_action"][start : start + self._length]).mean())

    def read(self, places: NDArray[np.int64], length: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Frames [B, length, H, W, 3] and the expert's actions [B, length, A] from `places` [B, 2] on."""
        one = self._episodes[0]
        frames = np.empty((len(places), length, *one.frame_shape[1:]), np.uint8)
        actions = np.empty((len(places), length, *one.signals["expert_action"].shape[1:]), np.float32)
        for row, (owner, start) in enumerate(places):
            episode = self._episodes[owner]
            episode.read_frames(int(start), frames[row])
            actions[row] = episode.signals["expert_action"][start : start + length]
        return frames, actions


def _check_same_shape(episodes: Sequence[Episode]) -> None:
    """One batch cannot hold frames of two sizes, nor actions of two widths."""
    shapes = {(episode.frame_shape[1:], episode.signals["expert_action"].shape[1:]): episode for episode in episodes}
    if len(shapes) > 1:
        one, other, *_ = shapes.values()
        raise DemonstrationError(f"{one.folder} and {other.folder} differ in the shape of their frames or actions")
