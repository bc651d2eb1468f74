"""Where there is no fcntl, as on Windows, recorder and training run, and a second recorder is refused."""

import subprocess
import sys
from pathlib import Path

HIDDEN = """
import sys, warnings
sys.modules["fcntl"] = None
warnings.filterwarnings("ignore", module="filelock")
from lanekeep.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
TINY = "--scenario short.toml --camera 16x32"


def run(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-c", HIDDEN, *command.split()]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_record_and_train_imitation_run_and_leave_no_lock(tmp_path: Path) -> None:
    (tmp_path / "short.toml").write_text('description = "a short road"\n[road]\nlength_m = 400\n')
    recorded = run(tmp_path, f"record drives {TINY} --episodes 1 --seconds 1")
    assert recorded.returncode == 0, recorded.stderr
    again = run(tmp_path, f"record drives {TINY} --episodes 1 --seconds 1")
    assert again.returncode == 0 and len(list((tmp_path / "drives").glob("episode-*"))) == 2
    sizes = "--batch 2 --length 4 --segments 2 --frames 16 --validation-km 0.1 --core rnn"
    trained = run(tmp_path, f"train imitation driver {TINY} {sizes} --expert-frames 256")
    assert trained.returncode == 0, trained.stderr
    assert [path.name for path in tmp_path.glob("**/.*")] == []
