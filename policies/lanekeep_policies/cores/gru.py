"""Gated recurrent unit (GRU) core.

    r, z = sigmoid(W x + U h + b)    n = tanh(W_n x + b_n + r (U_n h))    h <- (1 - z) n + z h
State h [B, U] of U = 64 units; outputs: h. It has no notion of time: every `dt_s` > 0 is one update.
torch keeps a second bias, on U h. In the gates r and z it only appears as a sum with the first; in the candidate n it
does not: there it would add r c_n for a trained c_n. It is held at zero throughout, which leaves one bias a gate, as in
the published cell (and in the cells the LSTM core is compared with): 3 U (F + U + 1) trainable parameters, 18,624 of 32
features. The reset gate acts after the product with U_n, as in all fused kernels; Cho et al. print it before.
B batch, T time, F features. Cho et al., EMNLP 2014, section 2.3; z is theirs.
"""

from typing import final

import torch
from torch import Tensor, nn

from lanekeep_policies.cores.contract import Core, run_timeless


@final
class GRU(Core):
    """One layer of gated recurrent units."""

    def __init__(self, input_size: int, units: int = 64) -> None:
        super().__init__(input_size, units, units)
        self.cell = nn.GRU(input_size, units, batch_first=True)  # weights U(-1/sqrt(units), 1/sqrt(units))
        with torch.no_grad():
            self.cell.get_parameter("bias_hh_l0").zero_().requires_grad_(False)
            self.cell.get_parameter("bias_ih_l0").zero_()

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        return run_timeless(self._update, self._outputs, features, state, elapsed)

    def _outputs(self, state: Tensor) -> Tensor:
        return state

    def _update(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        outputs, state = self.cell(features, state.unsqueeze(0).contiguous())
        return outputs, state.squeeze(0)
