"""The LTC's backward pass for CPU, compiled: gradients by hand of what `kernel_forward` computes.

Per unfold, with k = D/C, l = dL/dx', a = k l r, h = a s (1 - s) (E - x'), and N, Q, r as there:
    dL/dx_j = l_j r_j + sum w sigma h          dL/dw = sum a s (E - x')    dL/dE = sum a w s
    dL/dsigma = sum w h (x_j - mu)             dL/dmu = -sum w sigma h
    dL/dg = sum a (V - x')    dL/dV = sum a g    dL/dC = -sum l r (x' - x) / C
The last follows from k (N - x' Q) = x' - x.  Summing the parts with N and with Q apart would cancel to 2e-5 in float32.
The gradients through the sensory synapses are computed once a step, as those synapses are.

Blocks and letters as in `kernel_forward`.
"""

import math

import numpy as np

from lanekeep_policies.cores.ltc.circuit import kernel, prepare
from lanekeep_policies.cores.ltc.kernel_forward import block_of, read_rows, read_step, write_rows


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
def backward_inputs(d_features, d_input, d_sensory, features, t, first, input_w, n):
    """Gradients of the features of step t, and add to those of the input map, `d_input` [2, F] of weight and bias."""
    for b in range(min(n, len(features) - first)):
        for j in range(len(input_w)):
            d = d_sensory[j * n + b]
            d_features[first + b, t, j] = d * input_w[j]
            d_input[0, j] += d * features[first + b, t, j]
            d_input[1, j] += d


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
def backward(weights, solver, features, elapsed, trace, d_outputs, d_last):
    """The gradients of the features [B, T, F], the initial state [B, S] and the weights in their order, from those of the
    outputs [B, T, motor] and the last state [B, S]."""
    circuit, softplus, dtype = prepare(weights, solver), solver.softplus, d_last.dtype
    neurons, inner, outer = d_last.shape[1], circuit.inner, circuit.sensory
    n = trace.states.shape[2] // neurons
    d_features, d_state = np.empty_like(features), np.empty_like(d_last)
    sensory, d_sensory = block_of(circuit.input_w, n), block_of(circuit.input_w, n)
    rate, flow, drift = block_of(circuit.cm, n), block_of(circuit.cm, n), block_of(circuit.cm, n)
    up, down = block_of(circuit.cm, n), block_of(circuit.cm, n)
    step_up, step_down = block_of(circuit.cm, n), block_of(circuit.cm, n)
    sums, sensory_sums = np.zeros((4, len(inner.w))), np.zeros((4, len(outer.w)))
    d_gleak, d_vleak, d_cm = np.zeros(neurons), np.zeros(neurons), np.zeros(neurons)
    d_input = np.zeros((2, features.shape[2]))
    for first in range(0, len(features), n):
        block, at = first // n, features.shape[1] * circuit.unfolds
        read_rows(flow, d_last, first, n)  # dL/d(state), from the end to the beginning
        rate[:] = 0
        read_step(sensory, rate, features, elapsed, 0, first, circuit, n)
        for t in range(features.shape[1] - 1, -1, -1):
            for b in range(min(n, len(features) - first)):
                for i in range(d_outputs.shape[2]):
                    flow[i * n + b] += d_outputs[first + b, t, i]
            read_step(sensory, rate, features, elapsed, t, first, circuit, n)
            step_up[:] = 0
            step_down[:] = 0
            drift[:] = 0
            for _ in range(circuit.unfolds):
                at -= 1
                x, after = trace.states[block, at], trace.states[block, at + 1]
                backward_unfold(flow, up, down, drift, x, after, trace.shrinks[block, at], rate)
                for q in range(len(up)):
                    step_up[q] += up[q]
                for q in range(len(up)):
                    step_down[q] += down[q]
                backward_synapses(sums, flow, trace.gates[block, at], x, up, down, inner, n)
            d_sensory[:] = 0
            gates = trace.sensory_gates[block, t]
            backward_synapses(sensory_sums, d_sensory, gates, sensory, step_up, step_down, outer, n)
            backward_leaks(d_gleak, d_vleak, d_cm, step_up, step_down, drift, circuit, n)
            backward_inputs(d_features, d_input, d_sensory, features, t, first, circuit.input_w, n)
        write_rows(d_state, flow, first, n)
    leaks = (
        d_input[0].astype(dtype),
        d_input[1].astype(dtype),
        stored_gradient(d_gleak, weights.gleak, softplus),
        d_vleak.astype(dtype),
        stored_gradient(d_cm, weights.cm, softplus),
    )
    synapses = synapse_gradients(sums, inner, weights.w, softplus)
    sensory_synapses = synapse_gradients(sensory_sums, outer, weights.sensory_w, softplus)
    return (d_features, d_state) + leaks + synapses + sensory_synapses
