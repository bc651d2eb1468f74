"""The LTC's forward and backward pass for CPU, compiled: the equations of `ltc.py` on packed synapses.

Per unfold, with k = D/C, all neurons at once (N, Q sums over synapses and leak):
    x' = (x + k N) r        r = 1 / (1 + k Q)       N = g V + sum w s E,   Q = g + epsilon + sum w s
Backward, l = dL/dx', a = k l r, h = a s (1 - s) (E - x'):
    dL/dx_j = l_j r_j + sum w sigma h          dL/dw = sum a s (E - x')    dL/dE = sum a w s
    dL/dsigma = sum w h (x_j - mu)             dL/dmu = -sum w sigma h
    dL/dg = sum a (V - x')    dL/dV = sum a g    dL/dC = -sum l r (x' - x) / C
The last follows from k (N - x' Q) = x' - x.  Summing the parts with N and with Q apart would cancel to 2e-5 in float32.

What a sensory synapse adds to N and Q is the same over all unfolds of a step: it is computed once, and so is its gradient.
Layout: blocks of up to LANES rows of the batch.  Within a block all arrays are flat, [S n] for [S, n] with a row's index
last, so that the innermost loops run over neighbours in memory; each writes one array and reads few, else the compiler
cannot prove them apart and does not vectorise.

B batch, T time, F features, S neurons, M synapses of a kind, L unfolds, n rows of a block.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.core import types
from numba.extending import overload

LANES = 32
OPTIONS: Any = {"error_model": "numpy", "fastmath": {"reassoc", "contract", "nsz"}}

Array = Any  # numba infers the types of a kernel's arguments; float32 or float64 throughout


class Weights(NamedTuple):
    """The parameters as they are stored; arrays here, tensors in `ltc_torch`."""

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
    sensory: Synapses
    inner: Synapses


def kernel(function: Callable[..., Any]) -> Any:
    """Compile on first use, cached on disk where a folder can be written; the plain function stays `.py_func`."""
    try:
        return njit(cache=True, nogil=True, **OPTIONS)(function)
    except RuntimeError:
        return njit(nogil=True, **OPTIONS)(function)


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
        Synapses(
            ends.sensory_source,
            ends.sensory_target,
            sensory_w,
            sensory_w * weights.sensory_erev,
            weights.sensory_sigma,
            -weights.sensory_sigma * weights.sensory_mu,
            weights.sensory_mu,
            weights.sensory_erev,
        ),
        Synapses(
            ends.source,
            ends.target,
            w,
            w * weights.erev,
            weights.sigma,
            -weights.sigma * weights.mu,
            weights.mu,
            weights.erev,
        ),
    )


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
def add_synapses(up, down, gates, synapses, n):
    """Add w s E to `up` and w s to `down` of each synapse's target."""
    for m in range(len(synapses.target)):
        i = synapses.target[m] * n
        gate, up_i, down_i, pull, w = (
            gates[m * n : m * n + n],
            up[i : i + n],
            down[i : i + n],
            synapses.pull[m],
            synapses.w[m],
        )
        for b in range(n):
            up_i[b] += pull * gate[b]
        for b in range(n):
            down_i[b] += w * gate[b]


@kernel
def read_step(sensory, rate, features, elapsed, t, first, circuit, unfolds, n):
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
            time = (elapsed[first + b, t] if timed else elapsed[0, 0]) / features.dtype.type(unfolds)
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
def unfold(after, r, x, rate, up, down, steady_up, steady_down, gates, inner, n):
    """One unfold of a block, from potentials x to `after`, with its r; `up` and `down` are scratch."""
    fill_gates(gates, x, inner, n)
    for q in range(len(up)):
        up[q] = steady_up[q]
    for q in range(len(up)):
        down[q] = steady_down[q]
    add_synapses(up, down, gates, inner, n)
    one = r.dtype.type(1)  # an integer would turn single precision into double
    for q in range(len(r)):
        r[q] = one / (one + rate[q] * down[q])
    for q in range(len(r)):
        after[q] = (x[q] + rate[q] * up[q]) * r[q]


