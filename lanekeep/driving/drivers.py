"""Drivers on the command line: a bare name is one that came with the program, anything with a slash a checkpoint folder."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lanekeep.errors import UserError, did_you_mean
from lanekeep.training.provenance import nothing_learned
from lanekeep_envs import STATE_NAMES, Camera, Scenario
from lanekeep_policies import DRIVER, Driver, load_driver, read_checkpoint


def shipped_folder() -> Path:
    """Folder of the drivers that came with the program: in the wheel, or in the checkout."""
    package = Path(__file__).parents[1]
    inside = package / "checkpoints"
    return inside if inside.is_dir() else package.parent / "checkpoints"


def open_driver(name: str) -> Driver:
    """A driver by the name of a shipped one, or by its folder (anything with a slash); refused if it learned nothing."""
    if "/" in name:
        checkpoint = read_checkpoint(name)
        if nothing_learned(checkpoint.training):
            raise UserError(
                f"{name} holds an untrained driver: its training was stopped before it learned anything; train it first"
            )
        return checkpoint.driver
    shipped = sorted(path.parent.name for path in shipped_folder().glob(f"*/{DRIVER}"))
    if name not in shipped:
        way_out = (
            f"a folder is written ./{name}"
            if Path(name).is_dir()
            else did_you_mean(name, shipped, "a folder has a slash")
        )
        raise UserError(f"there is no shipped driver {name!r}; {way_out}")
    return load_driver(shipped_folder() / name)


def camera_of(driver: Driver) -> Camera | None:
    """The camera that a driver was made for; None if it is told the state instead."""
    spec = driver.spec
    return None if spec.numbers else Camera(height_px=spec.camera_height, width_px=spec.camera_width)


def check_driver(driver: Driver | None, scenario: Scenario) -> None:
    """Refuse a driver made for another world or for another curvature than the scenario's; the expert (None) adapts."""
    limit = scenario.curvature_limit_per_m
    if driver is not None and (driver.spec.env_id or driver.spec.numbers not in (0, len(STATE_NAMES))):
        raise UserError(f"this driver was made for {driver.spec.env_id!r}, not for lane keeping")
    if driver is not None and driver.spec.curvature_limit_per_m != limit:
        raise UserError(
            f"this driver's action 1 is a curvature of {driver.spec.curvature_limit_per_m:g} 1/m, "
            f"scenario {scenario.name}'s is {limit:g}"
        )


def states_along(driver: Driver, frames: NDArray[np.uint8], start: Tensor | None = None) -> Tensor:
    """Memories [T + 1, S] of a driver that is shown frames [T, H, W, 3]: row t is what it brings to frame t."""
    state = driver.initial_state(1) if start is None else start
    states: list[Any] = [state]
    step = driver.stepper()
    for frame in frames:
        _, state = step(frame[None], state)
        states.append(state)
    return torch.cat(states).detach()
