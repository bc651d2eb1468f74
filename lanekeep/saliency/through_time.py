"""The gradient of the last steering through the memory: what the pixels of the past still steer now.

map_t = sum_c da_T/dx_t,c     for each frame x_t of a drive
"""

import torch
from torch import Tensor

from lanekeep.saliency.steering import frames_of, images_of
from lanekeep_policies import Driver


@torch.inference_mode(False)
@torch.enable_grad()
def through_time(driver: Driver, frames: Tensor, state: Tensor) -> Tensor:
    """Frames [T, H, W, 3] one after another, from memory [1, S] on, to the gradients [T, H, W] of the last steering."""
    frames, state = frames.clone(), state.detach().clone()  # those of inference mode have no gradient
    images = images_of(frames, driver).requires_grad_()
    features = driver.head(frames_of(images))
    actions, _ = driver.act(features[None], state)
    return torch.autograd.grad(actions[0, -1, 0], images)[0].sum(1)
