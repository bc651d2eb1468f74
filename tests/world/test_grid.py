"""The grid over all bounds with every index checked, in a process of its own: kernels with checks are other kernels."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GRID = Path(__file__).parents[1] / "fuzz" / "grid.py"


@pytest.mark.slow
def test_no_kernel_leaves_its_tables_on_the_whole_grid() -> None:
    paths = os.pathsep.join(filter(None, sys.path))
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "PYTHONPATH": paths}
    ran = subprocess.run([sys.executable, str(GRID)], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "scenarios" in ran.stdout
