"""Where a wiring stands on paper: neurons in columns, from the features on the left to the motor neurons, and synapses.

The order within a column is chosen so that few synapses cross: each neuron moves to the mean place of its partners in
the neighbouring columns (the barycentre heuristic of Sugiyama, Tagawa & Toda, IEEE Trans. SMC 11, 109-125, 1981),
sweep after sweep, and the best order met is kept. Motor neurons keep theirs, for it is the order of the outputs.
Coordinates are points (1/72 inch), x to the right, y up. A neuron is a node: sensory neurons come first, so node =
sensory + number of the neuron.

A synapse takes a way from one neuron to another that is a cubic Bezier curve between the rims of two circles:

    to the next column      straight, aimed at the centre or, where many arrive, somewhat beside it
    within a column         an arc on the right; the one in the other direction leaves and arrives elsewhere
    to itself               a loop on top
    over columns between    past their top or bottom neuron, whichever is nearer to the source
    to an earlier column    bent, beside the straight ones

A way ends `GAP` before the rim, so that its head (arrow or bar) stays free. Angles are radians, counter-clockwise
from the right.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_policies.wiring.wiring import Ints, Wiring

Floats = NDArray[np.float64]

SWEEPS = 12
WIDEST_PITCH = 42.0  # points between neighbours of a column
GAP = 0.8
LANE = 13.0  # how far past the neurons the highest way over a column is
WIDEST_ARC = np.radians(125.0)  # of a rim on which straight ways end


class Box(NamedTuple):
    """The part of the paper that neurons may use: their centres in x, all of them in y."""

    left: float
    right: float
    bottom: float
    top: float


class Column(NamedTuple):
    name: str
    nodes: Ints  # [n] from top to bottom
    x: float
    pitch: float
    radius: float  # of a neuron's circle


def layers_of(wiring: Wiring) -> dict[str, Ints]:
    """The nodes of each layer that the wiring has, from left to right."""
    numbers = {
        "sensory": range(-wiring.sensory, 0),
        "inter": wiring.inter_neurons,
        "command": wiring.command_neurons,
        "motor": wiring.motor_neurons,
    }
    return {name: wiring.sensory + np.array(neurons) for name, neurons in numbers.items() if neurons}


def columns(wiring: Wiring, box: Box) -> list[Column]:
    """The layers, spread over the box."""
    layers = layers_of(wiring)
    gaps = np.array([1.5, 1.0, 1.0])[: len(layers) - 1]  # most synapses are between the first two
    places = box.left + (box.right - box.left) * np.r_[0.0, np.cumsum(gaps) / gaps.sum()]
    pitches = {name: min((box.top - box.bottom) / len(nodes), WIDEST_PITCH) for name, nodes in layers.items()}
    radius = min(8.5, 0.31 * min(pitch for name, pitch in pitches.items() if name != "sensory"))
    orders = best_orders(wiring, list(layers.values()))
    return [
        Column(name, order, float(x), pitch, min(3.6, 0.36 * pitch) if name == "sensory" else radius)
        for (name, pitch), order, x in zip(pitches.items(), orders, places, strict=True)
    ]


def jumps(wiring: Wiring) -> bool:
    """Whether a synapse leads over a column, so that its way is outside the box."""
    column = np.zeros(wiring.sensory + wiring.neurons, np.int64)
    for k, nodes in enumerate(layers_of(wiring).values()):
        column[nodes] = k
    sources, targets = np.nonzero(joins(wiring))
    return bool((column[targets] - column[sources] > 1).any())


def place(column: Column, box: Box) -> Floats:
    """[n, 2] centres of the column's neurons, about the middle of the box."""
    n = len(column.nodes)
    y = (box.bottom + box.top) / 2.0 + column.pitch * ((n - 1) / 2.0 - np.arange(n))
    return np.stack([np.full(n, column.x), y], axis=1)


def best_orders(wiring: Wiring, layers: list[Ints]) -> list[Ints]:
    """The nodes of each layer in the order met that lets the fewest synapses cross; the last layer stays as it is."""
    joined = joins(wiring) + joins(wiring).T  # the direction does not matter
    orders, best = list(layers), list(layers)
    for _ in range(SWEEPS):
        for k in [*range(len(orders) - 2, -1, -1), *range(1, len(orders) - 1)]:
            neighbours = [orders[j] for j in (k - 1, k + 1) if 0 <= j < len(orders)]
            orders[k] = orders[k][np.argsort(_barycentres(joined, orders[k], neighbours), kind="stable")]
            if crossings(joined, orders) < crossings(joined, best):
                best = list(orders)
    return best


def joins(wiring: Wiring) -> Ints:
    """[nodes, nodes] 1 where a synapse leads from row to column."""
    nodes = wiring.sensory + wiring.neurons
    matrix = np.zeros((nodes, nodes), np.int64)
    matrix[wiring.sensory_source, wiring.sensory + wiring.sensory_target] = 1
    matrix[wiring.sensory + wiring.source, wiring.sensory + wiring.target] = 1
    return matrix


