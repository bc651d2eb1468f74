"""The laws of the contract, for every core there is."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state

from lanekeep_policies import CORES, Driver, DriverSpec
from lanekeep_policies.cores.core import Core

# torch's fused recurrent kernels have no batching rule: vmap takes them under grad or vjp alone
FUSED = ("rnn", "gru", "lstm")
CLOSE = {"rtol": 1e-11, "atol": 1e-11}


def build(name: str, seed: int = 0) -> Core:
    spec = DriverSpec(core=name, camera_height=16, camera_width=32, curvature_limit_per_m=0.02)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Driver(spec).core.double().eval()


@pytest.fixture(params=CORES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def core(name: str) -> Core:
    return build(name)


def random_input(core: Core, batch: int, time: int, grad: bool = False) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(batch, time, core.input_size, dtype=torch.float64, generator=generator)
    state = 0.5 * torch.randn(batch, core.state_size, dtype=torch.float64, generator=generator)
    return features.requires_grad_(grad), state.requires_grad_(grad)


def random_times(core: Core, batch: int, time: int) -> Tensor:
    """Irregular times [B, T], s, of 0 to 2 units."""
    generator = torch.Generator().manual_seed(1)
    return core.time_unit_s * 2.0 * torch.rand(batch, time, dtype=torch.float64, generator=generator)


def assert_finite_gradients(core: Core, *inputs: Tensor) -> None:
    for gradient in (*(tensor.grad for tensor in inputs), *(parameter.grad for parameter in core.parameters())):
        assert gradient is None or torch.isfinite(gradient).all()


def trainable(core: Core) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in core.named_parameters() if parameter.requires_grad}


def loss_of(core: Core, parameters: dict[str, Tensor], features: Tensor, state: Tensor) -> Tensor:
    outputs, last = functional_call(core, parameters, (features, state, core.time_unit_s))
    return outputs.square().sum() + last.square().sum()


@pytest.mark.parametrize("no_time", [0.0, torch.zeros(2, 3)])
def test_no_time_keeps_the_state(core: Core, no_time: float | Tensor) -> None:
    features, state = random_input(core, 2, 3, grad=True)
    outputs, last = core(features, state, no_time)
    assert torch.equal(last, state) and torch.isfinite(outputs).all()
    (outputs.square().sum() + last.square().sum()).backward()
    assert_finite_gradients(core, features, state)


def test_rows_in_which_no_time_passes_keep_their_state_among_others(core: Core) -> None:
    features, state = random_input(core, 3, 4, grad=True)
    times = random_times(core, 3, 4)
    times[1] = 0.0
    outputs, last = core(features, state, times)
    assert torch.equal(last[1], state[1])
    assert core.state_size == 0 or not torch.equal(last[0], state[0])
    (outputs.square().sum() + last.square().sum()).backward()
    assert_finite_gradients(core, features, state)


def test_a_step_of_no_time_may_be_left_out(core: Core) -> None:
    features, state = random_input(core, 2, 5)
    times = random_times(core, 2, 5)
    times[:, 2] = 0.0
    outputs, last = core(features, state, times)
    rest = [0, 1, 3, 4]
    expected, expected_last = core(features[:, rest], state, times[:, rest])
    torch.testing.assert_close(outputs[:, rest], expected, **CLOSE)
    torch.testing.assert_close(last, expected_last, **CLOSE)


@pytest.mark.parametrize("irregular", [False, True])
def test_a_sequence_in_two_halves_is_the_whole(core: Core, irregular: bool) -> None:
    features, state = random_input(core, 2, 7)
    times = random_times(core, 2, 7) if irregular else torch.full((2, 7), core.time_unit_s, dtype=torch.float64)
    outputs, last = core(features, state, times if irregular else core.time_unit_s)
    first, middle = core(features[:, :4], state, times[:, :4])
    second, end = core(features[:, 4:], middle, times[:, 4:])
    torch.testing.assert_close(torch.cat([first, second], 1), outputs, **CLOSE)
    torch.testing.assert_close(end, last, **CLOSE)


def test_time_per_row_equals_one_row_at_a_time(core: Core) -> None:
    features, state = random_input(core, 3, 4)
    times = random_times(core, 3, 4)
    times[1, 2] = 0.0
    outputs, last = core(features, state, times)
    for row in range(3):
        alone = state[[row]]
        for step in range(4):
            output, alone = core(features[[row], step : step + 1], alone, float(times[row, step]))
            torch.testing.assert_close(outputs[[row], step], output[:, 0], **CLOSE)
        torch.testing.assert_close(last[[row]], alone, **CLOSE)


def test_rows_do_not_know_each_other(core: Core) -> None:
    features, state = random_input(core, 3, 4)
    times = random_times(core, 3, 4)
    outputs, last = core(features, state, times)
    features[0], state[0], times[0] = 1e3, -1e3, 10.0 * core.time_unit_s
    disturbed, disturbed_last = core(features, state, times)
    torch.testing.assert_close(disturbed[1:], outputs[1:], **CLOSE)
    torch.testing.assert_close(disturbed_last[1:], last[1:], **CLOSE)


def test_the_seed_decides_the_weights(name: str, core: Core) -> None:
    twin, other = build(name).state_dict(), build(name, seed=1).state_dict()
    assert twin.keys() == core.state_dict().keys()
    assert all(torch.equal(twin[key], value) for key, value in core.state_dict().items())
    assert any(not torch.equal(other[key], value) for key, value in core.state_dict().items())


@pytest.mark.parametrize("elapsed", [1e-3, 0.1, 1.0, 10.0])
def test_any_time_within_reason_gives_numbers_that_stay(core: Core, elapsed: float) -> None:
    core = core.float()
    features, state = (tensor.detach().float().requires_grad_() for tensor in random_input(core, 2, 40))
    features = features.detach().mul_(10.0).requires_grad_()
    outputs, last = core(features, state, elapsed * core.time_unit_s)
    assert torch.isfinite(outputs).all() and outputs.abs().max() < 1e3
    (outputs.sum() + last.sum()).backward()
    assert_finite_gradients(core, features, state)


@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_times_may_have_a_precision_of_their_own(core: Core, precision: torch.dtype) -> None:
    features, state = random_input(core, 2, 3)
    times = random_times(core, 2, 3).float()
    expected, expected_last = core(features, state, times.double())
    other = torch.float64 if precision == torch.float32 else torch.float32
    outputs, last = core.to(precision)(features.to(precision), state.to(precision), times.to(other))
    assert outputs.dtype == last.dtype == precision
    torch.testing.assert_close(outputs.double(), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(last.double(), expected_last, rtol=1e-4, atol=1e-5)


def test_another_precision_than_the_weights_is_refused(core: Core) -> None:
    features, state = random_input(core, 2, 3)
    for wrong in ((features.float(), state), (features, state.float())):
        with pytest.raises(ValueError, match="features and state must be torch.float64 as the core's weights are"):
            core(*wrong, core.time_unit_s)


@torch.no_grad()
def test_a_stepper_is_the_core_one_step_at_a_time(core: Core) -> None:
    features, state = random_input(core, 2, 6)
    step, ours = core.stepper(), state
    for time, elapsed in enumerate((1.0, 1.0, 0.0, 0.3, 10.0, 1.0)):
        output, ours = step(features[:, time], ours, elapsed * core.time_unit_s)
        expected, state = core(features[:, time : time + 1], state, elapsed * core.time_unit_s)
        torch.testing.assert_close(output, expected[:, 0], **CLOSE)
        torch.testing.assert_close(ours, state, **CLOSE)


def test_what_is_not_a_number_is_refused(core: Core) -> None:
    for place in range(2):
        tensors = random_input(core, 2, 3)
        if tensors[place].numel() == 0:
            continue
        tensors[place].view(-1)[-1] = math.nan
        with pytest.raises(ValueError, match="the features or the state hold NaN"):
            core(*tensors, core.time_unit_s)


def wrong_inputs(core: Core) -> Iterator[tuple[Tensor, Tensor]]:
    features, state = random_input(core, 2, 3)
    yield features[0], state  # no batch
    yield features[..., :-1], state  # a feature too few
    yield features[:, :0], state  # no step
    yield features[:0], state[:0]  # no row
    yield features, state[:1]  # a row too few
    yield features, torch.cat([state, state[:, :1] if core.state_size else torch.zeros(2, 1)], 1)  # a state too many
    yield features, state[0]  # no batch


def test_wrong_shapes_are_refused(core: Core) -> None:
    for features, state in wrong_inputs(core):
        with pytest.raises(ValueError, match=r"features must be \[batch, time, \d+\]|the state must be \["):
            core(features, state, core.time_unit_s)


@pytest.mark.parametrize("wrong", [-1e-3, math.nan, math.inf, -math.inf])
def test_impossible_times_are_refused(core: Core, wrong: float) -> None:
    times = torch.full((2, 3), 0.05)
    times[1, 2] = wrong
    for dt_s in (wrong, times):
        with pytest.raises(ValueError, match="dt_s, the time between two frames, must be finite and not negative"):
            core(*random_input(core, 2, 3), dt_s)


@pytest.mark.parametrize("shape", [(), (2,), (3,), (3, 2), (1, 3), (2, 3, 1)])
def test_times_of_another_shape_are_refused(core: Core, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"dt_s must be one number or \[2, 3\]"):
        core(*random_input(core, 2, 3), torch.full(shape, 0.05))


@pytest.mark.parametrize("some_without_time", [False, True])
def test_gradients_of_features_and_state_are_finite_differences(core: Core, some_without_time: bool) -> None:
    features, state = random_input(core, 2, 3, grad=True)
    times = random_times(core, 2, 3)
    if some_without_time:
        times[0, 1] = 0.0
    torch.autograd.gradcheck(lambda features, state: core(features, state, times), (features, state), fast_mode=True)


def test_gradients_of_parameters_are_finite_differences(core: Core) -> None:
    features, state = random_input(core, 2, 3)
    parameters = trainable(core)
    gradients = torch.func.grad(loss_of, argnums=1)(core, parameters, features, state)
    generator, half = torch.Generator().manual_seed(2), 1e-5
    for name, parameter in parameters.items():
        along = torch.randn(parameter.shape, dtype=torch.float64, generator=generator)
        along /= (
            max(1.0, parameter.numel() / 1000.0) ** 0.5
        )  # of millions of weights, a shorter way: no ReLU on it bends
        ahead, behind = (
            loss_of(core, parameters | {name: parameter + sign * half * along}, features, state) for sign in (1, -1)
        )
        difference = (ahead - behind) / (2 * half)
        torch.testing.assert_close((gradients[name] * along).sum(), difference, rtol=1e-6, atol=1e-7)


def test_functional_parameters_are_the_ones_used(name: str, core: Core) -> None:
    """ncps' LTC ignores them without a word."""
    features, state = random_input(core, 2, 3)
    other = build(name, seed=1)
    expected = other(features, state, core.time_unit_s)
    for ours, theirs in zip(
        functional_call(core, trainable(other), (features, state, core.time_unit_s)), expected, strict=True
    ):
        torch.testing.assert_close(ours, theirs, **CLOSE)
    gradients = torch.func.grad(loss_of, argnums=1)(core, trainable(other), features, state)
    (expected[0].square().sum() + expected[1].square().sum()).backward()
    for key, gradient in gradients.items():
        torch.testing.assert_close(gradient, other.get_parameter(key).grad, **CLOSE)


