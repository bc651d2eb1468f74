"""The page "Add your own": each of its examples, taken from the page and run.

Its core and its map go through the commands, from training to export, in tests/drivers/test_extensions.py.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from page_examples import example

import lanekeep
import lanekeep_envs
from lanekeep.cli.commands import COMMANDS, Command
from lanekeep.cli.main import main
from lanekeep_envs import LaneKeepingEnv, load_scenario
from lanekeep_policies import load_driver

WORLD = Path(lanekeep_envs.__file__).parent


def written(folder: Path, file: str) -> Path:
    """An example of the page as a file in this folder."""
    path = folder / Path(file).name
    path.write_text(example(file))
    return path


def test_a_scenario_of_ones_own_is_driven(tmp_path: Path) -> None:
    path = written(tmp_path, "foggy.toml")
    assert load_scenario(str(path)).family == "own"
    env = LaneKeepingEnv(scenario=str(path))
    env.reset(seed=0)
    _, _, terminated, _, info = env.step([0.0])
    assert not terminated and info["scenario"] == "foggy"


def test_a_map_of_ones_own_is_used_by_a_program(
    tmp_path: Path, own_tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "my_map.py")
    monkeypatch.syspath_prepend(tmp_path)
    names: dict[str, Any] = {}
    exec(example("my_program.py"), names)
    assert names["found"].shape == (1, 48, 160)


@pytest.mark.parametrize("file", ["elements.py", "renderer/objects/bridge.py", "scenario/schema.py"])
def test_the_bridge_stands_in_the_three_places_of_the_page(file: str) -> None:
    source = (WORLD / file).read_text()
    for line in example(file).splitlines():
        assert line.strip() in source


@pytest.fixture
def distil(tmp_path: Path, own_tables: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The learner's file in the package, and its row in the table of commands."""
    written(tmp_path, "lanekeep/distil.py")
    monkeypatch.setattr(lanekeep, "__path__", [*lanekeep.__path__, str(tmp_path)])
    COMMANDS.update(eval("{" + example("lanekeep/cli/commands.py") + "}", {"Command": Command}))
    yield
    sys.modules.pop("lanekeep.distil", None)
    vars(lanekeep).pop("distil", None)


def test_a_learner_of_ones_own_that_was_interrupted_ends_as_one_that_was_not(
    tmp_path: Path, distil: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(name: str, *more: str) -> int:
        return main(["train", "distil", str(tmp_path / name), "--updates", "3", "--frames", "4", *more])

    @contextmanager
    def interrupts_after_one() -> Iterator[Any]:
        answers = iter([False, True])
        yield lambda: next(answers)

    assert train("whole") == 0
    with monkeypatch.context() as pressed:
        pressed.setattr("lanekeep.distil.interrupts", interrupts_after_one)
        assert train("parts") == 0
    assert "parts: 1 updates" in capsys.readouterr().out
    assert train("parts") == 0
    whole, parts = (load_driver(tmp_path / name).state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert train("parts", "--learning-rate", "0.1") == 2
    assert "was trained with learning_rate = 0.001, not 0.1" in capsys.readouterr().err


def test_the_examples_of_the_worlds_page_run() -> None:
    page = (WORLD / "README.md").read_text()
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(code, names)
    assert names["frame"].shape == (48, 160, 3) and names["images"].shape == (1, 3, 48, 160, 3)
