"""Integrated gradients: shares of the steering that add up to what is beyond that for a frame of one colour.

    map = sum_c x_c * mean over POINTS on the way from 0 to x of da/dx_c     of the standardised image x

captum's.  A share is positive where a pixel steers to the left.  Sundararajan, Taly, Yan, ICML 2017.
"""

from torch import Tensor

from lanekeep.saliency.steering import FromStandardised, Steering, standardised

POINTS = 16


def integrated_gradients(steering: Steering, images: Tensor, states: Tensor) -> Tensor:
    """Images [N, 3, H, W] and memories [N, S] to maps [N, H, W]."""
    from captum.attr import IntegratedGradients

    found: Tensor = IntegratedGradients(FromStandardised(steering)).attribute(
        standardised(images),
        n_steps=POINTS,
        additional_forward_args=(states,),
        internal_batch_size=max(64, len(images)),
    )
    return found.detach().sum(1)
