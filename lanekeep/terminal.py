"""What is written to the terminal: text from files as text, never as markup, and control characters as visible escapes.

A table is never cut: into a pipe or a file it goes with one line a row, and where a terminal is narrower than the table, the
terminal breaks the lines.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

LONGEST = 1000  # characters of a sentence: a file may put anything into one
WIDE = 10_000  # more characters than any table has
OVER_ITS_INTERVAL = re.compile(r"(\S+)\n\[(\S+), (\S+)\]")
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # categories of Unicode: controls, marks of direction, half characters


def printable(text: str) -> str:
    """Return text in which every character that a terminal would obey is written as its escape: ESC as \\x1b."""
    if text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def say(line: str) -> None:
    """Print a line with its control characters shown."""
    print(printable(line))


def one_line(sentence: str) -> str:
    """Return a sentence in one printable line; of a very long one its beginning and end."""
    line = printable(" ".join(sentence.split()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 300]} ... {line[-290:]}"


def _visible(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in INVISIBLE:
        return character
    return character.encode("unicode_escape").decode()


class Terminal(Console):
    """A console of rich that takes words as they are: brackets are brackets."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return words with their control characters shown, and without markup whatever is asked for."""
        return super().render_str(printable(text), **{**options, "markup": False, "emoji": False})

    def print_table(self, table: Table) -> None:
        """Print a table whole."""
        least, most = Measurement.get(self, self.options.update(width=WIDE), table)
        self.width = max(self.width, least if self.is_terminal else most)
        self.print(table)


def as_csv(table: Table) -> str:
    """Return the rows of a table as CSV; a number over its interval fills three columns: NAME, NAME low and NAME high."""
    columns = [
        expanded(" ".join(str(column.header).split()), [str(cell) for cell in column.cells]) for column in table.columns
    ]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(zip(*(part for parts in columns for part in parts), strict=True))
    return out.getvalue()


def expanded(header: str, cells: Iterable[str]) -> list[list[str]]:
    """Return a column as columns, each with its header first: itself, or values, lower and upper bounds."""
    found = [OVER_ITS_INTERVAL.fullmatch(cell) for cell in cells]
    if not any(found):
        return [[header, *cells]]
    parts = [match.groups() if match else (cell, "", "") for match, cell in zip(found, cells, strict=True)]
    names = (header, f"{header} low".strip(), f"{header} high".strip())
    return [[name, *(part[k] for part in parts)] for k, name in enumerate(names)]
