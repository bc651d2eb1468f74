"""Long short-term memory (LSTM) core, the baseline the liquid networks are measured against.

    i, f, o = sigmoid(W x + U h + b)    g = tanh(W x + U h + b)    c <- f c + i g    h <- o tanh(c)
State [B, 2U]: h, then c, of U = 64 units; outputs: h. It has no notion of time: every `dt_s` > 0
is one update.
torch keeps two biases that only ever appear as a sum. The second is held at zero, so that the core and a linear
read-out of one number have the 24,897 trainable parameters of Table 2 in Lechner et al., Nat. Mach. Intell. 2,
642-652 (2020); the bias of the forget gate starts at 1, as there.
B batch, T time, F features. Hochreiter, Schmidhuber (1997), with the forget gate of Gers, Schmidhuber, Cummins (2000).
"""

from typing import final

import torch
from torch import nn

from lanekeep_policies.cores.torch_layer import TorchLayer


@final
class LSTM(TorchLayer):
    """One layer of LSTM units with its state in one flat vector."""

    def __init__(self, input_size: int, units: int = 64) -> None:
        super().__init__(nn.LSTM, input_size, units, vectors=2)
        with torch.no_grad():  # torch orders the gates i, f, g, o
            self.cell.get_parameter("bias_ih_l0")[units : 2 * units] = 1.0
