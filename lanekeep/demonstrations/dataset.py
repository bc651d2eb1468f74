"""A dataset: the episodes in a folder, read from the shards themselves; there is no index that could disagree."""

from dataclasses import dataclass
from pathlib import Path

from lanekeep.demonstrations.shard import DemonstrationError, Episode, read_shard


@dataclass(frozen=True, eq=False)
class Dataset:
    """The whole episodes of a folder, and a sentence for each damaged one."""

    folder: Path
    episodes: tuple[Episode, ...]  # by name
    damaged: tuple[str, ...]  # one sentence for each shard that was left out


def read_dataset(folder: Path | str) -> Dataset:
    """Open every whole episode in the folder; damaged ones are named and left out, unless nothing is left."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DemonstrationError(f"there is no dataset at {folder}")
    episodes: list[Episode] = []
    damaged: list[str] = []
    for shard in sorted(folder.glob("episode-*")):
        try:
            episodes.append(read_shard(shard))
        except DemonstrationError as error:
            damaged.append(str(error))
    if not episodes:
        raise DemonstrationError(damaged[0] if damaged else f"the dataset at {folder} holds no episodes")
    return Dataset(folder, tuple(episodes), tuple(damaged))
