"""Mixed memory around LTC and CfC against ncps in float64, and where no time passes."""

import copy
from collections.abc import Callable

import pytest
import torch
from ncps.torch import LTC as ReferenceLTC
from ncps.torch import CfC as ReferenceCfC
from ncps_reference import (
    CLOSE,
    UNIT_S,
    SameWiring,
    assert_equals_ncps,
    assert_one_step_at_a_time_is_the_whole_sequence,
    assert_single_precision_is_close_to_ncps,
    give_weights,
    random_input,
)
from torch import nn

from lanekeep_policies.cores.cfc import MODES, CfC
from lanekeep_policies.cores.core import Core
from lanekeep_policies.cores.ltc import LTC
from lanekeep_policies.cores.mixed_memory import Memory, MixedMemory
from lanekeep_policies.cores.wired_cfc import WiredCfC
from lanekeep_policies.wiring import Fans, ncp_wiring

INPUTS = 5
WIRING = ncp_wiring(sensory=INPUTS, inter=6, command=4, motor=2, fans=Fans(2, 2, motor_fanin=2))


def cfc(mode: str) -> tuple[Core, nn.Module]:
    ours = CfC(INPUTS, 7, mode, 11)
    theirs = ReferenceCfC(INPUTS, 7, mode=mode.replace("-", "_"), backbone_units=11, mixed_memory=True)
    return ours, theirs


def wired_cfc(mode: str) -> tuple[Core, nn.Module]:
    ours = WiredCfC(WIRING, mode, sparse_gates=False)
    theirs = ReferenceCfC(INPUTS, SameWiring(WIRING), mode=mode.replace("-", "_"), mixed_memory=True)
    return ours, theirs


def ltc() -> tuple[Core, nn.Module]:
    ours = LTC(WIRING)
    theirs = ReferenceLTC(INPUTS, SameWiring(WIRING), output_mapping=None, epsilon=0.0, mixed_memory=True)
    return ours, theirs


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
        give_weights(core, reference)
    return core.double(), reference.double()


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("elapsed", [1e-3, 1.0, 10.0, "per step"])
def test_equals_ncps_in_values_and_every_gradient(kind: str, elapsed: float | str) -> None:
    core, reference = pair_of(kind)
    assert_equals_ncps(core, reference, elapsed)


@pytest.mark.parametrize("kind", PAIRS)
def test_equals_ncps_without_a_given_state(kind: str) -> None:
    core, reference = pair_of(kind)
    assert_equals_ncps(core, reference, 1.0, given=False)


@pytest.mark.parametrize("kind", PAIRS)
def test_single_precision_is_close_to_ncps_in_double(kind: str) -> None:
    """The memory's gates damp the rounding that no-gate alone magnifies (test_cfc.py)."""
    exact, reference = pair_of(kind)
    core = copy.deepcopy(exact).float()
    features = torch.rand(32, 32, INPUTS, generator=torch.Generator().manual_seed(0))
    assert_single_precision_is_close_to_ncps(core, reference, features)


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
    assert_one_step_at_a_time_is_the_whole_sequence(core)


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
