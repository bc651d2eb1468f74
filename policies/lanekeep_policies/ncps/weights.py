"""From the state dict of a model of ncps to a core and a read-out, and from a driver to such a state dict.

`from_ncps` reads what `model.state_dict()` gives, `to_ncps` writes what `model.load_state_dict` takes; nothing is
unpickled, and ncps itself is not needed. In ncps' names
    rnn_cell.*                     the core, without the next two
    rnn_cell.output_w, output_b    LTC: the read-out, one weight and one bias for each motor neuron
    fc.*                           CfC: the read-out, an affine map to `proj_size` outputs
    lstm.*                         the mixed memory
Of an LTC's synapses ncps keeps matrices of all pairs and a mask, a core keeps those that exist: numbers that the mask hides
are not read, and are written as zeros. All others are copied bit for bit, both ways.

A state has the same order on both sides: motor, command, inter neurons for an LTC; inter, command, motor for a wired CfC.
With mixed memory ncps' pair (h, c) is one vector, h then c. ncps' `timespans` are dt_s / time_unit_s, 1 if none are given.
F features, S neurons, M motor neurons.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lanekeep_policies.cores.cfc import CfC, copy_blocks
from lanekeep_policies.cores.core import Core
from lanekeep_policies.cores.ltc import LTC
from lanekeep_policies.cores.mixed_memory import MixedMemory
from lanekeep_policies.cores.wired_cfc import WiredCfC
from lanekeep_policies.driver import Driver
from lanekeep_policies.ncps.cfc import CfCArguments, blocks_of_wired, read_cfc
from lanekeep_policies.ncps.ltc import LTCArguments, matrices_of, output_mapping, read_ltc
from lanekeep_policies.ncps.state_dict import Tensors, any_of, size_of, sorted_out


class CoreAndReadout(NamedTuple):
    """What a driver can take as it is (`driver.core, driver.readout = ...`) if the read-out has one output."""

    core: Core
    readout: nn.Linear


LTC_DEFAULTS, CFC_DEFAULTS = LTCArguments(), CfCArguments()


def from_ncps(
    state_dict: Mapping[str, Tensor],
    *,
    ltc: LTCArguments = LTC_DEFAULTS,
    cfc: CfCArguments = CFC_DEFAULTS,
    time_unit_s: float = 0.05,
) -> CoreAndReadout:
    """The core with the weights of ncps' `LTC` or `CfC`, and the affine map that ncps makes of its outputs.

    That map is the identity where the model has none. `ltc` or `cfc` says with which arguments the model was made, as far
    as a state dict does not; `time_unit_s` is the dt_s of time span 1.

    The wiring is read off the masks. That of an LTC has command neurons if its synapses run from layer to layer, and its
    polarities are the signs of the reversal potentials, +1 for 0. A wired CfC knows no polarities and no synapses within
    a layer. Dropout in a backbone is left out: only training sees it. Torch's global generator is left as it was.
    Raises ValueError for tensors that are missing, foreign, misshapen, not finite or not of one precision, for masks that
    are not 0 or 1, for negative conductances without implicit constraints, and for a wiring that the core cannot have.
    """
    cell, memory, projection = sorted_out(state_dict)
    with torch.random.fork_rng(devices=[]):
        core: Core
        if "sensory_sparsity_mask" in cell or "gleak" in cell:
            if projection:
                raise ValueError(f"{min(projection)} is not of an LTC, whose outputs are mapped by rnn_cell.output_w.")
            core, readout = read_ltc(cell, ltc, time_unit_s)
        else:
            core = read_cfc(cell, cfc, time_unit_s)
            readout = _read_projection(projection, core.output_size, any_of(cell))
        if memory:
            core = MixedMemory(core).to(any_of(cell))
            copy_blocks(memory, _named(core.lstm, "lstm."))
    return CoreAndReadout(core, readout)


def to_ncps(driver: Driver) -> Tensors:
    """The state dict of the ncps model that makes of features what the driver's core and read-out make of them.

    The models of ncps.torch that it fits, for the cores of the registry:
        ncp, ltc                     LTC(F, FullyConnected(S, M), epsilon=0.0)
        ncp-cfc                      CfC(F, NCP(inter, command, motor, 1, 1, 0, 1), proj_size=1)
        cfc, cfc-pure, cfc-no-gate   CfC(F, 64, proj_size=1, mode="default" or "pure" or "no_gate")
        ncp-mixed, cfc-mixed         as ncp and cfc, with mixed_memory=True
    FullyConnected and NCP of ncps.wirings stand for any wiring with these neurons: the true one comes with the weights, as
    masks, and only what ncps draws or counts is the one that the model was made with. A core made with other arguments
    needs them in ncps too: `ode_unfolds` (unfolds), `epsilon`, `implicit_param_constraints=False` (constraint "clip"),
    `activation`, sizes. Sparse gates become dense ones with zeros, which ncps would fill if it trained on. `timespans` are
    needed only where the driver's dt_s is not the core's `time_unit_s`.
    Raises ValueError for a core that ncps does not have, and for a read-out that mixes the motor neurons of an LTC.
    """
    core: Core = driver.core
    memory: Tensors = {}
    if isinstance(core, MixedMemory):
        memory = _named(core.lstm, "lstm.")
        core = core.core
    match core:
        case LTC():
            cell, projection = matrices_of(core) | output_mapping(driver.readout), {}
        case CfC():
            cell, projection = core.blocks(), _named(driver.readout, "fc.")
        case WiredCfC():
            cell, projection = blocks_of_wired(core), _named(driver.readout, "fc.")
        case _:
            raise ValueError(
                f"ncps has no {type(core).__name__}, which the core of this driver ({driver.spec.core}) is: it has LTC, "
                "CfC and WiredCfC, each also in MixedMemory."
            )
    tensors = {f"rnn_cell.{name}": tensor for name, tensor in cell.items()} | memory | projection
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def _read_projection(projection: Tensors, outputs: int, like: Tensor) -> nn.Linear:
    """`fc` of a CfC, or the identity where the model has none."""
    if not projection:
        projection = {"fc.weight": torch.eye(outputs).to(like), "fc.bias": like.new_zeros(outputs)}
    readout = nn.Linear(outputs, size_of(projection, "fc.weight", "")[0]).to(like)
    copy_blocks(projection, _named(readout, "fc."))
    return readout


def _named(module: nn.Module, prefix: str) -> Tensors:
    """The weights of a module, not copied, under their names with a prefix."""
    return {prefix + name: tensor for name, tensor in module.state_dict().items()}
