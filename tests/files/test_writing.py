"""Files are written whole or not at all, and what dead writers left is swept away by the next."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lanekeep_files import writing
from lanekeep_files.writing import ABANDONED_S, Aside, WritingError, write_whole


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def left_by(path: Path, process: int, system: str | None = None) -> Path:
    left = path.with_name(f".{path.name}.{system or writing.system()}-{process}-0123abcd.aside{path.suffix}")
    left.write_text("half")
    return left


@pytest.mark.parametrize("name", ["o.json", "driver.toml", "a film [1].mp4", "no suffix"])
def test_what_a_dead_writer_left_is_swept_by_the_next(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    left_by(path, dead_process())
    write_whole(path, b"whole")
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == b"whole"


def test_the_living_those_elsewhere_and_other_names_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "o.json"
    kept = [
        left_by(path, os.getppid()),
        left_by(path, dead_process(), "00000000"),  # of another machine, whose processes are not to be seen from here
        left_by(tmp_path / "p.json", dead_process()),
    ]
    (tmp_path / ".o.json.aside.json").write_text("the user's own")
    with_own = Aside(path)
    write_whole(path, b"whole")
    assert all(left.exists() for left in (*kept, with_own.path, tmp_path / ".o.json.aside.json"))
    os.utime(kept[1], (time.time() - 2 * ABANDONED_S,) * 2)
    write_whole(path, b"whole")
    assert kept[0].exists() and not kept[1].exists()


def test_a_link_stays_one_and_its_file_is_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "o.json").write_bytes(b"old")
    (tmp_path / "o.json").symlink_to(tmp_path / "far" / "o.json")
    inode = (tmp_path / "far" / "o.json").stat().st_ino
    write_whole(tmp_path / "o.json", b"new")
    assert (tmp_path / "o.json").is_symlink() and (tmp_path / "far" / "o.json").read_bytes() == b"new"
    assert (tmp_path / "far" / "o.json").stat().st_ino != inode, "it was written in place: a kill would leave a half"


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, aside = tmp_path / "o.json", tmp_path / ".aside"
    path.write_bytes(b"old")
    aside.symlink_to("/dev/full")
    monkeypatch.setattr(writing, "aside_of", lambda path: aside)
    with pytest.raises(WritingError, match="o.json cannot be written: No space left on device"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_many_writers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "o.json"

    def write(letter: int) -> None:
        for _ in range(20):
            write_whole(path, bytes([letter]) * 100_000)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen = path.read_bytes() if path.exists() else b"?"
        assert len(set(seen)) == 1 and len(seen) in (1, 100_000)
    assert list(tmp_path.iterdir()) == [path]
