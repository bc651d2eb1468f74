"""The LSTM core against its equation written out, in float64."""

import torch
from torch import nn

from lanekeep_policies.cores.lstm import LSTM


def equation(core: LSTM, features: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    weights = dict(core.cell.named_parameters())
    h, c = state[:, :64], state[:, 64:]
    outputs = []
    for x in features.unbind(1):
        argument = x @ weights["weight_ih_l0"].T + h @ weights["weight_hh_l0"].T + weights["bias_ih_l0"]
        i, f, g, o = argument[:, :64], argument[:, 64:128], argument[:, 128:192], argument[:, 192:]
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs, 1), torch.cat([h, c], 1)


def test_equals_the_equation() -> None:
    core = LSTM(32).double()
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(3, 7, 32, dtype=torch.float64, generator=generator)
    state = torch.randn(3, core.state_size, dtype=torch.float64, generator=generator)
    for ours, literal in zip(core(features, state, 0.05), equation(core, features, state), strict=True):
        torch.testing.assert_close(ours, literal, rtol=0.0, atol=1e-13)


def test_core_and_read_out_have_the_parameters_of_the_papers_table_2() -> None:
    model = nn.ModuleList([LSTM(32), nn.Linear(64, 1)])
    assert sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad) == 24_897


def test_the_second_bias_stays_zero_and_the_forget_gate_starts_open() -> None:
    core = LSTM(32)
    optimiser = torch.optim.Adam(core.parameters(), lr=0.1, weight_decay=0.1)
    bias = core.cell.get_parameter("bias_ih_l0")
    assert torch.equal(bias.detach().view(4, 64).sum(1), torch.tensor([0.0, 64.0, 0.0, 0.0]))
    core(torch.randn(2, 3, 32), core.initial_state(2), 0.05)[0].square().sum().backward()
    optimiser.step()
    assert (core.cell.get_parameter("bias_hh_l0") == 0).all()
    assert (bias.detach().view(4, 64).sum(1) != torch.tensor([0.0, 64.0, 0.0, 0.0])).all()


def test_a_sequence_in_two_halves_is_the_whole() -> None:
    core = LSTM(32).double()
    features = torch.randn(3, 8, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    outputs, last = core(features, core.initial_state(3), 0.05)
    first, middle = core(features[:, :5], core.initial_state(3), 0.05)
    second, end = core(features[:, 5:], middle, 0.05)
    torch.testing.assert_close(torch.cat([first, second], 1), outputs, rtol=0.0, atol=1e-14)
    torch.testing.assert_close(end, last, rtol=0.0, atol=1e-14)
