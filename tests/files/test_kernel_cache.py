"""Compiled kernels are kept under all that they were made from: never stale, shared by all copies, and never in the way."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lanekeep_envs
from lanekeep_files.kernel_cache import UNUSED_S, _reached_from, delete_unused, digest_of_sources

KERNEL = """
from numba import njit

from toy import constants
from toy.inner.callee import less
from lanekeep_files.kernel_cache import keep_on_disk


def half(x):
    return less(x) * constants.SHARE


half = keep_on_disk(njit(half))
"""
CALLEE = "from numba import njit\n\n\n@njit(inline='always')\ndef less(x):\n    return x - 2.0\n"
SCRIPT = """
import logging
logging.basicConfig(format="%(message)s")
from toy.kernel import half
print(half(10.0), sum(half.stats.cache_hits.values()))
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A package whose one kernel calls a function of a second file and reads a constant of a third."""
    return written(tmp_path / "one")


def written(folder: Path) -> Path:
    package = folder / "toy"
    (package / "inner").mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "kernel.py": KERNEL,
        "constants.py": "SHARE = 0.5\n",
        "bystander.py": "",
        "inner/__init__.py": "",
        "inner/callee.py": CALLEE,
    }.items():
        (package / name).write_text(text)
    return package


def run(package: Path, cache: Path, **environment: str) -> tuple[float, int, list[str]]:
    """(what the kernel returns, how many of its versions were found on disk, the lines on damage)."""
    paths = os.pathsep.join([str(package.parent), *filter(None, sys.path)])
    told = os.environ | {"PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(cache), **environment}
    ran = subprocess.run([sys.executable, "-c", SCRIPT], env=told, capture_output=True, text=True, check=True)
    value, hits = ran.stdout.split()
    compiling, damage = [], []
    for line in ran.stderr.splitlines():
        (compiling if line.startswith("compiling for this machine") else damage).append(line)
    assert len(compiling) == (hits == "0")
    return float(value), int(hits), damage


def test_a_change_of_what_a_kernel_calls_or_reads_is_noticed_and_of_nothing_else(toy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run(toy, cache) == (4.0, 0, [])
    assert run(toy, cache) == (4.0, 1, [])
    assert run(toy, cache, NUMBA_BOUNDSCHECK="1")[:2] == (4.0, 0)
    (toy / "bystander.py").write_text("CHANGED = True\n")
    assert run(toy, cache)[:2] == (4.0, 1)
    (toy / "inner" / "callee.py").write_text(CALLEE.replace("2.0", "4.0"))
    assert run(toy, cache)[:2] == (3.0, 0)
    (toy / "constants.py").write_text("SHARE = 2.0\n")
    assert run(toy, cache)[:2] == (12.0, 0)
    assert run(written(tmp_path / "two"), cache)[:2] == (4.0, 1)  # a second environment compiles nothing


@pytest.mark.parametrize(
    "harm",
    [pytest.param("truncated", marks=pytest.mark.slow), pytest.param("emptied", marks=pytest.mark.slow), "one bit"],
)
def test_a_damaged_file_is_said_in_one_line_and_made_anew(harm: str, toy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run(toy, cache)
    for file in [path for path in cache.rglob("*") if path.is_file()]:
        whole = file.read_bytes()
        middle = len(whole) // 2
        damaged = {
            "truncated": whole[:middle],
            "emptied": b"",
            "one bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        }[harm]
        file.write_bytes(damaged)
        value, hits, said = run(toy, cache)
        assert (value, hits, len(said)) == (4.0, 0, 1) and "is damaged" in said[0]
        assert run(toy, cache) == (4.0, 1, [])


def test_without_a_folder_that_can_be_written_every_process_compiles_for_itself(toy: Path, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    for _ in range(2):
        assert run(toy, in_the_way / "cache") == (4.0, 0, [])


def test_every_kernel_of_this_project_depends_on_what_it_imports() -> None:
    """The digest of a file with kernels changes with a file that it reaches through others, and not with one above it."""
    world = Path(lanekeep_envs.__file__).parent
    reached = {path.relative_to(world).as_posix() for path in _reached_from(world / "renderer" / "render.py")}
    assert {"compiled/noise.py", "renderer/camera.py", "elements.py", "renderer/ground/markings.py"} <= reached
    assert not reached & {"vector_env.py", "lane_keeping.py", "renderer/renderer.py", "scenario/loading.py"}
    assert digest_of_sources(world / "renderer" / "render.py") != digest_of_sources(world / "renderer" / "camera.py")


def test_what_nobody_has_run_for_long_is_deleted(tmp_path: Path) -> None:
    for name, age_s in (
        ("render-0123456789abcdef", 2 * UNUSED_S),
        ("render-fedcba9876543210", 0.5 * UNUSED_S),
        ("own", 9e9),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("")
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    delete_unused(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"render-fedcba9876543210", "own"}
