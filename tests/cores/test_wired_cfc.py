"""The wired closed-form core against ncps in float64, and what its wiring allows to influence what."""

from typing import Any

import numpy as np
import pytest
import torch
from ncps.torch import CfC as ReferenceCfC
from ncps_reference import (
    CLOSE,
    UNIT_S,
    SameWiring,
    assert_equals_ncps,
    assert_one_step_at_a_time_is_the_whole_sequence,
    assert_rows_without_time_keep_their_state,
    assert_single_precision_is_close_to_ncps,
    give_weights,
    random_input,
)
from torch import Tensor

from lanekeep_policies.cores.cfc import MODES
from lanekeep_policies.cores.wired_cfc import WiredCfC
from lanekeep_policies.wiring import Fans, Wiring, fully_connected, ncp_wiring

SMALL: dict[str, Any] = {
    "sensory": 5,
    "inter": 6,
    "command": 4,
    "motor": 2,
    "fans": Fans(sensory_fanout=2, inter_fanout=2, motor_fanin=2),
}


def core_of(mode: str = "default", sparse_gates: bool = True, **wiring: Any) -> WiredCfC:
    """A small float64 core away from its initial values, also where no synapse is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core = WiredCfC(ncp_wiring(**(wiring or SMALL)), mode, sparse_gates, UNIT_S).double()
        for parameter in core.parameters():
            parameter.data += 0.3 * torch.randn_like(parameter)
    return core


def reference_of(core: WiredCfC, mode: str) -> ReferenceCfC:
    """ncps' CfC on the same wiring with the same weights."""
    reference = ReferenceCfC(core.input_size, SameWiring(core.wiring), mode=mode.replace("-", "_")).double()
    give_weights(core, reference)
    return reference


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("elapsed", [1e-3, 0.1, 1.0, 10.0, "per step"])
def test_with_dense_gates_equals_ncps_in_values_and_every_gradient(mode: str, steps: int, elapsed: float | str) -> None:
    core = core_of(mode, sparse_gates=False)
    assert_equals_ncps(core, reference_of(core, mode), elapsed, steps)


@pytest.mark.parametrize("mode", MODES)
def test_single_precision_without_a_state_is_close_to_ncps_in_double(mode: str) -> None:
    """Outputs and gradients; of no-gate, whose steps magnify rounding (test_cfc.py), one step."""
    core = core_of(mode, sparse_gates=False).float()
    steps = 1 if mode == "no-gate" else 32
    features = torch.rand(32, steps, core.input_size, generator=torch.Generator().manual_seed(0))
    assert_single_precision_is_close_to_ncps(core, reference_of(core, mode), features)


@pytest.mark.parametrize("mode", MODES)
def test_without_a_state_equals_ncps_in_every_gradient(mode: str) -> None:
    core = core_of(mode, sparse_gates=False)
    assert_equals_ncps(core, reference_of(core, mode), 1.0, given=False)


@pytest.mark.parametrize("mode", MODES)
def test_sparse_gates_are_dense_ones_with_zeros_where_no_synapse_is(mode: str) -> None:
    sparse = core_of(mode)
    dense = core_of(mode, sparse_gates=False)
    for i, (ours, theirs) in enumerate(zip(sparse.layers, dense.layers, strict=True)):
        theirs.weight.data = ours.weight.data * sparse.get_buffer(f"mask_{i}")
    features, state, elapsed = random_input(sparse, 3, 7)
    for a, b in zip(sparse(features, state, elapsed), dense(features, state, elapsed), strict=True):
        torch.testing.assert_close(a, b, **CLOSE)


