"""The LTC of ncps, whose synapses are matrices of all pairs with a mask, and ours, whose synapses are packed.

    sparsity_mask, w, mu, sigma, erev [S, S]; sensory_* [F, S]: row source, column target;    gleak, vleak, cm [S]
    input_w, input_b [F]; output_w, output_b [M]: absent where the model was made without this mapping, or without bias
Where the mask is 0 nothing has an effect. Without implicit constraints the core's constraint is "clip".
F features, S neurons, M motor neurons.
"""

from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lanekeep_policies.cores.ltc import LTC
from lanekeep_policies.ncps.state_dict import Tensors, any_of, mask_of, size_of
from lanekeep_policies.wiring import Wiring

SYNAPSE = ("w", "mu", "sigma", "erev")
NOT_NEGATIVE = ("gleak", "cm", "w", "sensory_w")


class LTCArguments(NamedTuple):
    """Arguments of ncps' `LTC` that its weights do not tell, with ncps' defaults."""

    motor: int | None = None  # number of motor neurons; needed where the model has output_mapping=None
    implicit_param_constraints: bool = True
    ode_unfolds: int = 6
    epsilon: float = 1e-8


def read_ltc(cell: Tensors, arguments: LTCArguments, time_unit_s: float) -> tuple[LTC, nn.Linear]:
    """The LTC with the wiring and the weights of rnn_cell, and the output mapping as a read-out."""
    sensory, neurons = size_of(cell, "sensory_sparsity_mask")
    motor = _motor_count(cell, arguments.motor, neurons)
    cell = _identity_mappings(cell, sensory, motor) | cell
    _check_shapes(cell, sensory, neurons, motor)
    wiring = _wiring_of(cell, motor)
    constraint: Literal["softplus", "clip"] = "softplus" if arguments.implicit_param_constraints else "clip"
    core = LTC(wiring, arguments.ode_unfolds, time_unit_s, constraint, arguments.epsilon).to(any_of(cell))
    places = _places(wiring)
    own = {name: cell[name][places[name]] if name in places else cell[name] for name in core.state_dict()}
    if core.constraint == "clip" and any(bool((own[name] < 0.0).any()) for name in NOT_NEGATIVE):
        raise ValueError(f"Without implicit constraints none of {', '.join(NOT_NEGATIVE)} may be negative.")
    core.load_state_dict(own)
    readout = nn.Linear(motor, motor).to(any_of(cell))
    readout.load_state_dict({"weight": torch.diag(cell["output_w"]), "bias": cell["output_b"]})
    return core, readout


def matrices_of(core: LTC) -> Tensors:
    """The core's weights as ncps has them in rnn_cell, but for the output mapping."""
    places = _places(core.wiring)
    tensors: Tensors = {}
    for name, own in core.state_dict().items():
        if name in places:
            sources = core.wiring.sensory if name.startswith("sensory_") else core.wiring.neurons
            tensors[name] = own.new_zeros(sources, core.wiring.neurons)
            tensors[name][places[name]] = own
        else:
            tensors[name] = own
    for kind, adjacency in (("sensory_", core.wiring.sensory_adjacency), ("", core.wiring.adjacency)):
        tensors[f"{kind}sparsity_mask"] = torch.tensor(np.abs(adjacency)).to(tensors["w"])
    return tensors


def output_mapping(readout: nn.Linear) -> Tensors:
    """A read-out [M, M] that scales each motor neuron alone; raises ValueError for another."""
    weight = readout.weight.detach()
    if weight.shape[0] != weight.shape[1] or not torch.equal(weight, torch.diag(weight.diagonal())):
        raise ValueError(
            f"ncps' LTC scales each motor neuron alone, and has no place for a read-out that makes {weight.shape[0]} "
            f"outputs of {weight.shape[1]} motor neurons."
        )
    return {"output_w": weight.diagonal(), "output_b": readout.bias}


def _motor_count(cell: Tensors, motor: int | None, neurons: int) -> int:
    found = cell["output_w"].numel() if "output_w" in cell else motor
    if found is None:
        raise ValueError("A model without rnn_cell.output_w does not tell its number of motor neurons: give motor=.")
    if motor not in (None, found):
        raise ValueError(f"rnn_cell.output_w is of {found} motor neurons, not of motor={motor}.")
    if not 1 <= found <= neurons:
        raise ValueError(f"There can be 1 to {neurons} motor neurons, as there are {neurons} neurons, but not {found}.")
    return found


def _identity_mappings(cell: Tensors, sensory: int, motor: int) -> Tensors:
    """Zeros for a bias that there is not, ones for a weight if it has no bias either: a bias alone ncps does not know."""
    like = any_of(cell)
    ones = {"input_w": like.new_ones(sensory), "output_w": like.new_ones(motor)}
    zeros = {"input_b": like.new_zeros(sensory), "output_b": like.new_zeros(motor)}
    return zeros | {w: value for (w, value), b in zip(ones.items(), zeros, strict=True) if b not in cell}


def _check_shapes(cell: Tensors, sensory: int, neurons: int, motor: int) -> None:
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("gleak", "vleak", "cm"), (neurons,))
    shapes |= {"input_w": (sensory,), "input_b": (sensory,), "output_w": (motor,), "output_b": (motor,)}
    for name in (*SYNAPSE, "sparsity_mask"):
        shapes |= {name: (neurons, neurons), f"sensory_{name}": (sensory, neurons)}
    for name in sorted(shapes.keys() ^ cell.keys()):
        raise ValueError(f"rnn_cell.{name} is missing." if name in shapes else f"rnn_cell.{name} is not of an LTC.")
    for name, shape in shapes.items():
        if cell[name].shape != shape:
            raise ValueError(f"rnn_cell.{name} must be {list(shape)} in this LTC, not {list(cell[name].shape)}.")


def _wiring_of(cell: Tensors, motor: int) -> Wiring:
    """In layers, if with inter neurons from the first target of a feature on all synapses run from layer to layer."""
    sensory, inner = (
        mask_of(cell, f"{kind}sparsity_mask") * np.where(cell[f"{kind}erev"].cpu().numpy() < 0.0, -1, 1)
        for kind in ("sensory_", "")
    )
    inter = int(sensory.any(0).argmax())
    forbidden = (inner[:motor], inner[motor:inter, inter:], inner[inter:, :motor], inner[inter:, inter:])
    layered = motor < inter and not any(synapses.any() for synapses in forbidden)
    return Wiring.from_adjacency(sensory, inner, motor=motor, command=inter - motor if layered else 0)


def _places(wiring: Wiring) -> dict[str, tuple[Tensor, Tensor]]:
    """Where in ncps' matrices our synapses are, by the name of the parameter."""
    inner = torch.tensor(wiring.source), torch.tensor(wiring.target)
    sensory = torch.tensor(wiring.sensory_source), torch.tensor(wiring.sensory_target)
    return dict.fromkeys(SYNAPSE, inner) | {f"sensory_{name}": sensory for name in SYNAPSE}