@kernel
def advance(circuit, features, state, elapsed, unfolds, outputs, last, trace):
    """Fill `outputs` [B, T, motor] and the last state [B, S], and the trace."""
    neurons = state.shape[1]
    n = trace.states.shape[2] // neurons
    forth = 1 if trace.states.shape[1] > 1 else 0
    sensory, rate = block_of(circuit.input_w, n), block_of(circuit.cm, n)
    up, down = block_of(circuit.cm, n), block_of(circuit.cm, n)
    steady_up, steady_down = block_of(circuit.cm, n), block_of(circuit.cm, n)
    for first in range(0, len(features), n):
        block, at = first // n * forth, 0
        x = trace.states[block, 0]
        read_rows(x, state, first, n)
        rate[:] = 0
        for t in range(features.shape[1]):
            read_step(sensory, rate, features, elapsed, t, first, circuit, unfolds, n)
            for i in range(neurons):
                steady_up[i * n : i * n + n] = circuit.gleak[i] * circuit.vleak[i]
                steady_down[i * n : i * n + n] = circuit.leak[i]
            sensory_gates = trace.sensory_gates[block, t * forth]
            fill_gates(sensory_gates, sensory, circuit.sensory, n)
            add_synapses(steady_up, steady_down, sensory_gates, circuit.sensory, n)
            for _ in range(unfolds):
                r, gates = trace.shrinks[block, at], trace.gates[block, at]
                at += forth
                after = trace.states[block, at]
                unfold(after, r, x, rate, up, down, steady_up, steady_down, gates, circuit.inner, n)
                x = after
            write_rows(outputs[:, t], x, first, n)
        write_rows(last, x, first, n)


@kernel
def forward(weights, solver, features, state, elapsed, outputs, last, trace):
    """The same with weights as they are stored."""
    advance(prepare(weights, solver), features, state, elapsed, solver.unfolds, outputs, last, trace)


@kernel
def backward_synapses(sums, flow, gates, potentials, up, down, synapses, n):
    """Gradients through synapses whose targets receive `up` = dL/dN and `down` = dL/dQ, each [S n].

    Adds dL/d(potential of the source) to `flow` and, per synapse, the sums over rows of dL/dN s, of p = s dL/d(w s),
    of h = p (1 - s) and of h x to `sums` [4, M] (float64).
    """
    zero = gates.dtype.type(0)
    for m in range(len(synapses.source)):
        j, i = synapses.source[m] * n, synapses.target[m] * n
        gate, x, into = gates[m * n : m * n + n], potentials[j : j + n], flow[j : j + n]
        up_i, down_i = up[i : i + n], down[i : i + n]
        gain, erev = synapses.w[m] * synapses.sigma[m], synapses.erev[m]
        sum_up = sum_p = sum_h = sum_hx = zero
        for b in range(n):
            p = gate[b] * (up_i[b] * erev + down_i[b])
            h = p - p * gate[b]
            sum_up += up_i[b] * gate[b]
            sum_p += p
            sum_h += h
            sum_hx += h * x[b]
            into[b] += gain * h
        sums[0, m] += sum_up
        sums[1, m] += sum_p
        sums[2, m] += sum_h
        sums[3, m] += sum_hx


@kernel
def backward_unfold(flow, up, down, drift, x, after, r, rate):
    """Turn the flow dL/dx' into its direct part dL/dx, set `up` = dL/dN and `down` = dL/dQ, add to -dL/dC C."""
    for q in range(len(flow)):
        flow[q] *= r[q]
    for q in range(len(flow)):
        up[q] = flow[q] * rate[q]
    for q in range(len(flow)):
        down[q] = -up[q] * after[q]
    for q in range(len(flow)):
        drift[q] += flow[q] * (after[q] - x[q])


@kernel
def backward_leaks(d_gleak, d_vleak, d_cm, up, down, drift, circuit, n):
    """Add the gradients of gleak, vleak and cm (of their positive values, float64) from the sums over a step's unfolds."""
    zero = up.dtype.type(0)
    for i in range(len(d_cm)):
        sum_up = sum_down = sum_drift = zero
        for b in range(i * n, i * n + n):
            sum_up += up[b]
            sum_down += down[b]
            sum_drift += drift[b]
        d_gleak[i] += circuit.vleak[i] * sum_up + sum_down
        d_vleak[i] += circuit.gleak[i] * sum_up
        d_cm[i] -= sum_drift / circuit.cm[i]


@kernel
def backward_inputs(d_features, d_input_w, d_input_b, d_sensory, features, t, first, input_w, n):
    """Gradients of the features of step t, and add to those of the input map, from that of the sensory potentials."""
    for b in range(min(n, len(features) - first)):
        for j in range(len(input_w)):
            d = d_sensory[j * n + b]
            d_features[first + b, t, j] = d * input_w[j]
            d_input_w[j] += d * features[first + b, t, j]
            d_input_b[j] += d


