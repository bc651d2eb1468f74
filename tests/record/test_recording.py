"""A second recording adds to the first; what is said is what was written."""

from pathlib import Path

import pytest

from lanekeep.cli.main import main
from lanekeep.demonstrations import read_dataset

TINY = ["--camera", "8x8", "--episodes", "2"]


def test_a_second_run_adds_other_drives(tmp_path: Path) -> None:
    for _ in range(2):
        assert main(["record", str(tmp_path), *TINY, "--seconds", "0.3"]) == 0
    episodes = read_dataset(tmp_path).episodes
    assert len({(e.info.seed, e.signals["driven_action"].tobytes()) for e in episodes}) == len(episodes) == 4


def test_a_folder_with_a_gap_is_not_recorded_twice(tmp_path: Path) -> None:
    assert main(["record", str(tmp_path), *TINY, "--seconds", "0.3"]) == 0
    first = min(tmp_path.iterdir())
    first.rename(tmp_path.with_name(f"{tmp_path.name}-damaged"))
    assert main(["record", str(tmp_path), *TINY, "--seconds", "0.3"]) == 0
    assert len({e.signals["driven_action"].tobytes() for e in read_dataset(tmp_path).episodes}) == 3


def test_episodes_are_counted_and_seconds_rounded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", str(tmp_path), *TINY, "--seconds", "11.999", "--noise", "0.9"]) == 0
    lengths = [len(e.frames) for e in read_dataset(tmp_path).episodes]
    assert sum(lengths) == 2 * 240 and len(lengths) > 2
    said = " ".join(capsys.readouterr().out.split())
    assert f"drives on country: 2 of 12 s; episodes written: {len(lengths)} of {min(lengths) / 20:g} to " in said


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ([], "record needs out; see"),
        *((["x", "--seconds", seconds], "--seconds must be from 0.05 to") for seconds in ("nan", "inf", "0.01")),
        *((["x", "--noise", noise], "--noise must be from 0 to 10, not") for noise in ("nan", "inf", "-1")),
        (["x", "--episodes", "0"], "--episodes must be from 1 to"),
        (["x", "--scenario", "fog"], "fog is held out for tests; to learn on there are country, mixed, motorway, town"),
    ],
)
def test_refusals(
    argv: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["record", *argv]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1 and not any(tmp_path.iterdir())
