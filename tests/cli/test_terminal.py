"""Words from files are printed as they are: brackets are no markup, and no control character reaches the terminal."""

import io

import pytest
from rich.table import Table

from lanekeep.cli.main import main
from lanekeep.evaluate.tables import table_of
from lanekeep.terminal import LONGEST, Terminal, one_line, printable
from lanekeep.watch.panels.style import Canvas
from lanekeep_envs import Scenario


def shown(table: Table) -> str:
    out = io.StringIO()
    Terminal(file=out, width=120, force_terminal=False).print(table)
    return out.getvalue()


@pytest.mark.parametrize(
    "words", ["see [/nope]", "[red]x[/red]", "[link=file:///etc/passwd]here[/link]", ":smiley:", "a\\[b]"]
)
def test_words_of_a_table_are_no_markup(words: str) -> None:
    table = Table(title=words, caption=words)
    table.add_column(words)
    table.add_row(words)
    assert shown(table).count(words) == 4


def test_the_reason_for_departures_of_a_scenario_is_no_markup() -> None:
    result = {"km": 1.0, "seeds": [1, 2], "departures": 0, "departures_per_km": 0.0, "lateral_rms_m": 0.1}
    result |= {"max_abs_lateral_m": 0.2, "heading_rms_rad": 0.1, "lateral_jerk_p95": 0.1}
    told = shown(table_of({"[b]ncp": result}, Scenario(description="", unavoidable_departures="see [/nope]\x1b[2J")))
    assert "see [/nope]\\x1b[2J" in told and "[b]ncp" in told and "\x1b" not in told


CONTROLS = {
    "\x1b[2J": "\\x1b[2J",
    "a\x00b": "a\\x00b",
    "\u202eabc": "\\u202eabc",
    "\x9b31m": "\\x9b31m",
    "\ud800": "\\ud800",
    "käse\n\t": "käse\n\t",
}


@pytest.mark.parametrize(("text", "written"), CONTROLS.items())
def test_control_characters_are_shown(text: str, written: str) -> None:
    assert printable(text) == written


def test_a_refusal_is_one_line_whatever_the_file_says(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    (tmp_path / "x.toml").write_text(f'description = "x"\n"a\\u001b[31m{"b" * 9000}" = 1\n')
    assert main(["evaluate", "expert", "--scenario", str(tmp_path / "x.toml")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "\x1b" not in told and "\\x1b[31mb" in told and len(told) < 1100
    assert len(one_line("x" * 9000)) <= LONGEST


def test_no_character_of_a_file_ends_a_picture() -> None:
    """A description with a zero byte is drawn, on the dashboard and in a film, as its escape."""
    Canvas((200, 40), (200, 40)).write("a\x00b\x1b[2J\ud800", (5, 20))
