"""The LTC's circuit as arrays: parameters as they are stored, who drives whom, and both made ready for a pass.

A NamedTuple here is what a kernel takes in one argument.  Arrays are float32 or float64 throughout.

B batch, T time, F features, S neurons, M synapses of a kind, L unfolds, n rows of a block.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from numba import njit

from lanekeep_files.kernel_cache import keep_on_disk

LANES = 32  # rows of the batch that a kernel takes at once
OPTIONS: Any = {"error_model": "numpy", "fastmath": {"reassoc", "contract", "nsz"}}

Array = Any  # numba infers the types of a kernel's arguments; float32 or float64 throughout


class Weights(NamedTuple):
    """The parameters as they are stored; arrays in kernels, tensors in `torch_solver`."""

    input_w: Array  # [F]
    input_b: Array  # [F]
    gleak: Array  # [S]
    vleak: Array  # [S]
    cm: Array  # [S]
    w: Array  # [M]
    mu: Array  # [M]
    sigma: Array  # [M]
    erev: Array  # [M]
    sensory_w: Array  # [M] of the sensory kind
    sensory_mu: Array
    sensory_sigma: Array
    sensory_erev: Array


class Ends(NamedTuple):
    """Who drives whom."""

    source: Array  # [M]
    target: Array  # [M]
    sensory_source: Array
    sensory_target: Array


class Solver(NamedTuple):
    """How a circuit is solved, whatever its weights."""

    ends: Ends
    unfolds: int
    softplus: bool  # whether what must be positive is stored as the inverse of a softplus
    epsilon: float  # added to the leak in the denominator


class Synapses(NamedTuple):
    """The synapses of one kind, ready for use."""

    source: Array  # [M]
    target: Array  # [M]
    w: Array  # [M] positive
    pull: Array  # [M] w E
    sigma: Array  # [M]
    offset: Array  # [M] -sigma mu
    mu: Array  # [M]
    erev: Array  # [M]


class Trace(NamedTuple):
    """What a forward pass leaves for the backward pass; with one block and one place it is scratch, written over."""

    states: Array  # [blocks, T L + 1, S n] before each unfold, and at the end
    shrinks: Array  # [blocks, T L, S n] the r of each unfold
    gates: Array  # [blocks, T L, M n] of the synapses between neurons
    sensory_gates: Array  # [blocks, T, M n] of the sensory synapses


class Circuit(NamedTuple):
    """What a pass needs of the weights."""

    input_w: Array  # [F]
    input_b: Array  # [F]
    vleak: Array  # [S]
    gleak: Array  # [S] positive
    leak: Array  # [S] g + epsilon
    cm: Array  # [S] positive
    unfolds: int
    sensory: Synapses
    inner: Synapses


def kernel(function: Callable[..., Any]) -> Any:
    """Compile on first use, cached on disk where a folder can be written; the plain function stays `.py_func`."""
    return keep_on_disk(njit(nogil=True, **OPTIONS)(function))


@kernel
def positive(stored, softplus):
    """The positive value of a stored parameter."""
    values = stored.copy()
    if softplus:
        for i in range(len(values)):
            values[i] = max(stored[i], 0.0) + math.log1p(math.exp(-abs(stored[i])))
    return values


@kernel
def prepare(weights, solver):
    """The circuit with these weights."""
    ends, softplus = solver.ends, solver.softplus
    w, sensory_w = positive(weights.w, softplus), positive(weights.sensory_w, softplus)
    gleak = positive(weights.gleak, softplus)
    return Circuit(
        weights.input_w,
        weights.input_b,
        weights.vleak,
        gleak,
        gleak + weights.gleak.dtype.type(solver.epsilon),
        positive(weights.cm, softplus),
        solver.unfolds,
        synapses_of(
            ends.sensory_source,
            ends.sensory_target,
            sensory_w,
            weights.sensory_mu,
            weights.sensory_sigma,
            weights.sensory_erev,
        ),
        synapses_of(ends.source, ends.target, w, weights.mu, weights.sigma, weights.erev),
    )


@kernel
def synapses_of(source, target, w, mu, sigma, erev):
    """The synapses of one kind, with w positive."""
    return Synapses(source, target, w, w * erev, sigma, -sigma * mu, mu, erev)
