"""Standard recurrent core (Elman network), the oldest baseline.

    h <- tanh(W x + U h + b)
State h [B, U] of U = 64 units; outputs: h. It has no notion of time: every `dt_s` > 0 is one update.
torch keeps two biases that only ever appear as a sum. The second is held at zero, so that the core has U (F + U + 1)
trainable parameters, 6,208 of 32 features.
B batch, T time, F features. Elman, Cognitive Science 14, 179-211 (1990).
"""

from typing import final

from torch import nn

from lanekeep_policies.cores.torch_layer import TorchLayer


@final
class RNN(TorchLayer):
    """One layer of tanh units."""

    def __init__(self, input_size: int, units: int = 64) -> None:
        super().__init__(nn.RNN, input_size, units)
