"""Episodes from elsewhere: what asks for more memory than it has, or says more than can be, is refused by its file."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lanekeep.demonstrations import DemonstrationError, EpisodeInfo, Recorder, read_dataset
from lanekeep.demonstrations.shard import seal

INFO = EpisodeInfo(scenario="country", seed=1, camera={}, dt_s=0.05, curvature_limit_per_m=0.02)


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    signals = {name: np.zeros((12, 1), np.float32) for name in ("driven_action", "expert_action")}
    with Recorder(tmp_path) as recorder:
        return recorder.write(np.zeros((12, 4, 6, 3), np.uint8), signals, INFO)


def resealed(shard: Path, change: Callable[[dict[str, Any]], object] = lambda table: None) -> Path:
    """The shard with a record that fits its files."""
    table = json.loads((shard / "episode.json").read_bytes())
    for name in ("frames.npy", "signals.npz"):
        content = (shard / name).read_bytes()
        table[name.partition(".")[0]] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    change(table)
    record = json.dumps(table).encode()
    (shard / "episode.json").write_bytes(record)
    return shard.rename(shard.with_name(f"{shard.name[:-8]}{seal(record)}"))


def member(shape: tuple[int, ...], numbers: bytes) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue() + numbers


@pytest.mark.parametrize("name", ["unread", "expert_action"])
@pytest.mark.parametrize("shape", [(12, 100_000_000), (1_200_000_000,), (2**62, 2**62)])
def test_a_signal_that_asks_for_gigabytes_is_refused(shard: Path, name: str, shape: tuple[int, ...]) -> None:
    with zipfile.ZipFile(shard / "signals.npz") as archive:
        members = {entry: archive.read(entry) for entry in archive.namelist()}
    members[f"{name}.npy"] = member(shape, bytes(4_800_000))
    with zipfile.ZipFile(shard / "signals.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in members.items():
            archive.writestr(entry, content)
    resealed(shard)
    with pytest.raises(DemonstrationError, match=rf"episode-.*: signal {name} is float32 \["):
        read_dataset(shard.parent)


@pytest.mark.parametrize("signal", ["expert_action", "driven_action"])
@pytest.mark.parametrize("value", [1e38, -1e38, 101.0])
def test_actions_beyond_what_any_car_does_are_refused(shard: Path, signal: str, value: float) -> None:
    with np.load(shard / "signals.npz") as file:
        signals = dict(file)
    signals[signal][7] = value
    np.savez(shard / "signals.npz", **signals)
    resealed(shard)
    with pytest.raises(DemonstrationError, match=rf"episode-.*: signal {signal} must be from -100 to 100 throughout"):
        read_dataset(shard.parent)


@pytest.mark.parametrize(
    "text", ["[" * 5000, '{"schema": ' * 100_000, '{"schema": 1, "x": ' + "[" * 5000, '{"schema": ' + "9" * 5000 + "}"]
)
def test_a_record_of_no_sense_is_refused(shard: Path, text: str) -> None:
    (shard / "episode.json").write_text(text)
    shard.rename(shard.with_name(f"{shard.name[:-8]}{seal(text.encode())}"))
    with pytest.raises(DemonstrationError, match=r"episode\.json (is n|is larger)"):
        read_dataset(shard.parent)


@pytest.mark.parametrize(
    "change", [{"dt_s": 1e300}, {"curvature_limit_per_m": 1e9}, {"dagger_round": -1}, {"scenario": "x" * 9999}]
)
def test_numbers_of_a_record_have_bounds(shard: Path, change: dict[str, Any]) -> None:
    resealed(shard, lambda table: table["episode"].update(change))
    with pytest.raises(DemonstrationError, match=f"episode.*{next(iter(change))}"):
        read_dataset(shard.parent)
