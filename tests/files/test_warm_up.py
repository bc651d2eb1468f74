"""After `lanekeep warm-up` nothing is compiled, whatever is done."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from lanekeep.cli.main import main
for command in sys.argv[1:]:
    assert main(command.split()) == 0
"""


@pytest.mark.slow
def test_nothing_compiles_after_warming_up(tmp_path: Path) -> None:
    commands = (
        "evaluate ncp lstm --km 0.2",
        "evaluate ncp --scenario sensor_noise --km 0.2",
        f"gallery {tmp_path / 'gallery'}",
        f"record {tmp_path / 'set'} --frames 100",
        f"train imitation {tmp_path / 'driver'} --frames 600 --expert-frames 3000",
        f"train rl {tmp_path / 'rl'} --start {tmp_path / 'driver'} --frames 600",
        f"watch ncp lstm --seconds 1 --video {tmp_path / 'film.mp4'}",
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    said = []
    for arguments in (("warm-up",), commands):
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT, *arguments], env=environment, capture_output=True, text=True, check=True
        )
        said.append("compiling for this machine" in ran.stderr)
    assert said == [True, False]
