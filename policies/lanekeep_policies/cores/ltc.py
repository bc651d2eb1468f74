"""Liquid time-constant (LTC) core: neurons with conductance-based synapses, on any wiring.

    C_i dx_i/dt = g_i (V_i - x_i) + sum_j w_ji s_ji(x_j) (E_ji - x_i),    s_ji(x) = sigmoid(sigma_ji (x - mu_ji))
where j runs over the sensory neurons (x_j = input_w_j feature_j + input_b_j) and the neurons that drive neuron i.
Semi-implicit solver, L unfolds of D = elapsed / L each, all neurons at once:
    x_i <- (x_i + D/C_i (g_i V_i + sum_j w_ji s_ji E_ji)) / (1 + D/C_i (g_i + sum_j w_ji s_ji))
a convex combination of x_i, V_i and the E_ji, so that |x| <= max(|x0|, |V|, |E|), and the identity at D = 0. It is of
first order, and six unfolds are far from the exact solution: this is a discrete recurrent network in its own right.

State x [B, S]: the membrane potentials in the wiring's order (motor, command, inter). Outputs: those of the motor
neurons. Potentials are dimensionless and time is counted in `time_unit_s`: elapsed = dt_s / time_unit_s. The initial C
of about 0.5 is meant for an elapsed time of 1 a step, so the unit is the period of control, not the second.
B batch, T time, F features, S neurons, K sensory synapses, M synapses between neurons. Synapses are packed: one number
for each that exists. g, C and w are stored as the inverse of the softplus that keeps them positive.

Hasani et al., Liquid time-constant networks, AAAI 2021, eq. 1 and Algorithm 1; Lechner et al., Nat. Mach. Intell. 2,
642-652 (2020), Methods. It equals `LTC(output_mapping=None, epsilon=0)` of ncps 1.0.1 and starts in the ranges of its
`LTCCell`.
"""

from typing import NamedTuple, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lanekeep_policies.cores.contract import Core, in_turn
from lanekeep_policies.wiring import Wiring


class Circuit(NamedTuple):
    """What one forward pass needs of the parameters: the sums over synapses as matrices, per unit of capacitance."""

    sensory_slope: Tensor  # [F, K] sigmoid argument of a sensory synapse = features @ slope + offset
    sensory_offset: Tensor  # [K]
    sensory_pull: Tensor  # [K, 2S] (w E | w) / C, in the columns of the synapse's target
    slope: Tensor  # [S, M] the same for synapses between neurons
    offset: Tensor  # [M]
    pull: Tensor  # [M, 2S]
    leak: Tensor  # [2S] (g V | g) / C