def crossings(joined: Ints, orders: list[Ints]) -> int:
    """How many pairs of synapses between neighbouring columns cross, all drawn straight."""
    total = 0
    for left, right in zip(orders[:-1], orders[1:], strict=True):
        between = joined[np.ix_(left, right)]
        # above[i, j]: synapses from a source above i to a target below j
        below = between[:, ::-1].cumsum(1)[:, ::-1] - between
        above = below.cumsum(0) - below
        total += int((between * above).sum())
    return total


def _barycentres(joined: Ints, nodes: Ints, neighbours: list[Ints]) -> Floats:
    """[n] mean place, 0 top to 1 bottom, of each node's partners; a node without any stays where it is."""
    places = np.concatenate([(np.arange(len(order)) + 0.5) / len(order) for order in neighbours])
    weights = joined[np.ix_(nodes, np.concatenate(neighbours))]
    own = (np.arange(len(nodes)) + 0.5) / len(nodes)
    count = weights.sum(1)
    return np.where(count > 0, weights @ places / np.maximum(count, 1), own)


class Disc(NamedTuple):
    """A neuron on paper."""

    x: float
    y: float
    radius: float
    above: float  # free height over it
    column: int  # from the left

    def rim(self, angle: float, beyond: float = 0.0) -> Floats:
        """[2] the point at this angle, `beyond` points outside the circle."""
        return np.array([self.x, self.y]) + (self.radius + beyond) * _direction(angle)


def straight(sources: list[Disc], target: Disc, apart: float) -> list[Floats]:
    """Ways [4, 2] from a column into a neuron of the next, their ends `apart` points from each other if there is room."""
    heights = np.array([source.y for source in sources])
    seen = np.arctan2(heights - target.y, target.x - sources[0].x)  # from the left, upwards
    arriving = np.pi - _spread(seen, min(apart / (target.radius + GAP), WIDEST_ARC / len(sources)))
    ways = []
    for source, angle in zip(sources, arriving, strict=True):
        end = target.rim(float(angle), GAP)
        ways.append(np.linspace(_towards(source, end, 0.0), end, 4))
    return ways


def curve(source: Disc, target: Disc, layers: list[Column], box: Box) -> Floats:
    """Any other way [4, 2]; the last two points give the heading at the end. All neurons are inside the box."""
    columns = target.column - source.column
    if source == target:
        reach = min(2.6 * source.radius, 1.35 * source.above)
        return _leave_and_arrive(source, target, np.radians(55.0), np.radians(125.0), reach)
    step = np.array([target.x - source.x, target.y - source.y])
    angle, distance = float(np.arctan2(step[1], step[0])), float(np.hypot(*step))
    if columns == 0:
        down, far = float(np.sign(step[1])), min(distance / 120.0, 1.0)
        arriving = -down * np.radians(34.0 + 24.0 * far)
        return _leave_and_arrive(source, target, down * np.radians(14.0), arriving, 3.0 + 0.42 * distance)
    if columns > 1:
        passed = layers[source.column + 1 : target.column]
        return _past(source, target, float(np.mean([layer.x for layer in passed])), box)
    bend = np.radians(20.0)
    return _leave_and_arrive(source, target, angle - bend, angle + np.pi + bend, 0.36 * distance)


def _leave_and_arrive(source: Disc, target: Disc, leaving: float, arriving: float, reach: float) -> Floats:
    """Out of the source at one angle of its rim, into the target at one of its own, both at a right angle to the rim."""
    start, end = source.rim(leaving), target.rim(arriving, GAP)
    return np.stack([start, start + reach * _direction(leaving), end + reach * _direction(arriving), end])


def _past(source: Disc, target: Disc, x: float, box: Box) -> Floats:
    """Over or under the box at x, the farther out the farther the source stands, so that these ways do not cross."""
    middle, half = (box.bottom + box.top) / 2.0, (box.top - box.bottom) / 2.0
    side = 1.0 if source.y >= middle else -1.0
    peak = np.array([x, middle + side * (half + LANE * min(abs(source.y - middle) / half, 1.0))])
    start, end = np.array([source.x, source.y]), np.array([target.x, target.y])
    bend = (8.0 * peak - start - end) / 6.0  # half-way, a cubic is at (start + 3 bend + 3 bend + end) / 8
    spread = np.array([0.2 * (target.x - source.x), 0.0])
    bends = bend - spread, bend + spread
    return np.stack([_towards(source, bends[0], 0.0), *bends, _towards(target, bends[1], GAP)])


def _spread(angles: Floats, apart: float) -> Floats:
    """The nearest angles, in squares, in the same order and at least `apart` (isotonic regression)."""
    from scipy.optimize import isotonic_regression

    order, room = np.argsort(angles, kind="stable"), apart * np.arange(len(angles))
    result = np.empty_like(angles)
    result[order] = room + isotonic_regression(angles[order] - room).x
    return result


def _towards(disc: Disc, point: Floats, beyond: float) -> Floats:
    return disc.rim(float(np.arctan2(point[1] - disc.y, point[0] - disc.x)), beyond)


def _direction(angle: float) -> Floats:
    return np.array([np.cos(angle), np.sin(angle)])
