"""The one reader: files that are too large, nested too deeply, or not what they say are refused in one sentence."""

import io
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lanekeep_files.reading import Arrays, FileError, json_of, read_file, toml_of


def archive(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return packed.getvalue()


def npy(array: np.ndarray, shape: tuple[int, ...] | None = None) -> bytes:
    """An .npy file, which may tell of another shape than it has."""
    file = io.BytesIO()
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": shape or array.shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + array.tobytes()


def test_a_file_is_read_up_to_its_largest_size(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(100))
    assert read_file(tmp_path / "file", 100) == bytes(100)
    with pytest.raises(FileError, match=r"file is larger than 99 bytes"):
        read_file(tmp_path / "file", 99)
    with pytest.raises(FileError, match="is larger than 1 MiB"):
        read_file(Path("/dev/zero"), 1 << 20)  # a file without end


@pytest.mark.parametrize("depth", [40, 1000, 100_000])
@pytest.mark.parametrize("text", ["x = {}", "x = [1, {}]", "[{}]", "x = {{}}", "{} = 1"])
def test_toml_that_is_nested_too_deeply_is_refused(text: str, depth: int) -> None:
    deep = {
        "x = {}": "[" * depth + "]" * depth,
        "x = [1, {}]": "[" * depth + "]" * depth,
        "[{}]": ".".join("a" * min(depth, 3000)),
        "x = {{}}": "{y=" * depth + "1" + "}" * depth,
        "{} = 1": ".".join("a" * min(depth, 3000)),
    }[text]
    data = (text.replace("{{}}", deep) if "{{}}" in text else text.replace("{}", deep)).encode()
    with pytest.raises(FileError, match=r"^mine\.toml is nested too deeply: at most 32 levels$"):
        toml_of(data, "mine.toml")


@pytest.mark.parametrize("depth", [5000, 200_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_json_that_is_nested_too_deeply_is_refused(opening: str, closing: str, depth: int) -> None:
    with pytest.raises(FileError, match=r"^episode\.json is n"):
        json_of((opening * depth + "1" + closing * depth).encode(), "episode.json", dict)


def test_an_array_is_measured_before_it_is_read() -> None:
    """A few bytes that tell of 4.8 GB ask for none of them, and an array that nobody wants is not read."""
    huge, small = npy(np.zeros(4, np.float32), (1_200_000_000,)), npy(np.arange(3.0))
    arrays = Arrays(archive(wanted=small, unwanted=bytes(200_000_000)), "signals.npz")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert arrays.read("wanted", 1000).tolist() == [0.0, 1.0, 2.0]
    arrays = Arrays(archive(huge=huge), "signals.npz")
    with pytest.raises(FileError, match=r"signals\.npz: huge has 4800000000 bytes, and at most 1 MiB are meant"):
        arrays.read("huge", 1 << 20)
    with pytest.raises(FileError, match=r"are declared, and 16 are there"):
        arrays.read("huge", 10**10)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 16,
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
        npy(np.zeros(2))[:-1],
        npy(np.zeros(2)) + b"x",
        npy(np.zeros(0), (2**62, 2**62)),
        npy(np.zeros(1), (-1,)),
        b"\x93NUMPY\x01\x00\x46\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(69) + b"\n",
    ],
)
def test_what_is_no_array_is_refused(content: bytes) -> None:
    with pytest.raises(FileError, match=r"^signals\.npz"):
        Arrays(archive(x=content), "signals.npz").read("x", 1000)


def test_what_is_no_archive_is_refused() -> None:
    for data in (b"", b"PK\x03\x04", b"x" * 1000, archive(x=b"")[:-10]):
        with pytest.raises(FileError, match=r"^signals\.npz is not an archive of arrays"):
            Arrays(data, "signals.npz")
    with pytest.raises(FileError, match="too many files"):
        Arrays(archive(**{f"n{k}": b"" for k in range(5000)}), "signals.npz")
