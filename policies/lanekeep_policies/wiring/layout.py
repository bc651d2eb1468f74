"""Where the neurons of a wiring stand on paper: in columns, from the features on the left to the motor neurons.

The order within a column is chosen so that few synapses cross: each neuron moves to the mean place of its partners in
the neighbouring columns (the barycentre heuristic of Sugiyama, Tagawa & Toda, IEEE Trans. SMC 11, 109-125, 1981),
sweep after sweep, and the best order met is kept. Motor neurons keep theirs, for it is the order of the outputs.
Coordinates are points (1/72 inch), x to the right, y up. A neuron is a node: sensory neurons come first, so node =
sensory + number of the neuron.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_policies.wiring.wiring import Ints, Wiring

Floats = NDArray[np.float64]

SWEEPS = 12
WIDEST_PITCH = 42.0  # points between neighbours of a column


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
