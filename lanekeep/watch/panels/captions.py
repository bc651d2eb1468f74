"""Captions over the pictures: tags at the top of a windscreen, a message at its bottom, the help over everything.

The help is the one list of keys; digits, G, the arrows and the mouse need more than a name (window/keys.py).
"""

from collections.abc import Callable
from typing import NamedTuple

import pygame

from lanekeep.watch.panels.layout import UNITS
from lanekeep.watch.panels.style import BRIGHT, FAINT, GROUND, LARGE, NORMAL, PLAIN, RULE, SMALL, Canvas

TAG, GAP, LINE = 26, 8, 24
MOST_LINES = 3  # of a message
DOTS = "\N{HORIZONTAL ELLIPSIS}"
PLUS = (pygame.K_PLUS, pygame.K_KP_PLUS, pygame.K_EQUALS)  # the last is where plus is written with shift
MINUS = (pygame.K_MINUS, pygame.K_KP_MINUS)
HELP: tuple[tuple[str, str, dict[int, str]], ...] = (  # key, what it does, its actions (show/actions.py)
    ("Space", "hold and go on", {pygame.K_SPACE: "hold"}),
    (".", "one step of 1/20 s", {pygame.K_PERIOD: "step"}),
    (",  /", "slower, faster", {pygame.K_COMMA: "slower", pygame.K_SLASH: "faster"}),
    ("Backspace", "this road again", {pygame.K_BACKSPACE: "reset"}),
    ("N", "next road", {pygame.K_n: "next-road"}),
    ("S", "next scenario", {pygame.K_s: "scenario"}),
    ("W", "choose weather, wear, lens or noise", {pygame.K_w: "weather"}),
    ("+  \N{MINUS SIGN}", "stronger, weaker", dict.fromkeys(PLUS, "stronger") | dict.fromkeys(MINUS, "weaker")),
    ("1 ... 0", "remove or restore what its bar is of", {}),
    ("U", "restore everything, the weather too", {pygame.K_u: "restore"}),
    ("O", "next overlay", {pygame.K_o: "overlay"}),
    ("Left  Right", "take the wheel and steer", {}),
    ("Enter", "give the wheel back", {pygame.K_RETURN: "release", pygame.K_KP_ENTER: "release"}),
    ("G  Shift+G", "a gust to the left, to the right", {}),
    ("click", "a neuron: silence, clamp, let go", {}),
    ("", "a synapse: cut, mend", {}),
    ("mouse wheel", "over a clamped neuron: its potential", {}),
    ("L", "let all neurons and synapses go", {pygame.K_l: "heal"}),
    ("Tab", "the other driver's turn", {pygame.K_TAB: "driver"}),
    ("P", "a picture", {pygame.K_p: "screenshot"}),
    ("R", "record a film, end it", {pygame.K_r: "record"}),
    ("I", "save this instant", {pygame.K_i: "save"}),
    ("H", "this help", {pygame.K_h: "help", pygame.K_F1: "help"}),
    ("Q  Esc", "close", {pygame.K_q: "quit", pygame.K_ESCAPE: "quit"}),
)


HINT = "H lists the keys; a click on a neuron, a synapse or a bar acts on it"


class Captions(NamedTuple):
    """Words to write, and the number of the driver whose windscreen they are written on."""

    tags: tuple[str, ...] = ()
    message: str = ""
    chosen: int = 0
    help: bool = False
    hint: str = ""  # below everything, all the time


def draw_captions(canvas: Canvas, box: pygame.Rect, captions: Captions) -> None:
    """Write captions over a windscreen."""
    if captions.hint:
        canvas.write(captions.hint, (16, UNITS[1] - 8), SMALL, FAINT)
    _tags(canvas, box, captions.tags)
    if captions.message:
        _message(canvas, box, captions.message)
    if captions.help:
        _help(canvas)


def _tags(canvas: Canvas, box: pygame.Rect, tags: tuple[str, ...]) -> None:
    """Write tags from left to right, and in another row where a row is full."""
    x, y = box.x + 10, box.y + 10
    for tag in tags:
        wide = round(canvas.width_of(tag)) + 20
        if x > box.x + 10 and x + wide > box.right - 10:
            x, y = box.x + 10, y + TAG + GAP
        plate = pygame.Rect(x, y, wide, TAG)
        canvas.plate(plate, GROUND, 6)
        canvas.write(tag, plate.center, NORMAL, BRIGHT, "middle")
        x += wide + GAP


def _message(canvas: Canvas, box: pygame.Rect, message: str) -> None:
    lines = folded(message, lambda line: canvas.width_of(line) <= box.width - 60)
    plate = pygame.Rect(0, 0, round(max(map(canvas.width_of, lines))) + 40, LINE * len(lines) + 6)
    plate.midbottom = (box.centerx, box.bottom - 10)
    canvas.plate(plate, GROUND, 6)
    for k, line in enumerate(lines):
        canvas.write(line, (plate.centerx, plate.y + 3 + LINE * (k + 0.5)), NORMAL, BRIGHT, "middle")


def _help(canvas: Canvas) -> None:
    half = -(-len(HELP) // 2)
    plate = pygame.Rect(0, 0, 1080, 76 + 27 * half)
    plate.center = (UNITS[0] // 2, UNITS[1] // 2)
    canvas.plate(plate.inflate(4, 4), RULE, 10)
    canvas.plate(plate, GROUND, 10)
    canvas.write("keys", (plate.x + 28, plate.y + 32), LARGE, BRIGHT)
    for k, (key, text, _) in enumerate(HELP):
        x, y = plate.x + 28 + 528 * (k // half), plate.y + 72 + 27 * (k % half)
        canvas.write(key, (x, y), NORMAL, BRIGHT)
        canvas.write(text, (x + 128, y), NORMAL, PLAIN)


def folded(text: str, fits: Callable[[str], bool]) -> list[str]:
    """A text in a few lines that fit; a word that is too long for one, and what is left over, end in dots."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if fits(longer):
            lines[-1] = longer
        elif len(lines) == MOST_LINES:
            return [*lines[:-1], _cut(longer, fits)]
        else:
            lines += [_cut(word, fits)]
    return [line for line in lines if line]


def _cut(line: str, fits: Callable[[str], bool]) -> str:
    if fits(line):
        return line
    return next((cut for k in range(len(line), 0, -1) if fits(cut := line[:k].rstrip() + DOTS)), DOTS)


def shortened(name: str, letters: int = 17) -> str:
    """A name that leaves room for what stands beside it."""
    return name if len(name) <= letters else name[: letters - 1] + DOTS


def counted(number: int, noun: str) -> str:
    """`1 departure`, `2 departures`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
