"""Head of a driver that reads numbers instead of frames: one linear layer, relu(W x + b).

Such a driver learns in seconds what takes a camera minutes: a first lesson, or a world that has no pictures.
"""

from typing import Final, final

from torch import Tensor, nn

from lanekeep_policies.heads.ncp_conv import FEATURES

MOST_NUMBERS: Final = 65_536  # a foreign checkpoint cannot ask for all the memory


@final
class VectorHead(nn.Module):
    """Numbers [N, D] to features [N, 32], all >= 0."""

    features: Final = FEATURES

    def __init__(self, numbers: int) -> None:
        super().__init__()
        if not 1 <= numbers <= MOST_NUMBERS:
            raise ValueError(f"A driver is told 1 to {MOST_NUMBERS} numbers, not {numbers}.")
        self.linear = nn.Linear(numbers, FEATURES)
        self.relu = nn.ReLU()
        nn.init.normal_(self.linear.weight, std=0.3)
        nn.init.constant_(self.linear.bias, 0.5)  # where synapses are sensitive, as in ncp_conv.py

    def forward(self, numbers: Tensor) -> Tensor:
        features: Tensor = self.relu(self.linear(numbers.to(self.linear.weight.dtype)))
        return features
