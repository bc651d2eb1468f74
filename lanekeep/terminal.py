"""What is written to the terminal: text from files as text, never as markup, and control characters as visible escapes."""

import unicodedata
from typing import Any

from rich.console import Console
from rich.text import Text

LONGEST = 1000  # characters of a sentence: a file may put anything into one
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # categories of Unicode: controls, marks of direction, half characters


def printable(text: str) -> str:
    """Return text in which every character that a terminal would obey is written as its escape: ESC as \\x1b."""
    if text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


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
