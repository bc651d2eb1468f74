"""Going on with a training: the settings must be those it began with, and Adam's memory travels as named tensors."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lanekeep.errors import UserError
from lanekeep.settings import as_recipe


def check_settings(out: Path, settings: Any, then: dict[str, Any]) -> None:
    """Refuse to go on in a folder whose training had other settings."""
    now = as_recipe(settings)
    for key in sorted(now.keys() | then.keys()):
        if now.get(key) != then.get(key) and key != "out":
            raise UserError(
                f"{out} was trained with {key} = {then.get(key)!r}, not {now.get(key)!r}; "
                "give that, or choose another folder"
            )


def adam_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What Adam remembers of each parameter."""
    slots = optimiser.state_dict()["state"].items()
    return {f"adam.{k}.{name}": torch.as_tensor(value) for k, slot in slots for name, value in slot.items()}


def restore_adam(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give Adam its memory back from those tensors whose names begin with `adam.`."""
    table = optimiser.state_dict()
    learned = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    for name, value in tensors.items():
        if name.startswith("adam."):
            _, k, slot = name.split(".")
            if slot != "step" and value.shape != learned[int(k)].shape:
                raise ValueError(f"{name} is {list(value.shape)}, not {list(learned[int(k)].shape)}")
            table["state"].setdefault(int(k), {})[slot] = value
    optimiser.load_state_dict(table)
