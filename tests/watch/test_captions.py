"""Captions: words stay in their windscreen and lose nothing while there is room."""

from collections.abc import Callable

import pygame
import pytest

from lanekeep.watch.panels.captions import folded
from lanekeep.watch.show.actions import perform
from lanekeep.watch.show.show import Show
from lanekeep_envs import load_scenario
from lanekeep_policies import Driver

pytestmark = pytest.mark.usefixtures("one_thread")
Untrained = Callable[..., Driver]


@pytest.mark.parametrize(
    ("cores", "size"), [(("ncp",), (960, 540)), (("ncp", "lstm"), (960, 540)), (("ncp", "lstm"), (2560, 1440))]
)
def test_words_stay_in_their_windscreen_however_many_there_are(
    untrained: Untrained, cores: tuple[str, ...], size: tuple[int, int]
) -> None:
    show = Show(list(cores), [untrained(core) for core in cores], load_scenario("country"), -(10**40), size)
    lines = "hold|pace 0.125|steer -0.5|strength fog 0.3|strength rain 0.1|strength noise 0.5|remove trees|silence 9"
    lines += "|clamp 18 -0.4|clamp 17 12|clamp 7 0.4|clamp 12 0.1|clamp 6 -3|clamp 1 0.2|clamp 0 -1.5"
    for line in lines.split("|"):
        perform(show, line)
    show.draw()
    before = list(show.dashboard.canvas.written)
    for message in ("a/path/" * 40 + "x is written", "this driver cannot do " * 20):
        show.say(message)
        show.draw()
        words = show.dashboard.canvas.written
        place = show.dashboard.canvas.place(show.dashboard.layout.windscreen[0])
        assert len(words) > len(before)
        assert all(place.contains(word) for word in words[len(before) - len(show._tags()) :])
        for k, word in enumerate(words):
            assert pygame.Rect((0, 0), size).contains(word)
            assert word.inflate(-2, -4).collidelist(words[:k]) == -1


def test_a_text_is_folded_without_losing_a_word_while_there_is_room() -> None:
    def fits(line: str) -> bool:
        return len(line) <= 12

    text = "one two three four five"
    assert " ".join(folded(text, fits)) == text and all(map(fits, folded(text, fits)))
    assert folded("x" * 30, fits) == ["x" * 11 + "\N{HORIZONTAL ELLIPSIS}"]
    many = folded("word " * 30, fits)
    assert len(many) == 3 and many[-1].endswith("\N{HORIZONTAL ELLIPSIS}") and all(map(fits, many))
