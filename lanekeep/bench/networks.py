"""The networks whose speed is compared: every core of ours, those of ncps, and torch's LSTM; how a user calls each.

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
    calls: dict[
        str, Callable[[], Any]
    ]  # by operation; for `torch.no_grad()`, which is dear beside a step: enter it once


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
        TORCH_LSTM: _of_sequence(lstm, size, lambda rows: (torch.zeros(1, rows, UNITS), torch.zeros(1, rows, UNITS))),
    }


def _core(name: str) -> Core:
    spec = DriverSpec(core=name, camera_height=48, camera_width=160, curvature_limit_per_m=0.02, dt_s=DT_S)
    return Driver.build(spec, seed=0).core


def _of_core(core: Core, size: Size) -> Network:
    features, state = _features(core.input_size, size), core.initial_state(size.batch)
    frame, start, stepper = features[:1, 0].detach(), state[:1], core.stepper()
    return _network(
        core,
        core.active_parameters,
        features,
        lambda: core(features, state, DT_S)[0],
        lambda: stepper(frame, start, DT_S),
    )


def _in_torch_operations(core: Core, size: Size) -> Network:
    """The plain form of the LTC, which has no stepper of its own."""
    assert isinstance(core, LTC)
    features, state, elapsed = _features(core.input_size, size), core.initial_state(size.batch), DT_S / core.time_unit_s
    frame, start = features[:1, :1].detach(), state[:1]
    return _network(
        core,
        _stored(core),
        features,
        lambda: core.run_in_torch(features, state, elapsed)[0],
        lambda: core.run_in_torch(frame, start, elapsed),
    )


def _networks_of_ncps(size: Size) -> dict[str, Network]:
    try:
        networks, wirings = importlib.import_module("ncps.torch"), importlib.import_module("ncps.wirings")
    except ImportError:
        raise UserError("ncps is missing: pip install 'lanekeep[bench]'") from None

    def wiring() -> Any:
        """Its wiring of 12 inter, 6 command and 1 motor neurons with the fans of the paper; drawn from a seed of its own."""
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
    network = _of_sequence(module, size, lambda rows: torch.zeros(rows, module.state_size))
    return network._replace(active=network.stored - masked * absent)


def _of_sequence(module: nn.Module, size: Size, state_of: Callable[[int], Any]) -> Network:
    """A module that is called as torch's recurrent ones are; `state_of(rows)` is its initial state."""
    features, state = _features(FEATURES, size), state_of(size.batch)
    frame, start = features[:1, :1].detach(), state_of(1)
    return _network(module, _stored(module), features, lambda: module(features, state)[0], lambda: module(frame, start))


def _network(
    module: nn.Module, active: int, features: Tensor, outputs: Callable[[], Tensor], step: Callable[[], Any]
) -> Network:
    wanted = [features, *_trainable(module)]

    def forward_backward() -> tuple[Tensor, ...]:
        with torch.enable_grad():
            return torch.autograd.grad(outputs().sum(), wanted)

    return Network(active, _stored(module), {"forward": outputs, "forward_backward": forward_backward, "step": step})


def _features(number: int, size: Size) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(*size, number, generator=generator).requires_grad_()


def _trainable(module: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def _stored(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in _trainable(module))
