"""The wired closed-form core against ncps in float64, and what its wiring allows to influence what."""

import numpy as np
import pytest
import torch
from ncps.torch import CfC as ReferenceCfC
from ncps.wirings import Wiring as ReferenceWiring
from torch import Tensor

from lanekeep_policies.cores.cfc import MODES
from lanekeep_policies.cores.wired_cfc import WiredCfC
from lanekeep_policies.wiring import Wiring, fully_connected, ncp_wiring

UNIT_S = 0.05
CLOSE = {"rtol": 1e-10, "atol": 1e-10}
SMALL = {"sensory": 5, "inter": 6, "command": 4, "motor": 2, "sensory_fanout": 2, "inter_fanout": 2, "motor_fanin": 2}


class SameWiring(ReferenceWiring):
    """Our layered wiring as one of ncps."""

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


def core_of(mode: str = "default", sparse_gates: bool = True, **wiring: int) -> WiredCfC:
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
    reference.rnn_cell.load_state_dict(core.blocks())
    return reference


def random_input(core: WiredCfC, batch: int, time: int) -> tuple[Tensor, Tensor, Tensor]:
    """Features, state, and elapsed times over four orders of magnitude."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(batch, time, core.input_size, dtype=torch.float64, generator=generator)
    state = torch.randn(batch, core.state_size, dtype=torch.float64, generator=generator)
    elapsed = 10.0 ** (4.0 * torch.rand(batch, time, dtype=torch.float64, generator=generator) - 3.0)
    return features, state, elapsed


def gradients_of(core: WiredCfC, mode: str) -> dict[str, Tensor]:
    """Our gradients under ncps' names: the weights of a core whose weights they are."""
    twin = WiredCfC(core.wiring, mode, sparse_gates=False).double()
    for ours, source in zip(twin.parameters(), core.parameters(), strict=True):
        assert source.grad is not None
        ours.data = source.grad.clone()
    return {name: block for name, block in twin.blocks().items() if "mask" not in name}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("elapsed", [1e-3, 0.1, 1.0, 10.0, "per step"])
def test_with_dense_gates_equals_ncps_in_values_and_every_gradient(mode: str, steps: int, elapsed: float | str) -> None:
    core = core_of(mode, sparse_gates=False)
    reference = reference_of(core, mode)
    features, state, times = random_input(core, 3, steps)
    times = times if isinstance(elapsed, str) else torch.full_like(times, elapsed)
    twin_features, twin_state = (tensor.clone().requires_grad_() for tensor in (features, state))
    dt_s = times * UNIT_S if isinstance(elapsed, str) else elapsed * UNIT_S
    outputs, last = core(features.requires_grad_(), state.requires_grad_(), dt_s)
    rows = [reference(twin_features[[row]], twin_state[[row]], times[[row]]) for row in range(3)]
    expected_outputs, expected_last = (torch.cat(parts) for parts in zip(*rows, strict=True))
    torch.testing.assert_close(outputs, expected_outputs, **CLOSE)
    torch.testing.assert_close(last, expected_last, **CLOSE)
    (outputs.square().sum() + last.square().sum()).backward()
    (expected_outputs.square().sum() + expected_last.square().sum()).backward()
    torch.testing.assert_close(features.grad, twin_features.grad, **CLOSE)
    torch.testing.assert_close(state.grad, twin_state.grad, **CLOSE)
    for name, gradient in gradients_of(core, mode).items():
        expected = reference.rnn_cell.get_parameter(name).grad
        torch.testing.assert_close(gradient, expected, **CLOSE, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("mode", MODES)
def test_single_precision_without_a_state_is_close_to_ncps_in_double(mode: str) -> None:
    """Outputs and gradients; of no-gate, whose steps magnify rounding (test_cfc.py), one step."""
    core = core_of(mode, sparse_gates=False).float()
    reference = reference_of(core, mode)
    steps = 1 if mode == "no-gate" else 32
    features = torch.rand(32, steps, core.input_size, generator=torch.Generator().manual_seed(0))
    outputs, last = core(features, core.initial_state(32), UNIT_S)
    expected, expected_last = reference(features.double())
    assert (outputs - expected).detach().abs().max() <= 1e-6
    (outputs.square().sum() + last.square().sum()).backward()
    (expected.square().sum() + expected_last.square().sum()).backward()
    for name, gradient in gradients_of(core, mode).items():
        wanted = reference.rnn_cell.get_parameter(name).grad
        assert (gradient - wanted).abs().max() <= 1e-5 * wanted.abs().max(), name


@pytest.mark.parametrize("mode", MODES)
def test_without_a_state_equals_ncps_in_every_gradient(mode: str) -> None:
    core = core_of(mode, sparse_gates=False)
    reference = reference_of(core, mode)
    features, _, _ = random_input(core, 3, 6)
    core(features, core.initial_state(3), UNIT_S)[0].square().sum().backward()
    reference(features)[0].square().sum().backward()
    for name, gradient in gradients_of(core, mode).items():
        torch.testing.assert_close(gradient, reference.rnn_cell.get_parameter(name).grad, **CLOSE)


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
    core = core_of(mode)
    features, state, elapsed = random_input(core, 3, 6)
    elapsed[0], elapsed[1, 2:4] = 0.0, 0.0
    outputs, last = core(features, state.requires_grad_(), elapsed * UNIT_S)
    assert torch.equal(outputs[0], state[0, -2:].expand(6, -1)) and torch.equal(last[0], state[0])
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
