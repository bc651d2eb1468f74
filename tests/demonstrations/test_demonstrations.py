"""What is recorded comes back bit for bit, what is damaged is named and left out, windows are drawn evenly."""

import hashlib
import json
import re
import resource
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from lanekeep.demonstrations import (
    DemonstrationError,
    EpisodeInfo,
    Recorder,
    Windows,
    read_dataset,
    verify,
)
from lanekeep.demonstrations.shard import seal

INFO = EpisodeInfo(
    scenario="country",
    seed=-(2**70),  # any integer is a seed
    dagger_round=2,
    camera={"height_px": 4, "width_px": 6, "pitch_deg": 2.5},
    dt_s=0.05,
    curvature_limit_per_m=0.05,
    perturbation="side wind",
)
Drive = tuple[NDArray[np.uint8], dict[str, NDArray[np.float32]]]


def drive(frame_count: int = 5, seed: int = 0) -> Drive:
    """Random frames; the expert's action is the number of the frame, so that a window shows where it is from."""
    generator = np.random.default_rng(seed)
    frames = generator.integers(0, 256, (frame_count, 4, 6, 3), dtype=np.uint8)
    count = np.arange(frame_count, dtype=np.float32)[:, None]
    return frames, {"driven_action": -count, "expert_action": count, "speed_mps": np.full(frame_count, 20, np.float32)}


def record(folder: Path, *drives: Drive) -> list[Path]:
    with Recorder(folder) as recorder:
        return [recorder.write(*one, INFO) for one in drives]


def test_an_episode_comes_back_bit_for_bit(tmp_path: Path) -> None:
    frames, signals = drive()
    (path,) = record(tmp_path / "new" / "dataset", (frames, signals))
    dataset = read_dataset(tmp_path / "new" / "dataset")
    (episode,) = dataset.episodes
    verify(episode)
    assert dataset.damaged == () and episode.folder == path and episode.info == INFO and len(episode) == 5
    assert episode.frames.dtype == np.uint8 and np.array_equal(episode.frames, frames)
    assert episode.signals.keys() == signals.keys()
    for name, values in signals.items():
        assert episode.signals[name].dtype == np.float32 and np.array_equal(episode.signals[name], values)


def test_any_memory_layout_is_stored_alike(tmp_path: Path) -> None:
    frames, signals = drive()
    record(tmp_path, (frames, signals), (np.asfortranarray(frames), {n: v[::-1][::-1] for n, v in signals.items()}))
    one, other = read_dataset(tmp_path).episodes
    assert np.array_equal(one.frames, other.frames) and one.record == other.record


