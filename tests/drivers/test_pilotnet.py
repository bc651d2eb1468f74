"""PilotNet: the structure that was published, and what it reads of a frame.

tests/drivers/test_cnn.py has the laws of its head.
"""

import pytest
import torch
from head_laws import what_is_read
from torch import nn

from lanekeep_policies.cores.feedforward import FeedForward
from lanekeep_policies.heads.convolutional import standardise
from lanekeep_policies.heads.pilotnet import ACTIVATION, HIDDEN, PilotNetHead


@pytest.mark.parametrize("size", [(66, 200), (48, 160)])
def test_feature_maps_are_those_of_the_papers_figure_4(size: tuple[int, int]) -> None:
    head = PilotNetHead(*size)
    maps = head.feature_maps(standardise(torch.randint(0, 256, (2, *size, 3), dtype=torch.uint8)))
    published = [(24, 31, 98), (36, 14, 47), (48, 5, 22), (64, 3, 20), (64, 1, 18)]
    if size != (66, 200):  # without the pixels that no later layer reads
        published = [(24, 29, 97), (36, 13, 47), *published[2:]]
    assert [tuple(feature_map.shape[1:]) for feature_map in maps] == published
    assert head.features == 1_152


def test_head_core_and_read_out_have_the_published_layers_and_252_219_parameters() -> None:
    head = PilotNetHead(66, 200)
    core = FeedForward(head.features, HIDDEN)
    model = nn.ModuleList([head, core, nn.Linear(core.output_size, 1)])
    assert HIDDEN == (100, 50, 10)
    kernels = 3 * 24 * 25 + 24 * 36 * 25 + 36 * 48 * 25 + 48 * 64 * 9 + 64 * 64 * 9
    full = 1152 * 100 + 100 * 50 + 50 * 10 + 10 * 1
    biases = 24 + 36 + 48 + 64 + 64 + 100 + 50 + 10 + 1
    assert sum(parameter.numel() for parameter in model.parameters()) == kernels + full + biases == 252_219


def test_the_network_has_the_papers_27_million_connections() -> None:
    head = PilotNetHead(66, 200)
    maps = head.feature_maps(standardise(torch.randint(0, 256, (1, 66, 200, 3), dtype=torch.uint8)))
    per_position = [convolution.get_parameter("weight").numel() for convolution in head.convolutions]
    positions = [feature_map[0, 0].numel() for feature_map in maps]
    connections = sum(weights * times for weights, times in zip(per_position, positions, strict=True))
    connections += sum(layer.get_parameter("weight").numel() for layer in FeedForward(head.features, HIDDEN).layers)
    assert round((connections + 10) / 1e6) == 27


@pytest.mark.parametrize(("height", "width"), [(48, 160), (78, 200), (17, 33), (61, 197), (131, 401)])
def test_no_pixel_of_a_resized_frame_is_blind(height: int, width: int) -> None:
    assert what_is_read(PilotNetHead(height, width), height, width).all()


def test_the_paper_s_frames_have_five_blind_rows_and_three_blind_columns() -> None:
    expected = torch.zeros(66, 200, dtype=torch.bool)
    expected[:61, :197] = True
    assert torch.equal(what_is_read(PilotNetHead(66, 200), 66, 200), expected)


def test_no_unit_of_the_narrow_layers_dies_when_the_read_out_begins_far_off() -> None:
    """Thirty updates towards -2: with the ReLU they shut all ten units for good."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = FeedForward(1_152, HIDDEN, ACTIVATION)
        readout = nn.Linear(10, 1)
    with torch.no_grad():
        readout.weight.fill_(0.3)
    features = torch.rand(32, 1, 1_152, generator=torch.Generator().manual_seed(0))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(30):
        optimiser.zero_grad()
        outputs, _ = model(features, model.initial_state(32), 0.05)
        (readout(outputs) + 2.0).square().mean().backward()
        optimiser.step()
    optimiser.zero_grad()
    outputs, _ = model(features, model.initial_state(32), 0.05)
    slope = torch.autograd.grad(outputs.sum(), model.layers[-1].get_parameter("bias"))[0]
    assert (slope > 1e-3).all()


@pytest.mark.parametrize(("height", "width"), [(15, 160), (48, 100_000)])
def test_frames_of_a_senseless_size_are_refused(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"PilotNet reads frames .* not {height}x{width}"):
        PilotNetHead(height, width)
