"""One process at a time writes into a folder; the next is told who it is, and takes over from the dead."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lanekeep_files.locks import HOLDER, HeldError, held

HOLD = """
import sys, time
from pathlib import Path
from lanekeep_files.locks import held
with held(Path(sys.argv[1]), "a training"):
    print("held", flush=True)
    time.sleep(600)
"""
WITHOUT_FCNTL = f"import sys, warnings; sys.modules['fcntl'] = None; warnings.simplefilter('ignore')\n{HOLD}"


@pytest.mark.parametrize("program", [HOLD, WITHOUT_FCNTL])
def test_a_folder_is_held_until_its_holder_is_dead(program: str, tmp_path: Path) -> None:
    again = [sys.executable, "-c", program, str(tmp_path)]
    for _ in range(2):  # the second takes over from the first
        with subprocess.Popen(again, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None and holder.stdout.readline() == "held\n"
            second = subprocess.run(again, capture_output=True, text=True, check=False)
            told = f"is in use for a training, by process {holder.pid} on "
            assert second.returncode == 1 and told in second.stderr and ", since 20" in second.stderr
            holder.kill()


def test_a_folder_is_made_and_is_empty_afterwards(tmp_path: Path) -> None:
    with held(tmp_path / "a" / "b", "a study"):
        assert json.loads((tmp_path / "a" / "b" / HOLDER).read_bytes())["process"] == os.getpid()
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize("told", [b"", b"{", b"[" * 5000, b'{"process": "\x1b[31m"}'])
def test_a_damaged_word_of_the_holder_is_no_fault(told: bytes, tmp_path: Path) -> None:
    with held(tmp_path, "a study"):
        (tmp_path / HOLDER).write_bytes(told)
        with pytest.raises(HeldError, match="in use for a study, by another process"), held(tmp_path, "a study"):
            pass


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HeldError, match="file/a cannot be written"), held(tmp_path / "file" / "a", "a study"):
        pass
