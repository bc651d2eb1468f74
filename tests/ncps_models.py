"""Models of the package ncps in float64, with weights as after a training, and the drivers that their weights make."""

from collections.abc import Callable
from typing import Any

import ncps.wirings
import torch
from ncps.torch import LTC as ReferenceLTC
from ncps.torch import CfC as ReferenceCfC
from torch import nn

from lanekeep_policies import Driver, DriverSpec
from lanekeep_policies.ncps import CoreAndReadout
from lanekeep_policies.wiring import Fans, Wiring, auto_wiring, fully_connected, ncps_wiring, random_wiring

INPUTS = 5
LAYERS, FANS = (6, 4, 2), Fans(3, 2, 3, 2)
WIRINGS: dict[str, tuple[Callable[[], ncps.wirings.Wiring], Wiring]] = {
    "NCP": (lambda: ncps.wirings.NCP(*LAYERS, *FANS), ncps_wiring(INPUTS, *LAYERS, FANS)),
    "AutoNCP": (lambda: ncps.wirings.AutoNCP(12, 2), auto_wiring(INPUTS, 12, 2)),
    "FullyConnected": (lambda: ncps.wirings.FullyConnected(7, 2), fully_connected(INPUTS, 7, 2)),
    "all motor": (lambda: ncps.wirings.FullyConnected(4), fully_connected(INPUTS, 4, 4)),
    "Random": (lambda: ncps.wirings.Random(9, 2, 0.5), random_wiring(INPUTS, 9, 2, 0.5)),
}
NAMES = ("ncp", "ltc", "cfc")  # what the cores that ncps has begin with
NCPS_MODES = {"default": "default", "pure": "pure", "no-gate": "no_gate"}


def trained(model: nn.Module) -> nn.Module:
    """In float64, with all weights away from their initial values; conductances stay positive."""
    generator = torch.Generator().manual_seed(1)
    for parameter in model.double().parameters():
        if parameter.requires_grad:
            parameter.data *= 1.0 + 0.3 * torch.rand(parameter.shape, dtype=torch.float64, generator=generator)
            if parameter.ndim == 1 and bool((parameter == 0.0).all()):
                parameter.data += torch.rand(parameter.shape, dtype=torch.float64, generator=generator)
    return model


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build()


def ltc(wiring: str = "NCP", implicit: bool = True, **options: Any) -> nn.Module:
    make = WIRINGS[wiring][0]
    return trained(
        seeded(lambda: ReferenceLTC(INPUTS, make(), implicit_param_constraints=implicit, **options))  # type: ignore[no-untyped-call]
    )


def cfc(mode: str = "default", **options: Any) -> nn.Module:
    options = {"proj_size": 3, "backbone_units": 11, **options}
    return trained(seeded(lambda: ReferenceCfC(INPUTS, 7, mode=NCPS_MODES[mode], **options)))


def wired_cfc(mode: str = "default", **options: Any) -> nn.Module:
    options = {"proj_size": 3, **options}
    return trained(seeded(lambda: ReferenceCfC(INPUTS, WIRINGS["NCP"][0](), mode=NCPS_MODES[mode], **options)))


def driver_of(parts: CoreAndReadout) -> Driver:
    driver = Driver.build(DriverSpec(core="rnn", camera_height=16, camera_width=32, curvature_limit_per_m=0.1), 0)
    driver.core, driver.readout = parts
    return driver
