"""Standard recurrent core (Elman network), the oldest baseline.

    h <- tanh(W x + U h + b)
State h [B, U] of U = 64 units; outputs: h. It has no notion of time: every `dt_s` > 0 is one update.
torch keeps two biases that only ever appear as a sum. The second is held at zero, so that the core has U (F + U + 1)
trainable parameters, 6,208 of 32 features.
B batch, T time, F features. Elman, Cognitive Science 14, 179-211 (1990).
"""

from typing import final

import torch
from torch import Tensor, nn

from lanekeep_policies.cores.contract import Core, run_timeless


@final
class RNN(Core):
    """One layer of tanh units."""

    def __init__(self, input_size: int, units: int = 64) -> None:
        super().__init__(input_size, units, units)
        self.cell = nn.RNN(input_size, units, batch_first=True)  # weights U(-1/sqrt(units), 1/sqrt(units))
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
