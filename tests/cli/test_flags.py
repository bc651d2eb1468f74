"""Whatever is wrong on a command line is said in one sentence that names it; what is right arrives as it was meant."""

import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from lanekeep.cli.flags import parse
from lanekeep.errors import UserError
from lanekeep.settings import Positional, in_range
from lanekeep_files.writing import WritingError, write_whole


@dataclass(frozen=True)
class Compare:
    """Compare drivers."""

    checkpoints: Positional[tuple[str, ...]]
    """folders of the drivers, each driven with --seed"""
    # why there are three is no concern of the user
    frame_count: int = 3
    """how many frames"""
    core: Literal["ncp", "ltc", "lstm"] = "ncp"
    """the recurrent core"""
    seed: int = 0
    learning_rate: float = 1e-3
    image_size: tuple[int, int] = (48, 160)
    scenarios: tuple[Literal["country", "highway"], ...] = ("country",)
    json: Path | None = None
    quick: bool = False

    def __post_init__(self) -> None:
        if self.frame_count < 1:
            raise ValueError(f"--frame-count must be at least 1, not {self.frame_count}, " + "and so on " * 20)


@dataclass(frozen=True)
class Copy:
    """One argument and one flag that must be given."""

    left_driver: Positional[Path]
    speed_mps: float
    log: bool = True


def test_defaults_and_every_type_of_flag() -> None:
    assert parse("compare", Compare, ["a"]) == Compare(("a",))
    given = ["a", "b", "--frame-count", "5", "--core=ltc", "--seed", "-3", "--learning-rate", "-1e-3"]
    given += ["--image-size", "66", "200", "--json", "x.json", "--quick", "--scenarios", "highway", "country"]
    assert parse("compare", Compare, given) == Compare(
        ("a", "b"), 5, "ltc", -3, -1e-3, (66, 200), ("highway", "country"), Path("x.json"), True
    )
    assert parse("copy", Copy, ["--no-log", "--speed_mps", "-inf", "--", "--odd"]) == Copy(
        Path("--odd"), float("-inf"), False
    )


@dataclass(frozen=True)
class Drive:
    """Numbers with ends."""

    top_speed: float = 20.0
    seconds: float | None = None
    cars: int = 1

    def __post_init__(self) -> None:
        in_range(self, "top_speed", 0.5, 100)
        in_range(self, "seconds", 0)
        in_range(self, "cars", 1)


@dataclass(frozen=True)
class Record:
    """One argument with a help of its own."""

    out: Positional[Path]
    """Folder of the dataset."""
    seconds: float = 20.0


REFUSED: dict[str, tuple[type[Compare | Copy | Drive | Record], str]] = {
    "a --frame-cuont 3": (Compare, "x has no flag --frame-cuont; did you mean --frame-count?"),
    "--frame-cuont=3 a": (Compare, "x has no flag --frame-cuont; did you mean --frame-count?"),
    "a --zebra": (Compare, "x has no flag --zebra; see lanekeep x --help"),
    "a -z": (Compare, "x has no flag -z; see lanekeep x --help"),
    "a --no-seed": (Compare, "x has no flag --no-seed; did you mean --seed?"),
    "--frame-count x a": (Compare, "--frame-count x: expected an integer"),
    "a --frame_count=x": (Compare, "--frame-count x: expected an integer"),
    "a --seed 1.5": (Compare, "--seed 1.5: expected an integer"),
    "a --learning-rate fast": (Compare, "--learning-rate fast: expected a number"),
    "a --core lstn": (Compare, "--core lstn: expected one of ncp, ltc, lstm; did you mean lstm?"),
    "a --core 19": (Compare, "--core 19: expected one of ncp, ltc, lstm"),
    "a --seed": (Compare, "--seed needs a value: an integer"),
    "a --seed --quick": (Compare, "--seed needs a value: an integer"),
    "a --image-size 48": (Compare, "--image-size 48: expected 2 values, each an integer"),
    "a --image-size 48 wide": (Compare, "--image-size 48 wide: expected 2 values, each an integer"),
    "a --scenarios country higway": (
        Compare,
        "--scenarios country higway: expected any number of values, each one of country, highway; "
        "did you mean highway?",
    ),
    "--seed 3": (Compare, "x needs checkpoints; see lanekeep x --help"),
    "a --frame-count 3 b": (Compare, "unexpected argument 'b'; see lanekeep x --help"),
    "a --frame-count 0": (Compare, "--frame-count must be at least 1, not 0, " + "and so on " * 20),
    "--speed-mps 3": (Copy, "x needs left_driver; see lanekeep x --help"),
    "": (Record, "x needs out; see lanekeep x --help"),
    "--seconds 2": (Record, "x needs out; see lanekeep x --help"),
    "a": (Copy, "x needs --speed-mps: a number"),
    "a b --speed-mps 3": (Copy, "unexpected argument 'b'; see lanekeep x --help"),
    "--top-speed inf": (Drive, "--top-speed must be from 0.5 to 100, not inf"),
    "--top-speed nan": (Drive, "--top-speed must be from 0.5 to 100, not nan"),
    "--top-speed 0.4": (Drive, "--top-speed must be from 0.5 to 100, not 0.4"),
    "--seconds inf": (Drive, "--seconds must be at least 0, not inf"),
    "--cars 0": (Drive, "--cars must be at least 1, not 0"),
    "a --speed-mps 3 --log=perhaps": (Copy, "unexpected argument 'perhaps'; see lanekeep x --help"),
}


@pytest.mark.parametrize("line", REFUSED)
def test_a_wrong_command_line_is_one_sentence(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings, sentence = REFUSED[line]
    with pytest.raises(UserError) as error:
        parse("x", settings, line.split())
    assert str(error.value) == sentence
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("columns", ["20", "80", "300"])
def test_the_sentence_does_not_depend_on_the_terminal(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for line, (settings, sentence) in REFUSED.items():
        with pytest.raises(UserError) as error:
            parse("x", settings, line.split())
        assert str(error.value) == sentence


def test_the_ends_of_a_range_belong_to_it() -> None:
    for low_or_high in (0.5, 100.0):
        assert parse("drive", Drive, ["--top-speed", str(low_or_high)]) == Drive(low_or_high)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    write_whole(file, b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, limits[1]))  # bytes; Python ignores the signal
    try:
        with pytest.raises(WritingError, match="out.json cannot be written: File too large"):
            write_whole(file, b"newer")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_bytes() == b"old" and list(tmp_path.iterdir()) == [file]
    write_whole(file, b"newer")
    assert file.read_bytes() == b"newer" and list(tmp_path.iterdir()) == [file]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_bytes() == b"new"
    with pytest.raises(WritingError, match="full cannot be written: No space left"):
        write_whole(Path("/dev/full"), b"new")


def test_help_tells_what_the_dataclass_says(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        parse("compare", Compare, ["--help"])
    said, errors = capsys.readouterr()
    assert done.value.code in (None, 0) and errors == ""
    for words in ("lanekeep compare", "Compare drivers.", "--frame-count", "how many frames", "ncp,ltc,lstm", "0.001"):
        assert words in said
    assert "no concern" not in said
