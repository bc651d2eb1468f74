"""The paper's CNN: its size, what it reads of a frame, and its equation."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from head_laws import (
    assert_gradient_reaches_the_pixels,
    assert_light_and_batch_change_nothing,
    random_frames,
    what_is_read,
)
from torch import nn

from lanekeep_policies.cores.feedforward import FeedForward
from lanekeep_policies.heads.cnn import HIDDEN, CNNHead
from lanekeep_policies.heads.convolutional import standardise


def head_of(height: int = 78, width: int = 200) -> CNNHead:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return CNNHead(height, width).double()


@pytest.mark.parametrize("size", [(78, 200), (48, 160)])
def test_head_core_and_read_out_weight_have_the_parameters_of_the_papers_table_2(size: tuple[int, int]) -> None:
    head = CNNHead(*size)
    core = FeedForward(head.features, HIDDEN)
    model = nn.ModuleList([head, core, nn.Linear(core.output_size, 1, bias=False)])
    assert head.features == 4_864
    assert sum(parameter.numel() for parameter in model.parameters()) == 5_068_900


@pytest.mark.parametrize(("height", "width"), [(48, 160), (66, 200), (17, 33), (77, 197), (156, 400), (301, 999)])
def test_no_pixel_of_a_resized_frame_is_blind(height: int, width: int) -> None:
    assert what_is_read(head_of(height, width), height, width).all()


def test_the_paper_s_frames_have_a_blind_row_and_three_blind_columns() -> None:
    expected = torch.zeros(78, 200, dtype=torch.bool)
    expected[:77, :197] = True
    assert torch.equal(what_is_read(head_of(), 78, 200), expected)


def test_features_are_the_convolutions_written_out() -> None:
    """A second source: each position of a map as a product of matrices, without torch's convolution."""
    head, frames = head_of(), random_frames(2, 78, 200)
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


def test_light_and_batch_change_nothing() -> None:
    assert_light_and_batch_change_nothing(head_of(48, 160))


def test_gradient_reaches_the_pixels_through_the_resizing() -> None:
    assert_gradient_reaches_the_pixels(head_of(20, 40), 20, 40)


@pytest.mark.parametrize(("height", "width"), [(15, 160), (48, 8), (0, 0), (48, 100_000)])
def test_frames_of_a_senseless_size_are_refused(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"The CNN reads frames .* not {height}x{width}"):
        CNNHead(height, width)