def influence_of_features(core: WiredCfC) -> Tensor:
    """[inter, F] whether a feature moves an inter neuron within one step."""

    def inter(x: Tensor) -> Tensor:
        return core(x[None, None], core.initial_state(1), UNIT_S)[1][0, : core.wiring.inter]  # type: ignore[no-any-return]

    x = torch.randn(core.input_size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return torch.func.jacrev(inter)(x).abs() > 0.0  # type: ignore[no-any-return]


@pytest.mark.parametrize("mode", MODES)
def test_a_feature_moves_the_neurons_it_has_a_synapse_to_and_no_other(mode: str) -> None:
    core = core_of(mode)
    synapses = torch.from_numpy(core.wiring.sensory_adjacency[:, core.wiring.inter_neurons] != 0).T
    assert torch.equal(influence_of_features(core), synapses)
    # ncps' gates of time read every feature, so that the wiring says nothing about who moves whom
    dense = influence_of_features(core_of(mode, sparse_gates=False))
    assert torch.equal(dense, synapses) if mode == "pure" else dense.all()


def test_parameter_counts_are_those_of_the_paper() -> None:
    """CFC22, Table 3 of the arXiv version: 4,184 for CfC and CfC-noGate, 1,084 for the pure solution, on 64 features."""
    for mode, stored in (("default", 4_184), ("no-gate", 4_184), ("pure", 1_084)):
        for sparse_gates in (True, False):
            core = WiredCfC(ncp_wiring(sensory=64), mode, sparse_gates)
            assert sum(parameter.numel() for parameter in core.parameters()) == stored


@pytest.mark.parametrize("sparse_gates", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_active_parameters_are_those_the_outputs_depend_on(mode: str, sparse_gates: bool) -> None:
    core = core_of(mode, sparse_gates)
    features, state, elapsed = random_input(core, 4, 8)
    core(features, state, elapsed * UNIT_S)[0].sum().backward()
    assert core.active_parameters == sum(int((p.grad != 0).sum()) for p in core.parameters() if p.grad is not None)
    absent = 5 * 6 - len(core.wiring.sensory_source)  # of each head, from features; the same from layer to layer
    for before, after in (("inter", "command"), ("command", "motor")):
        source, target = (getattr(core.wiring, f"{layer}_neurons") for layer in (before, after))
        absent += int((core.wiring.adjacency[np.ix_(source, target)] == 0).sum())
    masked_heads = {"pure": 1}.get(mode, 4 if sparse_gates else 2)
    assert core.active_parameters == sum(p.numel() for p in core.parameters()) - masked_heads * absent


def test_weights_without_a_synapse_stay_zero_in_training_and_have_no_effect() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core = WiredCfC(ncp_wiring(**SMALL)).double()
    features, state, elapsed = random_input(core, 4, 6)
    optimiser = torch.optim.AdamW(core.parameters(), lr=0.05, weight_decay=0.1)
    for _ in range(5):
        optimiser.zero_grad()
        core(features, state, elapsed)[0].square().sum().backward()
        optimiser.step()
    outputs = core(features, state, elapsed)[0]
    for i, layer in enumerate(core.layers):
        absent = core.get_buffer(f"mask_{i}") == 0.0
        assert absent.any() or i == 2
        assert (layer.weight[absent] == 0.0).all() and (layer.weight[~absent] != 0.0).all()
        layer.weight.data[absent] = 1e6
    assert torch.equal(core(features, state, elapsed)[0], outputs)


@pytest.mark.parametrize("mode", MODES)
def test_weights_go_to_ncps_and_back_unchanged(mode: str) -> None:
    wiring = ncp_wiring()
    theirs = ReferenceCfC(32, SameWiring(wiring), mode=mode.replace("-", "_")).rnn_cell.state_dict()
    core = WiredCfC(wiring, mode, sparse_gates=False)
    core.load_blocks(theirs)
    back = core.blocks()
    assert back.keys() == theirs.keys()
    assert all(torch.equal(back[name], theirs[name]) for name in theirs)


def test_weights_that_would_mean_something_else_here_are_refused() -> None:
    dense = core_of(sparse_gates=False)
    before = core_of().blocks()
    core = core_of()
    with pytest.raises(ValueError, match="dense: they need sparse_gates=False"):
        core.load_blocks(dense.blocks())
    with pytest.raises(ValueError, match="of another wiring"):
        core.load_blocks(core_of(**SMALL, seed=7).blocks())
    with pytest.raises(ValueError, match=r"missing \['layer_0.ff2.bias'"):
        core.load_blocks(core_of("pure").blocks())
    assert all(torch.equal(block, before[name]) for name, block in core.blocks().items())


@pytest.mark.parametrize("mode", MODES)
def test_starts_in_the_ranges_of_ncps(mode: str) -> None:
    """Xavier's for each matrix of a cell, and 1 / sqrt(inputs) for the biases; nothing where no synapse is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        draws = [WiredCfC(ncp_wiring(**SMALL), mode).blocks() for _ in range(100)]
    for i, (inputs, units) in enumerate(((5 + 6, 6), (6 + 4, 4), (4 + 2, 2))):
        wired = draws[0][f"layer_{i}.sparsity_mask"] == 1.0
        for head in MODES[mode].heads:
            weight, bias = (torch.stack([d[f"layer_{i}.{head}.{kind}"] for d in draws]) for kind in ("weight", "bias"))
            assert (weight[:, ~wired] == 0.0).all()
            assert weight.abs().max() == pytest.approx((6.0 / (inputs + units)) ** 0.5, rel=0.02)
            assert bias.abs().max() == pytest.approx(inputs**-0.5, rel=0.04)
        for name in ("w_tau", "A") if mode == "pure" else ():
            values = torch.stack([draw[f"layer_{i}.{name}"] for draw in draws])
            assert values.abs().max() == pytest.approx((6.0 / (1 + units)) ** 0.5, rel=0.04)


@pytest.mark.parametrize("mode", MODES)
def test_rows_without_time_keep_their_state_and_all_gradients_are_finite(mode: str) -> None:
    assert_rows_without_time_keep_their_state(core_of(mode))


@pytest.mark.parametrize("mode", MODES)
def test_one_step_at_a_time_is_the_whole_sequence(mode: str) -> None:
    assert_one_step_at_a_time_is_the_whole_sequence(core_of(mode))


def test_wirings_without_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="inter, command and motor neurons, not 3, 0 and 2"):
        WiredCfC(fully_connected(4, 5, 2))
    layers = {"motor": 1, "command": 1}
    path = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]])  # inter 2 -> command 1 -> motor 0
    WiredCfC(Wiring.from_adjacency([[0, 0, 1]], path, **layers))
    for sensory, extra in (([1, 0, 1], (1, 1)), ([0, 0, 1], (2, 0)), ([0, 0, 1], (0, 1))):
        inner = path.copy()
        inner[extra] = 1
        with pytest.raises(ValueError, match="synapses that skip one or lead back"):
            WiredCfC(Wiring.from_adjacency([sensory], inner, **layers))
