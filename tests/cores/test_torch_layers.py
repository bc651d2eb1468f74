"""The standard recurrent core and the GRU, both torch's layers, against their equations written out, in float64."""

import pytest
import torch
from torch import Tensor

from lanekeep_policies.cores.gru import GRU
from lanekeep_policies.cores.rnn import RNN

KINDS = {RNN: 1, GRU: 3}  # kind of core -> maps of the features in it


def rnn_step(weights: dict[str, Tensor], x: Tensor, h: Tensor) -> Tensor:
    return torch.tanh(x @ weights["weight_ih_l0"].T + h @ weights["weight_hh_l0"].T + weights["bias_ih_l0"])


def gru_step(weights: dict[str, Tensor], x: Tensor, h: Tensor) -> Tensor:
    from_features = x @ weights["weight_ih_l0"].T + weights["bias_ih_l0"]
    from_state = h @ weights["weight_hh_l0"].T
    r, z = torch.sigmoid(from_features + from_state)[:, :128].chunk(2, 1)  # torch orders the gates r, z, n
    n = torch.tanh(from_features[:, 128:] + r * from_state[:, 128:])
    return (1 - z) * n + z * h


@pytest.mark.parametrize(("kind", "step"), [(RNN, rnn_step), (GRU, gru_step)])
def test_equals_the_equation(kind, step) -> None:  # type: ignore[no-untyped-def]
    core = kind(32).double()
    generator = torch.Generator().manual_seed(0)
    core.cell.get_parameter("bias_ih_l0").data.normal_(generator=generator)
    features = torch.randn(3, 7, 32, dtype=torch.float64, generator=generator)
    state = torch.randn(3, core.state_size, dtype=torch.float64, generator=generator)
    outputs, last = core(features, state, 0.05)
    weights, h = dict(core.cell.named_parameters()), state
    for k, x in enumerate(features.unbind(1)):
        h = step(weights, x, h)
        torch.testing.assert_close(outputs[:, k], h, rtol=0.0, atol=1e-13)
    torch.testing.assert_close(last, h, rtol=0.0, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_every_map_has_one_bias_and_no_parameter_is_trained_twice(kind: type[RNN] | type[GRU]) -> None:
    core = kind(32)
    assert sum(p.numel() for p in core.parameters() if p.requires_grad) == KINDS[kind] * 64 * (32 + 64 + 1)
    optimiser = torch.optim.Adam(core.parameters(), lr=0.1, weight_decay=0.1)
    generator = torch.Generator().manual_seed(0)
    state = torch.randn(2, 64, generator=generator)
    core(torch.randn(2, 3, 32, generator=generator), state, 0.05)[0].square().sum().backward()
    optimiser.step()
    assert (core.cell.get_parameter("bias_hh_l0") == 0).all()
    assert (core.cell.get_parameter("bias_ih_l0") != 0).all()
