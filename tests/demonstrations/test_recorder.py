"""An episode is in the dataset whole or not at all: whoever is killed, whatever fails, however many record at once."""

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from lanekeep.demonstrations import DemonstrationError, EpisodeInfo, Recorder, read_dataset, verify

INFO = EpisodeInfo(scenario="country", seed=0, camera={}, dt_s=0.05, curvature_limit_per_m=0.05)

RECORD_UNTIL_KILLED = """
import os, sys
import numpy as np
from lanekeep.demonstrations import EpisodeInfo, Recorder

frames = np.zeros((8, 16, 16, 3), np.uint8)
actions = np.zeros((8, 1), np.float32)
with Recorder(sys.argv[1]) as recorder:
    for seed in range(10**9):
        info = EpisodeInfo(scenario="country", seed=seed, camera={}, dt_s=0.05, curvature_limit_per_m=0.05)
        path = recorder.write(frames + seed % 256, {"driven_action": actions, "expert_action": actions}, info)
        os.write(1, path.name.encode() + b"\\n")
"""


def drive(frame_count: int = 5) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.float32]]]:
    actions = np.zeros((frame_count, 1), np.float32)
    return np.zeros((frame_count, 4, 6, 3), np.uint8), {"driven_action": actions, "expert_action": actions}


def verified(folder: Path) -> set[str]:
    """Names of the episodes, after every byte of them was checked."""
    dataset = read_dataset(folder)
    assert dataset.damaged == ()
    for episode in dataset.episodes:
        verify(episode)
    return {episode.folder.name for episode in dataset.episodes}


class Killable:
    """A recorder in a process of its own, which reports every episode that it has finished."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", RECORD_UNTIL_KILLED, str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def wait_for_the_first(self) -> None:
        assert self.process.stdout is not None
        self.first = self.process.stdout.readline().strip()
        assert self.first, "it died before it recorded anything"

    def kill(self) -> list[str]:
        """SIGKILL, which cannot be caught; returns the names that were reported."""
        self.process.send_signal(signal.SIGKILL)
        others, _ = self.process.communicate()
        return [self.first, *others.split()]


def test_fifty_kills_lose_nothing_that_was_finished(tmp_path: Path) -> None:
    """Two recorders share a folder and are killed at random moments, 25 times."""
    delays = np.random.default_rng(0).uniform(0.0, 0.06, (25, 2))
    cut_short = 0
    for round_number, round_delays in enumerate(delays):
        folder = tmp_path / f"dataset-{round_number // 5}"
        recorders = [Killable(folder) for _ in round_delays]
        for recorder in recorders:
            recorder.wait_for_the_first()
        finished = []
        for recorder, delay in zip(recorders, round_delays, strict=True):
            time.sleep(delay)
            finished += recorder.kill()
        assert len(set(finished)) == len(finished) and set(finished) <= verified(folder)
        cut_short += len(list(folder.glob(".recording-*/episode-*")))
    assert cut_short > 10, "too few kills fell into the writing of an episode to say anything"


def test_a_recorder_sweeps_up_after_the_dead_and_leaves_the_living_alone(tmp_path: Path) -> None:
    child = Killable(tmp_path)
    child.wait_for_the_first()
    child.kill()
    (dead,) = tmp_path.glob(".recording-*")
    with Recorder(tmp_path) as living:
        assert not dead.exists()
        with Recorder(tmp_path) as other:
            paths = [recorder.write(*drive(), INFO) for recorder in (living, other, other, living)]
    assert len(set(paths)) == 4 and {path.name for path in paths} <= verified(tmp_path)
    assert not list(tmp_path.glob(".record*"))


def test_the_same_episode_recorded_by_two_is_kept_twice(tmp_path: Path) -> None:
    with Recorder(tmp_path) as one, Recorder(tmp_path) as other:
        names = [recorder.write(*drive(), INFO).name for recorder in (one, other)]
    assert [name[:14] for name in names] == ["episode-000000", "episode-000001"] and set(names) == verified(tmp_path)


@contextmanager
def no_file_longer_than(size_bytes: int) -> Iterator[None]:
    """The kernel cuts every write at this size, in the midst of a file, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("longest", ["frames.npy", "signals.npz", "episode.json"])
def test_a_file_that_is_cut_short_leaves_no_trace(tmp_path: Path, longest: str) -> None:
    frames, signals = drive(100 if longest == "frames.npy" else 5)
    if longest == "signals.npz":
        signals |= {f"signal_{index}": signals["expert_action"] for index in range(10)}
    info = msgspec.structs.replace(INFO, perturbation="wind " * (390 if longest == "episode.json" else 1))
    with Recorder(tmp_path) as recorder:
        finished = recorder.write(*drive(), INFO).name
        with (
            no_file_longer_than(2000),
            pytest.raises(DemonstrationError, match="cannot record into .*: File too large"),
        ):
            recorder.write(frames, signals, info)
        assert verified(tmp_path) == {finished} and not list(tmp_path.glob(".recording-*/*"))
        whole = recorder.write(frames, signals, info)
    assert verified(tmp_path) == {finished, whole.name}
    assert max(whole.iterdir(), key=lambda path: path.stat().st_size).name == longest


def test_whichever_system_call_finds_the_disk_full_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls_left = 10**9

    def fails_in_turn(name: str) -> None:
        call = getattr(os, name)

        def maybe(*arguments: object) -> object:
            nonlocal calls_left
            calls_left -= 1
            if calls_left == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(*arguments)

        monkeypatch.setattr(os, name, maybe)

    with Recorder(tmp_path) as recorder:
        finished = {recorder.write(*drive(), INFO).name}
        for name in ("mkdir", "fsync", "rename"):
            fails_in_turn(name)
        for calls in range(1, 100):
            calls_left = calls
            try:
                recorder.write(*drive(), INFO)
                break
            except DemonstrationError as error:
                assert str(error) == f"cannot record into {tmp_path}: No space left on device"
            assert finished <= verified(tmp_path) and not list(tmp_path.glob(".recording-*/*"))
    assert calls == 8  # mkdir, three files, their folder, rename, the dataset: each has failed once


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc to ask which file a descriptor is")
def test_everything_is_on_disk_before_the_rename_and_the_rename_before_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill cannot show, the page cache outliving the process: the order that survives a power cut."""
    done: list[str] = []
    fsync, rename = os.fsync, os.rename

    def name_of(descriptor: int) -> str:
        return Path(os.readlink(f"/proc/self/fd/{descriptor}")).name

    monkeypatch.setattr(os, "fsync", lambda descriptor: (done.append(name_of(descriptor)), fsync(descriptor))[1])
    monkeypatch.setattr(os, "rename", lambda old, new: (done.append("rename"), rename(old, new))[1])
    with Recorder(tmp_path) as recorder:
        recorder.write(*drive(), INFO)
    assert sorted(done[:3]) == ["episode.json", "frames.npy", "signals.npz"]
    staged, *rest = done[3:]
    assert staged.startswith("episode-") and rest == ["rename", tmp_path.name]


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DemonstrationError, match="cannot record into .*file: File exists"):
        Recorder(tmp_path / "file")
    with pytest.raises(DemonstrationError, match="cannot record into .*below: Not a directory"):
        Recorder(tmp_path / "file" / "below")
