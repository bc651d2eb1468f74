"""Local blur: the steering with a spot of the frame blurred, its memory held where it is.

    a(x) - a(x with a blurred spot), every STRIDE pixels, a spot being a bell of deviation SPOT

Positive where the part steers to the left; it takes hundreds of forward passes for a frame.  Greydanus et al., ICML 2018,
arXiv 1711.00138, eq. 1 to 2, who show half the square of it, which has no sign.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from lanekeep.saliency.steering import Steering

STRIDE = 5  # [pixels]
SPOT, BLUR = 4.0, 3.0  # deviation of the spot and of the blur in it [pixels]
AT_ONCE = 128  # images in a forward pass


@torch.no_grad()
def local_blur(steering: Steering, images: Tensor, states: Tensor) -> Tensor:
    """Images [N, 3, H, W] and memories [N, S] to maps [N, H, W]."""
    blurred, spots = gaussian_blur(images, BLUR), _spots(images)  # [K, H, W]
    rows, columns = _centres(images.shape[2]), _centres(images.shape[3])
    maps = []
    for n in range(len(images)):
        image, off = images[n : n + 1], []
        whole = steering(image, states[n : n + 1])
        for part in torch.split(spots, AT_ONCE):
            mixed = image + part[:, None] * (blurred[n : n + 1] - image)
            off.append(whole - steering(mixed, states[n : n + 1].expand(len(part), -1)))
        maps.append(torch.cat(off).view(1, 1, len(rows), len(columns)))
    return F.interpolate(torch.cat(maps), images.shape[2:], mode="bilinear", align_corners=False)[:, 0]


def gaussian_blur(images: Tensor, deviation: float) -> Tensor:
    """Images [N, C, H, W] under a bell, the border repeated."""
    reach = int(3.0 * deviation + 0.5)
    bell = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=images.dtype) / deviation) ** 2)
    bell = bell / bell.sum()
    channels = images.shape[1]
    padded = F.pad(images, (reach, reach, reach, reach), mode="replicate")
    across = F.conv2d(padded, bell.view(1, 1, 1, -1).expand(channels, -1, -1, -1), groups=channels)
    return F.conv2d(across, bell.view(1, 1, -1, 1).expand(channels, -1, -1, -1), groups=channels)


def _centres(side: int) -> Tensor:
    return torch.arange(STRIDE // 2, side, STRIDE)


def _spots(images: Tensor) -> Tensor:
    """Bells [K, H, W] of height 1 around every centre, row by row."""
    height, width = images.shape[2:]
    up, across = (
        torch.exp(-0.5 * ((torch.arange(side)[None] - _centres(side)[:, None]) / SPOT) ** 2).to(images.dtype)
        for side in (height, width)
    )
    return torch.einsum("ih,jw->ijhw", up, across).flatten(0, 1)
