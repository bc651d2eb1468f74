"""Wired closed-form continuous-time core (`ncp-cfc`): one CfC cell without backbone for each layer of a wiring.

    sensory -> inter -> command -> motor, in this order within a step: each layer's cell reads what the layer before
    it has just become, and what all of its own layer was:  z = [I or h_before, h_own];  modes and heads as in cfc.py
The wiring says which neurons of the layer before a neuron reads. Of its own layer it reads all: that is the cell's
recurrence, in which the wiring's synapses within a layer are lost, and polarities have no meaning here.

ncps applies the wiring to the heads ff1 and ff2 alone; the gate of time still reads the whole layer before, so that a
feature can steer a neuron that has no synapse from it. `sparse_gates=True`, the default, applies it to every head: what a
wiring is for is that it says what can influence what. `sparse_gates=False` equals the `CfC` of ncps 1.0.1 on a wiring;
in mode pure, which has no gate, both are the same.

State [B, S]: inter, command, motor neurons (ncps' order, not the LTC's); outputs: the motor neurons. Time as in cfc.py.

A layer of step t and the one before it of step t + 1 do not know each other, so that all three are computed at once, as a
wave: inter neurons of step k, command neurons of step k - 1, motor neurons of step k - 2. T steps take T + 2 waves.
B batch, T time, F features, S neurons, H heads of a neuron. Hasani et al., Nat. Mach. Intell. 4, 992-1003 (2022).
"""

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lanekeep_policies.cores.cfc import (
    MODES,
    affine,
    choose,
    column_per_step,
    copy_blocks,
    head_views,
    linears,
    time_may_stand_still,
)
from lanekeep_policies.cores.core import Core, Run
from lanekeep_policies.wiring import Wiring

DEPTH = 3  # layers of neurons


