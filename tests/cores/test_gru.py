"""The GRU core against its equation written out, in float64."""

import torch

from lanekeep_policies.cores.gru import GRU


def equation(core: GRU, features: torch.Tensor, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    weights = dict(core.cell.named_parameters())
    outputs = []
    for x in features.unbind(1):
        from_features = x @ weights["weight_ih_l0"].T + weights["bias_ih_l0"]
        from_state = h @ weights["weight_hh_l0"].T
        r, z = torch.sigmoid(from_features + from_state)[:, :128].chunk(2, 1)  # torch orders the gates r, z, n
        n = torch.tanh(from_features[:, 128:] + r * from_state[:, 128:])
        h = (1 - z) * n + z * h
        outputs.append(h)
    return torch.stack(outputs, 1), h


def test_equals_the_equation() -> None:
    core = GRU(32).double()
    generator = torch.Generator().manual_seed(0)
    core.cell.get_parameter("bias_ih_l0").data.normal_(generator=generator)
    features = torch.randn(3, 7, 32, dtype=torch.float64, generator=generator)
    state = torch.randn(3, core.state_size, dtype=torch.float64, generator=generator)
    for ours, literal in zip(core(features, state, 0.05), equation(core, features, state), strict=True):
        torch.testing.assert_close(ours, literal, rtol=0.0, atol=1e-13)


def test_every_gate_has_one_bias() -> None:
    core = GRU(32)
    assert sum(p.numel() for p in core.parameters() if p.requires_grad) == 3 * 64 * (32 + 64 + 1)
    optimiser = torch.optim.Adam(core.parameters(), lr=0.1, weight_decay=0.1)
    generator = torch.Generator().manual_seed(0)
    state = torch.randn(2, 64, generator=generator)
    core(torch.randn(2, 3, 32, generator=generator), state, 0.05)[0].square().sum().backward()
    optimiser.step()
    assert (core.cell.get_parameter("bias_hh_l0") == 0).all()
    assert (core.cell.get_parameter("bias_ih_l0") != 0).all()
