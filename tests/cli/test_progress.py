"""A bar says what is being done, how far it is and the number that matters; a name with brackets is a name."""

import pytest

from lanekeep.progress import progress


def test_a_bar_shows_text_note_and_share(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("driving", 10.0, "no departure", stays=True, threaded=False) as bar:
        bar.advance(2.0)
        assert bar.done == 2.0
        bar.advance(3.0, "[a] drives", "2 departures")
        bar.reach(10.0)
        assert bar.done == 10.0
    said = capsys.readouterr().out
    assert said.startswith("[a] drives ━") and said.endswith("0:00:00 2 departures\n")


def test_a_bar_goes_unless_it_stays(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("driving", None) as bar:
        bar.advance(note="counting")
    assert "driving" not in capsys.readouterr().out
