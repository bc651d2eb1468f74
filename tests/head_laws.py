"""Laws of every convolutional head: what it reads of a frame, and what its features do not depend on."""

import torch
from torch import Tensor

from lanekeep_policies.heads.convolutional import ConvolutionalHead


def random_frames(count: int, height: int = 48, width: int = 160, levels: int = 256) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, levels, (count, height, width, 3), dtype=torch.uint8, generator=generator)


def what_is_read(head: ConvolutionalHead, height: int, width: int) -> Tensor:
    """[H, W] True where a feature depends on the pixel, in all three colours."""
    head = head.double()
    for parameter in head.parameters():  # positive weights and pixels: no ReLU closes, only the geometry is left
        parameter.data.abs_().add_(1e-3)
    image = torch.ones(1, 3, height, width, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(head.feature_maps(image)[-1].sum(), image)
    return (gradient[0] > 0).all(0)


def assert_light_and_batch_change_nothing(head: ConvolutionalHead) -> None:
    """Features of frames 48x160 do not change with gain and offset of the light, nor with the other frames beside one."""
    frames = random_frames(2, levels=100)
    torch.testing.assert_close(head(2 * frames + 30), head(frames), rtol=0.0, atol=1e-12)
    frames = random_frames(3)
    alone = torch.cat([head(frame[None]) for frame in frames])
    torch.testing.assert_close(head(frames), alone, rtol=0.0, atol=1e-12)


def assert_gradient_reaches_the_pixels(head: ConvolutionalHead, height: int, width: int) -> None:
    """Of float frames, which saliency maps stand on; against central differences."""
    frame = random_frames(1, height, width).double().requires_grad_()
    (gradient,) = torch.autograd.grad(head(frame).sum(), frame)
    with torch.no_grad():
        for pixel in [(0, 0, 0, 0), (0, 7, 9, 1), (0, height - 1, width - 1, 2)]:
            step = torch.zeros_like(frame)
            step[pixel] = 1e-4
            difference = (head(frame + step).sum() - head(frame - step).sum()) / 2e-4
            torch.testing.assert_close(gradient[pixel], difference, rtol=1e-5, atol=1e-9)
