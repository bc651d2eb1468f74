"""The LTC's equations in plain torch operations: the reference of the compiled form, and the form for GPUs and transforms.

What does not depend on the state is computed for the whole sequence at once; then each unfold is two matrix products on
the packed synapses.  Whoever only knows torch's operators (autograd twice, `torch.func`, a GPU, an exporter) reads this.
B batch, T time, F features, S neurons, M synapses of a kind.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from lanekeep_policies.cores.core import in_turn
from lanekeep_policies.cores.ltc.circuit import Solver, Weights


class Incidence(NamedTuple):
    """Who drives whom as matrices of zeros and ones."""

    source_of: Tensor  # [S, M] 1 where the row is the source of the column's synapse
    target_of: Tensor  # [M, S]
    sensory_source_of: Tensor  # [F, M]
    sensory_target_of: Tensor  # [M, S]


class CircuitMatrices(NamedTuple):
    """What one pass needs of the weights: the sums over synapses as matrices, per unit of capacitance."""

    sensory_slope: Tensor  # [F, M] sigmoid argument of a sensory synapse = features @ slope + offset
    sensory_offset: Tensor  # [M]
    sensory_pull: Tensor  # [M, 2S] (w E | w) / C, in the columns of the synapse's target
    slope: Tensor  # [S, M] the same for synapses between neurons
    offset: Tensor  # [M]
    pull: Tensor  # [M, 2S]
    leak: Tensor  # [2S] (g V | g + epsilon) / C


def solve(
    weights: Weights,
    incidence: Incidence,
    solver: Solver,
    features: Tensor,
    state: Tensor,
    elapsed: float | Tensor,
) -> Tensor:
    """States [B, T, S] after each step, from features [B, T, F] and state [B, S]; `elapsed` is a number or [B, T]."""
    circuit, time = _circuit(weights, incidence, solver), elapsed / solver.unfolds
    # what stays the same over the unfolds of a step, [B, T, 2S]; the 1 in the denominator included
    gates = torch.sigmoid(features @ circuit.sensory_slope + circuit.sensory_offset)
    drive = (gates @ circuit.sensory_pull + circuit.leak) * (time.unsqueeze(2) if isinstance(time, Tensor) else time)
    drive = drive + torch.cat([torch.zeros_like(weights.vleak), torch.ones_like(weights.vleak)])
    # one duration for all rows is cheaper in the matrix
    pull = circuit.pull if isinstance(time, Tensor) else circuit.pull * time
    states = []
    for step_drive, row_time in zip(drive.unbind(1), in_turn(time, features.shape[1]), strict=True):
        for _ in range(solver.unfolds):
            gates = torch.sigmoid(torch.addmm(circuit.offset, state, circuit.slope))
            if isinstance(row_time, Tensor):
                gates = gates * row_time
            numerator, denominator = torch.addmm(step_drive, gates, pull).chunk(2, 1)
            state = (state + numerator) / denominator
        states.append(state)
    return torch.stack(states, 1)


def _circuit(weights: Weights, incidence: Incidence, solver: Solver) -> CircuitMatrices:
    softplus = solver.softplus
    gleak = _positive(weights.gleak, softplus)
    per_capacitance = _positive(weights.cm, softplus).reciprocal().repeat(2)
    sensory_bias = weights.input_b @ incidence.sensory_source_of - weights.sensory_mu
    sensory_w, w = _positive(weights.sensory_w, softplus), _positive(weights.w, softplus)
    return CircuitMatrices(
        sensory_slope=weights.input_w[:, None] * incidence.sensory_source_of * weights.sensory_sigma,
        sensory_offset=weights.sensory_sigma * sensory_bias,
        sensory_pull=_pull(incidence.sensory_target_of, sensory_w, weights.sensory_erev) * per_capacitance,
        slope=incidence.source_of * weights.sigma,
        offset=-weights.sigma * weights.mu,
        pull=_pull(incidence.target_of, w, weights.erev) * per_capacitance,
        leak=torch.cat([gleak * weights.vleak, gleak + solver.epsilon]) * per_capacitance,
    )


def _positive(stored: Tensor, softplus: bool) -> Tensor:
    return F.softplus(stored) if softplus else stored


def _pull(target_of: Tensor, w: Tensor, erev: Tensor) -> Tensor:
    return torch.cat([target_of * (w * erev)[:, None], target_of * w[:, None]], dim=1)
