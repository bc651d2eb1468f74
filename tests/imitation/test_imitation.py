"""Imitation: the loss by hand, and a training that was interrupted equals one that was not."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from lanekeep.cli.main import main
from lanekeep.demonstrations import DemonstrationError, Recorder
from lanekeep.driving.seeds import TRAINING_SEEDS, draw_place
from lanekeep.errors import UserError
from lanekeep.imitation.loss import imitation_loss
from lanekeep.imitation.settings import TrainImitation
from lanekeep.imitation.train import Trainer, in_words, outcome, train
from lanekeep_envs import curvature_along, load_scenario
from lanekeep_files.locks import HeldError, held
from lanekeep_policies import CORES, Driver
from lanekeep_policies.checkpoint import load_driver, read_checkpoint

SMALL = {
    "camera": "16x32",
    "batch": 4,
    "length": 4,
    "segments": 2,
    "frames": 96,
    "expert_frames": 640,
    "dagger_frames": 320,
    "dagger_every": 3,
    "validation_km": 0.1,
    "scenario": "",
}


@pytest.fixture
def small(tmp_path: Path) -> dict[str, object]:
    scenario = tmp_path / "short.toml"
    scenario.write_text('description = "a short road"\n[road]\nlength_m = 400\n')
    return {**SMALL, "scenario": str(scenario)}


def test_loss_is_the_papers_weighted_mean() -> None:
    actions, answers = torch.tensor([[[0.5], [0.0]]]), torch.tensor([[[0.0], [-0.4]]])
    weights = np.exp(2.0 * np.array([0.0, 0.4]))
    by_hand = (weights * np.array([0.25, 0.16])).sum() / weights.sum()
    assert float(imitation_loss(actions, answers, 2.0)) == pytest.approx(by_hand, rel=1e-6)


def test_demonstrations_begin_where_roads_bend_harder_than_elsewhere() -> None:
    scenario, generator = load_scenario("country"), np.random.default_rng(0)

    def bends(candidates: int) -> tuple[float, float]:
        places = [draw_place(scenario, generator, 50, candidates) for _ in range(80)]
        assert all(0 <= seed < 50 for seed, _ in places)
        ahead = [
            np.abs(curvature_along(scenario, seed)[int(at) :][:80]).mean() for seed, at in places if at is not None
        ]
        return float(np.mean(ahead)), sum(at is None for _, at in places) / len(places)

    (anywhere, usual), (hard, usual_too) = bends(1), bends(8)
    assert hard > 1.5 * anywhere
    assert 0.08 < usual < 0.35 and 0.08 < usual_too < 0.35  # every fifth begins as drives usually do


def test_the_help_names_every_core(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "imitation", "--help"])
    words = capsys.readouterr().out.replace("│", " ").replace(",", " ").split()
    assert set(CORES) <= {word.rstrip(".") for word in words}


def test_a_shard_that_cannot_be_written_is_one_sentence_and_the_same_command_goes_on(
    tmp_path: Path, small: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = TrainImitation(out=tmp_path / "a", **small)  # type: ignore[arg-type]
    with monkeypatch.context() as broken:
        broken.setattr(Recorder, "stage", lambda *_: (_ for _ in ()).throw(DemonstrationError("no space left")))
        with pytest.raises(DemonstrationError, match="no space left"):
            train(settings)
    train(settings)
    assert len(read_checkpoint(settings.out).training["own_drives"]) == 1


def test_a_driver_that_is_good_enough_ends_the_training(tmp_path: Path, small: dict[str, object]) -> None:
    trainer = Trainer(TrainImitation(out=tmp_path / "a", **{**small, "good_rms_m": 0.5}))  # type: ignore[arg-type]
    trainer.validations = [[3.0, 0.0, 0.4], [6.0, 0.0, 0.6]]
    assert not trainer.finished
    trainer.validations.append([9.0, 0.0, 0.4])
    assert not trainer.finished
    trainer.validations.append([12.0, 0.0, 0.4])
    assert trainer.finished


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return read_checkpoint(folder).driver.state_dict()


def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path: Path, small: dict[str, object]) -> None:
    whole = TrainImitation(out=tmp_path / "whole", **small)  # type: ignore[arg-type]
    train(whole)
    parts = Trainer(TrainImitation(out=tmp_path / "parts", **small))  # type: ignore[arg-type]
    for _ in range(4):  # stops inside a round, and leaves the first shards of the next one behind
        if parts.update % 3 == 0 and parts.rounds * 3 <= parts.update:
            parts.begin_round()
        parts.learn()
    parts.save()
    before = len(list((tmp_path / "parts" / "demonstrations").glob("episode-*")))
    with Recorder(tmp_path / "parts" / "demonstrations") as recorder:
        parts.collect(recorder)
    assert len(list((tmp_path / "parts" / "demonstrations").glob("episode-*"))) > before
    train(parts.settings)
    one, other = weights_of(whole.out), weights_of(parts.settings.out)
    assert all(torch.equal(one[name], other[name]) for name in one)
    drives, resumed = (read_checkpoint(out).training["own_drives"] for out in (whole.out, parts.settings.out))
    assert [row[0] for row in drives] == [3.0] and drives == resumed
    assert sorted(p.name for p in (whole.out / "demonstrations").glob("episode-*")) == sorted(
        p.name for p in (parts.settings.out / "demonstrations").glob("episode-*")
    )
    changed = TrainImitation(out=whole.out, **{**small, "alpha": 1.0})  # type: ignore[arg-type]
    with pytest.raises(UserError, match="was trained with alpha = 3.0, not 1.0"):
        train(changed)


def test_a_training_resumed_after_any_number_of_steps_equals_an_uninterrupted_one(
    tmp_path: Path, small: dict[str, object]
) -> None:
    """A step is a round of driving or an update; there are two rounds and five updates, and 0 is before the first."""
    small = {**small, "frames": 80, "expert_frames": 256, "dagger_frames": 256}
    whole = TrainImitation(out=tmp_path / "whole", **small)  # type: ignore[arg-type]
    train(whole)
    for steps in range(8):
        cut = Trainer(TrainImitation(out=tmp_path / str(steps), **small))  # type: ignore[arg-type]
        for _ in range(steps):
            cut.step()
        cut.save()
        train(cut.settings)
        names = [{path.name for path in out.glob("*.safetensors")} for out in (whole.out, cut.settings.out)]
        assert len(names[0]) == 2 and names[0] == names[1]


def test_nothing_learned_is_no_driver_and_leaves_the_folder_to_other_settings(
    tmp_path: Path, small: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    first = Trainer(TrainImitation(out=tmp_path / "a", **small))  # type: ignore[arg-type]
    first.begin_round()
    assert "nan" not in outcome(first) and "nan" not in in_words(first)
    for command in ("evaluate {} --km 0.1", "watch {} --seconds 0.1 --video a.mp4", "export {} --sb3 a.zip"):
        assert main(command.format(tmp_path / "a").split()) == 2
        assert "a holds an untrained driver" in capsys.readouterr().err
    changed = {**small, "alpha": 1.0, "seed": 3}
    for name in "ab":
        train(TrainImitation(out=tmp_path / name, **changed))  # type: ignore[arg-type]
    a, b = (weights_of(tmp_path / name) for name in "ab")
    assert all(torch.equal(a[name], b[name]) for name in a)
    drives = [{path.name for path in (tmp_path / name / "demonstrations").glob("episode-*")} for name in "ab"]
    assert drives[0] == drives[1]


def test_too_few_expert_frames_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "imitation", str(tmp_path / "a"), "--expert-frames", "640"]) == 2
    said = capsys.readouterr().err
    assert "--expert-frames 640: the expert's 32 cars need 2048" in said and list(tmp_path.iterdir()) == []


def test_a_second_training_in_a_folder_is_told_who_trains_there(tmp_path: Path, small: dict[str, object]) -> None:
    settings = TrainImitation(out=tmp_path / "a", **small)  # type: ignore[arg-type]
    with held(tmp_path / "a", "a training"), pytest.raises(HeldError, match="a is in use for a training, by process"):
        train(settings)
    assert not (tmp_path / "a").exists() or list((tmp_path / "a").iterdir()) == []


def test_a_head_that_was_taken_stays_as_it_is_and_is_resumed(tmp_path: Path, small: dict[str, object]) -> None:
    """Two drivers with one head differ by what comes after it."""
    taken = {**small, "core": "lstm", "head": f"{tmp_path}/a"}
    for name, settings in (("a", small), ("b", taken)):
        train(TrainImitation(out=tmp_path / name, **settings))  # type: ignore[arg-type]
    a, b = (load_driver(tmp_path / name) for name in "ab")
    assert all(torch.equal(value, b.head.state_dict()[name]) for name, value in a.head.state_dict().items())
    fresh = Driver.build(b.spec, 0).core.state_dict()
    assert any(not torch.equal(value, fresh[name]) for name, value in b.core.state_dict().items())
    train(TrainImitation(out=tmp_path / "b", **taken))  # type: ignore[arg-type]
    with pytest.raises(UserError, match="that head is another one, of ncp for frames of"):
        train(TrainImitation(out=tmp_path / "c", **{**taken, "camera": "24x32"}))  # type: ignore[arg-type]


def test_ctrl_c_saves_and_a_second_run_goes_on(tmp_path: Path, small: dict[str, object]) -> None:
    flags = [f"--{k.replace('_', '-')}={v}" for k, v in {**small, "frames": 1600}.items()]
    command = [sys.executable, "-m", "lanekeep", "train", "imitation", str(tmp_path / "out"), *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "out" / "driver.toml").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0 and "run again to go on" in out
    assert read_checkpoint(tmp_path / "out").resume["update"] < 100


def test_demonstrations_come_from_training_roads_with_clean_labels(tmp_path: Path, small: dict[str, object]) -> None:
    trainer = Trainer(TrainImitation(out=tmp_path / "out", **small))  # type: ignore[arg-type]
    trainer.begin_round()
    assert all(0 <= e.info.seed < TRAINING_SEEDS for e in trainer.episodes)
    driven = np.concatenate([e.signals["driven_action"] for e in trainer.episodes])
    answers = np.concatenate([e.signals["expert_action"] for e in trainer.episodes])
    disturbance = driven - answers
    assert 0.08 < disturbance.std() < 0.2 and abs(disturbance.mean()) < 0.03
    assert np.abs(answers).max() <= 1.0


def test_a_folder_of_another_training_is_not_overwritten(tmp_path: Path, small: dict[str, object]) -> None:
    trainer = Trainer(TrainImitation(out=tmp_path / "out", **small))  # type: ignore[arg-type]
    trainer.begin_round()
    (tmp_path / "out" / "driver.toml").unlink()
    with pytest.raises(UserError, match="another training's demonstrations"):
        train(trainer.settings)
    shutil.rmtree(tmp_path / "out")


def test_stopped_in_the_first_round_it_starts_that_round_again(tmp_path: Path, small: dict[str, object]) -> None:
    whole = TrainImitation(out=tmp_path / "whole", **small)  # type: ignore[arg-type]
    train(whole)
    cut = Trainer(TrainImitation(out=tmp_path / "cut", **small))  # type: ignore[arg-type]
    cut.save()
    with Recorder(tmp_path / "cut" / "demonstrations") as recorder:
        cut.collect(recorder)  # and then the power fails
    train(cut.settings)
    one, other = weights_of(whole.out), weights_of(cut.settings.out)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_damaged_episode_is_named_and_the_training_goes_on(
    tmp_path: Path, small: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    half = Trainer(TrainImitation(out=tmp_path / "half", **small))  # type: ignore[arg-type]
    half.begin_round()
    half.learn()
    half.save()
    names = [name for name, _ in half.places]
    frames = tmp_path / "half" / "demonstrations" / names[0] / "frames.npy"
    damaged = bytearray(frames.read_bytes())
    damaged[-1000] ^= 1
    frames.write_bytes(damaged)
    again = Trainer(half.settings)
    again.resume()
    assert names[0] in capsys.readouterr().err
    _, _, fresh = again.batch()
    due = [(row + again.update) % 2 == 0 for row in range(4)]
    assert list(fresh) == [it_is or name == names[0] for it_is, name in zip(due, names, strict=True)]


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("batch", 0),
        ("dagger_every", -3),
        ("dagger_frames", 1),
        ("learning_rate", float("nan")),
        ("core_learning_rate", -1.0),
        ("alpha", 1e9),
        ("validation_km", float("inf")),
        ("seed", -1),
    ],
)
def test_a_number_that_makes_no_training_is_refused(flag: str, value: float, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"--{flag.replace('_', '-')} must be"):
        TrainImitation(out=tmp_path, **{flag: value})  # type: ignore[arg-type]


def test_what_is_held_out_for_tests_is_not_learnt_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "driver"
    assert main(["train", "imitation", str(out), "--scenario", "winter_dusk"]) == 2
    said = capsys.readouterr().err
    assert "winter_dusk is held out for tests" in said and said.count("\n") == 1 and not out.exists()
