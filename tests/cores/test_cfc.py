"""The closed-form core against ncps in float64, and against the laws every core keeps."""

import math

import pytest
import torch
from ncps.torch import CfC as ReferenceCfC
from torch import Tensor

from lanekeep_policies.cores.cfc import ACTIVATIONS, MODES, CfC

UNIT_S = 0.05
CLOSE = {"rtol": 1e-10, "atol": 1e-10}


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


def reference_of(core: CfC, mode: str, layers: int, activation: str) -> ReferenceCfC:
    """ncps' CfC with the same weights."""
    reference = ReferenceCfC(
        core.input_size,
        core.state_size,
        mode=mode.replace("-", "_"),
        activation=activation,
        backbone_units=11,
        backbone_layers=layers,
    ).double()
    reference.rnn_cell.load_state_dict(core.blocks())
    return reference


def random_input(core: CfC, batch: int, time: int) -> tuple[Tensor, Tensor, Tensor]:
    """Features, state, and elapsed times over four orders of magnitude."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(batch, time, core.input_size, dtype=torch.float64, generator=generator)
    state = torch.randn(batch, core.state_size, dtype=torch.float64, generator=generator)
    elapsed = 10.0 ** (4.0 * torch.rand(batch, time, dtype=torch.float64, generator=generator) - 3.0)
    return features, state, elapsed


def gradients_of(core: CfC) -> dict[str, Tensor]:
    """Our gradients under ncps' names: those of a core whose weights are the gradients."""
    twin = core_of_same_shape(core)
    for ours, source in zip(twin.parameters(), core.parameters(), strict=True):
        assert source.grad is not None
        ours.data = source.grad.clone()
    return twin.blocks()


def core_of_same_shape(core: CfC) -> CfC:
    mode = next(name for name, kind in MODES.items() if isinstance(core.mode, kind))
    units = core.backbone[0].out_features if len(core.backbone) else 1
    twin = CfC(core.input_size, core.state_size, mode, units, len(core.backbone))
    return twin.to(core.heads.weight.dtype)


def assert_equal_to_ncps(core: CfC, reference: ReferenceCfC, elapsed: float | Tensor, given: bool) -> None:
    features, state, _ = random_input(core, batch=3, time=6)
    if not given:
        state = core.initial_state(3)
    twin_features, twin_state = (tensor.clone().requires_grad_() for tensor in (features, state))
    outputs, last = core(features.requires_grad_(), state.requires_grad_(), elapsed * UNIT_S)
    # ncps reads per-row time spans wrongly when B > 1 (its issues 81-83): one row at a time
    spans = elapsed if isinstance(elapsed, Tensor) else torch.full((3, 6), elapsed, dtype=torch.float64)
    rows = [reference(twin_features[[row]], twin_state[[row]] if given else None, spans[[row]]) for row in range(3)]
    expected_outputs, expected_last = (torch.cat(parts) for parts in zip(*rows, strict=True))
    torch.testing.assert_close(outputs, expected_outputs, **CLOSE)
    torch.testing.assert_close(last, expected_last, **CLOSE)
    (outputs.square().sum() + last.square().sum()).backward()
    (expected_outputs.square().sum() + expected_last.square().sum()).backward()
    torch.testing.assert_close(features.grad, twin_features.grad, **CLOSE)
    if given:
        torch.testing.assert_close(state.grad, twin_state.grad, **CLOSE)
    for name, gradient in gradients_of(core).items():
        expected = reference.rnn_cell.get_parameter(name).grad
        assert expected.abs().max() > 0, name
        torch.testing.assert_close(gradient, expected, **CLOSE, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layers", [0, 1, 3])
@pytest.mark.parametrize("elapsed", [1e-3, 0.1, 1.0, 10.0, "per step"])
def test_equals_ncps_in_values_and_every_gradient(mode: str, layers: int, elapsed: float | str) -> None:
    core = core_of(mode, layers)
    times = random_input(core, 3, 6)[2] if isinstance(elapsed, str) else elapsed
    assert_equal_to_ncps(core, reference_of(core, mode, layers, "lecun_tanh"), times, given=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_equals_ncps_with_every_activation_and_without_a_state(mode: str, activation: str) -> None:
    core = core_of(mode, 2, activation)
    assert_equal_to_ncps(core, reference_of(core, mode, 2, activation), 1.0, given=False)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(3))
def test_single_precision_is_close_to_ncps_in_double(mode: str, seed: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        core, features = CfC(32, mode=mode), torch.rand(32, 32, 32)
    reference = ReferenceCfC(32, 64, mode=mode.replace("-", "_")).double()
    reference.rnn_cell.load_state_dict(core.blocks())
    assert_single_precision_of_each_step(core, reference, features)
    steps = 1 if mode == "no-gate" else 32
    outputs, last = core(features[:, :steps], core.initial_state(32), UNIT_S)
    expected, expected_last = reference(features[:, :steps].double())
    assert (outputs - expected).detach().abs().max() <= 1e-6
    (outputs.square().sum() + last.square().sum()).backward()
    (expected.square().sum() + expected_last.square().sum()).backward()
    for name, gradient in gradients_of(core).items():
        wanted = reference.rnn_cell.get_parameter(name).grad
        assert (gradient - wanted).abs().max() <= 1e-5 * wanted.abs().max(), name


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
    core = core_of(mode)
    features, state, elapsed = random_input(core, 3, 6)
    elapsed[0], elapsed[1, 2:4] = 0.0, 0.0
    outputs, last = core(features, state.requires_grad_(), elapsed * UNIT_S)
    assert torch.equal(outputs[0], state[0].expand(6, -1)) and torch.equal(last[0], state[0])
    assert torch.equal(outputs[1, 3], outputs[1, 1]) and not torch.equal(outputs[1, 4], outputs[1, 3])
    skipped = core(features[1:2, [0, 1, 4, 5]], state[1:2], elapsed[1:2, [0, 1, 4, 5]] * UNIT_S)[1]
    torch.testing.assert_close(last[1:2], skipped, **CLOSE)
    outputs.sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in [state, *core.parameters()])
    assert torch.equal(core(features, state, 0.0)[1], state)


@pytest.mark.parametrize("mode", MODES)
def test_one_step_at_a_time_is_the_whole_sequence(mode: str) -> None:
    core = core_of(mode)
    features, state, elapsed = random_input(core, 1, 6)
    elapsed[0, 3] = 0.0
    outputs, last = core(features, state, elapsed * UNIT_S)
    step = core.stepper()
    for t in range(6):
        output, state = step(features[:, t], state, float(elapsed[0, t]) * UNIT_S)
        torch.testing.assert_close(output, outputs[:, t], **CLOSE)
    torch.testing.assert_close(state, last, **CLOSE)


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
