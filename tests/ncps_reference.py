"""The package ncps as a second source of the cores that it has: its models on our wirings, and what both make of one input.

Cores and models hold the same weights.  B batch, T time, F features, S states; a span is an elapsed time in units.
"""

import copy
from typing import Any

import ncps.wirings
import numpy as np
import torch
from torch import Tensor, nn

from lanekeep_policies.cores.cfc import CfC
from lanekeep_policies.cores.core import Core
from lanekeep_policies.cores.ltc import LTC
from lanekeep_policies.cores.mixed_memory import MixedMemory
from lanekeep_policies.cores.wired_cfc import WiredCfC
from lanekeep_policies.wiring import Wiring

UNIT_S = 0.05
CLOSE = {"rtol": 1e-10, "atol": 1e-10}
SYNAPSES = ("w", "mu", "sigma", "erev")


class SameWiring(ncps.wirings.Wiring):
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


def place_of(name: str, wiring: Wiring) -> tuple[Tensor, Tensor] | slice:
    """Where our LTC parameter of this name lies in ncps' tensor; for synapses, that is a matrix of all pairs."""
    if name.removeprefix("sensory_") not in SYNAPSES:
        return slice(None)
    prefix = "sensory_" if name.startswith("sensory_") else ""
    return torch.tensor(getattr(wiring, f"{prefix}source")), torch.tensor(getattr(wiring, f"{prefix}target"))


@torch.no_grad()
def give_weights(core: Core, reference: nn.Module) -> None:
    """Write the weights of a core into the model of ncps."""
    if isinstance(core, MixedMemory):
        reference.lstm.load_state_dict(core.lstm.state_dict())
        give_weights(core.core, reference)
    elif isinstance(core, LTC):
        for name, parameter in core.named_parameters():
            reference.rnn_cell.get_parameter(name).data[place_of(name, core.wiring)] = parameter
    else:
        assert isinstance(core, CfC | WiredCfC)
        reference.rnn_cell.load_state_dict(core.blocks())


def random_input(core: Core, batch: int = 3, time: int = 6) -> tuple[Tensor, Tensor, Tensor]:
    """Features, state, and spans over four orders of magnitude."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(batch, time, core.input_size, dtype=torch.float64, generator=generator)
    state = torch.randn(batch, core.state_size, dtype=torch.float64, generator=generator)
    spans = 10.0 ** (4.0 * torch.rand(batch, time, dtype=torch.float64, generator=generator) - 3.0)
    return features, state, spans


def answer(reference: nn.Module, features: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Outputs and last state of a model in float64, each step of span 1; (h, c) is one vector, as in our cores."""
    torch.set_default_dtype(torch.float64)  # ncps' own initial state is of the default precision
    try:
        outputs, last = reference(features, _halved(reference, state))
    finally:
        torch.set_default_dtype(torch.float32)
    return outputs, _joined(last)


def answer_row_by_row(
    reference: nn.Module, features: Tensor, state: Tensor | None, spans: Tensor
) -> tuple[Tensor, Tensor]:
    """Outputs and last state; ncps reads the spans of each row wrongly when B > 1 (its issues 81-83)."""
    outputs, last = [], []
    for row in range(len(features)):
        mine = None if state is None else _halved(reference, state[[row]])
        row_outputs, row_last = reference(features[[row]], mine, spans[[row]])
        outputs.append(row_outputs)
        last.append(_joined(row_last))
    return torch.cat(outputs), torch.cat(last)


def _halved(reference: nn.Module, state: Tensor | None) -> Any:
    return state.chunk(2, 1) if state is not None and reference.use_mixed else state


def _joined(state: Any) -> Tensor:
    return torch.cat(state, 1) if isinstance(state, tuple) else state


def squares(outputs: Tensor, last: Tensor) -> Tensor:
    """A loss to which all outputs and states contribute."""
    return outputs.square().sum() + last.square().sum()


