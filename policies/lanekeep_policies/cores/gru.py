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

from torch import nn

from lanekeep_policies.cores.torch_layer import TorchLayer


@final
class GRU(TorchLayer):
    """One layer of gated recurrent units."""

    def __init__(self, input_size: int, units: int = 64) -> None:
        super().__init__(nn.GRU, input_size, units)
