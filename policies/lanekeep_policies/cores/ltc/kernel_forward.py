"""The LTC's forward pass for CPU, compiled: the equations of `ltc.py` on packed synapses.

Per unfold, with k = D/C, all neurons at once (N, Q sums over synapses and leak):
    x' = (x + k N) r        r = 1 / (1 + k Q)       N = g V + sum w s E,   Q = g + epsilon + sum w s
What a sensory synapse adds to N and Q is the same over all unfolds of a step, and is computed once.

Layout: blocks of up to LANES rows of the batch.  Within a block all arrays are flat, [S n] for [S, n] with a row's index
last, so that the innermost loops run over neighbours in memory; each writes one array and reads few, else the compiler
cannot prove them apart and does not vectorise.

B batch, T time, F features, S neurons, M synapses of a kind, L unfolds, n rows of a block.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba.core import types
from numba.extending import overload

from lanekeep_policies.cores.ltc.circuit import OPTIONS, Array, kernel, prepare


class Sums(NamedTuple):
    """The two sums of an unfold, [S n] each."""

    up: Array  # N
    down: Array  # Q


class Unfold(NamedTuple):
    """The place in the trace that one unfold fills."""

    after: Array  # [S n] potentials
    shrink: Array  # [S n] r
    gates: Array  # [M n] of the synapses between neurons


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + math.exp(-x))


# tanh(y) = y P(y^2) / Q(y^2) for |y| < LIMIT to 3 units in the last place of float32: the coefficients of Eigen's
# generic_fast_tanh_float. exp would not be vectorised.
HALF, LIMIT = np.float32(0.5), np.float32(7.905311)
P1, P3, P5, P7, P9, P11, P13 = np.array(
    [
        4.89352455891786e-3,
        6.37261928875436e-4,
        1.48572235717979e-5,
        5.12229709037114e-8,
        -8.60467152213735e-11,
        2.00018790482477e-13,
        -2.76076847742355e-16,
    ],
    np.float32,
)
Q0, Q2, Q4, Q6 = np.array(
    [4.89352518554385e-3, 2.26843463243900e-3, 1.18534705686654e-4, 1.19825839466702e-6], np.float32
)


@overload(sigmoid, jit_options=OPTIONS, inline="always")
def _compiled_sigmoid(x: Any) -> Any:
    def single(x: Any) -> Any:
        y = min(max(HALF * x, -LIMIT), LIMIT)
        z = y * y
        p = P1 + z * (P3 + z * (P5 + z * (P7 + z * (P9 + z * (P11 + z * P13)))))
        return HALF + HALF * y * p / (Q0 + z * (Q2 + z * (Q4 + z * Q6)))

    def double(x: Any) -> Any:
        return 1.0 / (1.0 + math.exp(-x))

    return single if x == types.float32 else double


@kernel
def fill_gates(gates, potentials, synapses, n):
    """gates[m, b] = sigmoid(sigma_m (potentials[source_m, b] - mu_m))."""
    for m in range(len(synapses.source)):
        j = synapses.source[m] * n
        row, out, slope, offset = potentials[j : j + n], gates[m * n : m * n + n], synapses.sigma[m], synapses.offset[m]
        for b in range(n):
            out[b] = slope * row[b] + offset
    for q in range(len(gates)):
        gates[q] = sigmoid(gates[q])


@kernel
def add_synapses(sums, gates, synapses, n):
    """Add w s E to the sum `up` and w s to `down` of each synapse's target."""
    for m in range(len(synapses.target)):
        i = synapses.target[m] * n
        gate, up, down = gates[m * n : m * n + n], sums.up[i : i + n], sums.down[i : i + n]
        pull, w = synapses.pull[m], synapses.w[m]
        for b in range(n):
            up[b] += pull * gate[b]
        for b in range(n):
            down[b] += w * gate[b]


