"""Words that follow an action: how each is read, and the sentence that refuses one that means nothing."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lanekeep.errors import did_you_mean
from lanekeep.watch.panels.overlay import overlays
from lanekeep.watch.show.show import WEATHER
from lanekeep_envs import REMOVABLE, Element, element_named


def number_of(word: str) -> float:
    """A finite number; ValueError for another word."""
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{_short(word)!r} is not a number")
    return value


def _whole(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise ValueError(f"{_short(word)!r} is not a whole number") from None


def _short(word: str) -> str:
    """A word as a sentence can hold it."""
    return word if len(word) <= 80 else f"{word[:77]}..."


def _among(words: tuple[str, ...]) -> Callable[[str], str]:
    """A function that refuses a word that is not one of these."""

    def checked(word: str) -> str:
        if word not in words:
            raise ValueError(did_you_mean(word, words, f"there are {', '.join(words)}"))
        return word

    return checked


def _strength_of(word: str) -> float:
    if not 0.0 <= (value := number_of(word)) <= 1.0:
        raise ValueError("a strength is from 0 to 1")
    return value


def _removable(name: str) -> Element:
    element = element_named(name)
    if element not in REMOVABLE:
        raise ValueError(f"{name} cannot be removed: the rest stands on it")
    return element


TAKES: dict[str, Callable[[str], Any]] = {  # what may follow an action, and how its word is read
    "FACTOR": number_of,
    "SEED": _whole,
    "SCENARIO": str,
    "OVERLAY": lambda word: _among(tuple(overlays()))(word),
    "NUMBER": _whole,
    "ACTION": number_of,
    "ELEMENT": _removable,
    "WEATHER": _among(WEATHER),
    "STRENGTH": _strength_of,
    "NEURON": _whole,
    "POTENTIAL": number_of,
    "SOURCE": _whole,
    "TARGET": _whole,
    "MPS2": number_of,
    "FILE": Path,
}
