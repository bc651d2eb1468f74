"""What a viewer can tell from the window: one meaning for a colour, what was cut, why it steers, and what can be done."""

from collections.abc import Callable

import numpy as np
import pygame
import pytest
from numpy.typing import NDArray

from lanekeep.watch.panels import circuit, style
from lanekeep.watch.panels.captions import HINT
from lanekeep.watch.panels.effect_bars import FULL_EFFECT, LiveEffects, draw_bars
from lanekeep.watch.panels.style import BLUE, ORANGE, Canvas
from lanekeep.watch.show.actions import perform
from lanekeep.watch.show.script import Play
from lanekeep.watch.show.show import Show
from lanekeep.watch.window.window import watch_in_window
from lanekeep_envs import Element

pytestmark = pytest.mark.usefixtures("one_thread")
ShowOf = Callable[..., Show]
Drive = Callable[[Show, int], NDArray[np.float64]]


def pixels(surface: pygame.Surface, place: pygame.Rect) -> NDArray[np.int64]:
    """Colours [M, 3] within a place."""
    return pygame.surfarray.array3d(surface.subsurface(place)).reshape(-1, 3).astype(np.int64)


@pytest.mark.parametrize(("width", "scale"), [(240, 1.0), (240, 0.75), (200, 2.0)])
@pytest.mark.parametrize("effect", [1.01 * FULL_EFFECT, 0.34, 2.5])
def test_the_number_of_a_long_bar_stands_beside_it_and_in_the_box(width: int, scale: float, effect: float) -> None:
    canvas, box = Canvas((round(300 * scale), round(100 * scale)), (300, 100)), pygame.Rect(20, 10, width, 60)
    effects = LiveEffects()
    effects.now = {Element.TREES: effect, Element.HILLS: -effect}
    canvas.clear()
    draw_bars(canvas, box, [Element.TREES, Element.HILLS], effects, frozenset())
    assert len(canvas.written) == 6
    for place in canvas.written:
        assert canvas.place(box).contains(place)
        for colour in (ORANGE, BLUE):
            assert not (pixels(canvas.surface, place.inflate(0, -2)) == colour).all(1).any()


def test_orange_and_blue_are_of_the_steering_alone(show_of: ShowOf, drive: Drive) -> None:
    show = show_of("ncp", "lstm")
    drive(show, 12)
    picture, dashboard = show.draw(), show.dashboard
    layout = dashboard.layout
    for box in (*layout.memory, layout.steering, layout.offset, layout.road):
        seen = pixels(picture, dashboard.canvas.place(box))
        for colour in (ORANGE, BLUE):
            assert np.abs(seen - colour).max(1).min() > 24
    for box in layout.memory:  # what lights up is grey: disc or ring, whole or dashed
        assert np.ptp(pixels(picture, dashboard.canvas.place(box)), axis=1).max() < 30


def test_a_synapse_that_is_cut_is_told_from_all_others(show_of: ShowOf, circuit_ends: set[tuple[int, int]]) -> None:
    show = show_of("ncp")
    box, wiring = show.dashboard.layout.memory[0], circuit.wiring_of(show.car.driver.core)
    assert wiring is not None
    at, radius = circuit.place_neurons(wiring, box.width, box.height)
    for source, target in sorted(circuit_ends)[::9]:
        line = circuit.synapse(at[source], at[target], radius)
        (x, y), (u, v) = line[(len(line) - 1) // 2], line[len(line) // 2]
        place = show.dashboard.canvas.place(
            pygame.Rect(round(box.x + (x + u) / 2) - 3, round(box.y + (y + v) / 2) - 3, 7, 7)
        )

        def red(place: pygame.Rect = place) -> int:
            return int((np.abs(pixels(show.draw(), place) - style.RED).max(1) < 40).sum())

        assert red() == 0
        perform(show, f"cut {source} {target}")
        assert red() >= 6
        perform(show, f"mend {source} {target}")
        assert red() == 0


def test_a_silenced_motor_neuron_says_what_steers_now(show_of: ShowOf, drive: Drive) -> None:
    show = show_of("ncp", "lstm")
    assert not show.car.left_to_steer
    perform(show, "silence 7")
    assert not show.car.left_to_steer
    perform(show, "silence 0")
    drive(show, 60)  # longer than a message is shown
    bias = float(show.car.running.readout.bias.detach()[0])
    assert abs(show.car.past[-1].action - bias) < 1e-6
    (told,) = [tag for tag in show._tags() if "bias" in tag]
    assert f"{abs(bias):.2f} to the {'left' if bias > 0 else 'right'}" in told
    perform(show, "free 0")
    assert not show.car.left_to_steer
    perform(show, "driver 2")
    perform(show, "silence 0")
    assert not show.car.left_to_steer, "the first of an LSTM's numbers is no motor neuron"


@pytest.mark.parametrize("size", [(960, 540), (1280, 720), (2560, 1440)])
def test_the_window_says_all_the_time_that_there_are_keys_and_clicks(show_of: ShowOf, size: tuple[int, int]) -> None:
    show = show_of("ncp")
    show.resize(size)
    show.draw()
    before = len(show.dashboard.canvas.written)
    watch_in_window(show, Play(()), 2)
    show.draw()
    words, canvas = show.dashboard.canvas.written, show.dashboard.canvas
    assert show.hint == HINT and "H " in HINT and "neuron" in HINT and len(words) == before + 1
    (line,) = [word for word in words if word.top >= canvas.pixel((0, 704))[1]]
    assert pygame.Rect((0, 0), size).contains(line)
