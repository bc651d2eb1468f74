"""The error that a user can mend, and the end of its sentence."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """What the user asked for cannot be done; the message is one sentence with the way out."""


def did_you_mean(word: str, valid: Iterable[str], otherwise: str) -> str:
    """The end of a sentence about an unknown word."""
    nearest = difflib.get_close_matches(word, valid, n=1)
    return f"did you mean {nearest[0]}?" if nearest else otherwise