@pytest.mark.filterwarnings("ignore:There is a performance drop because")  # vmap of a Toeplitz matrix's gradient
def test_an_ensemble_is_its_members(name: str) -> None:
    members = [build(name, seed) for seed in range(3)]
    features, state = random_input(members[0], 2, 3)
    parameters, buffers = stack_module_state(members)  # type: ignore[arg-type]
    parameters = {key: parameter.detach() for key, parameter in parameters.items()}

    def outputs_of(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> Tensor:
        arguments = (features, state, members[0].time_unit_s)
        return functional_call(members[0], (parameters, buffers), arguments)[0]  # type: ignore[no-any-return]

    def outputs_and_gradients(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        outputs, pull_back = torch.func.vjp(lambda parameters: outputs_of(parameters, buffers), parameters)
        return outputs, pull_back(torch.ones_like(outputs))[0]

    if name in FUSED:
        with pytest.raises(RuntimeError, match="Batching rule not implemented"):
            torch.func.vmap(outputs_of)(parameters, buffers)
    else:
        torch.testing.assert_close(
            torch.func.vmap(outputs_of)(parameters, buffers),
            torch.stack([member(features, state, member.time_unit_s)[0] for member in members]),
            **CLOSE,
        )
    outputs, gradients = torch.func.vmap(outputs_and_gradients)(parameters, buffers)
    for row, member in enumerate(members):
        expected = member(features, state, member.time_unit_s)[0]
        torch.testing.assert_close(outputs[row], expected, **CLOSE)
        expected.sum().backward()
        for key, parameter in member.named_parameters():
            if parameter.grad is not None:
                torch.testing.assert_close(gradients[key][row], parameter.grad, **CLOSE)
