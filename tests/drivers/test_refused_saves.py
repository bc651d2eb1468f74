"""Save refuses what load refuses, before it touches the driver that is there; load depends on no setting of torch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lanekeep.driving.drivers import shipped_folder
from lanekeep_policies import Driver, DriverSpec, load_driver, save_driver
from lanekeep_policies.checkpoint import CheckpointError


def make(limit: float = 0.02) -> Driver:
    return Driver.build(DriverSpec(core="lstm", camera_height=16, camera_width=32, curvature_limit_per_m=limit), 0)


def not_finite() -> Driver:
    driver = make()
    driver.readout.bias.data.fill_(torch.nan)
    return driver


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (lambda: make().double(), "save driver.float"),
        (lambda: make().half(), "save driver.float"),
        (lambda: make().bfloat16(), "save driver.float"),
        (not_finite, "not finite"),
        (lambda: make(float("inf")), "finite number"),
    ],
)
def test_what_cannot_be_read_is_not_written(bad: Callable[[], Driver], told: str, tmp_path: Path) -> None:
    save_driver(tmp_path, make(), {"seed": 3})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(CheckpointError, match=told):
        save_driver(tmp_path, bad(), {"seed": 4})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("change", "back"),
    [
        (lambda: torch.set_default_dtype(torch.float64), lambda: torch.set_default_dtype(torch.float32)),
        (lambda: torch.set_default_dtype(torch.bfloat16), lambda: torch.set_default_dtype(torch.float32)),
        (lambda: torch.set_default_device("meta"), lambda: torch.set_default_device(None)),
    ],
)
def test_a_shipped_driver_loads_under_any_setting(change: Callable[[], Any], back: Callable[[], Any]) -> None:
    expected = load_driver(shipped_folder() / "ncp").state_dict()
    change()
    try:
        found = load_driver(shipped_folder() / "ncp").state_dict()
    finally:
        back()
    assert all(torch.equal(value, expected[name]) for name, value in found.items())