@final
class WiredCfC(Core):
    """Closed-form units on a layered wiring; raises ValueError for a wiring whose layers it cannot run through."""

    def __init__(
        self, wiring: Wiring, mode: str = "default", sparse_gates: bool = True, time_unit_s: float = 0.05
    ) -> None:
        super().__init__(wiring.sensory, wiring.neurons, wiring.motor, time_unit_s)
        between = _between_layers(wiring)
        self.wiring = wiring
        self.sizes = [matrix.shape[1] for matrix in between]
        self.mode = choose(mode, MODES, "mode")(self.sizes)
        heads = self.mode.heads
        self.layers = nn.ModuleList(affine(sum(m.shape), m.shape[1], blocks=len(heads)) for m in between)
        for i, (layer, matrix) in enumerate(zip(linears(self.layers), between, strict=True)):
            wired = torch.cat([torch.from_numpy(matrix), torch.ones(matrix.shape[1], matrix.shape[1])]).T
            masks = [wired if sparse_gates or head in ("ff1", "ff2") else torch.ones_like(wired) for head in heads]
            self.register_buffer(f"mask_{i}", torch.cat(masks).to(layer.weight.dtype), persistent=False)
            layer.weight.data *= self.get_buffer(f"mask_{i}")

    @property
    def active_parameters(self) -> int:
        """How many numbers can influence the outputs: those stored, without the weights that no synapse carries."""
        absent = sum(int((self.get_buffer(f"mask_{i}") == 0).sum()) for i in range(DEPTH))
        return self.stored_parameters - absent

    def run(self, features: Tensor, state: Tensor, elapsed: float | Tensor) -> tuple[Tensor, Tensor]:
        return self._run(*self._all_layers(), features, state, elapsed)

    def prepared(self) -> Run:
        return partial(self._run, *self._all_layers())

    def _run(
        self, weight: Tensor, bias: Tensor, features: Tensor, state: Tensor, elapsed: float | Tensor
    ) -> tuple[Tensor, Tensor]:
        drive = F.linear(features, weight[:, : self.input_size], bias)
        idle = bias.expand(len(features), -1)  # in the last waves there are no features left for the inter neurons
        recurrent = weight[:, self.input_size :].T
        held = time_may_stand_still(elapsed)
        times = self._times_of_waves(column_per_step(elapsed, features)).unbind(1)
        states = []
        for k, (z, time) in enumerate(zip((*drive.unbind(1), idle, idle), times, strict=True)):
            new = self.mode.solve(torch.addmm(z, state, recurrent), time)
            all_move = not held and DEPTH - 1 <= k < features.shape[1]
            state = new if all_move else torch.where(time > 0.0, new, state)
            states.append(state[:, -self.output_size :])
        return torch.stack(states[DEPTH - 1 :], 1), state

    def _all_layers(self) -> tuple[Tensor, Tensor]:
        """All cells as one: weight [H * S, F + S], with zeros where no synapse is, and bias [H * S]."""
        weights, biases, left = [], [], 0
        for i, (layer, size) in enumerate(zip(linears(self.layers), self.sizes, strict=True)):
            weight = (layer.weight * self.get_buffer(f"mask_{i}")).view(-1, size, layer.in_features)
            right = self.input_size + self.state_size - left - layer.in_features
            weights.append(F.pad(weight, (left, right)))
            biases.append(layer.bias.view(-1, size))
            left += layer.in_features - size
        return torch.cat(weights, 1).flatten(0, 1), torch.cat(biases, 1).flatten()

    def _times_of_waves(self, times: Tensor) -> Tensor:
        """Times of the steps [B, T, 1] to those of the neurons in each wave [B, T + 2, S], 0 before and after."""
        late = [F.pad(times, (0, 0, i, DEPTH - 1 - i)).expand(-1, -1, size) for i, size in enumerate(self.sizes)]
        return torch.cat(late, 2)

    def blocks(self) -> dict[str, Tensor]:
        """A copy of all weights and masks under their names in the state dict of ncps' `CfC`, without `rnn_cell.`."""
        return {name: view.clone() for name, view in (self._views() | self._wiring_masks()).items()}

    def load_blocks(self, blocks: Mapping[str, Tensor]) -> None:
        """Take over weights as `blocks` gives them, with those that no synapse carries, which stay without effect.

        Raises ValueError for missing, foreign or misshapen blocks, for another wiring's, and for gates of time that read
        more than the wiring allows if this core's do not.
        """
        masks = self._wiring_masks()
        if any(name not in blocks or not torch.equal(blocks[name].to(mask), mask) for name, mask in masks.items()):
            raise ValueError("The weights are of another wiring than this core's.")
        weights = {name: block for name, block in blocks.items() if name not in masks}
        if any(self._reads_too_much(i, head, weights) for i in range(DEPTH) for head in self.mode.heads[2:]):
            raise ValueError("The gates of time of these weights are dense: they need sparse_gates=False.")
        copy_blocks(weights, self._views())

    def _reads_too_much(self, i: int, gate: str, weights: Mapping[str, Tensor]) -> bool:
        mask = self.get_buffer(f"mask_{i}").chunk(len(self.mode.heads))[self.mode.heads.index(gate)]
        weight = weights.get(f"layer_{i}.{gate}.weight")
        return weight is not None and weight.shape == mask.shape and bool((weight[mask == 0.0] != 0.0).any())

    def _wiring_masks(self) -> dict[str, Tensor]:
        masks = (self.get_buffer(f"mask_{i}") for i in range(DEPTH))
        return {
            f"layer_{i}.sparsity_mask": mask[:size]
            for i, (mask, size) in enumerate(zip(masks, self.sizes, strict=True))
        }

    def _views(self) -> dict[str, Tensor]:
        views: dict[str, Tensor] = {}
        for i, layer in enumerate(linears(self.layers)):
            views |= {f"layer_{i}.{name}": view for name, view in head_views(layer, self.mode.heads).items()}
        for name, parameter in self.mode.named_parameters():
            parts = torch.split(parameter[None], self.sizes, 1)
            views |= {f"layer_{i}.{name}": part for i, part in enumerate(parts)}
        return {name: view.detach() for name, view in views.items()}


def _between_layers(wiring: Wiring) -> list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """For inter, command and motor neurons, the matrix [neurons before, neurons] that is 1 where a synapse is."""
    layers = [wiring.inter_neurons, wiring.command_neurons, wiring.motor_neurons]
    if not all(layers):
        raise ValueError(
            "A wired CfC needs a wiring with inter, command and motor neurons, not "
            f"{wiring.inter}, {wiring.command} and {wiring.motor} of them."
        )
    sensory, inner = np.abs(wiring.sensory_adjacency), np.abs(wiring.adjacency)
    allowed = [inner[np.ix_(before, after)].sum() for before, after in pairwise(layers)]
    within = [inner[np.ix_(layer, layer)].sum() for layer in layers]
    if sensory[:, layers[0]].sum() + sum(allowed) + sum(within) != wiring.synapses:
        raise ValueError("A wired CfC runs from layer to layer: this wiring has synapses that skip one or lead back.")
    matrices = [sensory[:, layers[0]], *[inner[np.ix_(before, after)] for before, after in pairwise(layers)]]
    return [matrix.astype(np.float64) for matrix in matrices]
