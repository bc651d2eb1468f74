"""Given demonstrations are what is learned from, and all of it: resumed to the bit, refused where they do not fit."""

import shlex
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from lanekeep.cli.flags import parse
from lanekeep.cli.main import main
from lanekeep.demonstrations import DemonstrationError, Episode, Recorder, read_dataset
from lanekeep.errors import UserError
from lanekeep.imitation.settings import TrainImitation
from lanekeep.imitation.train import Trainer, train
from lanekeep_policies.checkpoint import read_checkpoint

SMALL = {"camera": "16x32", "batch": 4, "length": 4, "segments": 2, "frames": 96, "validation_km": 0.1}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scenario and what the expert drove on it."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "short.toml").write_text('description = "a short road"\n[road]\nlength_m = 400\n')
    flags = ["--scenario", str(folder / "short.toml"), "--camera", "16x32", "--episodes", "3", "--seconds", "2"]
    assert main(["record", str(folder / "drives"), *flags]) == 0
    return folder


@pytest.fixture
def given(recorded: Path, tmp_path: Path) -> dict[str, object]:
    """Settings of a training that learns from a copy of it."""
    shutil.copytree(recorded / "drives", tmp_path / "drives")
    return {**SMALL, "scenario": str(recorded / "short.toml"), "demonstrations": (tmp_path / "drives",)}


def flags_of(given: dict[str, object], **others: object) -> list[str]:
    values = {**given, "demonstrations": given["demonstrations"][0], **others}  # type: ignore[index]
    return [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]


def change(folder: Path, episode: Episode, **fields: object) -> None:
    """Record an episode again that differs in what it says of itself."""
    with Recorder(folder) as recorder:
        info = msgspec.structs.replace(episode.info, **fields)
        recorder.write(np.asarray(episode.frames), episode.signals, info)
    shutil.rmtree(episode.folder)


def test_what_is_given_is_what_is_learned_from(tmp_path: Path, given: dict[str, object]) -> None:
    """Nothing else is recorded; the checkpoint says where it comes from, and with which command."""
    out = tmp_path / "driver"
    train(TrainImitation(out=out, **given))  # type: ignore[arg-type]
    assert not (out / "demonstrations").exists()
    training = read_checkpoint(out).training
    episodes = read_dataset(tmp_path / "drives").episodes
    (origin,) = training["learned_from"]
    assert origin["folder"] == str(tmp_path / "drives") and origin["episodes"] == len(episodes)
    assert origin["frames"] == sum(map(len, episodes)) and origin["scenarios"] == ["short"]
    words = shlex.split(training["command"])
    again = parse("train imitation", TrainImitation, words[3:])
    assert words[:3] == ["lanekeep", "train", "imitation"]
    assert again == TrainImitation(out=Path("driver"), **given)  # type: ignore[arg-type]


def test_two_datasets_are_one_and_every_sequence_comes_from_them(tmp_path: Path, given: dict[str, object]) -> None:
    for episode in read_dataset(tmp_path / "drives").episodes[1:]:
        (tmp_path / "more").mkdir(exist_ok=True)
        episode.folder.rename(tmp_path / "more" / episode.folder.name)
    both = (tmp_path / "drives", tmp_path / "more")
    trainer = Trainer(TrainImitation(out=tmp_path / "driver", **{**given, "demonstrations": both}))  # type: ignore[arg-type]
    films = {e.folder.name: np.asarray(e.frames) for folder in both for e in read_dataset(folder).episodes}
    answers = {e.folder.name: e.signals["expert_action"] for folder in both for e in read_dataset(folder).episodes}
    assert len(films) == 3 and not trainer.round_due
    seen = set()
    for trainer.update in range(20):
        frames, actions, _ = trainer.batch()
        for (name, end), film, answer in zip(trainer.places, frames.numpy(), actions.numpy(), strict=True):
            assert np.array_equal(film, films[name][end - 4 : end])
            assert np.array_equal(answer, answers[name][end - 4 : end])
            seen.add(name)
    assert seen == set(films)


