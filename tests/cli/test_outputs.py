"""Files that commands write: what they may be called is checked before any work, of every file of every command."""

import dataclasses
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from lanekeep.cli.commands import COMMANDS, at
from lanekeep.cli.main import main
from lanekeep.settings import flag, outputs, positionals

OTHERS = {  # what is read, and folders
    "demonstrations", "recipe", "script", "from_", "frames", "start",
    "train imitation out", "train rl out", "record out", "study confusion out", "saliency video",
}  # fmt: skip
WRITTEN = [(command, name) for command, where in COMMANDS.items() for name in outputs(at(where.settings))]


def test_every_path_of_every_command_is_an_output_or_known_to_be_none() -> None:
    for command, where in COMMANDS.items():
        settings = at(where.settings)
        for name, hint in get_type_hints(settings).items():
            is_path = hint is Path or Path in get_args(hint)
            told = {name, f"{command} {name}"} & OTHERS
            assert not is_path or bool(told) != (name in outputs(settings)), (command, name)


@pytest.mark.parametrize(("command", "name"), WRITTEN)
def test_a_wrong_ending_or_folder_is_refused_before_any_work(
    command: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(f"lanekeep.{COMMANDS[command].function.replace(':', '.')}", lambda settings: done.append(1))
    settings, done = at(COMMANDS[command].settings), list[int]()
    given = [] if name in positionals(settings) else [flag(name)]
    needed = [
        "ncp"
        for field in dataclasses.fields(settings)
        if field.default is dataclasses.MISSING and field.name in positionals(settings)
    ]
    ending = outputs(settings)[name].endings[0]
    for path, sentence in {
        "x.pdf": "x.pdf: expected a name that ends in ",
        f"{ending}": f"{ending}: expected a name that ends in ",
        f"x{ending}.tar": f"x{ending}.tar: expected a name that ends in ",
        ".": ". is a folder; expected the name of a file",
        f"nowhere/x{ending}": f"there is no folder for nowhere/x{ending}",
    }.items():
        if path == ending and "" in outputs(settings)[name].endings:
            continue
        assert main([*command.split(), *needed, *given, path]) == 2
        assert sentence in capsys.readouterr().err
    assert not done and not list(tmp_path.iterdir())
    assert main([*command.split(), *needed, *given, f"X{ending.upper()}"]) == 0 and done


def test_a_device_may_be_called_what_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lanekeep.evaluate.evaluate.evaluate", lambda settings: None)
    assert main(["evaluate", "ncp", "--json", "/dev/null"]) == 0
    assert main(["evaluate", "ncp", "--json", "null"]) == 2
