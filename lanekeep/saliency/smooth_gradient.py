"""SmoothGrad: the gradient, less ragged.

    map = mean over DRAWS images with noise of deviation NOISE of sum_c da/dx_c

captum's.  The noise is drawn from one seed for the whole batch.  Smilkov et al., arXiv 1706.03825; with its sign.
"""

import torch
from torch import Tensor

from lanekeep.saliency.steering import Steering

DRAWS, NOISE = 8, 0.05  # the noise in full brightness


def smooth_gradient(steering: Steering, images: Tensor, states: Tensor) -> Tensor:
    """Images [N, 3, H, W] and memories [N, S] to maps [N, H, W]."""
    from captum.attr import NoiseTunnel, Saliency

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found: Tensor = NoiseTunnel(Saliency(steering)).attribute(
            images, nt_type="smoothgrad", nt_samples=DRAWS, stdevs=NOISE, abs=False, additional_forward_args=(states,)
        )
    return found.detach().sum(1)