@kernel
def synapse_gradients(sums, synapses, stored_w, softplus):
    """From the sums of `backward_synapses`: dL/dw of the stored w, dL/dmu, dL/dsigma, dL/dE, each [M]."""
    h, w, dtype = sums[2], synapses.w, stored_w.dtype
    return (
        stored_gradient(sums[1], stored_w, softplus),
        (-w * synapses.sigma * h).astype(dtype),
        (w * (sums[3] - synapses.mu * h)).astype(dtype),
        (w * sums[0]).astype(dtype),
    )


@kernel
def stored_gradient(gradient, stored, softplus):
    """From the gradient of a positive value (float64) to that of the stored parameter."""
    result = np.empty_like(stored)
    for i in range(len(stored)):
        result[i] = gradient[i] / (1.0 + math.exp(-stored[i])) if softplus else gradient[i]
    return result


@kernel
def backward(weights, solver, features, elapsed, trace, d_outputs, d_last, d_features, d_state):
    """Fill the gradients of the features [B, T, F] and the initial state [B, S] from those of the outputs [B, T, motor] and
    the last state [B, S]; return those of the weights in their order."""
    circuit, unfolds, softplus, dtype = prepare(weights, solver), solver.unfolds, solver.softplus, d_last.dtype
    neurons, inputs = d_last.shape[1], features.shape[2]
    n = trace.states.shape[2] // neurons
    inner, outer = circuit.inner, circuit.sensory
    sensory, d_sensory = block_of(circuit.input_w, n), block_of(circuit.input_w, n)
    rate, flow, drift = block_of(circuit.cm, n), block_of(circuit.cm, n), block_of(circuit.cm, n)
    up, down, step_up, step_down = (
        block_of(circuit.cm, n),
        block_of(circuit.cm, n),
        block_of(circuit.cm, n),
        block_of(circuit.cm, n),
    )
    sums, sensory_sums = np.zeros((4, len(inner.w))), np.zeros((4, len(outer.w)))
    d_gleak, d_vleak, d_cm = np.zeros(neurons), np.zeros(neurons), np.zeros(neurons)
    d_input_w, d_input_b = np.zeros(inputs), np.zeros(inputs)
    for first in range(0, len(features), n):
        block, at = first // n, features.shape[1] * unfolds
        read_rows(flow, d_last, first, n)  # dL/d(state), from the end to the beginning
        rate[:] = 0
        read_step(sensory, rate, features, elapsed, 0, first, circuit, unfolds, n)
        for t in range(features.shape[1] - 1, -1, -1):
            for b in range(min(n, len(features) - first)):
                for i in range(d_outputs.shape[2]):
                    flow[i * n + b] += d_outputs[first + b, t, i]
            read_step(sensory, rate, features, elapsed, t, first, circuit, unfolds, n)
            step_up[:] = 0
            step_down[:] = 0
            drift[:] = 0
            for _ in range(unfolds):
                at -= 1
                x, after = trace.states[block, at], trace.states[block, at + 1]
                backward_unfold(flow, up, down, drift, x, after, trace.shrinks[block, at], rate)
                for q in range(len(up)):
                    step_up[q] += up[q]
                for q in range(len(up)):
                    step_down[q] += down[q]
                backward_synapses(sums, flow, trace.gates[block, at], x, up, down, inner, n)
            d_sensory[:] = 0
            backward_synapses(
                sensory_sums, d_sensory, trace.sensory_gates[block, t], sensory, step_up, step_down, outer, n
            )
            backward_leaks(d_gleak, d_vleak, d_cm, step_up, step_down, drift, circuit, n)
            backward_inputs(d_features, d_input_w, d_input_b, d_sensory, features, t, first, circuit.input_w, n)
        write_rows(d_state, flow, first, n)
    leaks = (
        d_input_w.astype(dtype),
        d_input_b.astype(dtype),
        stored_gradient(d_gleak, weights.gleak, softplus),
        d_vleak.astype(dtype),
        stored_gradient(d_cm, weights.cm, softplus),
    )
    synapses = synapse_gradients(sums, inner, weights.w, softplus)
    return leaks + synapses + synapse_gradients(sensory_sums, outer, weights.sensory_w, softplus)