@final
class LTC(Core):
    """The recurrent core `ncp` on the wiring of a neural circuit policy."""

    source_of: Tensor  # [S, M] 1 where the row is the source of the column's synapse
    target_of: Tensor  # [M, S]
    sensory_source_of: Tensor  # [F, K]
    sensory_target_of: Tensor  # [K, S]

    def __init__(self, wiring: Wiring, unfolds: int = 6, time_unit_s: float = 0.05) -> None:
        if unfolds < 1:
            raise ValueError(f"An LTC needs unfolds >= 1, not {unfolds}.")
        super().__init__(wiring.sensory, wiring.neurons, wiring.motor, time_unit_s)
        self.wiring = wiring
        self.unfolds = unfolds
        self._initialise_parameters()
        for name, index, size in (
            ("source_of", wiring.source, wiring.neurons),
            ("target_of", wiring.target, wiring.neurons),
            ("sensory_source_of", wiring.sensory_source, wiring.sensory),
            ("sensory_target_of", wiring.sensory_target, wiring.neurons),
        ):
            one_hot = F.one_hot(torch.tensor(index), size).to(torch.get_default_dtype())
            self.register_buffer(name, one_hot.T if "source" in name else one_hot, persistent=False)

    def _initialise_parameters(self) -> None:
        neurons, synapses, sensory_synapses = self.state_size, len(self.wiring.source), len(self.wiring.sensory_source)
        self.input_w = nn.Parameter(torch.ones(self.input_size))
        self.input_b = nn.Parameter(torch.zeros(self.input_size))
        self.gleak = nn.Parameter(_inverse_softplus(_uniform(neurons, 0.001, 1.0)))
        self.vleak = nn.Parameter(_uniform(neurons, -0.2, 0.2))
        self.cm = nn.Parameter(_inverse_softplus(_uniform(neurons, 0.4, 0.6)))
        self.w = nn.Parameter(_inverse_softplus(_uniform(synapses, 0.001, 1.0)))
        self.mu = nn.Parameter(_uniform(synapses, 0.3, 0.8))
        self.sigma = nn.Parameter(_uniform(synapses, 3.0, 8.0))
        self.erev = nn.Parameter(torch.tensor(self.wiring.polarity, dtype=torch.get_default_dtype()))
        self.sensory_w = nn.Parameter(_inverse_softplus(_uniform(sensory_synapses, 0.001, 1.0)))
        self.sensory_mu = nn.Parameter(_uniform(sensory_synapses, 0.3, 0.8))
        self.sensory_sigma = nn.Parameter(_uniform(sensory_synapses, 3.0, 8.0))
        self.sensory_erev = nn.Parameter(torch.tensor(self.wiring.sensory_polarity, dtype=torch.get_default_dtype()))

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        circuit = self._circuit()
        unfold_time = elapsed / self.unfolds
        drive = self._constant_drive(circuit, features, unfold_time)
        # one duration for all rows is cheaper in the matrix
        pull = circuit.pull if isinstance(unfold_time, Tensor) else circuit.pull * unfold_time
        states = []
        for step_drive, row_time in zip(drive.unbind(1), in_turn(unfold_time, features.shape[1]), strict=True):
            for _ in range(self.unfolds):
                gates = torch.sigmoid(torch.addmm(circuit.offset, state, circuit.slope))
                if isinstance(row_time, Tensor):
                    gates = gates * row_time
                numerator, denominator = torch.addmm(step_drive, gates, pull).chunk(2, 1)
                state = (state + numerator) / denominator
            states.append(state)
        return torch.stack(states, 1)[..., : self.output_size], state

    def _circuit(self) -> Circuit:
        gleak = F.softplus(self.gleak)
        per_capacitance = F.softplus(self.cm).reciprocal().repeat(2)
        sensory_bias = self.input_b @ self.sensory_source_of - self.sensory_mu
        return Circuit(
            sensory_slope=self.input_w[:, None] * self.sensory_source_of * self.sensory_sigma,
            sensory_offset=self.sensory_sigma * sensory_bias,
            sensory_pull=_pull(self.sensory_target_of, self.sensory_w, self.sensory_erev) * per_capacitance,
            slope=self.source_of * self.sigma,
            offset=-self.sigma * self.mu,
            pull=_pull(self.target_of, self.w, self.erev) * per_capacitance,
            leak=torch.cat([gleak * self.vleak, gleak]) * per_capacitance,
        )

    def _constant_drive(self, circuit: Circuit, features: Tensor, unfold_time: float | Tensor) -> Tensor:
        """What stays the same over the unfolds of a step, for the whole sequence at once: [B, T, 2S]."""
        gates = torch.sigmoid(features @ circuit.sensory_slope + circuit.sensory_offset)
        time = unfold_time.unsqueeze(2) if isinstance(unfold_time, Tensor) else unfold_time
        drive = (gates @ circuit.sensory_pull + circuit.leak) * time
        own = drive.new_zeros(2 * self.state_size)
        own[self.state_size :] = 1.0  # the 1 in the denominator
        return drive + own


def _pull(target_of: Tensor, w: Tensor, erev: Tensor) -> Tensor:
    weight = F.softplus(w)
    return torch.cat([target_of * (weight * erev)[:, None], target_of * weight[:, None]], dim=1)


def _uniform(size: int, low: float, high: float) -> Tensor:
    return torch.empty(size).uniform_(low, high)


def _inverse_softplus(positive: Tensor) -> Tensor:
    return torch.log(torch.expm1(positive))
