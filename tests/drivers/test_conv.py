"""The conv head: the paper's size, no blind pixel, and a standardisation that light cannot get through."""

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

from lanekeep_policies.heads.convolutional import standardise
from lanekeep_policies.heads.ncp_conv import FEATURES, ConvHead


def test_head_has_the_parameters_of_the_papers_table_2() -> None:
    assert sum(parameter.numel() for parameter in ConvHead(78, 200).parameters()) == 79_420


@pytest.mark.parametrize(("height", "width"), [(48, 160), (66, 200), (78, 200), (17, 33)])
def test_no_pixel_is_blind(height: int, width: int) -> None:
    assert what_is_read(ConvHead(height, width), height, width).all()


def test_standardisation_is_that_of_tensorflow() -> None:
    frames = random_frames(3)
    for frame, image in zip(frames.numpy(), standardise(frames, torch.float64), strict=True):
        pixels = frame / 255.0
        expected = (pixels - pixels.mean()) / max(pixels.std(), 1.0 / np.sqrt(pixels.size))
        np.testing.assert_allclose(image.permute(1, 2, 0), expected, atol=1e-12)


def test_light_and_batch_change_nothing() -> None:
    assert_light_and_batch_change_nothing(ConvHead(48, 160).double())


def test_a_frame_of_one_colour_is_zero_not_nan() -> None:
    assert (standardise(torch.full((2, 48, 160, 3), 200, dtype=torch.uint8)) == 0).all()


def test_each_feature_is_a_linear_map_of_one_channel() -> None:
    head = ConvHead(48, 160).double()
    frames = random_frames(4)
    channels = head.feature_maps(standardise(frames, torch.float64))[-1]
    expected = [F.relu(F.linear(channels[:, c].flatten(1), head.map_weight[c].T, head.map_bias[c])) for c in range(8)]
    torch.testing.assert_close(head(frames), torch.cat(expected, 1), rtol=0.0, atol=1e-12)


def test_gradient_reaches_the_pixels() -> None:
    assert_gradient_reaches_the_pixels(ConvHead(16, 16).double(), 16, 16)


@pytest.mark.parametrize("seed", range(5))
def test_no_feature_starts_dead(seed: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = ConvHead(48, 160)
    columns = torch.linspace(0.0, 255.0, 160).expand(48, 160)
    frame = torch.stack([columns, columns.flip(1), (columns / 4).floor() % 2 * 255.0], -1).to(torch.uint8)
    with torch.inference_mode():
        features = head(torch.stack([frame, frame.flip(1), frame.flip(0), 255 - frame, random_frames(1)[0]]))
    assert features.shape == (5, FEATURES)
    assert (features.amax(0) > 0).all()


@pytest.mark.parametrize(("height", "width"), [(15, 160), (48, 8), (0, 0), (48, 100_000)])
def test_frames_of_a_senseless_size_are_refused(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"not {height}x{width}"):
        ConvHead(height, width)
