"""Maps from the gradient of the steering: what it does if a pixel changes a little.

    gradient                 sum_c da/dx_c: what it does if a pixel grows brighter, in action per full brightness
    SmoothGrad               its mean over 8 frames with noise, Smilkov et al., arXiv 1706.03825
    integrated gradients     x * mean over the way from 0 to x of da/dx, summed over colours, of the standardised image x
                             Sundararajan et al., ICML 2017
    Grad-CAM                 sum_c A_c mean_p da/dA_c of the feature maps A of one convolution, Selvaraju et al., ICCV 2017;
                             without its ReLU, because to the right is no less than to the left
    through time             da_T/dx_t: what the pixels of the past still steer now

All of them pass through the core with the memory it has, and all carry a sign.  SmoothGrad and integrated gradients are
captum's; Grad-CAM is not, whose hooks cannot see maps that a ReLU overwrites in place.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lanekeep.saliency.steering import FromStandardised, Steering, images_of
from lanekeep_policies import Driver, standardise

DRAWS, NOISE = 8, 0.05  # of SmoothGrad; the noise in full brightness
WAY = 16  # points on the way of integrated gradients
CAM_LAYER = 2  # convolution of Grad-CAM: the last one before the pictures get too small to point at anything


def gradient(driver: Driver, frames: Tensor, states: Tensor) -> Tensor:
    """Frames [N, H, W, 3] and memories [N, S] to maps [N, H, W]."""
    steering = Steering(driver)
    images = images_of(frames, driver).requires_grad_()
    return torch.autograd.grad(steering(images, states).sum(), images)[0].sum(1)


def smooth_gradient(driver: Driver, frames: Tensor, states: Tensor) -> Tensor:
    """The same, less ragged; the noise is drawn from one seed."""
    from captum.attr import NoiseTunnel, Saliency

    steering = Steering(driver)
    method = NoiseTunnel(Saliency(steering))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = method.attribute(
            images_of(frames, driver), nt_type="smoothgrad", nt_samples=DRAWS, stdevs=NOISE, abs=False,
            additional_forward_args=(states,),
        )  # fmt: skip
    return _summed(found)


def integrated_gradients(driver: Driver, frames: Tensor, states: Tensor) -> Tensor:
    """Attributions [N, H, W] that add up to the steering beyond that for a frame of one colour."""
    from captum.attr import IntegratedGradients

    images = standardise(frames, next(driver.parameters()).dtype)
    found = IntegratedGradients(FromStandardised(driver)).attribute(
        images, n_steps=WAY, additional_forward_args=(states,), internal_batch_size=max(64, len(images))
    )
    return _summed(found)


def grad_cam(driver: Driver, frames: Tensor, states: Tensor, layer: int = CAM_LAYER) -> Tensor:
    """Maps [N, H, W] of the convolution `layer`, enlarged to the frame."""
    steering, head = Steering(driver), driver.head
    with torch.enable_grad():
        images = standardise(frames, next(driver.parameters()).dtype).requires_grad_()
        maps = head.feature_maps(images)  # type: ignore[operator]
        actions = steering.act(head.read(maps[-1]), states)  # type: ignore[operator]
        slopes = torch.autograd.grad(actions.sum(), maps[layer])[0].mean((2, 3), keepdim=True)
    found = (slopes * maps[layer].detach()).sum(1, keepdim=True)
    return F.interpolate(found, images.shape[2:], mode="bilinear", align_corners=False)[:, 0]


def through_time(driver: Driver, frames: Tensor, state: Tensor) -> Tensor:
    """Frames [T, H, W, 3] one after another, from memory [1, S] on, to the gradients [T, H, W] of the last steering."""
    images = images_of(frames, driver).requires_grad_()
    features = driver.head(255.0 * images.permute(0, 2, 3, 1))
    actions, _ = driver.act(features[None], state)
    return torch.autograd.grad(actions[0, -1, 0], images)[0].sum(1)


def _summed(attributions: Any) -> Tensor:
    """Over the colours."""
    summed: Tensor = attributions.detach().sum(1)
    return summed
