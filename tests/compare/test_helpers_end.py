"""The two processes of `compare` end within two seconds of the one that asked, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("hangup")
QUICK = ((signal.SIGKILL, True),)  # the others take a minute


def children_of(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def helpers_of(process: int) -> list[int]:
    """Of a comparison: two that answer; a third process keeps count of what multiprocessing shares."""
    spawned = (child for child in children_of(process) if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes())
    return list(spawned)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are counted in /proc")
@pytest.mark.parametrize(
    ("end", "busy"),
    [
        pytest.param(end, busy, marks=() if (end, busy) in QUICK else pytest.mark.slow, id=f"{end.name} {busy}")
        for end in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
        for busy in (False, True)
    ],
)
def test_no_helper_outlives_its_parent(end: signal.Signals, busy: bool, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lanekeep", "compare", "--roads", "2", "--out", str(tmp_path / "c.html")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60.0
        while len(helpers := helpers_of(process.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(helpers) == 2
        if busy:
            time.sleep(5.0)  # torch is imported, or the world compiled
        os.kill(process.pid, end)
        process.wait(timeout=20.0)
        time.sleep(2.0)
        assert [helper for helper in helpers if is_running(helper)] == []
        assert process.returncode == (130 if end != signal.SIGKILL else -signal.SIGKILL)
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.wait()
