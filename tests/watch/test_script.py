"""Scripts and actions: a script does the same twice, and a line that cannot be done is refused in a sentence."""

from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import pytest

from lanekeep.cli.main import main
from lanekeep.errors import UserError
from lanekeep.watch.show.actions import perform
from lanekeep.watch.show.script import read_script
from lanekeep.watch.show.show import Show
from lanekeep_policies import Driver
from lanekeep_policies.checkpoint import save_driver

pytestmark = pytest.mark.usefixtures("one_thread")
Untrained = Callable[..., Driver]
ShowOf = Callable[..., Show]


def test_a_script_that_fails_says_when_and_leaves_the_log_of_what_was_done(
    untrained: Untrained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_driver(tmp_path / "one", untrained(), training={})
    (tmp_path / "script.txt").write_text("0.05 silence 3\n0.1\tsilence 99\n0.15 hold\n")
    paths = {"--script": "script.txt", "--log": "log.txt", "--video": "drive.mp4"}
    flags = [word for flag, name in paths.items() for word in (flag, str(tmp_path / name))]
    assert main(["watch", f"{tmp_path}/one", *flags]) == 2
    assert "0.1 s into the script: 'silence 99': this driver's state has 19" in capsys.readouterr().err
    assert [timed.line for timed in read_script(tmp_path / "log.txt")] == ["silence 3"]
    assert not (tmp_path / "drive.mp4").exists()


def test_a_script_records_beside_the_video(
    untrained: Untrained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each film has its own beginning and end; what --seconds cuts off is said."""
    save_driver(tmp_path / "one", untrained(), training={})
    part, whole = tmp_path / "part.mp4", tmp_path / "whole.mp4"
    (tmp_path / "script.txt").write_text(f"0.1 record {part}\n0.2 record\n9 hold\n")
    flags = ["--seconds", "0.3", "--script", str(tmp_path / "script.txt"), "--video", str(whole)]
    assert main(["watch", f"{tmp_path}/one", *flags]) == 0
    assert [imageio_ffmpeg.count_frames_and_secs(str(path))[0] for path in (part, whole)] == [2, 6]
    assert "--seconds 0.3 is over before 1 line of the script" in capsys.readouterr().out


def test_a_script_makes_a_video_twice_the_same(
    untrained: Untrained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "drivers" / "one"
    save_driver(folder, untrained(), training={})
    script = tmp_path / "script.txt"
    script.write_text(
        "# what is done\n0.1 remove trees\n0.2 silence 3 # a neuron\n\n0.3 pace 0.5\n0.35 scenario night\n0.4 help\n"
    )
    for name in ("a", "b"):
        flags = [
            "--script",
            str(script),
            "--frames",
            str(tmp_path / name),
            "--every",
            "9",
            "--log",
            str(tmp_path / "log"),
        ]
        assert main(["watch", str(folder), *flags]) == 0
    assert (tmp_path / "a/000009.png").read_bytes() == (tmp_path / "b/000009.png").read_bytes()
    assert read_script(tmp_path / "log") == read_script(script)
    assert "0.45 s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1.0 jump", "line 1: there is no action 'jump'; did you mean gust?|line 1: there is no action 'jump'"),
        ("0 hold\nx hold", "line 2: 'x' is not a number"),
        ("-1 hold", "line 1: a time is from 0 to"),
        ("0 silence", "line 1: silence takes NEURON, not nothing"),
        ("0 remove trees now", "line 1: remove takes ELEMENT, not trees now"),
        ("0 remove 'trees", "line 1: .*No closing quotation"),
    ],
)
def test_a_script_that_is_none_is_refused_before_it_begins(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "script.txt"
    path.write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_script(path)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("remove tree", "did you mean trees?"),
        ("remove road", "cannot be removed"),
        ("silence 19", "19 numbers"),
        ("silence many", "not a whole number"),
        ("clamp 3 nan", "not a number"),
        ("clamp 3 1e30", "from -1000 to 1000"),
        ("gust 1e30", "no gust is stronger"),
        ("scenario town", "action 1 is a curvature"),
        ("strength fog 2", "from 0 to 1"),
        ("strength mist 1", "there are night"),
        ("pace 0", "a pace is"),
        ("overlay x-ray", "there are none"),
        ("driver 2", "there is 1 driver, so none is number 2"),
        ("scenario nigt", "did you mean night?"),
        ("open no.instant", "cannot be read"),
        ("free 9", "neither silenced nor held"),
        ("mend 5 0", "is not cut"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_nothing_has_happened(show_of: ShowOf, line: str, sentence: str) -> None:
    show = show_of("ncp")
    before = (show.car.edits, show.car.lesions, show.pace, show.overlay, show.scenario.name, show.chosen)
    with pytest.raises((UserError, ValueError), match=sentence):
        perform(show, line)
    assert before == (
        show.car.edits, show.car.lesions, show.pace, show.overlay, show.scenario.name, show.chosen
    )  # fmt: skip
