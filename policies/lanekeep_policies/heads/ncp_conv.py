"""Convolutional head of the neural circuit policy: camera frames to 32 features.

    x = (frame - mean) / max(std, 1/sqrt(HW3))     per frame, over all pixels and channels, of a frame in [0, 1]
    x = relu(conv(x))                              24@5s2, 36@5s2, 48@3s2, 64@3s1, 8@3s1, padding (k-1)//2
    feature[4c + j] = relu(sum_p W[c, p, j] x[c, p] + b[c, j])      4 linear maps of each of the 8 last channels

Shapes: N frames, H W pixels, P = ceil(H/8) ceil(W/8) positions of the last feature maps. No state.
At 78x200 it has the 79,420 parameters of the paper's Table 2. The ReLU on the linear maps is in the paper's code only.
Lechner et al., Neural circuit policies enabling auditable autonomy, Nat. Mach. Intell. 2, 642-652 (2020), Methods;
the standardisation is tf.image.per_image_standardization.
"""

import math
from typing import Final, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CONVOLUTIONS: Final = ((24, 5, 2), (36, 5, 2), (48, 3, 2), (64, 3, 1), (8, 3, 1))  # (channels, kernel, stride)
FEATURES_PER_CHANNEL: Final = 4
FEATURES: Final = CONVOLUTIONS[-1][0] * FEATURES_PER_CHANNEL
SMALLEST_FRAME: Final = 16  # [pixels] a side: below it the last feature maps have a single row or column
LARGEST_FRAME: Final = 4096  # [pixels] a side: a foreign checkpoint cannot ask for all the memory


def standardise(frames: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Grey levels [N, H, W, 3] (0..255, uint8 or float) to images [N, 3, H, W] of mean 0 and deviation 1.

    A contiguous frame is already channels_last in memory, so the permutation copies nothing. Float frames keep their
    gradient: a saliency map may differentiate with respect to pixels.
    """
    pixels = frames.flatten(1).to(dtype)
    mean = pixels.mean(1, keepdim=True)
    # whole numbers have no gradient and were copied just now: in place, the rest takes half the time
    centred = pixels - mean if frames.is_floating_point() else pixels.sub_(mean)
    root = math.sqrt(pixels.shape[1])
    deviation = (torch.linalg.vector_norm(centred, dim=1, keepdim=True) / root).clamp_min(255.0 / root)
    standard = centred / deviation if frames.is_floating_point() else centred.div_(deviation)
    return standard.view(frames.shape).permute(0, 3, 1, 2)


@final
class ConvHead(nn.Module):
    """Frames [N, H, W, 3] to features [N, 32], all >= 0."""

    features: Final = FEATURES

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        if min(height, width) < SMALLEST_FRAME or max(height, width) > LARGEST_FRAME:
            raise ValueError(
                f"The conv head reads frames from {SMALLEST_FRAME}x{SMALLEST_FRAME} to {LARGEST_FRAME}x{LARGEST_FRAME}"
                f" pixels (height x width), not {height}x{width}."
            )
        channels = (3, *(layer[0] for layer in CONVOLUTIONS))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2)
            for inputs, (outputs, kernel, stride) in zip(channels, CONVOLUTIONS, strict=False)
        )
        for _, _, stride in CONVOLUTIONS:
            height, width = math.ceil(height / stride), math.ceil(width / stride)
        self.map_weight = nn.Parameter(torch.empty(channels[-1], height * width, FEATURES_PER_CHANNEL))
        self.map_bias = nn.Parameter(torch.empty(channels[-1], FEATURES_PER_CHANNEL))
        self._initialise()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.no_grad()
    def _initialise(self) -> None:
        """He's normal weights and the paper's bias of 0.01 for the convolutions; the linear maps start differently.

        Their inputs are never negative, so the mean of a map's weights would decide if its feature is dead on every
        frame: it is taken out. Features then spread around 0.5, where the sensory synapses of an LTC (mu 0.3..0.8) are
        sensitive, and no ReLU starts dead. He et al., Delving deep into rectifiers (2015), eq. 10.
        """
        for convolution in self.convolutions:
            nn.init.kaiming_normal_(convolution.get_parameter("weight"), nonlinearity="relu")
            nn.init.constant_(convolution.get_parameter("bias"), 0.01)
        nn.init.normal_(self.map_weight, std=0.5 / math.sqrt(self.map_weight.shape[1]))
        self.map_weight.sub_(self.map_weight.mean(1, keepdim=True))
        nn.init.constant_(self.map_bias, 0.5)

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """Standardised images [N, 3, H, W] to the output of each convolution [N, C, H', W'], after its ReLU."""
        maps = []
        for convolution in self.convolutions:
            images = F.relu_(convolution(images))
            maps.append(images)
        return maps

    def read(self, last_maps: Tensor) -> Tensor:
        """The last feature maps [N, C, H', W'] to features [N, 32]."""
        return F.relu(torch.einsum("ncp,cpj->ncj", last_maps.flatten(2), self.map_weight) + self.map_bias).flatten(1)

    def forward(self, frames: Tensor) -> Tensor:
        return self.read(self.feature_maps(standardise(frames, self.map_bias.dtype))[-1])
