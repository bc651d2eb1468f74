"""Input times gradient: each pixel's share in the steering, if the steering were as steep all the way from nothing to it.

    map = sum_c x_c da/dx_c     of the standardised image x, which is the input of the network

On images in 0..1 the shares of a frame would always add up to zero, because the heads take brightness and contrast out of it
before anything else: to brighten all pixels alike changes nothing.  Zero is a frame of one colour, as for integrated
gradients, whose way from there to x this map walks in one step, with the slope at its end.  captum's.
Shrikumar, Greenside, Shcherbina, Kundaje, Not just a black box, arXiv 1605.01713.
"""

from torch import Tensor

from lanekeep.saliency.steering import FromStandardised, Steering, standardised


def input_times_gradient(steering: Steering, images: Tensor, states: Tensor) -> Tensor:
    """Images [N, 3, H, W] and memories [N, S] to maps [N, H, W]."""
    from captum.attr import InputXGradient

    found: Tensor = InputXGradient(FromStandardised(steering)).attribute(
        standardised(images).requires_grad_(), additional_forward_args=(states,)
    )
    return found.detach().sum(1)
