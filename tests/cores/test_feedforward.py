"""The feed-forward core: the layers of its equation, no memory, no randomness."""

import pytest
import torch
from torch import nn

from lanekeep_policies.cores.feedforward import FeedForward


def core_of(activation: type[nn.Module] = nn.ReLU) -> FeedForward:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FeedForward(6, (7, 5), activation).double()


def random_features(batch: int, time: int) -> torch.Tensor:
    return torch.randn(batch, time, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ELU])
def test_equals_the_equation(activation: type[nn.Module]) -> None:
    core, features = core_of(activation=activation), random_features(3, 4)
    weights = dict(core.named_parameters())
    h = features
    for layer in range(2):
        weight, bias = weights[f"layers.{layer}.weight"], weights[f"layers.{layer}.bias"]
        h = activation()(torch.einsum("btf,uf->btu", h, weight) + bias)
    torch.testing.assert_close(core(features, core.initial_state(3), 0.05)[0], h, rtol=0.0, atol=1e-13)


def test_a_frame_is_answered_by_itself_at_any_time() -> None:
    core, features = core_of(), random_features(3, 4)
    outputs, state = core(features, core.initial_state(3), 0.05)
    assert state.shape == (3, 0)
    order = torch.tensor([2, 0, 3, 1])
    shuffled, _ = core(features[:, order], core.initial_state(3), torch.rand(3, 4))
    torch.testing.assert_close(shuffled, outputs[:, order], rtol=0.0, atol=1e-14)
    torch.testing.assert_close(core(features, core.initial_state(3), 0.0)[0], outputs, rtol=0.0, atol=0.0)


def test_training_and_driving_are_one_function() -> None:
    core, features = core_of(), random_features(3, 4)
    before = torch.get_rng_state()
    trained = core.train()(features, core.initial_state(3), 0.05)[0]
    assert torch.equal(trained, core.eval()(features, core.initial_state(3), 0.05)[0])
    assert torch.equal(torch.get_rng_state(), before)


def test_gradients_equal_finite_differences() -> None:
    core, features = core_of(), random_features(2, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: core(x, core.initial_state(2), 0.05)[0], (features,))


def test_layers_keep_the_size_of_their_inputs_at_the_start() -> None:
    """He's weights: mean square 1 in, mean square about 1 after each ReLU."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core = FeedForward(1000, (1000, 1000, 1000))
    features = torch.randn(32, 1, 1000, generator=torch.Generator().manual_seed(0))
    outputs, _ = core(features, core.initial_state(32), 0.05)
    assert float(outputs.detach().square().mean()) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("hidden", [(), (0,), (10, -1)])
def test_a_layer_without_units_is_refused(hidden: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least one unit"):
        FeedForward(6, hidden)
