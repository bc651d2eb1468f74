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
for each that exists. g, C and w must not be negative: they are stored as the inverse of a softplus, or as they are
(`constraint="clip"`) and then clipped by `constrain()` after each step of an optimiser.

On a CPU a compiled solver with a backward pass by hand does the work (`compiled_solver`); torch's own operations do it where
they must be seen (GPU, vmap, jvp, tracing, a gradient of a gradient: `torch_solver`). They differ by rounding only.

Hasani et al., Liquid time-constant networks, AAAI 2021, eq. 1 and Algorithm 1; Lechner et al., Nat. Mach. Intell. 2,
642-652 (2020), Methods. It equals `LTC(output_mapping=None)` of ncps 1.0.1, and starts in the ranges
of its `LTCCell`.
"""

from collections.abc import Callable
from typing import Literal, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lanekeep_policies.cores.core import Core
from lanekeep_policies.cores.ltc import compiled_solver, torch_solver
from lanekeep_policies.cores.ltc.circuit import Ends, Solver, Weights
from lanekeep_policies.cores.ltc.compiled_solver import Stepper
from lanekeep_policies.cores.ltc.torch_solver import Incidence
from lanekeep_policies.wiring import Wiring

LEAST_CM = 1e-3  # a neuron without capacitance would move infinitely fast


@final
class LTC(Core):
    """The recurrent core `ncp` on the wiring of a neural circuit policy, `ltc` on a full one."""

    def __init__(
        self,
        wiring: Wiring,
        unfolds: int = 6,
        time_unit_s: float = 0.05,
        constraint: Literal["softplus", "clip"] = "softplus",
        epsilon: float = 0.0,
    ) -> None:
        """`epsilon` is added to the leak in the denominator; ncps has 1e-8 there."""
        if unfolds < 1:
            raise ValueError(f"An LTC needs unfolds >= 1, not {unfolds}.")
        if constraint not in ("softplus", "clip"):
            raise ValueError(f"The constraint of an LTC is softplus or clip, not {constraint!r}.")
        if not 0.0 <= epsilon < 1.0:
            raise ValueError(f"The epsilon of an LTC is from 0 to below 1, not {epsilon}.")
        super().__init__(wiring.sensory, wiring.neurons, wiring.motor, time_unit_s)
        self.wiring = wiring
        self.unfolds = unfolds
        self.constraint = constraint
        self.epsilon = epsilon
        # copies: a core that is copied or pickled has writable arrays, and numba would compile anew for another type
        arrays = (wiring.source, wiring.target, wiring.sensory_source, wiring.sensory_target)
        ends = Ends(*(array.copy() for array in arrays))
        self._solver = Solver(ends, unfolds, constraint == "softplus", epsilon)
        self._initialise_parameters()
        sizes = (wiring.neurons, wiring.neurons, wiring.sensory, wiring.neurons)
        for name, index, size in zip(Incidence._fields, arrays, sizes, strict=True):
            one_hot = F.one_hot(torch.tensor(index), size).to(torch.get_default_dtype())
            self.register_buffer(name, one_hot.T if "source" in name else one_hot, persistent=False)

    def _initialise_parameters(self) -> None:
        neurons, synapses, sensory_synapses = self.state_size, len(self.wiring.source), len(self.wiring.sensory_source)
        stored = _inverse_softplus if self.constraint == "softplus" else torch.Tensor.clone
        self.input_w = nn.Parameter(torch.ones(self.input_size))
        self.input_b = nn.Parameter(torch.zeros(self.input_size))
        self.gleak = nn.Parameter(stored(_uniform(neurons, 0.001, 1.0)))
        self.vleak = nn.Parameter(_uniform(neurons, -0.2, 0.2))
        self.cm = nn.Parameter(stored(_uniform(neurons, 0.4, 0.6)))
        self.w = nn.Parameter(stored(_uniform(synapses, 0.001, 1.0)))
        self.mu = nn.Parameter(_uniform(synapses, 0.3, 0.8))
        self.sigma = nn.Parameter(_uniform(synapses, 3.0, 8.0))
        self.erev = nn.Parameter(torch.tensor(self.wiring.polarity, dtype=torch.get_default_dtype()))
        self.sensory_w = nn.Parameter(stored(_uniform(sensory_synapses, 0.001, 1.0)))
        self.sensory_mu = nn.Parameter(_uniform(sensory_synapses, 0.3, 0.8))
        self.sensory_sigma = nn.Parameter(_uniform(sensory_synapses, 3.0, 8.0))
        self.sensory_erev = nn.Parameter(torch.tensor(self.wiring.sensory_polarity, dtype=torch.get_default_dtype()))

    @torch.no_grad()
    def constrain(self) -> None:
        """With `constraint="clip"`: put conductances that an optimiser made negative back to zero, and capacitances to
        LEAST_CM."""
        if self.constraint == "clip":
            for stored in (self.gleak, self.w, self.sensory_w):
                stored.clamp_(min=0.0)
            self.cm.clamp_(min=LEAST_CM)

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        weights = self._weights()
        if compiled_solver.is_for_us(features, state, elapsed, weights):
            return compiled_solver.solve(
                self._solver, self._solve_in_torch, weights, features, state, elapsed, self.output_size
            )
        return self.run_in_torch(features, state, elapsed)

    def run_in_torch(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        """Run as `run` does, in torch's own operations, which every transform of torch can see."""
        states = self._solve_in_torch(self._weights(), features, state, elapsed)
        return states[..., : self.output_size], states[:, -1]

    def stepper(self) -> Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]:
        if not all(weight.is_cpu and weight.dtype in compiled_solver.PRECISIONS for weight in self._weights()):
            return super().stepper()
        return Stepper(self._solver, self._weights(), self.output_size, self.time_unit_s)

    def _weights(self) -> Weights:
        return Weights(*(getattr(self, name) for name in Weights._fields))

    def _solve_in_torch(self, weights: Weights, features: Tensor, state: Tensor, elapsed: float | Tensor) -> Tensor:
        incidence = Incidence(*(getattr(self, name) for name in Incidence._fields))
        return torch_solver.solve(weights, incidence, self._solver, features, state, elapsed)


def _uniform(size: int, low: float, high: float) -> Tensor:
    return torch.empty(size).uniform_(low, high)


def _inverse_softplus(positive: Tensor) -> Tensor:
    return torch.log(torch.expm1(positive))
