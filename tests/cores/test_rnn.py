"""The standard recurrent core against its equation written out, in float64."""

import torch

from lanekeep_policies.cores.rnn import RNN


def equation(core: RNN, features: torch.Tensor, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    weights = dict(core.cell.named_parameters())
    outputs = []
    for x in features.unbind(1):
        h = torch.tanh(x @ weights["weight_ih_l0"].T + h @ weights["weight_hh_l0"].T + weights["bias_ih_l0"])
        outputs.append(h)
    return torch.stack(outputs, 1), h


def test_equals_the_equation() -> None:
    core = RNN(32).double()
    generator = torch.Generator().manual_seed(0)
    core.cell.get_parameter("bias_ih_l0").data.normal_(generator=generator)
    features = torch.randn(3, 7, 32, dtype=torch.float64, generator=generator)
    state = torch.randn(3, core.state_size, dtype=torch.float64, generator=generator)
    for ours, literal in zip(core(features, state, 0.05), equation(core, features, state), strict=True):
        torch.testing.assert_close(ours, literal, rtol=0.0, atol=1e-13)


def test_no_parameter_is_trained_twice() -> None:
    core = RNN(32)
    assert sum(p.numel() for p in core.parameters() if p.requires_grad) == 64 * (32 + 64 + 1)
    optimiser = torch.optim.Adam(core.parameters(), lr=0.1, weight_decay=0.1)
    core(torch.randn(2, 3, 32), core.initial_state(2), 0.05)[0].square().sum().backward()
    optimiser.step()
    assert (core.cell.get_parameter("bias_hh_l0") == 0).all()
    assert (core.cell.get_parameter("bias_ih_l0") != 0).all()
