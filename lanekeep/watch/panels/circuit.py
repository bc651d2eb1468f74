"""The driver's memory, lit: the neurons of a wiring in their layers, or any other state as a field of cells.

A number's light is how far it is from its mean over the last eight seconds, in standard deviations (full light: two): a
full disc is above its mean, a ring below.  A synapse is as wide as its conductance w and as bright as the size of its
current  w sigmoid(sigma (x_j - mu)) (E - x_i); one that inhibits is dashed, one that is cut has a cross on it.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pygame
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from lanekeep.watch.driven_car import Instant
from lanekeep.watch.panels import style
from lanekeep.watch.panels.style import Canvas, Point, Sheet
from lanekeep_policies import LTC, Clamped, Core, Lesions, Wiring

F64 = NDArray[np.float64]
SMALLEST_SPREAD = 0.002  # a number that hardly moves stays dark
KEY_HEIGHT, NAMES_HEIGHT = 40, 26
LARGEST_RADIUS = 9.0
HOLE = 0.6  # of the radius of what is below its mean
NEAR = 5.0  # units from a synapse that still mean it


def wiring_of(core: Core) -> Wiring | None:
    """The wiring of a core that is drawn as a circuit."""
    return core.wiring if isinstance(core, LTC) else None


@torch.no_grad()
def flow(core: Core, state: NDArray[np.float32]) -> tuple[F64, F64]:
    """Conductances w [M] and currents [M] of an LTC's synapses at a state [S], under lesions or not.

    A current into the target is positive where it raises its potential.
    """
    circuit = core.core if isinstance(core, Clamped) else core
    assert isinstance(circuit, LTC)
    x, wiring = torch.from_numpy(state), circuit.wiring
    w = F.softplus(circuit.w) if circuit.constraint == "softplus" else circuit.w
    source, target = torch.tensor(wiring.source), torch.tensor(wiring.target)
    current = w * torch.sigmoid(circuit.sigma * (x[source] - circuit.mu)) * (circuit.erev - x[target])
    return w.double().numpy(), current.double().numpy()


def light(past: Iterable[Instant]) -> F64:
    """State of the last instant as lights [S] in [-1, 1]."""
    states = np.stack([instant.state for instant in past]).astype(np.float64)
    spread = np.maximum(states.std(0), SMALLEST_SPREAD)
    lights: F64 = np.clip((states[-1] - states.mean(0)) / (2.0 * spread), -1.0, 1.0)
    return lights


def draw_circuit(
    canvas: Canvas, box: pygame.Rect, past: Sequence[Instant], wiring: Wiring, running: Core, lesions: Lesions
) -> None:
    """Draw neurons in three columns, and the synapses between them."""
    lights, sheet = light(past), canvas.sheet(box)
    at, radius = place_neurons(wiring, box.width, box.height)
    conductance, current = flow(running, past[-1].state)
    widest, brightest = max(1e-9, float(conductance.max())), max(1e-9, float(np.percentile(np.abs(current), 95.0)))
    order = np.argsort(np.abs(current))  # the brightest on top
    for k in order.tolist():
        source, target = int(wiring.source[k]), int(wiring.target[k])
        lit, thick = min(abs(current[k]) / brightest, 1.0), conductance[k] / widest
        line = synapse(at[source], at[target], radius)
        if (source, target) not in lesions.cut and source not in lesions.silenced:
            draw = sheet.line if wiring.polarity[k] > 0 else sheet.dashes
            draw(line, style.mix(style.RULE, style.BRIGHT, 0.12 + 0.88 * lit), 0.5 + 1.5 * thick)
        elif (source, target) not in lesions.cut:
            _stump(sheet, line)
    for source, target in lesions.cut:
        _cut(sheet, synapse(at[source], at[target], radius))
    for neuron, point in enumerate(at):
        _neuron(sheet, point, radius, float(lights[neuron]), neuron, lesions)
    sheet.done()
    for neuron, value in lesions.clamped.items():
        x, y = box.x + at[neuron][0], box.y + at[neuron][1]
        _potential(canvas, (x, y), radius, value, beside=neuron not in wiring.motor_neurons)
    layers = ((wiring.inter_neurons, "inter"), (wiring.command_neurons, "command"), (wiring.motor_neurons, "motor"))
    for neurons, name in layers:
        if not neurons:  # a circuit without layers has inter and motor neurons only
            continue
        x = box.x + at[neurons[0]][0]
        canvas.write(f"{len(neurons)} {name}", (x, box.y + NAMES_HEIGHT / 2 + 2), style.SMALL, style.PLAIN, "middle")
    draw_key(canvas, box, synapses=True)


def _stump(sheet: Sheet, line: list[Point]) -> None:
    """A synapse of a silenced neuron: its first part, dark."""
    (x, y), (u, v) = line[0], line[1]
    sheet.line([(x, y), (x + 0.35 * (u - x), y + 0.35 * (v - y))], style.mix(style.RULE, style.RED, 0.5), 0.5)


def _cut(sheet: Sheet, line: list[Point]) -> None:
    """A synapse that is cut: dark, with a cross on its middle, above all others."""
    (x, y), (u, v) = line[(len(line) - 1) // 2], line[len(line) // 2]
    sheet.line(line, style.mix(style.PANEL, style.RED, 0.7), 1.5)
    sheet.cross(((x + u) / 2, (y + v) / 2), 5.0, style.RED, 2.0)


def _neuron(sheet: Sheet, point: Point, radius: float, lit: float, number: int, lesions: Lesions) -> None:
    """A disc with its light; under a lesion it has a red rim, and a cross if it is silenced."""
    touched = number in lesions.silenced or number in lesions.clamped
    sheet.disc(point, radius + (2.0 if touched else 1.0), style.RED if touched else style.FAINT)
    _light(sheet, point, radius, lit)
    if number in lesions.silenced:
        sheet.cross(point, 0.6 * radius, style.RED)


def _light(sheet: Sheet, point: Point, radius: float, lit: float) -> None:
    """A disc of light for a number above its mean, a ring for one below."""
    sheet.disc(point, radius, style.mix(style.PANEL, style.BRIGHT, abs(lit)))
    if lit < 0.0:
        sheet.disc(point, HOLE * radius, style.PANEL)


def _potential(canvas: Canvas, at: Point, radius: float, value: float, beside: bool) -> None:
    """The potential of a clamped neuron: beside it, where columns are dense, or above it, where there is no room beside."""
    text = f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")
    wide = canvas.width_of(text, style.SMALL)
    x, y = (at[0] + radius + 4, at[1]) if beside else (at[0] - wide / 2, at[1] - radius - 9)
    canvas.plate(pygame.Rect(round(x) - 1, round(y) - 6, round(wide) + 2, 12), style.PANEL, 2)
    canvas.write(text, (x, y), style.SMALL, style.BRIGHT)


def place_neurons(wiring: Wiring, width: int, height: int) -> tuple[list[Point], float]:
    """Inter neurons on the left, command neurons in the middle, motor neurons on the right, in the order of the state;
    and the radius they have room for."""
    columns = ((wiring.motor_neurons, 0.86), (wiring.command_neurons, 0.50), (wiring.inter_neurons, 0.14))
    room = height - NAMES_HEIGHT - KEY_HEIGHT
    pitch = room / max(wiring.inter, wiring.command, wiring.motor)
    points: list[Point] = []
    for neurons, x in columns:
        gap = min(2.0 * pitch, room / max(1, len(neurons)))
        middle = NAMES_HEIGHT + room / 2.0
        points += [(x * width, middle + gap * (k - (len(neurons) - 1) / 2.0)) for k in range(len(neurons))]
    return points, min(LARGEST_RADIUS, 0.5 * pitch - 1.5)


def synapse(source: Point, target: Point, radius: float) -> list[Point]:
    """A straight line, or an arc to the right within a column; a loop to itself."""
    if source == target:
        turn = np.linspace(0.0, 2.0 * np.pi, 24)
        return [
            (source[0] + radius * (1.0 + 0.9 * np.cos(t)), source[1] - radius * (1.0 + 0.9 * np.sin(t))) for t in turn
        ]
    if source[0] != target[0]:
        return [source, target]
    bulge = 12.0 + 0.16 * abs(source[1] - target[1])
    t = np.linspace(0.0, 1.0, 16)
    return [(source[0] + bulge * 4 * u * (1 - u), source[1] + (target[1] - source[1]) * u) for u in t]


def neuron_at(box: pygame.Rect, wiring: Wiring, point: Point) -> int | None:
    """The neuron under a point of the canvas."""
    at, radius = place_neurons(wiring, box.width, box.height)
    away = [math.dist(point, (box.x + x, box.y + y)) for x, y in at]
    nearest = int(np.argmin(away))
    return nearest if away[nearest] <= radius + 2.0 else None


def synapse_at(box: pygame.Rect, wiring: Wiring, point: Point) -> tuple[int, int] | None:
    """The synapse, source and target, that passes nearest to a point, if near enough."""
    at, radius = place_neurons(wiring, box.width, box.height)
    ends = list(zip(wiring.source.tolist(), wiring.target.tolist(), strict=True))
    here = point[0] - box.x, point[1] - box.y
    away = [_distance(here, synapse(at[source], at[target], radius)) for source, target in ends]
    nearest = int(np.argmin(away))
    return ends[nearest] if away[nearest] <= NEAR else None


def _distance(point: Point, line: list[Point]) -> float:
    """From a point to a line of several pieces."""
    corners = np.asarray(line, np.float64)
    start, along = corners[:-1], np.diff(corners, axis=0)
    square = np.maximum((along**2).sum(1), 1e-12)
    share = np.clip(((np.asarray(point) - start) * along).sum(1) / square, 0.0, 1.0)
    return float(np.hypot(*(start + share[:, None] * along - point).T).min())


def cells_in(box: pygame.Rect, numbers: int) -> tuple[int, float, float]:
    """Columns, width of a cell and left edge of a field of cells."""
    room = box.height - NAMES_HEIGHT - KEY_HEIGHT
    columns = max(8, math.ceil(math.sqrt(numbers * box.width / room)))
    cell = min((box.width - 24) / columns, room / -(-numbers // columns))
    return columns, cell, (box.width - cell * columns) / 2.0


def cell_at(box: pygame.Rect, numbers: int, point: Point) -> int | None:
    """The number of the state under a point of the canvas."""
    columns, cell, left = cells_in(box, numbers)
    column, row = (int((point[0] - box.x - left) // cell), int((point[1] - box.y - NAMES_HEIGHT) // cell))
    number = row * columns + column
    return number if 0 <= column < columns and row >= 0 and number < numbers else None


def draw_cells(canvas: Canvas, box: pygame.Rect, past: Sequence[Instant], lesions: Lesions) -> None:
    """Any state as a field of square cells, row by row; a red rim about those under a lesion."""
    lights, sheet = light(past), canvas.sheet(box)
    columns, cell, left = cells_in(box, len(lights))
    for k, value in enumerate(lights):
        x, y = left + cell * (k % columns), NAMES_HEIGHT + cell * (k // columns)
        dark, corners = style.mix(style.PANEL, style.RULE, 0.5), _square((x, y), cell, 1.0)
        sheet.area(corners, style.mix(dark, style.BRIGHT, abs(float(value))))
        if value < 0.0:
            sheet.area(_square((x, y), cell, 1.0 + 0.5 * (1.0 - HOLE) * cell), dark)
        if k in lesions.silenced or k in lesions.clamped:
            sheet.line([*corners, corners[0]], style.RED, 1.5)
    sheet.done()
    name = f"{len(lights)} numbers of state"
    canvas.write(name, (box.centerx, box.y + NAMES_HEIGHT / 2 + 2), style.SMALL, style.PLAIN, "middle")
    draw_key(canvas, box, synapses=False)


def _square(at: Point, cell: float, inset: float) -> list[Point]:
    """Corners of a cell whose upper left corner is at a point."""
    (x, y), far = at, cell - inset
    return [(x + inset, y + inset), (x + far, y + inset), (x + far, y + far), (x + inset, y + far)]


def draw_key(canvas: Canvas, box: pygame.Rect, synapses: bool) -> None:
    """Write what discs and lines mean along the bottom of the box."""
    bottom = pygame.Rect(box.x, box.bottom - KEY_HEIGHT, box.width, KEY_HEIGHT)
    sheet, y = canvas.sheet(bottom), 8 if synapses else KEY_HEIGHT // 2
    middle = box.width // 2 + 8
    for x, lit, draw in ((14, 1.0, sheet.line), (middle, -1.0, sheet.dashes)):
        _light(sheet, (x + 8, y), 4.5, lit)
        if synapses:
            draw([(x, y + 18), (x + 19, y + 18)], style.PLAIN, 1.5)
    sheet.done()
    for x, number, line in ((14, "above its mean", "excites"), (middle, "below its mean", "inhibits")):
        canvas.write(number, (box.x + x + 26, bottom.y + y), style.SMALL)
        if synapses:
            canvas.write(line, (box.x + x + 26, bottom.y + y + 18), style.SMALL)
