"""Neural ODE: a state that flows along a small network of itself and the features.

    dx/dt = -x / tau + W2 tanh(W1 [I, x] + b1) + b2
State x [B, U] of U = 64 units, as many in the hidden layer; outputs: x. tau is counted in `time_unit_s`, as elapsed is;
the features I are constant over a step.

tau = inf is the plain neural ODE. Its velocity is bounded and its state is not: on a long drive x drifts as far as it
likes. The leak, by default that of the CT-RNN (5/3 time units, 83 ms at 20 Hz), holds the flow within
    |x_i| <= max(|x0_i|, tau (sum_j |W2_ij| + |b2_i|))
This is a bound, not contraction: two trajectories inside it may part.

`rk4`: classical Runge-Kutta, `steps` of D = elapsed / steps, or more of them where D would exceed tau. For D <= 1.29 tau
a step is a convex combination of x and of tau times four velocities of the network, so the bound holds in discrete time
as well. Elapsed beyond 6 tau, 10 time units by default, is taken as that long.
`dopri5`: adaptive Dormand-Prince 5(4) of torchdiffeq over s = t / elapsed in 0..1, so that every row may last its own
time, of any length. `tolerance` is what one of its steps may err by, absolute and relative to x. The rows of a batch
share its steps, so they know each other within that; gradients flow through the steps, not through an adjoint equation.
B batch, T time, F features. Chen et al., Neural ordinary differential equations, NeurIPS 2018; with a leak: Hasani et
al., AAAI 2021, section 1; Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, II.1 and II.5.
"""

import importlib
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any, Literal, final

import torch
from torch import Tensor, nn

from lanekeep_policies.cores.core import Core, hold, in_turn

Slope = Callable[[Tensor], Tensor]
LONGEST_IN_TAU = 6.0


@final
class NeuralODE(Core):
    """Outputs its state; `steps` is what `rk4` reads, `tolerance` what `dopri5` does, and it needs torchdiffeq."""

    def __init__(
        self,
        input_size: int,
        units: int = 64,
        method: Literal["rk4", "dopri5"] = "rk4",
        steps: int = 1,
        tau: float = 5.0 / 3.0,
        tolerance: float = 1e-6,
        time_unit_s: float = 0.05,
    ) -> None:
        if method not in ("rk4", "dopri5"):
            raise ValueError(f"The methods of a neural ODE are rk4 and dopri5, not {method!r}.")
        if steps < 1 or not tau > 0.0 or not 0.0 < tolerance < math.inf:
            raise ValueError(
                f"A neural ODE needs steps >= 1, tau > 0 and tolerance > 0, not {steps}, {tau}, {tolerance}."
            )
        super().__init__(input_size, units, units, time_unit_s)
        if method == "dopri5":
            _torchdiffeq()
        self.method, self.steps, self.tau, self.tolerance = method, steps, tau, tolerance
        self.hidden = nn.Linear(input_size + units, units)
        self.velocity = nn.Linear(units, units)

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        of_features, of_state = torch.split(self.hidden.weight, [self.input_size, self.state_size], dim=1)
        drive = features @ of_features.T + self.hidden.bias
        states = []
        for step_drive, duration in zip(drive.unbind(1), in_turn(elapsed, features.shape[1]), strict=True):

            def slope(x: Tensor, step_drive: Tensor = step_drive) -> Tensor:
                hidden = torch.tanh(torch.addmm(step_drive, x, of_state.T))
                return torch.add(self.velocity(hidden), x, alpha=-1.0 / self.tau)

            state = self._flow(slope, state, duration)
            states.append(state)
        return torch.stack(states, 1), state

    def _flow(self, slope: Slope, state: Tensor, duration: float | Tensor) -> Tensor:
        if self.method == "dopri5":
            return dopri5(slope, state, duration, self.tolerance)
        for step in self._steps(duration):
            state = rk4_step(slope, state, step)
        return state

    def _steps(self, duration: float | Tensor) -> list[Any]:
        """The lengths of the steps that make up a duration, a number or [B, 1]: none above tau."""
        longest = LONGEST_IN_TAU * self.tau
        if not isinstance(duration, Tensor):
            duration = min(duration, longest)
            count = max(self.steps, math.ceil(duration / self.tau))
            return [duration / count] * count
        duration = duration.clamp(max=longest)
        counts = torch.ceil(duration / self.tau).clamp(min=self.steps)
        # a row that needs fewer than another stands still in the rest: a step of no length changes nothing
        return [duration / counts * (counts > step) for step in range(int(counts.max()))]


def rk4_step(slope: Slope, state: Tensor, step: Any) -> Tensor:
    """The state [B, S] one classical Runge-Kutta step later, of a length that is a number or [B, 1]: error O(step^5)."""
    first = slope(state)
    second = slope(state + step / 2 * first)
    third = slope(state + step / 2 * second)
    fourth = slope(state + step * third)
    after: Tensor = state + step / 6 * (first + 2 * (second + third) + fourth)
    return after


def dopri5(slope: Slope, state: Tensor, duration: float | Tensor, tolerance: float) -> Tensor:
    """The state [B, S] after `duration`, a number or [B, 1], by adaptive Dormand-Prince steps."""

    def over_unit_time(_: Tensor, x: Tensor) -> Tensor:
        return duration * slope(x)

    unit = torch.tensor([0.0, 1.0], dtype=state.dtype, device=state.device)
    path = _torchdiffeq().odeint(over_unit_time, state, unit, rtol=tolerance, atol=tolerance, method="dopri5")
    return hold(path[1], state, duration)  # its interpolation rounds even where nothing flows


def _torchdiffeq() -> ModuleType:
    try:
        return importlib.import_module("torchdiffeq")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "The adaptive neural ODE needs torchdiffeq: pip install 'lanekeep[ode]'.", name="torchdiffeq"
        ) from None
