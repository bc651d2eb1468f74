"""Keys and clicks as actions; the list of keys is the help of captions.py."""

import pygame

from lanekeep.watch.panels.captions import HELP
from lanekeep.watch.panels.circuit import cell_at, neuron_at, synapse_at, wiring_of
from lanekeep.watch.panels.effect_bars import row_at
from lanekeep.watch.panels.style import Point
from lanekeep.watch.show.actions import GUST_MPS2
from lanekeep.watch.show.show import Show

KEYS = {key: action for _, _, actions in HELP for key, action in actions.items()}
TYPED = {letter: KEYS[ord(letter)] for letter in ".,/+-"}  # on whatever key they are
DIGITS = tuple("0123456789")


def action_of_key(show: Show, key: int, shift: bool, typed: str = "") -> str | None:
    """The action of a key, by what it writes (keyboards differ) or else by its name; None for a key without one."""
    if typed in TYPED:
        return TYPED[typed]
    if key == pygame.K_g:
        return f"gust {-GUST_MPS2 if shift else GUST_MPS2:g}"
    digit = int(typed) if typed in DIGITS else key - pygame.K_0
    return _toggle_row(show, (digit - 1) % 10) if 0 <= digit <= 9 else KEYS.get(key)


def actions_of_click(show: Show, at: Point, button: int) -> list[str]:
    """Actions of a click at a point of the window [pixels]: on a neuron, a cell, a synapse or a bar."""
    point = show.dashboard.canvas.unit(at)
    layout = show.dashboard.layout
    for k, (memory, bars) in enumerate(zip(layout.memory, layout.bars, strict=True)):
        action = None
        if memory.collidepoint(point):
            action = _memory_clicked(show, k, memory, point, button)
        elif bars.collidepoint(point) and button == 1:
            action = _toggle_row(show, row_at(bars, point[1]))
        if action is not None:
            return [f"driver {k + 1}", action]
    return []


def _toggle_row(show: Show, row: int) -> str | None:
    rows = show.rows.elements
    if not 0 <= row < len(rows):
        return None
    word = "restore" if rows[row] in show.car.edits.removed else "remove"
    return f"{word} {rows[row].name.lower()}"


def _memory_clicked(show: Show, driver: int, box: pygame.Rect, point: Point, button: int) -> str | None:
    car = show.cars[driver]
    wiring = wiring_of(car.driver.core)
    if car.driver.state_size == 0:
        return None
    if wiring is None:
        number = cell_at(box, car.driver.state_size, point)
    else:
        number = neuron_at(box, wiring, point)
        ends = synapse_at(box, wiring, point) if number is None else None
        if ends is not None and button == 1:
            return f"{'mend' if ends in car.lesions.cut else 'cut'} {ends[0]} {ends[1]}"
    return None if number is None else _number_clicked(show, driver, number, button)


def _number_clicked(show: Show, driver: int, number: int, button: int) -> str | None:
    """Left: silence, then clamp where it is, then let go; right: let go; the mouse's wheel turns a clamped one."""
    lesions = show.cars[driver].lesions
    if button in (4, 5) and number in lesions.clamped:
        return f"clamp {number} {lesions.clamped[number] + (0.1 if button == 4 else -0.1):.3f}"
    if button == 3:
        return f"free {number}"
    if button != 1:
        return None
    if number in lesions.silenced:
        return f"clamp {number}"
    return f"free {number}" if number in lesions.clamped else f"silence {number}"
