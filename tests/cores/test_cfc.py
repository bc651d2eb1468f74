"""The closed-form core against ncps in float64, and against the laws every core keeps."""

import math

import pytest
import torch
from ncps.torch import CfC as ReferenceCfC
from ncps_reference import (
    CLOSE,
    UNIT_S,
    assert_equals_ncps,
    assert_rows_without_time_keep_their_state,
    assert_single_precision_is_close_to_ncps,
    give_weights,
    random_input,
)
from torch import Tensor

from lanekeep_policies.cores.cfc import ACTIVATIONS, MODES, CfC


def core_of(
    mode: str = "default", layers: int = 1, activation: str = "lecun_tanh", inputs: int = 5, units: int = 7
) -> CfC:
    """A small float64 core away from its initial values."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core = CfC(inputs, units, mode, 11, layers, activation, UNIT_S).double()
        for parameter in core.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    return core


def reference_of(core: CfC, mode: str, activation: str = "lecun_tanh") -> ReferenceCfC:
    """ncps' CfC with the same weights."""
    size = {"backbone_units": 11, "backbone_layers": len(core.backbone)}
    reference = ReferenceCfC(
        core.input_size, core.state_size, mode=mode.replace("-", "_"), activation=activation, **size
    ).double()
    give_weights(core, reference)
    return reference


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layers", [0, 1, 3])
@pytest.mark.parametrize("elapsed", [1e-3, 0.1, 1.0, 10.0, "per step"])
def test_equals_ncps_in_values_and_every_gradient(mode: str, layers: int, elapsed: float | str) -> None:
    core = core_of(mode, layers)
    assert_equals_ncps(core, reference_of(core, mode), elapsed)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_equals_ncps_with_every_activation_and_without_a_state(mode: str, activation: str) -> None:
    core = core_of(mode, 2, activation)
    assert_equals_ncps(core, reference_of(core, mode, activation), 1.0, given=False)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(3))
def test_single_precision_is_close_to_ncps_in_double(mode: str, seed: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        core, features = CfC(32, mode=mode), torch.rand(32, 32, 32)
    reference = ReferenceCfC(32, 64, mode=mode.replace("-", "_")).double()
    give_weights(core, reference)
    assert_single_precision_of_each_step(core, reference, features)
    steps = 1 if mode == "no-gate" else 32
    assert_single_precision_is_close_to_ncps(core, reference, features[:, :steps])


@torch.no_grad()
def assert_single_precision_of_each_step(core: CfC, reference: ReferenceCfC, features: Tensor) -> None:
    """Every step within 1e-6 of ncps in float64 from the same state.

    Over many steps no-gate magnifies rounding, its state being the sum of two terms that nothing damps: see below.
    """
    state = torch.zeros(len(features), core.state_size, dtype=torch.float64)
    for step in features.split(1, dim=1):
        single = state.float()
        ours = core(step, single, UNIT_S)[1]
        exact = reference(step.double(), single.double())[1]
        assert (ours - exact).abs().max() <= 1e-6
        state = exact


@torch.no_grad()
def test_no_implementation_of_no_gate_keeps_single_precision_over_many_steps() -> None:
    """ncps in float32 against itself in float64, over 32 steps of 7 units: far beyond 1e-6."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core = CfC(5, 7, "no-gate", 11)
        features = torch.rand(32, 32, 5)
        for parameter in core.parameters():
            parameter.mul_(2.0)
    single = ReferenceCfC(5, 7, mode="no_gate", backbone_units=11)
    single.rnn_cell.load_state_dict(core.blocks())
    outputs = single(features)[0]
    assert (outputs - single.double()(features.double())[0]).abs().max() > 1e-5


@pytest.mark.parametrize("mode", MODES)
def test_weights_go_to_ncps_and_back_unchanged(mode: str) -> None:
    theirs = ReferenceCfC(32, 64, mode=mode.replace("-", "_")).rnn_cell.state_dict()
    core = CfC(32, 64, mode)
    core.load_blocks(theirs)
    back = core.blocks()
    assert list(back) and back.keys() == theirs.keys()
    assert all(torch.equal(back[name], theirs[name]) for name in theirs)


def test_weights_of_another_core_are_refused_and_change_nothing() -> None:
    core = core_of()
    before = core.blocks()
    with pytest.raises(ValueError, match=r"missing \['ff2.bias'.*unknown \['A', 'w_tau'\]"):
        core.load_blocks(core_of("pure").blocks())
    with pytest.raises(ValueError, match=r"ff1.weight must be \[7, 11\], not \[8, 11\]"):
        core.load_blocks(before | {"ff1.weight": torch.zeros(8, 11)})
    assert all(torch.equal(block, before[name]) for name, block in core.blocks().items())


@pytest.mark.parametrize("mode", MODES)
def test_starts_in_the_distributions_of_ncps(mode: str) -> None:
    """Uniform over equal ranges: bounds and mean square of 30 draws of each block."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        ours = [CfC(9, 20, mode, 40, 2).blocks() for _ in range(30)]
        cell = {"mode": mode.replace("-", "_"), "backbone_units": 40, "backbone_layers": 2}
        theirs = [ReferenceCfC(9, 20, **cell).rnn_cell.state_dict() for _ in range(30)]
    for name in ours[0]:
        mine, other = (torch.stack([draw[name] for draw in draws]) for draws in (ours, theirs))
        assert mine.abs().max() == pytest.approx(other.abs().max().item(), rel=0.03), name
        assert mine.square().mean() == pytest.approx(other.square().mean().item(), rel=0.15), name


def test_every_stored_parameter_is_active() -> None:
    core = core_of(layers=2)
    features, state, elapsed = random_input(core, 3, 6)
    core(features, state, elapsed)[0].square().sum().backward()
    assert core.active_parameters == sum(int((p.grad != 0).sum()) for p in core.parameters() if p.grad is not None)
    assert CfC(32, 64).active_parameters == 45_440  # ncps' count with the same sizes


@pytest.mark.parametrize("mode", MODES)
def test_rows_without_time_keep_their_state_and_all_gradients_are_finite(mode: str) -> None:
    assert_rows_without_time_keep_their_state(core_of(mode))


def test_works_under_torch_func() -> None:
    """Gradients of each sample by vmap are those of one sample at a time."""
    core = core_of()
    features, state, elapsed = random_input(core, 3, 4)
    weights = dict(core.named_parameters())

    def loss(weights: dict[str, Tensor], x: Tensor, h: Tensor, time: Tensor) -> Tensor:
        outputs, _ = torch.func.functional_call(core, weights, (x[None], h[None], time[None]))
        return outputs.square().sum()  # type: ignore[no-any-return]

    together = torch.func.vmap(torch.func.grad(loss), (None, 0, 0, 0))(weights, features, state, elapsed * UNIT_S)
    for row in range(3):
        alone = torch.func.grad(loss)(weights, features[row], state[row], elapsed[row] * UNIT_S)
        for name in weights:
            torch.testing.assert_close(together[name][row], alone[name], **CLOSE)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"units": 0}, "at least one input and one output"),
        ({"mode": "no_gate"}, "mode of a CfC is one of default, no-gate, pure, not 'no_gate'"),
        ({"activation": "sin"}, "activation of a CfC is one of lecun_tanh"),
        ({"backbone_layers": -1}, "no negative number of layers"),
        ({"backbone_units": 0}, "at least one unit"),
        ({"time_unit_s": math.nan}, "unit of time"),
    ],
)
def test_senseless_cores_are_refused(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        CfC(4, **wrong)  # type: ignore[arg-type]
