"""Convolutional head of the neural circuit policy: camera frames to 32 features.

    x = relu(conv(standardised frame)):   24@5s2, 36@5s2, 48@3s2, 64@3s1, 8@3s1, padding (k-1)//2
    feature[4c + j] = relu(sum_p W[c, p, j] x[c, p] + b[c, j])      4 linear maps of each of the 8 last channels

Shapes: N frames, H W pixels, P = ceil(H/8) ceil(W/8) positions of the last feature maps. No state.
At 78x200 it has the 79,420 parameters of the paper's Table 2. The ReLU on the linear maps is in the paper's code only,
and its bias of 0.01 for the convolutions as well.
Lechner et al., Neural circuit policies enabling auditable autonomy, Nat. Mach. Intell. 2, 642-652 (2020), Methods.
"""

import math
from typing import Final, final

import torch
from torch import Tensor, nn

from lanekeep_policies.heads.convolutional import ConvolutionalHead, FrameSize

CONVOLUTIONS: Final = ((24, 5, 2), (36, 5, 2), (48, 3, 2), (64, 3, 1), (8, 3, 1))  # (channels, kernel, stride)
FEATURES_PER_CHANNEL: Final = 4
FEATURES: Final = CONVOLUTIONS[-1][0] * FEATURES_PER_CHANNEL


@final
class ConvHead(ConvolutionalHead):
    """Frames [N, H, W, 3] to features [N, 32], all >= 0."""

    features = FEATURES

    def __init__(self, height: int, width: int) -> None:
        super().__init__("The conv head", CONVOLUTIONS, FrameSize(height, width), padded=True)
        for _, _, stride in CONVOLUTIONS:
            height, width = math.ceil(height / stride), math.ceil(width / stride)
        channels = CONVOLUTIONS[-1][0]
        self.map_weight = nn.Parameter(torch.empty(channels, height * width, FEATURES_PER_CHANNEL))
        self.map_bias = nn.Parameter(torch.empty(channels, FEATURES_PER_CHANNEL))
        self.map_relu = nn.ReLU()
        self._initialise()

    @torch.no_grad()
    def _initialise(self) -> None:
        """Draw the linear maps.

        Their inputs are never negative, so the mean of a map's weights would decide if its feature is dead on every
        frame: it is taken out. Features then spread around 0.5, where the sensory synapses of an LTC (mu 0.3..0.8) are
        sensitive, and no ReLU starts dead.
        """
        nn.init.normal_(self.map_weight, std=0.5 / math.sqrt(self.map_weight.shape[1]))
        self.map_weight.sub_(self.map_weight.mean(1, keepdim=True))
        nn.init.constant_(self.map_bias, 0.5)

    def read(self, last_maps: Tensor) -> Tensor:
        maps = torch.einsum("ncp,cpj->ncj", last_maps.flatten(2), self.map_weight) + self.map_bias
        features: Tensor = self.map_relu(maps).flatten(1)
        return features
