"""Demonstrations: recorded drives with the expert's answer to every frame, as a folder of immutable episodes.

`Recorder` adds episodes, `read_dataset` opens them, `Windows` draws training sequences from them.
DAgger rounds append to the same folder.
"""

from lanekeep.demonstrations.dataset import Dataset, read_dataset
from lanekeep.demonstrations.recorder import Recorder, Staged, next_number
from lanekeep.demonstrations.shard import DemonstrationError, Episode, EpisodeInfo, read_shard, verify
from lanekeep.demonstrations.windows import Windows

__all__ = [
    "Dataset",
    "DemonstrationError",
    "Episode",
    "EpisodeInfo",
    "Recorder",
    "Staged",
    "Windows",
    "next_number",
    "read_dataset",
    "read_shard",
    "verify",
]
