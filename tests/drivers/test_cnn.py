"""The paper's CNN: its size, what it reads of a frame, and its equation."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lanekeep_policies.cores.feedforward import FeedForward
from lanekeep_policies.heads.cnn import HIDDEN, CNNHead
from lanekeep_policies.heads.convolutional import standardise


def head_of(height: int = 78, width: int = 200) -> CNNHead:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return CNNHead(height, width).double()


def random_frames(count: int, height: int = 78, width: int = 200, levels: int = 256) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, levels, (count, height, width, 3), dtype=torch.uint8, generator=generator)


def what_is_read(height: int, width: int) -> torch.Tensor:
    """[H, W] True where a feature depends on the pixel."""
    head = head_of(height, width)
    for parameter in head.parameters():  # positive weights and pixels: no ReLU closes, only the geometry is left
        parameter.data.abs_().add_(1e-3)
    image = torch.ones(1, 3, height, width, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(head.feature_maps(image)[-1].sum(), image)
    return (gradient[0] > 0).all(0)


@pytest.mark.parametrize("size", [(78, 200), (48, 160)])
def test_head_core_and_read_out_weight_have_the_parameters_of_the_papers_table_2(size: tuple[int, int]) -> None:
    head = CNNHead(*size)
    core = FeedForward(head.features, HIDDEN)
    model = nn.ModuleList([head, core, nn.Linear(core.output_size, 1, bias=False)])
    assert head.features == 4_864
    assert sum(parameter.numel() for parameter in model.parameters()) == 5_068_900


@pytest.mark.parametrize(("height", "width"), [(48, 160), (66, 200), (17, 33), (77, 197), (156, 400), (301, 999)])
def test_no_pixel_of_a_resized_frame_is_blind(height: int, width: int) -> None:
    assert what_is_read(height, width).all()


def test_the_paper_s_frames_have_a_blind_row_and_three_blind_columns() -> None:
    expected = torch.zeros(78, 200, dtype=torch.bool)
    expected[:77, :197] = True
    assert torch.equal(what_is_read(78, 200), expected)


def test_features_are_the_convolutions_written_out() -> None:
    """A second source: each position of a map as a product of matrices, without torch's convolution."""
    head, frames = head_of(), random_frames(2)
    maps = standardise(frames, torch.float64)
    for convolution, (kernel, stride) in zip(head.convolutions, [(5, 2), (5, 2), (3, 2), (3, 1), (3, 1)], strict=True):
        patches = maps.unfold(2, kernel, stride).unfold(3, kernel, stride)
        weight, bias = convolution.get_parameter("weight"), convolution.get_parameter("bias")
        maps = F.relu(torch.einsum("nchwij,ocij->nohw", patches, weight) + bias[:, None, None])
    torch.testing.assert_close(head(frames), maps.flatten(1), rtol=0.0, atol=1e-11)


def test_a_small_frame_is_interpolated_between_the_centres_of_its_pixels() -> None:
    """Against numpy: an image that is linear in place is linear after resizing, up to the border."""
    head = head_of(48, 160)
    rows, columns = torch.arange(48.0, dtype=torch.float64), torch.arange(160.0, dtype=torch.float64)
    image = (rows[:, None] + 2.0 * columns).expand(1, 3, 48, 160)
    seen: list[torch.Tensor] = []
    head.convolutions[0].register_forward_pre_hook(lambda _, images: seen.append(images[0]))
    head.feature_maps(image)
    assert seen[0].shape == (1, 3, 77, 197)
    row, column = ((np.arange(size) + 0.5) * frame / size - 0.5 for size, frame in ((77, 48), (197, 160)))
    expected = np.clip(row, 0, 47)[:, None] + 2.0 * np.clip(column, 0, 159)
    np.testing.assert_allclose(seen[0][0, 0], expected, atol=1e-10)


def test_features_do_not_change_with_gain_and_offset_of_the_light() -> None:
    head, frames = head_of(48, 160), random_frames(2, 48, 160, levels=100)
    torch.testing.assert_close(head(2 * frames + 30), head(frames), rtol=0.0, atol=1e-11)


def test_a_frame_does_not_depend_on_its_batch() -> None:
    head, frames = head_of(48, 160), random_frames(3, 48, 160)
    alone = torch.cat([head(frame[None]) for frame in frames])
    torch.testing.assert_close(head(frames), alone, rtol=0.0, atol=1e-11)


def test_gradient_reaches_the_pixels_of_float_frames() -> None:
    """What saliency maps stand on, through the resizing; against central differences."""
    head = head_of(20, 40)
    frame = random_frames(1, 20, 40).double().requires_grad_()
    (gradient,) = torch.autograd.grad(head(frame).sum(), frame)
    with torch.no_grad():
        for pixel in [(0, 0, 0, 0), (0, 7, 9, 1), (0, 19, 39, 2)]:
            step = torch.zeros_like(frame)
            step[pixel] = 1e-4
            difference = (head(frame + step).sum() - head(frame - step).sum()) / 2e-4
            torch.testing.assert_close(gradient[pixel], difference, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize(("height", "width"), [(15, 160), (48, 8), (0, 0), (48, 100_000)])
def test_frames_of_a_senseless_size_are_refused(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"The CNN reads frames .* not {height}x{width}"):
        CNNHead(height, width)