@pytest.mark.parametrize("dagger", [{}, {"dagger_every": 3, "dagger_frames": 320}])
def test_a_resumed_training_equals_an_uninterrupted_one(
    tmp_path: Path, given: dict[str, object], dagger: dict[str, object]
) -> None:
    """Rounds of its own, with the expert's answers, only if asked for."""
    whole = TrainImitation(out=tmp_path / "whole", **given, **dagger)  # type: ignore[arg-type]
    train(whole)
    parts = Trainer(TrainImitation(out=tmp_path / "parts", **given, **dagger))  # type: ignore[arg-type]
    for _ in range(5):
        if parts.round_due:
            parts.begin_round()
        parts.learn()
    parts.save()
    train(parts.settings)
    one, other = (read_checkpoint(out) for out in (whole.out, parts.settings.out))
    weights = other.driver.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in one.driver.state_dict().items())
    assert one.training["own_drives"] == other.training["own_drives"]
    assert bool(one.training["own_drives"]) == bool(dagger)


def test_a_training_is_not_gone_on_with_from_other_demonstrations(tmp_path: Path, given: dict[str, object]) -> None:
    settings = TrainImitation(out=tmp_path / "driver", **given)  # type: ignore[arg-type]
    half = Trainer(settings)
    half.learn()
    half.save()
    (tmp_path / "drives").rename(tmp_path / "elsewhere")
    with pytest.raises(DemonstrationError, match="there is no dataset at .*drives"):
        train(settings)
    (tmp_path / "elsewhere").rename(tmp_path / "drives")
    last = read_dataset(tmp_path / "drives").episodes[-1]
    last.folder.rename(tmp_path / last.folder.name)
    with pytest.raises(
        UserError, match="holds other demonstrations than those .*3 episodes then, 2 now.*put them back"
    ):
        train(settings)
    (tmp_path / last.folder.name).rename(last.folder)
    train(settings)


@pytest.mark.parametrize(
    ("fields", "flags", "sentence"),
    [
        ({}, {"camera": "24x32"}, "has frames of 16x32, not 24x32; give --camera 16x32"),
        ({"camera": {}}, {}, "was recorded by a camera with height_px = None, not 16"),
        ({"curvature_limit_per_m": 0.05}, {}, "an action of 1 is a curvature of 0.05 1/m there, and 0.02 on short"),
        ({"dt_s": 0.1}, {}, "has a frame every 0.1 s, and a driver sees one every 0.05 s"),
        ({"seed": 10_000}, {}, "was driven on road 10000; from 9000 on they are kept for tests"),
        ({}, {"length": 400}, "has 40 frames, and one place to learn from 800, --length 400 times --segments 2"),
        ({}, {"demonstrations": "absent"}, "there is no dataset at absent"),
        ({}, {"demonstrations": "."}, "the dataset at . holds no episodes"),
        ({}, {"good_rms_m": 0.3}, "there are none; give --dagger-every"),
    ],
)
def test_a_misfit_is_one_sentence(
    fields: dict[str, object],
    flags: dict[str, object],
    sentence: str,
    tmp_path: Path,
    given: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if fields:
        change(tmp_path / "drives", read_dataset(tmp_path / "drives").episodes[1], **fields)
    assert main(["train", "imitation", "driver", *flags_of(given, **flags)]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1 and not Path("driver").exists()


@pytest.mark.parametrize("file", ["frames.npy", "signals.npz", "episode.json"])
def test_a_damaged_episode_is_named(
    file: str, tmp_path: Path, given: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = read_dataset(tmp_path / "drives").episodes[1].folder
    content = bytearray((damaged / file).read_bytes())
    content[-200] ^= 1
    (damaged / file).write_bytes(content)
    assert main(["train", "imitation", str(tmp_path / "driver"), *flags_of(given)]) == 2
    said = capsys.readouterr().err
    assert damaged.name in said and "take that episode out" in said and said.count("\n") == 1
    assert not (tmp_path / "driver").exists()


def test_a_folder_is_given_once() -> None:
    with pytest.raises(UserError, match="^--demonstrations takes each folder once$"):
        TrainImitation(out=Path("x"), demonstrations=(Path("a"), Path("b/../a")))


def test_a_folder_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "imitation", "driver", "--demonstrations"]) == 2
    said = capsys.readouterr().err
    assert "--demonstrations needs a" in said and said.count("\n") == 1
