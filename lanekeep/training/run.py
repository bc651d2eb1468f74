"""A training besides its learning: how it is saved and gone on with, how long it took, what is shown of it.

A new learner is settings (a frozen dataclass with `out`, `seed` and `recipe`), a loss, and a function that trains; it hands
over what only it knows:

    told        what the checkpoint says of the training, beside command, settings, scenario, seed and versions
    place       where the training stands, as numbers and words: `counter` and whatever else it needs to go on
    tensors     where it stands, as tensors; Adam's memory is added
"""

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lanekeep.errors import UserError
from lanekeep.settings import as_recipe
from lanekeep.training.provenance import command_of, git_commit, nothing_learned, versions
from lanekeep.training.resume import adam_tensors, check_settings, restore_adam
from lanekeep_policies import Driver, read_checkpoint, read_tensors, save_driver

Table = dict[str, Any]
Tensors = dict[str, Tensor]
SAVE_EVERY_S = 120.0


class Run:
    """A training of a command in the folder `settings.out`; `counter` counts what it has done, in [resume]."""

    def __init__(self, command: str, settings: Any, counter: str, packages: tuple[str, ...] = ()) -> None:
        self.command, self.settings, self.counter, self.packages = command, settings, counter, packages
        self.seconds, self._since, self._saved = 0.0, time.perf_counter(), -math.inf

    @property
    def begun(self) -> bool:
        """Whether the folder holds a checkpoint to go on from."""
        return bool((self.settings.out / "driver.toml").exists())

    @property
    def save_is_due(self) -> bool:
        """Whether the last save was long ago."""
        return time.perf_counter() - self._saved > SAVE_EVERY_S

    def save(
        self,
        driver: Driver,
        optimiser: torch.optim.Optimizer,
        scenario: str,
        told: Table,
        place: Table,
        tensors: Tensors,
    ) -> None:
        """Write the checkpoint, with what is needed to go on."""
        s = self.settings
        training = {
            "command": command_of(self.command, s, type(s)(out=s.out)),
            "settings": as_recipe(s),
            "scenario": scenario,
            "seed": s.seed,
            "seconds": round(self.seconds, 1),
            **told,
            "versions": versions(*self.packages),
            "git_commit": git_commit(),
        }
        save_driver(s.out, driver, training, place, tensors | adam_tensors(optimiser))
        self._saved = time.perf_counter()

    def resume(
        self,
        driver: Driver,
        optimiser: torch.optim.Optimizer,
        restore: Callable[[Table, Table, Tensors], None],
    ) -> bool:
        """Go on where the checkpoint in the folder stands; refused if it was trained by something else or otherwise.

        `restore(told, place, tensors)` takes back what only the learner knows; what it raises says what is damaged.
        Return False if there is nothing to go on with: other settings, with which nothing was learned.
        """
        out, checkpoint = self.settings.out, read_checkpoint(self.settings.out)
        try:
            self._check(checkpoint.training, checkpoint.resume)
        except UserError:
            if nothing_learned(checkpoint.training):
                return False
            raise
        tensors = read_tensors(out, checkpoint.resume)
        driver.load_state_dict(checkpoint.driver.state_dict())
        try:
            restore(checkpoint.training, checkpoint.resume, tensors)
            restore_adam(optimiser, tensors)
            self.seconds = float(checkpoint.training["seconds"])
        except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise UserError(
                f"{out} cannot be gone on with: what it says of its training is damaged ({error})"
            ) from error
        return True

    def _check(self, told: Table, place: Table) -> None:
        out, then = self.settings.out, told.get("settings")
        if not isinstance(then, dict):
            raise UserError(f"{out} does not say with which settings it was trained; choose another folder")
        if place and self.counter not in place:
            raise UserError(f"{out} holds a driver that was not trained by `{self.command}`; choose another folder")
        check_settings(out, self.settings, then)
        if not place:
            raise UserError(f"{out} holds a driver without its training; choose another folder")

    def tick(self) -> None:
        """Count the time that has passed since the last call."""
        now = time.perf_counter()
        self.seconds, self._since = self.seconds + now - self._since, now


def rows_of(table: Any) -> list[list[float]]:
    """A table of numbers as a checkpoint keeps it."""
    return [[float(value) for value in row] for row in table]
