"""The CfC of ncps, plain and wired, whose weights the cores know under ncps' own names (`load_blocks`, `blocks`).

What is left is to read the sizes and the wiring off the weights, two numberings of a backbone, and gates:
    backbone.0, 2, 4, 6    the layers, as activations stand between them; with dropout, which follows each activation
    backbone.0, 2, 5, 8    but the first
    layer_i.sparsity_mask  [n, n before + n] for the n inter, command and motor neurons: ones for those of the layer itself
    layer_i.time_a, b      of a wired CfC: dense in ncps, masked like ff1 and ff2 in a core with sparse gates
"""

import re
from typing import NamedTuple

import numpy as np

from lanekeep_policies.cores.cfc import CfC
from lanekeep_policies.cores.wired_cfc import DEPTH, WiredCfC
from lanekeep_policies.ncps.state_dict import Tensors, any_of, mask_of, size_of
from lanekeep_policies.wiring import Wiring


class CfCArguments(NamedTuple):
    """Arguments of ncps' `CfC` that its weights do not tell, with ncps' defaults, and those of our core."""

    mode: str | None = None  # "default" or "no-gate"; "pure" shows in the weights
    activation: str = "lecun_tanh"  # of the backbone
    sparse_gates: bool = False  # of a wired CfC, whose gates of time must then be zero where no synapse is

    def mode_of(self, cell: Tensors) -> str:
        """The mode that is given, or the one that shows in the weights of rnn_cell."""
        return self.mode or ("pure" if any(name.endswith("w_tau") for name in cell) else "default")


def read_cfc(cell: Tensors, arguments: CfCArguments, time_unit_s: float) -> CfC | WiredCfC:
    """The CfC, plain or wired, with the weights of rnn_cell."""
    if any(name.startswith("layer_") for name in cell):
        return _read_wired(cell, arguments, time_unit_s)
    cell = _without_dropout(cell)
    layers = sum(bool(re.fullmatch(r"backbone\.\d+\.weight", name)) for name in cell)
    units, width = size_of(cell, "ff1.weight")
    _, inputs = size_of(cell, "backbone.0.weight") if layers else (units, width)
    mode = arguments.mode_of(cell)
    core = CfC(inputs - units, units, mode, width, layers, arguments.activation, time_unit_s).to(any_of(cell))
    core.load_blocks(cell)
    return core


def _read_wired(cell: Tensors, arguments: CfCArguments, time_unit_s: float) -> WiredCfC:
    layers = {name.partition(".")[0] for name in cell}
    if layers != {f"layer_{i}" for i in range(DEPTH)}:
        raise ValueError(
            f"A wired CfC has the layers layer_0, layer_1 and layer_2 (inter, command, motor) here, not "
            f"{', '.join(sorted(layers))}."
        )
    mode = arguments.mode_of(cell)
    core = WiredCfC(_wiring_of(cell), mode, arguments.sparse_gates, time_unit_s).to(any_of(cell))
    core.load_blocks(cell)
    return core


def blocks_of_wired(core: WiredCfC) -> Tensors:
    """The core's weights as ncps has them in rnn_cell: gates are zero where the core does not let them read."""
    blocks = core.blocks()
    for i in range(DEPTH):
        masks = core.get_buffer(f"mask_{i}").chunk(len(core.mode.heads))
        for gate, mask in zip(core.mode.heads[2:], masks[2:], strict=True):
            blocks[f"layer_{i}.{gate}.weight"].masked_fill_(mask == 0.0, 0.0)
    return blocks


def _without_dropout(cell: Tensors) -> Tensors:
    """With the layers of the backbone numbered as if there were no dropout."""
    numbered = {name: int(match[1]) for name in cell if (match := re.match(r"backbone\.(\d+)\.", name))}
    numbers = sorted(set(numbered.values()))
    plain = {number: 2 * i for i, number in enumerate(numbers)}
    if numbers not in (list(plain.values()), [0, *range(2, 3 * len(numbers) - 1, 3)]):
        raise ValueError(f"The layers of a backbone are numbered 0, 2, 4 or, with dropout, 0, 2, 5, not {numbers}.")
    return {
        name.replace(str(numbered[name]), str(plain[numbered[name]]), 1) if name in numbered else name: tensor
        for name, tensor in cell.items()
    }


def _wiring_of(cell: Tensors) -> Wiring:
    masks = [mask_of(cell, f"layer_{i}.sparsity_mask") for i in range(DEPTH)]
    inter, command, motor = map(len, masks)
    sensory = masks[0].shape[1] - inter
    for i, (mask, before) in enumerate(zip(masks, (sensory, inter, command), strict=True)):
        if before < 1 or mask.shape[1] != before + len(mask) or not mask[:, before:].all():
            raise ValueError(
                f"layer_{i}.sparsity_mask is not [n, n before + n] with ones for the n neurons of the layer."
            )
    neurons = motor + command + inter
    sensory_adjacency, adjacency = np.zeros((sensory, neurons), np.int64), np.zeros((neurons, neurons), np.int64)
    sensory_adjacency[:, motor + command :] = masks[0][:, :sensory].T
    adjacency[motor + command :, motor : motor + command] = masks[1][:, :inter].T
    adjacency[motor : motor + command, :motor] = masks[2][:, :command].T
    return Wiring.from_adjacency(sensory_adjacency, adjacency, motor=motor, command=command)
