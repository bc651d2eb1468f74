"""Continuous-time gated recurrent unit (CT-GRU) core: gates that choose how long to remember.

    ln tau_R = W_R x + U_R h + b_R                      r_i = softmax_i(-(ln tau_R - ln tau_i)^2)     scale to read from
    q = tanh(W_Q x + U_Q (sum_i r_i g_i) + b_Q)                                                       what is detected
    ln tau_S = W_S x + U_S h + b_S                      s_i = softmax_i(-(ln tau_S - ln tau_i)^2)     scale to store in
    g_i <- ((1 - s_i) g_i + s_i q) exp(-elapsed / tau_i)                                              store, then forget
    h <- sum_i g_i
Each unit has a trace g_i at each of M fixed time scales tau_i = 10^(i/2), i = 0..M-1, counted in `time_unit_s` as elapsed
is: of 8 scales at 20 Hz, 50 ms to 158 s.  A frame is stored at the beginning of its step, which lasts `elapsed`.
State [B, M U]: the traces, scale by scale, of U = 64 units; outputs: h.  |g_i| <= max(|g_i at the start|, 1).
With F = 32 features it has 3 U (F + U + 1) = 18,624 parameters, as many as the GRU, whose two gates choose here between
scales.
B batch, T time, F features.  Mozer, Kazakov, Lindsey, Discrete event, continuous time RNNs, arXiv 1710.04110, section 3.
"""

import math
from typing import final

import torch
from torch import Tensor, nn

from lanekeep_policies.cores.core import Core, hold, in_turn


@final
class CTGRU(Core):
    """One layer of gated units with `scales` traces each."""

    def __init__(self, input_size: int, units: int = 64, scales: int = 8, time_unit_s: float = 0.05) -> None:
        if scales < 1:
            raise ValueError(f"A CT-GRU needs at least one time scale, not {scales}.")
        super().__init__(input_size, scales * units, units, time_unit_s)
        self.scales = scales
        self.input_map = nn.Linear(input_size, 3 * units)  # W and b of R, S and Q
        self.scale_map = nn.Linear(units, 2 * units, bias=False)  # U of R and S
        self.event_map = nn.Linear(units, units, bias=False)  # U of Q

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        number = torch.arange(self.scales, dtype=state.dtype, device=state.device)
        ln_tau = 0.5 * math.log(10.0) * number[:, None]  # [M, 1]
        rates = torch.exp(-ln_tau)
        outputs = []
        for drive, time in zip(self.input_map(features).unbind(1), in_turn(elapsed, features.shape[1]), strict=True):
            traces = self._traces(state)
            of_scales, of_event = torch.split(drive, [2 * self.output_size, self.output_size], dim=1)
            read, store = (of_scales + self.scale_map(traces.sum(1))).chunk(2, 1)
            event = torch.tanh(of_event + self.event_map((_shares(read, ln_tau) * traces).sum(1)))
            decay = torch.exp(-(time.unsqueeze(2) if isinstance(time, Tensor) else time) * rates)
            new = torch.lerp(traces, event[:, None], _shares(store, ln_tau)) * decay
            state = hold(new.flatten(1), state, time)
            outputs.append(self._traces(state).sum(1))
        return torch.stack(outputs, 1), state

    def _traces(self, state: Tensor) -> Tensor:
        """State [B, M U] as [B, M, U]."""
        return state.reshape(len(state), self.scales, self.output_size)


def _shares(wanted: Tensor, ln_tau: Tensor) -> Tensor:
    """The shares [B, M, U] of the scales, from the logarithms [B, U] of those that are wanted."""
    return torch.softmax(-(wanted[:, None] - ln_tau).square(), dim=1)
