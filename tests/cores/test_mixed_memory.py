"""Mixed memory around LTC and CfC against ncps in float64, and where no time passes."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from ncps.torch import LTC as ReferenceLTC
from ncps.torch import CfC as ReferenceCfC
from ncps.wirings import Wiring as ReferenceWiring
from torch import Tensor, nn

from lanekeep_policies.cores.cfc import MODES, CfC
from lanekeep_policies.cores.core import Core
from lanekeep_policies.cores.ltc import LTC
from lanekeep_policies.cores.mixed_memory import Memory, MixedMemory
from lanekeep_policies.cores.wired_cfc import WiredCfC
from lanekeep_policies.wiring import Wiring, ncp_wiring

UNIT_S = 0.05
INPUTS = 5
CLOSE = {"rtol": 1e-10, "atol": 1e-10}
WIRING = ncp_wiring(sensory=INPUTS, inter=6, command=4, motor=2, sensory_fanout=2, inter_fanout=2, motor_fanin=2)


class SameWiring(ReferenceWiring):
    """Our wiring as one of ncps."""

    num_layers = 3

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring.neurons)
        self.set_output_dim(wiring.motor)
        self.adjacency_matrix = wiring.adjacency.astype(np.int32)
        self._sensory = wiring.sensory_adjacency.astype(np.int32)
        self._layers = [wiring.inter_neurons, wiring.command_neurons, wiring.motor_neurons]

    def get_neurons_of_layer(self, layer_id: int) -> list[int]:
        return list(self._layers[layer_id])

    def build(self, input_dim: int) -> None:
        super().build(input_dim)
        self.sensory_adjacency_matrix = self._sensory


def cfc(mode: str) -> tuple[Core, nn.Module]:
    ours = CfC(INPUTS, 7, mode, 11)
    theirs = ReferenceCfC(INPUTS, 7, mode=mode.replace("-", "_"), backbone_units=11, mixed_memory=True)
    theirs.rnn_cell.load_state_dict(ours.blocks())
    return ours, theirs


def wired_cfc(mode: str) -> tuple[Core, nn.Module]:
    ours = WiredCfC(WIRING, mode, sparse_gates=False)
    theirs = ReferenceCfC(INPUTS, SameWiring(WIRING), mode=mode.replace("-", "_"), mixed_memory=True)
    theirs.rnn_cell.load_state_dict(ours.blocks())
    return ours, theirs


def ltc() -> tuple[Core, nn.Module]:
    ours = LTC(WIRING)
    theirs = ReferenceLTC(INPUTS, SameWiring(WIRING), output_mapping=None, epsilon=0.0, mixed_memory=True)
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            theirs.rnn_cell.get_parameter(name).data[place_of(name)] = parameter
    return ours, theirs


def place_of(name: str) -> tuple[Tensor, Tensor] | slice:
    """Where in the LTC parameter of that name, in ncps a matrix of all pairs, ours lies."""
    if name.removeprefix("sensory_") not in ("w", "mu", "sigma", "erev"):
        return slice(None)
    prefix = "sensory_" if name.startswith("sensory_") else ""
    return torch.tensor(getattr(WIRING, f"{prefix}source")), torch.tensor(getattr(WIRING, f"{prefix}target"))


PAIRS: dict[str, Callable[[], tuple[Core, nn.Module]]] = {
    "ltc": ltc,
    **{f"cfc {mode}": lambda mode=mode: cfc(mode) for mode in MODES},
    **{f"wired {mode}": lambda mode=mode: wired_cfc(mode) for mode in MODES},
}


def pair_of(kind: str) -> tuple[MixedMemory, nn.Module]:
    """Our core and ncps' with the same weights, in float64."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        inner, reference = PAIRS[kind]()
        core = MixedMemory(inner)
        reference.lstm.load_state_dict(core.lstm.state_dict())
    return core.double(), reference.double()


def random_input(core: Core, batch: int, time: int) -> tuple[Tensor, Tensor, Tensor]:
    """Features, state, and elapsed times over four orders of magnitude."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(batch, time, core.input_size, dtype=torch.float64, generator=generator)
    state = torch.randn(batch, core.state_size, dtype=torch.float64, generator=generator)
    elapsed = 10.0 ** (4.0 * torch.rand(batch, time, dtype=torch.float64, generator=generator) - 3.0)
    return features, state, elapsed


def assert_same_gradients(core: MixedMemory, reference: nn.Module) -> None:
    ours, theirs = gradients_of(core, reference)
    torch.testing.assert_close(ours, theirs, **CLOSE)


def gradients_of(core: MixedMemory, reference: nn.Module) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Gradients of ours and of ncps' under the same names; afterwards the weights of a CfC are its gradients."""
    ours = {f"lstm.{name}": parameter.grad for name, parameter in core.lstm.named_parameters()}
    theirs = {name: reference.get_parameter(name).grad for name in ours}
    if isinstance(core.core, LTC):
        for name, parameter in core.core.named_parameters():
            ours[name] = parameter.grad
            theirs[name] = reference.rnn_cell.get_parameter(name).grad[place_of(name)]
        return ours, theirs
    assert isinstance(core.core, CfC | WiredCfC)
    with torch.no_grad():
        for parameter in core.core.parameters():
            assert parameter.grad is not None
            parameter.copy_(parameter.grad)
    for name, gradient in core.core.blocks().items():
        if "mask" not in name:
            ours[name], theirs[name] = gradient, reference.rnn_cell.get_parameter(name).grad
    return ours, theirs


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("elapsed", [1e-3, 1.0, 10.0, "per step"])
def test_equals_ncps_in_values_and_every_gradient(kind: str, elapsed: float | str) -> None:
    core, reference = pair_of(kind)
    features, state, times = random_input(core, 3, 6)
    times = times if isinstance(elapsed, str) else torch.full_like(times, elapsed)
    twin_features, twin_state = (tensor.clone().requires_grad_() for tensor in (features, state))
    dt_s = times * UNIT_S if isinstance(elapsed, str) else elapsed * UNIT_S
    outputs, last = core(features.requires_grad_(), state.requires_grad_(), dt_s)
    # ncps reads per-row time spans wrongly when B > 1 (its issues 81-83): one row at a time
    rows = [reference(twin_features[[row]], twin_state[[row]].chunk(2, 1), times[[row]]) for row in range(3)]
    expected_outputs = torch.cat([row_outputs for row_outputs, _ in rows])
    expected_last = torch.cat([torch.cat(both, 1) for _, both in rows])
    torch.testing.assert_close(outputs, expected_outputs, **CLOSE)
    torch.testing.assert_close(last, expected_last, **CLOSE)
    (outputs.square().sum() + last.square().sum()).backward()
    (expected_outputs.square().sum() + expected_last.square().sum()).backward()
    torch.testing.assert_close(features.grad, twin_features.grad, **CLOSE)
    torch.testing.assert_close(state.grad, twin_state.grad, **CLOSE)
    assert_same_gradients(core, reference)


