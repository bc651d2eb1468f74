"""Benchmarks: a training that is measured is a whole one; nonsense is refused before anything is measured."""

import json
from pathlib import Path

import pytest

from lanekeep.bench import train
from lanekeep.bench.train import BenchTrain
from lanekeep.cli import main
from lanekeep.imitation import Trainer, TrainImitation


def test_a_whole_training_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    road = tmp_path / "short.toml"
    road.write_text('description = "a short road"\n[road]\nlength_m = 400\n')
    small = {"camera": "16x32", "batch": 4, "length": 4, "expert_frames": 640, "dagger_frames": 320}
    small |= {"segments": 2, "dagger_every": 2, "validation_km": 0.1, "scenario": str(road)}
    monkeypatch.setattr(train, "TrainImitation", lambda **given: TrainImitation(**small, **given))
    calls: list[str] = []
    for name in ("begin_round", "learn", "validate"):
        original = getattr(Trainer, name)
        monkeypatch.setattr(Trainer, name, lambda t, n=name, f=original: (calls.append(n), f(t))[1])
    BenchTrain(frames=64, json=tmp_path / "out.json").run()
    assert calls == ["begin_round", "learn", "learn", "begin_round", "validate", "learn", "learn", "validate"]
    measures = json.loads((tmp_path / "out.json").read_text())
    assert set(measures) == {"update_over_head_only", "time_over_head_only"}
    assert all(set(m) == {"median", "min", "max"} for m in measures.values())
    assert measures["time_over_head_only"]["median"] > measures["update_over_head_only"]["median"] > 0.0


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["env", "--repeats", "0"], "--repeats must be from 1 to"),
        *((["env", "--seconds", seconds], "--seconds must be from 0.01 to") for seconds in ("nan", "inf", "0")),
        (["env", "--json", "/nowhere/out.json"], "there is no folder for /nowhere/out.json"),
        (["train", "--frames", "0"], "--frames must be from 1 to"),
        (["train", "--json", "/nowhere/out.json"], "there is no folder for /nowhere/out.json"),
    ],
)
def test_refusals(argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *argv]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1
