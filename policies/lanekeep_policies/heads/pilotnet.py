"""Head of PilotNet, NVIDIA's network that steers from single frames.

    relu(conv): 24@5s2, 36@5s2, 48@5s2, 64@3s1, 64@3s1, no padding; 66x200x3 -> 64 maps of 1x18 = 1152 features

The rest is the memoryless core `FeedForward(1152, HIDDEN, ACTIVATION)`, of 100, 50 and 10 units, and a linear read-out of
one number.  Together they have 252,219 parameters, "about 250 thousand" in the paper: 131,348 here, 120,860 there and 11.
Blind at 66x200: the last five rows, just before the bonnet, and the last three columns; convolutional.py says what
happens to frames of another size.
The paper feeds YUV planes normalised by constants, here it is RGB standardised per frame, as for every head.  It does not
name its nonlinearity: here it is the ReLU in the convolutions, which saliency maps build on, and the ELU in the other
layers.  With the ReLU there, all of the last 10 units can die in the first hundred updates, and the driver is a constant.
Bojarski et al., End to end learning for self-driving cars, arXiv 1604.07316 (2016), section 4 and figure 4. The 1164
units that figure prints beside the flattening are read as those 1152: a layer more would make 1.6 million parameters, and
the text has three fully connected layers, 27 million connections and 250 thousand parameters, as here.
"""

from typing import Final, final

from torch import nn

from lanekeep_policies.heads.convolutional import FrameSize, UnpaddedHead

PUBLISHED_SIZE: Final = FrameSize(66, 200)
CONVOLUTIONS: Final = ((24, 5, 2), (36, 5, 2), (48, 5, 2), (64, 3, 1), (64, 3, 1))  # (channels, kernel, stride)
HIDDEN: Final = (100, 50, 10)  # units of the core's layers
ACTIVATION: Final = nn.ELU  # of the core's layers


@final
class PilotNetHead(UnpaddedHead):
    """Frames [N, H, W, 3] to features [N, 1152]."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__("PilotNet", CONVOLUTIONS, PUBLISHED_SIZE, FrameSize(height, width))
