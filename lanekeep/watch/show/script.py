"""Timed actions: a file of them is played, and everything that is done is written as such a file.

    0.0   overlay grad-cam
    2.0   remove trees           # a comment
    4.5   silence 7

A line for each action: the time of the show [s] at which it is done, and the action (actions.py).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lanekeep.errors import UserError
from lanekeep.watch.driven_car import STEP_S
from lanekeep.watch.show.actions import perform, words_of
from lanekeep.watch.show.show import Show
from lanekeep.watch.show.words import number_of
from lanekeep_files.reading import LARGEST_TEXT, FileError, as_text, read_file
from lanekeep_files.writing import WritingError

LATEST_S = 1_000_000.0


class Timed(NamedTuple):
    """A line of a script."""

    tick: int
    line: str


class Play:
    """A script being played, and everything that is done meanwhile, by it and by hand."""

    def __init__(self, script: Sequence[Timed] = ()) -> None:
        self.waiting, self.done = list(script), list[Timed]()

    def go_on(self, show: Show) -> None:
        """Do what the script says for now; UserError, with the time, for what cannot be done."""
        while self.waiting and self.waiting[0].tick <= show.ticks:
            timed = self.waiting.pop(0)
            try:
                self.do(show, timed.line)
            except (UserError, WritingError) as error:
                raise UserError(f"{timed.tick * STEP_S:g} s into the script: {error}") from None

    def do(self, show: Show, line: str) -> None:
        """Do something now; UserError for what cannot be done, which is then not written down either."""
        perform(show, line)
        self.done.append(Timed(show.ticks, line))


def read_script(path: Path) -> list[Timed]:
    """The actions of a file in the order of their times; UserError that names the line of what is none."""
    try:
        text = as_text(read_file(path, LARGEST_TEXT), path)
    except OSError as error:
        raise UserError(f"--script {path}: {error.strerror}") from None
    except FileError as error:
        raise UserError(f"--script {error}") from None
    script = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].strip()
        if line:
            try:
                script.append(_timed(line))
            except (ValueError, UserError) as error:
                raise UserError(f"{path}, line {number}: {error}") from None
    return sorted(script, key=lambda timed: timed.tick)


def _timed(line: str) -> Timed:
    time, *rest = line.split(maxsplit=1)
    at_s, action = number_of(time), "".join(rest)
    if not 0.0 <= at_s <= LATEST_S:
        raise ValueError(f"a time is from 0 to {LATEST_S:.0f} s, not {time}")
    words_of(action)
    return Timed(round(at_s / STEP_S), action)


def written(done: Sequence[Timed], begun: str) -> str:
    """Actions as a script, under the command by which the show was begun."""
    return f"# {begun}\n" + "".join(f"{timed.tick * STEP_S:.2f} {timed.line}\n" for timed in done)