def test_the_same_drives_make_the_same_dataset_whoever_records_them(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        record(tmp_path / folder, drive(seed=1), drive(seed=2))
        record(tmp_path / folder, drive(seed=3))
    names = [path.name for path in sorted((tmp_path / "a").iterdir())]
    assert [name[:14] for name in names] == ["episode-000000", "episode-000001", "episode-000002"]
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
    assert [episode.folder.name for episode in read_dataset(tmp_path / "b").episodes] == names


def test_what_is_read_cannot_be_written_over(tmp_path: Path) -> None:
    record(tmp_path, drive())
    (episode,) = read_dataset(tmp_path).episodes
    with pytest.raises(ValueError, match="read-only"):
        episode.frames[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        episode.signals["speed_mps"][0] = 0


FLOATS = np.zeros((5, 1), np.float32)
REFUSED: dict[str, tuple[str, object]] = {
    "signal speed_mps holds a number that is not finite": ("speed_mps", np.full(5, np.nan, np.float32)),
    "signal yaw_rad holds a number that is not finite": ("yaw_rad", np.array([0, 0, 0, 0, np.inf], np.float32)),
    "signal speed_mps must be float32, but is float64": ("speed_mps", np.zeros(5)),
    r"signal speed_mps has shape \[4\] beside 5 frames": ("speed_mps", np.zeros(4, np.float32)),
    r"signal speed_mps has shape \[\] beside 5 frames": ("speed_mps", np.zeros((), np.float32)),
    "'../speed' is not a name for a signal": ("../speed", FLOATS),
    "needs the signals driven_action and expert_action": ("expert_action", FLOATS[:, 0]),
    "both .T, A. of the same width": ("expert_action", np.zeros((5, 2), np.float32)),
    r"frames must be uint8 .* float32 \[5, 4, 6, 3\]": ("frames", np.zeros((5, 4, 6, 3), np.float32)),
    r"frames must be uint8 .* uint8 \[5, 4, 6\]": ("frames", np.zeros((5, 4, 6), np.uint8)),
    r"frames must be uint8 .* not empty": ("frames", np.zeros((0, 4, 6, 3), np.uint8)),
    "dt_s": ("info", msgspec.structs.replace(INFO, dt_s=0.0)),
    "curvature_limit_per_m": ("info", msgspec.structs.replace(INFO, curvature_limit_per_m=float("nan"))),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_is_wrong_is_refused_where_it_enters(tmp_path: Path, sentence: str) -> None:
    frames, signals = drive()
    name, value = REFUSED[sentence]
    arguments: dict[str, object] = {"frames": frames, "signals": signals, "info": INFO}
    arguments |= {name: value} if name in arguments else {"signals": {**signals, name: value}}
    with Recorder(tmp_path) as recorder:
        with pytest.raises(DemonstrationError, match=sentence) as error:
            recorder.write(**arguments)  # type: ignore[arg-type]
        assert "\n" not in str(error.value)
        recorder.write(frames, signals, INFO)
    assert len(read_dataset(tmp_path).episodes) == 1


def test_signals_may_have_any_identifier_for_a_name(tmp_path: Path) -> None:
    frames, signals = drive()
    record(tmp_path, (frames, signals | {"file": FLOATS, "allow_pickle": FLOATS, "self": FLOATS}))
    assert {"file", "allow_pickle", "self"} < read_dataset(tmp_path).episodes[0].signals.keys()


def truncate(name: str) -> Callable[[Path], None]:
    return lambda shard: (shard / name).write_bytes((shard / name).read_bytes()[:-1])


def flip_last_bit(name: str) -> Callable[[Path], None]:
    def flip(shard: Path) -> None:
        content = bytearray((shard / name).read_bytes())
        content[-1] ^= 1
        (shard / name).write_bytes(content)

    return flip


def reseal(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    """A shard that somebody else wrote: its seal is right, its record is not."""

    def rewrite(shard: Path) -> None:
        fields = json.loads((shard / "episode.json").read_text())
        change(fields)
        encoded = json.dumps(fields).encode()
        (shard / "episode.json").write_bytes(encoded)
        shard.rename(shard.with_name(f"{shard.name[:14]}-{seal(encoded)}"))

    return rewrite


DAMAGE: dict[str, Callable[[Path], object]] = {
    r"episode\.json: No such file": lambda shard: (shard / "episode.json").unlink(),
    r"frames\.npy: No such file": lambda shard: (shard / "frames.npy").unlink(),
    r"signals\.npz: No such file": lambda shard: (shard / "signals.npz").unlink(),
    r"episode\.json is not the one": truncate("episode.json"),
    r"episode\.json is not the on.": flip_last_bit("episode.json"),
    r"frames\.npy does not hold the 5 frames": truncate("frames.npy"),
    r"frames\.npy has no npy header": lambda shard: (shard / "frames.npy").write_bytes(b"\x80\x04pickle"),
    r"signals\.npz does not have the size": truncate("signals.npz"),
    r"signals\.npz does not have the .* sha256": flip_last_bit("signals.npz"),
    "the name is not that of an episode": lambda shard: shard.rename(shard.with_name("episode-1-xyz")),
    "schema 2, and this version of lanekeep reads 1": reseal(lambda fields: fields.update(schema=2, new=1)),
    "unknown field `new`": reseal(lambda fields: fields.update(new=1)),
    "missing required field `frames`": reseal(lambda fields: fields.pop("frames")),
    r"frames\.npy does not hold the 4 frames|signal .* beside 4 frames": reseal(lambda f: f.update(frame_count=4)),
}


@pytest.mark.parametrize("sentence", DAMAGE)
def test_a_damaged_episode_is_named_and_the_others_are_used(tmp_path: Path, sentence: str) -> None:
    shards = record(tmp_path, drive(seed=1), drive(seed=2), drive(seed=3))
    DAMAGE[sentence](shards[1])
    dataset = read_dataset(tmp_path)
    assert [episode.folder for episode in dataset.episodes] == [shards[0], shards[2]]
    (said,) = dataset.damaged
    assert re.search(sentence, said) and str(tmp_path) in said and "\n" not in said


def test_signals_are_never_unpickled(tmp_path: Path) -> None:
    (shard,) = record(tmp_path, drive())
    np.savez(shard / "signals.npz", expert_action=np.array([{"an": "object"}]))
    content = (shard / "signals.npz").read_bytes()

    def stamp(fields: dict[str, object]) -> None:
        fields["signals"] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    reseal(stamp)(shard)
    with pytest.raises(DemonstrationError, match="not an archive of arrays"):
        read_dataset(tmp_path)


def test_only_verify_sees_a_flipped_pixel(tmp_path: Path) -> None:
    (shard,) = record(tmp_path, drive())
    flip_last_bit("frames.npy")(shard)
    (episode,) = read_dataset(tmp_path).episodes
    with pytest.raises(DemonstrationError, match=r"frames\.npy does not have the sha256"):
        verify(episode)


def test_no_dataset_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DemonstrationError, match="there is no dataset at .*missing"):
        read_dataset(tmp_path / "missing")
    with pytest.raises(DemonstrationError, match="holds no episodes"):
        read_dataset(tmp_path)
    (shard,) = record(tmp_path, drive())
    shutil.rmtree(shard)
    shard.mkdir()
    with pytest.raises(DemonstrationError, match=r"episode\.json: No such file"):
        read_dataset(tmp_path)


def test_more_episodes_than_a_process_may_open_files(tmp_path: Path) -> None:
    record(tmp_path, *(drive(seed=seed) for seed in range(60)))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/dev/fd").iterdir())) + 30, hard))
    try:
        episodes = read_dataset(tmp_path).episodes
        frames, _ = draw(Windows(episodes, 1), 500, 1, 0)
        assert len(episodes) == 60 and len(np.unique(frames, axis=0)) > 60
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def draw(windows: Windows, batch: int, length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return windows.read(np.array([windows.place(generator) for _ in range(batch)]), length)


def test_every_window_is_equally_likely_and_is_where_it_says(tmp_path: Path) -> None:
    lengths = {0: 5, 1: 3, 2: 2, 3: 9}
    record(tmp_path, *(drive(length, seed) for seed, length in lengths.items()))
    episodes = read_dataset(tmp_path).episodes
    windows = Windows(episodes, 3)
    frames, actions = draw(windows, 2_200, 3, 0)
    assert frames.shape == (2_200, 3, 4, 6, 3) and frames.dtype == np.uint8
    assert actions.shape == (2_200, 3, 1) and actions.dtype == np.float32
    drawn = Counter((frame.tobytes(), int(action[0, 0])) for frame, action in zip(frames, actions, strict=True))
    every = {
        (drive(length, seed)[0][start : start + 3].tobytes(), start)
        for seed, length in lengths.items()
        for start in range(length - 2)
    }
    assert drawn.keys() == every and len(windows) == len(every) == 11
    assert max(abs(count - 200) for count in drawn.values()) < 5 * np.sqrt(200)


def test_windows_follow_from_the_generator_alone(tmp_path: Path) -> None:
    record(tmp_path, drive(30, 1), drive(20, 2))
    draws = [draw(Windows(read_dataset(tmp_path).episodes, 4), 8, 4, s) for s in (7, 7, 8)]
    assert np.array_equal(draws[0][0], draws[1][0]) and np.array_equal(draws[0][1], draws[1][1])
    assert not np.array_equal(draws[0][0], draws[2][0])


def test_windows_that_cannot_be_are_refused_before_training(tmp_path: Path) -> None:
    frames, signals = drive()
    record(tmp_path, (frames, signals), (frames[:, :2], signals))
    episodes = read_dataset(tmp_path).episodes
    with pytest.raises(DemonstrationError, match="none of the 1 episodes has 6 frames"):
        Windows(episodes[:1], 6)
    with pytest.raises(DemonstrationError, match="at least one frame, not 0"):
        Windows(episodes[:1], 0)
    with pytest.raises(DemonstrationError, match="none of the 0 episodes"):
        Windows((), 1)
    with pytest.raises(DemonstrationError, match="differ in the shape"):
        Windows(episodes, 1)
