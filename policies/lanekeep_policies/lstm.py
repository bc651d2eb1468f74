"""Long short-term memory (LSTM) core, the baseline the liquid networks are measured against.

    i, f, o = sigmoid(W x + U h + b)    g = tanh(W x + U h + b)    c <- f c + i g    h <- o tanh(c)
State [B, 2U]: h, then c, of U = 64 units; outputs: h. It has no notion of time: `dt_s` is ignored.
torch keeps two biases that only ever appear as a sum. The second is held at zero, so that the core and a linear
read-out of one number have the 24,897 trainable parameters of Table 2 in Lechner et al., Nat. Mach. Intell. 2,
642-652 (2020); the bias of the forget gate starts at 1, as there.
B batch, T time, F features. Hochreiter, Schmidhuber (1997), with the forget gate of Gers, Schmidhuber, Cummins (2000).
"""

from typing import final

import torch
from torch import Tensor, nn


@final
class LSTM(nn.Module):
    """One layer of LSTM units with its state in one flat vector."""

    def __init__(self, input_size: int, units: int = 64) -> None:
        super().__init__()
        self.input_size = input_size
        self.state_size = 2 * units
        self.output_size = units
        self.cell = nn.LSTM(input_size, units, batch_first=True)  # weights U(-1/sqrt(units), 1/sqrt(units))
        with torch.no_grad():
            self.cell.get_parameter("bias_hh_l0").zero_().requires_grad_(False)
            self.cell.get_parameter("bias_ih_l0").zero_()[units : 2 * units] = 1.0  # torch orders the gates i, f, g, o

    def initial_state(self, batch: int) -> Tensor:
        return self.cell.get_parameter("bias_ih_l0").new_zeros(batch, self.state_size)

    def forward(self, features: Tensor, state: Tensor, dt_s: float | Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, T, F] and state [B, 2U] to outputs [B, T, U] and the state after the last step."""
        h, c = (part.contiguous() for part in state.unsqueeze(0).chunk(2, dim=-1))
        outputs, (h, c) = self.cell(features, (h, c))
        return outputs, torch.cat([h, c], dim=-1).squeeze(0)
