"""Feed-forward core without memory: each frame is answered by itself.

    h = f(W h + b)    for each hidden layer, beginning with h = features; f is the ReLU unless another is given
State [B, 0]; outputs: the last hidden layer.  The driver's read-out is the output layer of the network.  Time has no
meaning: with dt_s = 0 as well, a step's output is that of its own features.

No dropout, though the NCP paper's scripts keep 0.5 / 0.5 / 0.7 of the units of its CNN while they train.  It would make a
driver two functions, one of them random, and the random one would have to be told apart while a driver in training drives
a DAgger round; and its masks would have to be a function of the seed and the update for a resumed training to equal an
uninterrupted one.  A driver here also does not see the same 94 minutes again and again: DAgger brings new frames.
B batch, T time, F features.  Weights start as in He et al., Delving deep into rectifiers (2015), eq. 10; biases at zero.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import final

from torch import Tensor, nn

from lanekeep_policies.cores.core import Core


@final
class FeedForward(Core):
    """Fully connected layers of `hidden` units each."""

    def __init__(
        self,
        input_size: int,
        hidden: Sequence[int] = (1000, 100),
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        if not hidden or min(hidden) < 1:
            raise ValueError(f"A feed-forward core needs hidden layers of at least one unit, not {tuple(hidden)}.")
        super().__init__(input_size, 0, hidden[-1])
        self.layers = nn.ModuleList(nn.Linear(inputs, units) for inputs, units in pairwise((input_size, *hidden)))
        self.activations = nn.ModuleList(activation() for _ in hidden)  # each used once, for tools that hook modules
        for layer in self.layers:
            nn.init.kaiming_normal_(layer.get_parameter("weight"), nonlinearity="relu")
            nn.init.zeros_(layer.get_parameter("bias"))

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        for layer, activation in zip(self.layers, self.activations, strict=True):
            features = activation(layer(features))
        return features, state
