"""TERM and HUP end a command as Ctrl-C does; a terminal that is gone keeps no training from saving."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lanekeep.cli.main import main
from lanekeep_policies import read_checkpoint

pytestmark = pytest.mark.usefixtures("hangup")
TINY = "--camera 16x32 --batch 4 --length 4 --segments 2 --frames 100000 --expert-frames 320 --dagger-every 0"
ENDS = [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)]


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 120.0
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert path.exists()


@pytest.mark.parametrize("end", ENDS)
def test_a_training_saves_and_the_same_command_goes_on(end: signal.Signals, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "lanekeep", "train", "imitation", str(out), *TINY.split()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(out / "driver.toml")
    process.send_signal(end)
    said, told = process.communicate(timeout=120)
    assert process.returncode == 0 and "run again to go on" in said and "stopping after this step" in told
    assert "nan" not in said
    assert read_checkpoint(out).resume["update"] < 5000 and not (out / ".lock").exists()


@pytest.mark.slow
def test_a_training_saves_when_its_terminal_is_closed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "lanekeep", "train", "imitation", str(out), *TINY.split()])
    wait_for(out / "driver.toml")
    os.close(terminal)  # the system sends HUP to what runs in it
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == 0 and read_checkpoint(out).resume["update"] < 5000


@pytest.mark.parametrize("end", ENDS)
def test_what_saves_nothing_is_interrupted_with_the_code_of_ctrl_c(
    end: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lanekeep.evaluate.evaluate.drive", lambda *_: signal.raise_signal(end))
    assert main(["evaluate", "ncp", "--km", "0.1", "--json", str(tmp_path / "o.json")]) == 130
    assert capsys.readouterr().err.endswith("lanekeep: interrupted\n") and list(tmp_path.iterdir()) == []
    assert signal.getsignal(end) == signal.SIG_DFL


def test_what_is_to_outlive_its_terminal_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under nohup, which ignores HUP before it begins."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        monkeypatch.setattr("lanekeep.cli.main._run", lambda argv: signal.raise_signal(signal.SIGHUP))
        assert main(["--version"]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)