@kernel
def read_step(sensory, rate, features, elapsed, t, first, circuit, n):
    """The sensory neurons' potentials and k = D/C of each neuron at step t, for the block that begins at row `first`.

    `elapsed` is [B, T], or [1, 1] for all: the rate is then read at the first step only.  Rows past the end of the batch are
    left as they are.
    """
    lanes, timed = min(n, len(features) - first), elapsed.size > 1
    for b in range(lanes):
        for j in range(features.shape[2]):
            sensory[j * n + b] = circuit.input_w[j] * features[first + b, t, j] + circuit.input_b[j]
    if timed or t == 0:
        for b in range(lanes):
            time = (elapsed[first + b, t] if timed else elapsed[0, 0]) / features.dtype.type(circuit.unfolds)
            for i in range(len(circuit.cm)):
                rate[i * n + b] = time / circuit.cm[i]


@kernel
def block_of(like, n):
    """Zeros for a block, [len(like) n]."""
    return np.zeros(len(like) * n, like.dtype)


@kernel
def read_rows(block, rows, first, n):
    """Rows of [B, S] from `first` on as a block [S n]; rows past the end are zero."""
    block[:] = 0
    for b in range(min(n, len(rows) - first)):
        for i in range(rows.shape[1]):
            block[i * n + b] = rows[first + b, i]


@kernel
def write_rows(rows, block, first, n):
    """The inverse of `read_rows`; `rows` may have fewer columns than the block."""
    for b in range(min(n, len(rows) - first)):
        for i in range(rows.shape[1]):
            rows[first + b, i] = block[i * n + b]


@kernel
def unfold(place, x, rate, sums, steady, inner, n):
    """One unfold of a block from potentials x; `sums` is scratch, `steady` holds what leak and sensory synapses add."""
    up, down = sums.up, sums.down
    after, r = place.after, place.shrink
    fill_gates(place.gates, x, inner, n)
    for q in range(len(up)):
        up[q] = steady.up[q]
    for q in range(len(up)):
        down[q] = steady.down[q]
    add_synapses(sums, place.gates, inner, n)
    one = r.dtype.type(1)  # an integer would turn single precision into double
    for q in range(len(r)):
        r[q] = one / (one + rate[q] * down[q])
    for q in range(len(r)):
        after[q] = (x[q] + rate[q] * up[q]) * r[q]


@kernel
def advance(circuit, features, state, elapsed, outputs, last, trace):
    """Fill `outputs` [B, T, motor] and the last state [B, S], and the trace."""
    neurons = state.shape[1]
    n = trace.states.shape[2] // neurons
    forth = 1 if trace.states.shape[1] > 1 else 0
    sensory, rate = block_of(circuit.input_w, n), block_of(circuit.cm, n)
    sums = Sums(block_of(circuit.cm, n), block_of(circuit.cm, n))
    steady = Sums(block_of(circuit.cm, n), block_of(circuit.cm, n))
    for first in range(0, len(features), n):
        block, at = first // n * forth, 0
        x = trace.states[block, 0]
        read_rows(x, state, first, n)
        rate[:] = 0
        for t in range(features.shape[1]):
            read_step(sensory, rate, features, elapsed, t, first, circuit, n)
            for i in range(neurons):
                steady.up[i * n : i * n + n] = circuit.gleak[i] * circuit.vleak[i]
                steady.down[i * n : i * n + n] = circuit.leak[i]
            sensory_gates = trace.sensory_gates[block, t * forth]
            fill_gates(sensory_gates, sensory, circuit.sensory, n)
            add_synapses(steady, sensory_gates, circuit.sensory, n)
            for _ in range(circuit.unfolds):
                shrink, gates = trace.shrinks[block, at], trace.gates[block, at]
                at += forth
                place = Unfold(trace.states[block, at], shrink, gates)
                unfold(place, x, rate, sums, steady, circuit.inner, n)
                x = place.after
            write_rows(outputs[:, t], x, first, n)
        write_rows(last, x, first, n)


@kernel
def forward(weights, solver, features, state, elapsed, outputs, last, trace):
    """`advance` with weights as they are stored."""
    advance(prepare(weights, solver), features, state, elapsed, outputs, last, trace)
