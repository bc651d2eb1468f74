"""The right module is imported, and only that; every failure is one sentence with its exit code, unless it is a bug."""

import importlib.metadata
import importlib.util
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path
from typing import get_type_hints

import pytest

from lanekeep.cli import main as cli
from lanekeep.cli.commands import COMMANDS, VERBS, Command, at
from lanekeep.cli.main import main

FAKE_COMMAND = """
from dataclasses import dataclass

import numpy as np


class OurError(Exception):
    pass


def our_own():
    raise OurError("the weights are from a newer version;\\nupdate lanekeep")

def our_value_error():
    raise ValueError(
        "a camera has at least 8 rows, not 3"
    ) from KeyError("rows")

def missing_file():
    open("/nowhere/scores.json")

def full_disk():
    raise OSError(28, "No space left on device")

def ctrl_c():
    raise KeyboardInterrupt

def numpy_bug():
    np.zeros(2) + np.zeros(3)

def int_bug():
    int("x")

def key_bug():
    {}["x"]


@dataclass(frozen=True)
class Drive:
    '''Drive.'''

    then: str = ""
    seed: int = 0


def drive(settings: Drive) -> None:
    print("driving with seed", settings.seed)
    globals().get(settings.then, lambda: None)()
"""


@pytest.fixture(autouse=True)
def fake_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fake_command.py").write_text(FAKE_COMMAND)
    spec = importlib.util.spec_from_file_location("lanekeep.fake_command", tmp_path / "fake_command.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    places = "fake_command:Drive", "fake_command:drive"
    bench = Command("more", *places, "how fast it is")
    drive = Command("watch", *places, "drive a car")
    monkeypatch.setattr(cli, "COMMANDS", {"drive": drive, "bench env": bench, "bench cores": bench})


def said_by(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    exit_code = main(argv)
    out, err = capsys.readouterr()
    return exit_code, out, err


def test_a_command_of_one_or_two_words_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["drive"], ["bench", "env"], ["bench", "cores"]):
        assert said_by(capsys, *words, "--seed", "-3") == (0, "driving with seed -3\n", "")


SENTENCES = {
    ("--then", "our_own"): "the weights are from a newer version; update lanekeep",
    ("--then", "our_value_error"): "a camera has at least 8 rows, not 3",
    ("--then", "missing_file"): "/nowhere/scores.json: No such file or directory",
    ("--then", "full_disk"): "No space left on device",
    ("--sede", "3"): "drive has no flag --sede; did you mean --seed?",
    ("--seed", "x"): "--seed x: expected an integer",
}


@pytest.mark.parametrize("argv", SENTENCES)
def test_what_the_user_can_mend_is_one_sentence(argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, _, err = said_by(capsys, "drive", *argv)
    assert (exit_code, err) == (2, f"lanekeep: {SENTENCES[argv]}\n")


@pytest.mark.parametrize(("bug", "kind"), [("numpy_bug", ValueError), ("int_bug", ValueError), ("key_bug", KeyError)])
def test_a_bug_keeps_its_traceback(bug: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        main(["drive", "--then", bug])


def test_ctrl_c_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert said_by(capsys, "drive", "--then", "ctrl_c")[::2] == (130, "lanekeep: interrupted\n")


UNKNOWN = {
    ("drvie",): "there is no command 'drvie'; did you mean drive?",
    ("zebra", "--seed", "3"): "there is no command 'zebra'; lanekeep --help lists the commands",
    ("bench", "evn"): "there is no command 'bench evn'; did you mean env?",
    ("bench", "zebra"): "there is no command 'bench zebra'; lanekeep --help lists the commands",
    ("bench",): "bench is followed by one of: env, cores",
    ("bench", "--seed", "3"): "bench is followed by one of: env, cores",
    ("",): "there is no command ''; lanekeep --help lists the commands",
}


@pytest.mark.parametrize("argv", UNKNOWN)
def test_an_unknown_command_is_one_sentence(argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert said_by(capsys, *argv) == (2, "", f"lanekeep: {UNKNOWN[argv]}\n")


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    rest = said_by(capsys, "more")
    assert rest == said_by(capsys, "more", "--help") and rest[::2] == (0, "")
    for argv in ([], ["--help"], ["-h"]):
        exit_code, out, err = said_by(capsys, *argv)
        assert (exit_code, err) == (0, "") and all(f"  {name} " in out + rest[1] for name in cli.COMMANDS)
        assert "watch: " in out and "  drive " in out and "bench" not in out and "`lanekeep more` lists the 2" in out
    exit_code, out, err = said_by(capsys, "bench", "--help")
    assert (exit_code, err) == (0, "") and "bench env " in out and "bench cores " in out and "\n  drive" not in out


def test_every_command_is_where_the_table_says() -> None:
    for command in COMMANDS.values():
        assert command.verb in VERBS and is_dataclass(at(command.settings))
        (hint,) = [kind for name, kind in get_type_hints(at(command.function)).items() if name == "settings"]
        assert hint is at(command.settings)


def test_help_of_a_command_lists_its_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["bench", "env", "--help"])
    assert done.value.code in (None, 0) and "--seed" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert said_by(capsys, "--version") == (0, f"lanekeep {importlib.metadata.version('lanekeep')}\n", "")


def in_a_process(statement: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True, check=True)


def test_help_imports_nothing_heavy() -> None:
    loaded = in_a_process(
        "import sys; from lanekeep.cli.main import main; main(['--help']); print(*sys.modules)"
    ).stdout
    assert not {"torch", "numpy", "numba", "pygame", "gymnasium", "tyro"} & set(loaded.split())


def test_a_closed_pipe_is_silent() -> None:
    statement = "import sys; from lanekeep.cli.main import main; sys.stdin.read(); sys.exit(main(['--help']))"
    process = subprocess.Popen(
        [sys.executable, "-c", statement], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdin is not None and process.stderr is not None
    process.stdout.close()
    process.stdin.close()
    assert process.stderr.read() == b"" and process.wait() == 0
    process.stderr.close()
