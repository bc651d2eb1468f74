"""The networks whose speed is compared: every core of this project, those of ncps, and torch's LSTM; how a user calls each.

    forward            features [B, T, F] and a state to outputs, nothing recorded for gradients
    forward_backward   the same, then the gradients of the outputs' sum for all parameters and the features
    step               one row, one step, nothing recorded: ours by `Core.stepper`, as when driving, others by a call
All time that passes is one control step of 50 ms, one unit of time.  Weights and features come from a seed and are in
single precision.  A parameter that no synapse carries is stored and trained in vain: it is not active.
B batch, T time, F features: the paper's 32, but those of their own heads for `cnn` and `pilotnet`.
"""

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lanekeep.errors import UserError
from lanekeep_policies import CORES, LTC, Core, Driver, DriverSpec

NCP, IN_TORCH, NCPS_LTC, TORCH_LSTM = "ncp", "ncp in torch operations", "ncps LTC", "nn.LSTM(64)"
DT_S = 0.05
FEATURES = 32
UNITS = 64


class Size(NamedTuple):
    """What passes through a network in one pass."""

    batch: int = 32
    time: int = 32


class Network(NamedTuple):
    active: int  # parameters that can influence the outputs
    stored: int  # parameters that are trained
    # by operation; for `torch.no_grad()`, which is dear beside a step: enter it once
    calls: dict[str, Callable[[], Any]]


def every_network(size: Size) -> dict[str, Network]:
    """By name; raises UserError where ncps is missing."""
    theirs = _networks_of_ncps(size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        lstm = nn.LSTM(FEATURES, UNITS, batch_first=True)
    return {
        **{name: _of_core(_core(name), size) for name in CORES},
        IN_TORCH: _in_torch_operations(_core(NCP), size),
        **theirs,
        TORCH_LSTM: _network(lstm, _inputs(FEATURES, size), lstm, lambda rows: (torch.zeros(1, rows, UNITS),) * 2),
    }


def _core(name: str) -> Core:
    spec = DriverSpec(core=name, camera_height=48, camera_width=160, curvature_limit_per_m=0.02, dt_s=DT_S)
    return Driver.build(spec, seed=0).core


def _of_core(core: Core, size: Size) -> Network:
    features = _inputs(core.input_size, size)
    frame, start, stepper = features[:1, 0].detach(), core.initial_state(1), core.stepper()
    network = _network(core, features, lambda rows, state: core(rows, state, DT_S), core.initial_state)
    step = {"step": lambda: stepper(frame, start, DT_S)}
    return network._replace(active=core.active_parameters, calls=network.calls | step)


def _in_torch_operations(core: Core, size: Size) -> Network:
    """The plain form of the LTC, which has no stepper of its own."""
    assert isinstance(core, LTC)
    run, elapsed = core.run_in_torch, DT_S / core.time_unit_s
    features = _inputs(core.input_size, size)
    return _network(core, features, lambda rows, state: run(rows, state, elapsed), core.initial_state)


def _networks_of_ncps(size: Size) -> dict[str, Network]:
    try:
        networks, wirings = importlib.import_module("ncps.torch"), importlib.import_module("ncps.wirings")
    except ImportError:
        raise UserError("ncps is missing: pip install 'lanekeep[bench]'") from None

    def wiring() -> Any:
        """A wiring of 12 inter, 6 command and 1 motor neurons with the fans of the paper, drawn from ncps' own seed."""
        return wirings.NCP(12, 6, 1, sensory_fanout=6, inter_fanout=4, recurrent_command_synapses=6, motor_fanin=6)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        ltc, wired_cfc = networks.LTC(FEATURES, wiring()), networks.CfC(FEATURES, wiring())
        cfc = networks.CfC(FEATURES, UNITS)
    return {
        NCPS_LTC: _of_ncps(ltc, size, masked=4),  # w, sigma, mu, erev
        "ncps CfC, NCP wiring": _of_ncps(wired_cfc, size, masked=2),  # ff1, ff2; the two gates are dense
        f"ncps CfC({UNITS})": _of_ncps(cfc, size, masked=0),
    }


def _of_ncps(module: Any, size: Size, masked: int) -> Network:
    """`masked` numbers are stored for each synapse that there could be."""
    masks = [mask for name, mask in module.named_parameters() if name.endswith("sparsity_mask")]
    absent = sum(int((mask == 0).sum()) for mask in masks)
    network = _network(module, _inputs(FEATURES, size), module, lambda rows: torch.zeros(rows, module.state_size))
    return network._replace(active=network.stored - masked * absent)


def _network(
    module: nn.Module, features: Tensor, run: Callable[[Tensor, Any], Any], state_of: Callable[[int], Any]
) -> Network:
    """All parameters active; `run(features, state)` gives outputs and state, `state_of(rows)` the initial state."""
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    stored = sum(parameter.numel() for parameter in trained)
    state, frame, start = state_of(len(features)), features[:1, :1].detach(), state_of(1)

    def forward_backward() -> tuple[Tensor, ...]:
        with torch.enable_grad():
            return torch.autograd.grad(run(features, state)[0].sum(), [features, *trained])

    calls = {"forward": lambda: run(features, state)[0], "forward_backward": forward_backward}
    return Network(stored, stored, {**calls, "step": lambda: run(frame, start)})


def _inputs(width: int, size: Size) -> Tensor:
    """Features [B, T, F] from a seed."""
    return torch.rand(*size, width, generator=torch.Generator().manual_seed(0)).requires_grad_()