def gradients_of(core: Core, reference: nn.Module) -> dict[str, tuple[Tensor, Tensor]]:
    """Name -> the gradient in our core and in the model, after each has run backward."""
    if isinstance(core, MixedMemory):
        pairs = {
            f"lstm.{name}": (parameter.grad, reference.lstm.get_parameter(name).grad)
            for name, parameter in core.lstm.named_parameters()
        }
        return pairs | gradients_of(core.core, reference)
    cell = reference.rnn_cell
    if isinstance(core, LTC):
        return {
            name: (parameter.grad, cell.get_parameter(name).grad[place_of(name, core.wiring)])
            for name, parameter in core.named_parameters()
        }
    assert isinstance(core, CfC | WiredCfC)
    twin = copy.deepcopy(core)  # its weights are the gradients: `blocks` gives them the names of ncps
    for ours, source in zip(twin.parameters(), core.parameters(), strict=True):
        assert source.grad is not None
        ours.data = source.grad.clone()
    blocks = {name: block for name, block in twin.blocks().items() if "mask" not in name}
    return {name: (block, cell.get_parameter(name).grad) for name, block in blocks.items()}


def assert_equals_ncps(
    core: Core, reference: nn.Module, elapsed: float | str, steps: int = 6, given: bool = True
) -> None:
    """Values and every gradient, at spans of `elapsed` or, "per step", of each row and step, from a state or from none."""
    features, state, spans = random_input(core, 3, steps)
    spans = spans if isinstance(elapsed, str) else torch.full_like(spans, elapsed)
    state = state if given else core.initial_state(3)
    twins = [tensor.clone().requires_grad_() for tensor in (features, state)]
    dt_s = spans * UNIT_S if isinstance(elapsed, str) else elapsed * UNIT_S
    found = core(features.requires_grad_(), state.requires_grad_(), dt_s)
    expected = answer_row_by_row(reference, *twins, spans) if given else answer(reference, twins[0])
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0.0, atol=1e-12)
    squares(*found).backward()
    squares(*expected).backward()
    pairs = gradients_of(core, reference) | {"features": (features.grad, twins[0].grad)}
    if given:
        pairs["state"] = state.grad, twins[1].grad
    for name, (ours, theirs) in pairs.items():
        assert theirs.abs().max() > 0.0, name
        torch.testing.assert_close(ours, theirs, **CLOSE, msg=lambda text, name=name: f"{name}: {text}")


def assert_single_precision_is_close_to_ncps(
    core: Core, reference: nn.Module, features: Tensor, state: Tensor | None = None
) -> None:
    """Values within 1e-6 of a model in float64, gradients within 1e-5 of the largest of each tensor."""
    state = core.initial_state(len(features)) if state is None else state
    single = [tensor.detach().float().requires_grad_() for tensor in (features, state)]
    double = [tensor.detach().double().requires_grad_() for tensor in (features, state)]
    found, expected = core(*single, UNIT_S), answer(reference, *double)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours - theirs).detach().abs().max() <= 1e-6
    squares(*found).backward()
    squares(*expected).backward()
    pairs = gradients_of(core, reference)
    pairs |= {name: (single[i].grad, double[i].grad) for i, name in enumerate(("features", "state"))}
    for name, (ours, theirs) in pairs.items():
        assert ours.dtype == torch.float32 and (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max(), name


def assert_rows_without_time_keep_their_state(core: Core) -> None:
    """Outputs are the last states of a row; all gradients are finite."""
    features, state, spans = random_input(core)
    spans[0], spans[1, 2:4] = 0.0, 0.0
    outputs, last = core(features, state.requires_grad_(), spans * UNIT_S)
    assert torch.equal(outputs[0], state[0, -core.output_size :].expand(6, -1)) and torch.equal(last[0], state[0])
    assert torch.equal(outputs[1, 3], outputs[1, 1]) and not torch.equal(outputs[1, 4], outputs[1, 3])
    skipped = core(features[1:2, [0, 1, 4, 5]], state[1:2], spans[1:2, [0, 1, 4, 5]] * UNIT_S)[1]
    torch.testing.assert_close(last[1:2], skipped, **CLOSE)
    outputs.sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in [state, *core.parameters()])
    assert torch.equal(core(features, state, 0.0)[1], state)


def assert_one_step_at_a_time_is_the_whole_sequence(core: Core) -> None:
    features, state, spans = random_input(core, 1)
    spans[0, 3] = 0.0
    outputs, last = core(features, state, spans * UNIT_S)
    step = core.stepper()
    for t in range(6):
        output, state = step(features[:, t], state, float(spans[0, t]) * UNIT_S)
        torch.testing.assert_close(output, outputs[:, t], **CLOSE)
    torch.testing.assert_close(state, last, **CLOSE)
