"""Continuous-time recurrent network (CT-RNN): units that leak towards a tanh layer of the features and themselves.

    tau dx/dt = -x + tanh(W [I, x] + b)
Explicit Euler, L unfolds of D = elapsed / L each, all units at once:
    x <- (1 - D/tau) x + D/tau tanh(W [I, x] + b)
State x [B, U] of U = 64 units; outputs: x. tau is counted in `time_unit_s`, as elapsed is. The baseline of Lechner et
al., Nat. Mach. Intell. 2, 642-652 (2020), takes 6 Euler steps of 0.1 with tau = 1 a frame: a frame lasts 0.6 tau there,
so that tau is 5/3 time units here. (dx/dt = -x/tau + tanh(...) with another tau is the same network with x in units of
tau.) With a linear read-out of one number it has the 6,273 parameters of Table 2 there.

While D <= tau a step is a convex combination of x and tanh, so that |x| <= max(|x0|, 1). Beyond D = tau explicit Euler
overshoots, and beyond 2 tau it diverges. D = tau is reached at elapsed = L tau, 10 time units by default; a longer time
is taken as that long. By then nothing of the old state is left but what the units passed on to each other.
B batch, T time, F features. Funahashi, Nakamura, Neural Networks 6, 801-806 (1993).
"""

import math
from typing import final

import torch
from torch import Tensor, nn

from lanekeep_policies.cores.core import Core, in_turn


@final
class CTRNN(Core):
    """One layer of leaky tanh units, all of one time constant."""

    def __init__(
        self, input_size: int, units: int = 64, unfolds: int = 6, tau: float = 5.0 / 3.0, time_unit_s: float = 0.05
    ) -> None:
        if unfolds < 1:
            raise ValueError(f"A CT-RNN needs unfolds >= 1, not {unfolds}.")
        if not 0.0 < tau < math.inf:
            raise ValueError(f"A CT-RNN needs a positive and finite time constant tau, not {tau}.")
        super().__init__(input_size, units, units, time_unit_s)
        self.unfolds = unfolds
        self.tau = tau
        self.layer = nn.Linear(input_size + units, units)

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        of_features, of_state = torch.split(self.layer.weight, [self.input_size, self.state_size], dim=1)
        drive = features @ of_features.T + self.layer.bias
        states = []
        fractions = in_turn(self._fraction(elapsed), features.shape[1])
        for step_drive, fraction in zip(drive.unbind(1), fractions, strict=True):
            for _ in range(self.unfolds):
                state = torch.lerp(state, torch.tanh(torch.addmm(step_drive, state, of_state.T)), fraction)
            states.append(state)
        return torch.stack(states, 1), state

    def _fraction(self, elapsed: float | Tensor) -> float | Tensor:
        """D/tau, at most 1: how much of the way to tanh an unfold goes."""
        if isinstance(elapsed, Tensor):
            return (elapsed / (self.unfolds * self.tau)).clamp(max=1.0)
        return min(elapsed / (self.unfolds * self.tau), 1.0)
