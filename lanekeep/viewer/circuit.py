"""The driver's memory, lit: the neurons of a wiring in their layers, or any other state as a field of cells.

A number's light is how far it is from its mean over the last eight seconds, in standard deviations (full light: two).
"""

import math
from collections.abc import Iterable

import numpy as np
import pygame
from numpy.typing import NDArray

from lanekeep.viewer.journey import Instant
from lanekeep.viewer.style import BLUE, FAINT, ORANGE, PANEL, PLAIN, RULE, SMALL, Point, Sheet, mix, signed, write
from lanekeep_policies.wiring import Wiring

SMALLEST_SPREAD = 0.002  # a number that hardly moves stays dark
KEY_HEIGHT, NAMES_HEIGHT = 40, 26
RADIUS = 9.0


def light(past: Iterable[Instant]) -> NDArray[np.float64]:
    """State of the last instant as lights [S] in [-1, 1]."""
    states = np.stack([instant.state for instant in past]).astype(np.float64)
    spread = np.maximum(states.std(0), SMALLEST_SPREAD)
    lights: NDArray[np.float64] = np.clip((states[-1] - states.mean(0)) / (2.0 * spread), -1.0, 1.0)
    return lights


def draw_circuit(canvas: pygame.Surface, box: pygame.Rect, past: Iterable[Instant], wiring: Wiring) -> None:
    """Neurons in three columns, synapses between them as bright as their source is active."""
    lights, sheet = light(past), Sheet(box.width, box.height)
    at = place_neurons(wiring, box.width, box.height)
    for source, target, polarity in zip(wiring.source, wiring.target, wiring.polarity, strict=True):
        colour = mix(RULE, ORANGE if polarity > 0 else BLUE, 0.25 + 0.65 * abs(lights[source]))
        sheet.line(synapse(at[source], at[target]), colour, 0.5 + 0.75 * abs(lights[source]))
    for neuron, point in enumerate(at):
        sheet.disc(point, RADIUS + 1.0, FAINT)
        sheet.disc(point, RADIUS, signed(float(lights[neuron])))
    sheet.onto(canvas, box.topleft)
    layers = ((wiring.inter_neurons, "inter"), (wiring.command_neurons, "command"), (wiring.motor_neurons, "motor"))
    for neurons, name in layers:
        if not neurons:  # a circuit without layers has inter and motor neurons only
            continue
        x = box.x + at[neurons[0]][0]
        write(canvas, f"{len(neurons)} {name}", (x, box.y + NAMES_HEIGHT / 2 + 2), SMALL, PLAIN, "middle")
    draw_key(canvas, box, synapses=True)


def place_neurons(wiring: Wiring, width: int, height: int) -> list[Point]:
    """Inter neurons on the left, command neurons in the middle, motor neurons on the right; in the order of the state."""
    columns = ((wiring.motor_neurons, 0.86), (wiring.command_neurons, 0.50), (wiring.inter_neurons, 0.14))
    room = height - NAMES_HEIGHT - KEY_HEIGHT
    pitch = room / max(wiring.inter, wiring.command, wiring.motor)
    points: list[Point] = []
    for neurons, x in columns:
        gap = min(2.0 * pitch, room / max(1, len(neurons)))
        middle = NAMES_HEIGHT + room / 2.0
        points += [(x * width, middle + gap * (k - (len(neurons) - 1) / 2.0)) for k in range(len(neurons))]
    return points


def synapse(source: Point, target: Point) -> list[Point]:
    """A straight line, or an arc to the right within a column; a loop to itself."""
    if source == target:
        turn = np.linspace(0.0, 2.0 * np.pi, 24)
        return [(source[0] + 9.0 + 8.0 * np.cos(t), source[1] - 9.0 + 8.0 * np.sin(t)) for t in turn]
    if source[0] != target[0]:
        return [source, target]
    bulge = 12.0 + 0.16 * abs(source[1] - target[1])
    t = np.linspace(0.0, 1.0, 16)
    return [(source[0] + bulge * 4 * u * (1 - u), source[1] + (target[1] - source[1]) * u) for u in t]


def draw_cells(canvas: pygame.Surface, box: pygame.Rect, past: Iterable[Instant]) -> None:
    """Any state as a field of square cells, row by row."""
    lights, sheet = light(past), Sheet(box.width, box.height)
    room = box.height - NAMES_HEIGHT - KEY_HEIGHT
    columns = max(8, math.ceil(math.sqrt(len(lights) * box.width / room)))
    rows = -(-len(lights) // columns)
    cell = min((box.width - 24) / columns, room / rows)
    left = (box.width - cell * columns) / 2.0
    for k, value in enumerate(lights):
        x, y = left + cell * (k % columns), NAMES_HEIGHT + cell * (k // columns)
        corners = [(x + 1, y + 1), (x + cell - 1, y + 1), (x + cell - 1, y + cell - 1), (x + 1, y + cell - 1)]
        sheet.area(corners, signed(float(value), mix(PANEL, RULE, 0.5)))
    sheet.onto(canvas, box.topleft)
    name = f"{len(lights)} numbers of state"
    write(canvas, name, (box.centerx, box.y + NAMES_HEIGHT / 2 + 2), SMALL, PLAIN, "middle")
    draw_key(canvas, box, synapses=False)


def draw_key(canvas: pygame.Surface, box: pygame.Rect, synapses: bool) -> None:
    """What the colours mean, along the bottom of the box."""
    sheet, y = Sheet(box.width, KEY_HEIGHT), 8 if synapses else KEY_HEIGHT // 2
    middle = box.width // 2 + 8
    for x, colour in ((14, ORANGE), (middle, BLUE)):
        sheet.disc((x + 8, y), 4.0, colour)
        if synapses:
            sheet.line([(x, y + 18), (x + 16, y + 18)], colour, 1.5)
    top = box.bottom - KEY_HEIGHT
    sheet.onto(canvas, (box.x, top))
    for x, number, line in ((14, "above its mean", "excites"), (middle, "below its mean", "inhibits")):
        write(canvas, number, (box.x + x + 22, top + y), SMALL)
        if synapses:
            write(canvas, line, (box.x + x + 22, top + y + 18), SMALL)
