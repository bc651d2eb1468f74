"""Wirings without layers: random and fully connected, the controls of a neural circuit policy.

Sensory neurons may drive all neurons, and all neurons each other and themselves; two synapses in three excite. They are
the package ncps' (1.0.1) `Random` and `FullyConnected`, synapse for synapse from the same arguments and seed.
Seeds are numpy's `default_rng` ones, whose stream, unlike the layered wirings' `RandomState`, a later numpy may change.
"""

import numpy as np

from lanekeep_policies.wiring.wiring import Ints, Wiring

POLARITIES = np.array([-1, 1, 1])


def fully_connected(
    sensory: int, units: int, outputs: int, seed: int = 1111, *, self_connections: bool = True
) -> Wiring:
    """All synapses there can be: ncps' `FullyConnected(units, outputs, seed, self_connections)`.

    Raises ValueError for sizes below one, more outputs than units, or a negative seed.
    """
    _check(sensory, units, outputs, seed)
    rng = np.random.default_rng(seed)
    pairs = np.ones((units, units), np.bool_) if self_connections else ~np.eye(units, dtype=np.bool_)
    adjacency = np.zeros((units, units), np.int64)
    adjacency[pairs] = _polarities(rng, int(pairs.sum()))
    return Wiring.from_adjacency(_polarities(rng, sensory, units), adjacency, motor=outputs)


def random_wiring(sensory: int, units: int, outputs: int, sparsity_level: float = 0.0, seed: int = 1111) -> Wiring:
    """A share 1 - `sparsity_level` of all synapses: ncps' `Random(units, outputs, sparsity_level, seed)`.

    Raises ValueError for sizes below one, more outputs than units, a sparsity outside [0, 1), a negative seed, and when
    the draw leaves a motor neuron that no path from a sensory neuron leads to.
    """
    _check(sensory, units, outputs, seed)
    if not 0.0 <= sparsity_level < 1.0:
        raise ValueError(f"sparsity_level={sparsity_level} is outside 0..1, 1 excluded.")
    rng = np.random.default_rng(seed)
    adjacency, sensory_adjacency = np.zeros((units, units), np.int64), np.zeros((sensory, units), np.int64)
    chosen = _choose(rng, adjacency, sparsity_level)
    adjacency.flat[chosen] = _polarities(rng, len(chosen))
    chosen = _choose(rng, sensory_adjacency, sparsity_level)
    # ncps draws the polarity of a sensory synapse twice and keeps the second
    sensory_adjacency.flat[chosen] = _polarities(rng, len(chosen), 2)[:, 1]
    return Wiring.from_adjacency(sensory_adjacency, adjacency, motor=outputs)


def _choose(rng: np.random.Generator, matrix: Ints, sparsity_level: float) -> Ints:
    return rng.choice(matrix.size, round(matrix.size * (1 - sparsity_level)), replace=False)


def _polarities(rng: np.random.Generator, *shape: int) -> Ints:
    return POLARITIES[rng.integers(0, len(POLARITIES), shape)]


def _check(sensory: int, units: int, outputs: int, seed: int) -> None:
    if sensory < 1:
        raise ValueError(f"A wiring needs at least one sensory neuron, not sensory={sensory}.")
    if units < 1:
        raise ValueError(f"A wiring needs at least one neuron, not units={units}.")
    if not 1 <= outputs <= units:
        raise ValueError(f"outputs={outputs} is outside 1..{units} for units={units}.")
    if seed < 0:
        raise ValueError(f"A seed must not be negative, but seed={seed}.")
