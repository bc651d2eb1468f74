"""Head of the feed-forward network (CNN) that the paper of the neural circuit policy compares with.

    relu(conv): 24@5s2, 36@5s2, 48@3s2, 64@3s1, 64@3s1, no padding; 78x200x3 -> 64 maps of 4x19 = 4864 features

The rest is the memoryless core `FeedForward(4864, hidden=(1000, 100))` and a linear read-out.  Together with its weight,
not its bias, they have the 5,068,900 parameters of the paper's Table 2: 98,900 here, 4,969,900 there and 100.
Blind at 78x200: the last row and the last three columns; convolutional.py says what happens to frames of another size.
No dropout: see feedforward.py.  Frames are standardised as the paper's are.
Lechner et al., Neural circuit policies enabling auditable autonomy, Nat. Mach. Intell. 2, 642-652 (2020), Methods.
"""

from typing import Final, final

from lanekeep_policies.heads.convolutional import FrameSize, UnpaddedHead

PUBLISHED_SIZE: Final = FrameSize(78, 200)
CONVOLUTIONS: Final = ((24, 5, 2), (36, 5, 2), (48, 3, 2), (64, 3, 1), (64, 3, 1))  # (channels, kernel, stride)
HIDDEN: Final = (1000, 100)  # units of the core's layers


@final
class CNNHead(UnpaddedHead):
    """Frames [N, H, W, 3] to features [N, 4864]."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__("The CNN", CONVOLUTIONS, PUBLISHED_SIZE, FrameSize(height, width))