@pytest.mark.parametrize("kind", PAIRS)
def test_equals_ncps_without_a_given_state(kind: str) -> None:
    core, reference = pair_of(kind)
    features, _, _ = random_input(core, 3, 6)
    outputs, last = core(features, core.initial_state(3), UNIT_S)
    expected, expected_last = from_no_state(reference, features)
    torch.testing.assert_close(outputs, expected, **CLOSE)
    torch.testing.assert_close(last, expected_last, **CLOSE)
    (outputs.square().sum() + last.square().sum()).backward()
    (expected.square().sum() + expected_last.square().sum()).backward()
    assert_same_gradients(core, reference)


def from_no_state(reference: nn.Module, features: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs and last state (h, c) of ncps in float64."""
    torch.set_default_dtype(torch.float64)  # ncps' own initial state is of the default precision
    try:
        outputs, last = reference(features)
    finally:
        torch.set_default_dtype(torch.float32)
    return outputs, torch.cat(last, 1)


@pytest.mark.parametrize("kind", PAIRS)
def test_single_precision_is_close_to_ncps_in_double(kind: str) -> None:
    """The memory's gates damp the rounding that no-gate alone magnifies (test_cfc.py)."""
    exact, reference = pair_of(kind)
    core = copy.deepcopy(exact).float()
    features = torch.rand(32, 32, INPUTS, generator=torch.Generator().manual_seed(0))
    outputs, last = core(features, core.initial_state(32), UNIT_S)
    expected, expected_last = from_no_state(reference, features.double())
    assert (outputs - expected).detach().abs().max() <= 1e-6
    losses = outputs.square().sum() + last.square().sum(), expected.square().sum() + expected_last.square().sum()
    for loss in losses:
        loss.backward()
    single, double = gradients_of(core, reference)
    assert single.keys() == double.keys()
    for name, gradient in single.items():
        assert (gradient - double[name]).abs().max() <= 1e-5 * double[name].abs().max(), name


@pytest.mark.parametrize("kind", PAIRS)
def test_rows_without_time_keep_h_and_c_and_all_gradients_are_finite(kind: str) -> None:
    core, _ = pair_of(kind)
    features, state, elapsed = random_input(core, 3, 6)
    elapsed[0], elapsed[1, 2:4] = 0.0, 0.0
    outputs, last = core(features, state.requires_grad_(), elapsed * UNIT_S)
    assert torch.equal(last[0], state[0])
    still, same = core.core(features[:1], state[:1, : core.core.state_size], 0.0)
    assert torch.equal(outputs[:1], still) and torch.equal(same[0], state[0, : core.core.state_size])
    skipped = core(features[1:2, [0, 1, 4, 5]], state[1:2], elapsed[1:2, [0, 1, 4, 5]] * UNIT_S)
    torch.testing.assert_close(last[1:2], skipped[1], **CLOSE)
    torch.testing.assert_close(outputs[1:2, [0, 1, 4, 5]], skipped[0], **CLOSE)
    outputs.sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in [state, *core.parameters()])
    assert torch.equal(core(features, state, 0.0)[1], state)


@pytest.mark.parametrize("kind", ["ltc", "cfc default", "wired default"])
def test_one_step_at_a_time_is_the_whole_sequence(kind: str) -> None:
    core, _ = pair_of(kind)
    features, state, elapsed = random_input(core, 1, 6)
    elapsed[0, 3] = 0.0
    outputs, last = core(features, state, elapsed * UNIT_S)
    step = core.stepper()
    for t in range(6):
        output, state = step(features[:, t], state, float(elapsed[0, t]) * UNIT_S)
        torch.testing.assert_close(output, outputs[:, t], **CLOSE)
    torch.testing.assert_close(state, last, **CLOSE)


def test_starts_in_the_distributions_of_ncps() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        memory = Memory(50, 30)
    recurrent = memory.recurrent_map.weight.detach()
    torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(30), rtol=0.0, atol=1e-5)
    assert memory.input_map.weight.detach().abs().max() == pytest.approx((6.0 / (50 + 4 * 30)) ** 0.5, rel=0.01)
    assert memory.input_map.bias.detach().abs().max() == pytest.approx(0.1, rel=0.03)


def test_a_memory_needs_a_state_to_pass_through() -> None:
    with pytest.raises(ValueError, match="a state and no mixed memory yet"):
        MixedMemory(MixedMemory(CfC(3)))
