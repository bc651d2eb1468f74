"""Keys and clicks: each is an action, and what it is written on or aimed at decides which."""

from collections.abc import Callable

import numpy as np
import pygame
import pytest

from lanekeep.watch.panels import circuit
from lanekeep.watch.panels.captions import HELP
from lanekeep.watch.show import actions
from lanekeep.watch.show.actions import ACTIONS, perform
from lanekeep.watch.show.show import Show
from lanekeep.watch.window.keys import KEYS, action_of_key, actions_of_click

pytestmark = pytest.mark.usefixtures("one_thread")
ShowOf = Callable[..., Show]


def test_every_key_is_an_action_and_is_in_the_help(show_of: ShowOf) -> None:
    show = show_of("ncp")
    assert all(action in ACTIONS for action in KEYS.values())
    assert len({text for _, text, _ in HELP}) == len(HELP)
    for key in KEYS:
        action = action_of_key(show, key, False)
        assert action is not None and action.split()[0] in ACTIONS
    assert action_of_key(show, pygame.K_g, True) == "gust -4"
    assert action_of_key(show, pygame.K_x, False) is None
    rows = show.rows.elements
    assert action_of_key(show, pygame.K_1, False) == f"remove {rows[0].name.lower()}"


def test_a_key_is_what_is_written_on_it(show_of: ShowOf) -> None:
    """A German keyboard has the slash above the 7, a French one has figures above everything."""
    show = show_of("ncp")
    first = f"remove {show.rows.elements[0].name.lower()}"
    assert action_of_key(show, pygame.K_7, True, "/") == "faster"
    assert action_of_key(show, pygame.K_AMPERSAND, True, "1") == first == action_of_key(show, pygame.K_1, False, "1")
    assert action_of_key(show, pygame.K_KP_PLUS, False, "+") == "stronger"


def test_default_gust_is_what_the_key_says() -> None:
    assert f"{actions.GUST_MPS2:g}" == "4"


def pixel_of(show: Show, point: tuple[float, float]) -> tuple[int, int]:
    return show.dashboard.canvas.pixel(point)


def test_a_click_on_a_neuron_silences_clamps_and_lets_it_go(show_of: ShowOf) -> None:
    show = show_of("ncp")
    show.draw()
    box, wiring = show.dashboard.layout.memory[0], circuit.wiring_of(show.car.driver.core)
    assert wiring is not None
    at, _ = circuit.place_neurons(wiring, box.width, box.height)
    place = pixel_of(show, (box.x + at[9][0], box.y + at[9][1]))
    potential = float(show.car.past[-1].state[9])
    for expected in ("silence 9", "clamp 9", "free 9"):
        lines = actions_of_click(show, place, 1)
        assert lines == ["driver 1", expected]
        for line in lines:
            perform(show, line)
        if expected == "clamp 9":
            assert show.car.lesions.clamped[9] == pytest.approx(potential, abs=0.5)
            assert actions_of_click(show, place, 4)[1].startswith("clamp 9 ")
            assert actions_of_click(show, place, 3)[1] == "free 9"
    assert not show.car.lesions


def test_a_click_on_a_synapse_cuts_it_and_another_mends_it(show_of: ShowOf) -> None:
    show = show_of("lstm", "ncp")
    show.draw()
    box, wiring = show.dashboard.layout.memory[1], circuit.wiring_of(show.cars[1].driver.core)
    assert wiring is not None
    at, radius = circuit.place_neurons(wiring, box.width, box.height)
    for source, target in zip(wiring.source.tolist(), wiring.target.tolist(), strict=True):
        line = circuit.synapse(at[source], at[target], radius)
        point = np.mean(line[:2], axis=0) if len(line) == 2 else line[len(line) // 2]
        point = (box.x + point[0], box.y + point[1])
        if circuit.synapse_at(box, wiring, point) == (source, target) and circuit.neuron_at(box, wiring, point) is None:
            break
    for word in ("cut", "mend"):
        lines = actions_of_click(show, pixel_of(show, point), 1)
        assert lines == ["driver 2", f"{word} {source} {target}"]
        for line in lines:
            perform(show, line)
    assert not show.car.lesions


def test_a_click_on_a_cell_and_on_a_bar(show_of: ShowOf) -> None:
    show = show_of("lstm")
    show.draw()
    memory, bars = show.dashboard.layout.memory[0], show.dashboard.layout.bars[0]
    columns, cell, left = circuit.cells_in(memory, 128)
    point = (memory.x + left + 2.5 * cell, memory.y + circuit.NAMES_HEIGHT + 1.5 * cell)
    assert actions_of_click(show, pixel_of(show, point), 1) == ["driver 1", f"silence {columns + 2}"]
    second = show.rows.elements[1].name.lower()
    assert actions_of_click(show, pixel_of(show, (bars.x + 30, bars.y + 3 + 24)), 1) == ["driver 1", f"remove {second}"]
    assert actions_of_click(show, pixel_of(show, (5, 5)), 1) == []
