"""The reference of the compiled kernels: the same functions in a process in which numba is switched off."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

START = "import sys; sys.path[:0] = {folders}; import {module}; sys.stdout.buffer.write({module}.{function}())"


def plain_python(function: Callable[[], bytes]) -> bytes:
    """Return what a function of a test file returns in plain Python.

    NUMBA_DISABLE_JIT: a `.py_func` alone would call compiled kernels further in.
    """
    path = Path(function.__code__.co_filename)
    folders = [str(path.parent), str(Path(__file__).parent)]
    code = START.format(folders=folders, module=path.stem, function=function.__name__)
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout
