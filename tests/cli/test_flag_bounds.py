"""Every number that a flag takes has both bounds: what is far beyond, or no number, is refused by the flag's name."""

import dataclasses
import math
import typing
from pathlib import Path
from typing import Any

import pytest

from lanekeep.cli.commands import COMMANDS, at
from lanekeep.errors import UserError
from lanekeep.settings import flag

ANY_INTEGER = {"seed"}  # every integer is a seed of a road, however large


def numbers() -> list[tuple[str, str, type]]:
    """(command, field, int or float) of every number among the flags."""
    found = []
    for command, row in COMMANDS.items():
        hints = typing.get_type_hints(at(row.settings))
        for field in dataclasses.fields(at(row.settings)):
            kinds = {hints[field.name], *typing.get_args(hints[field.name])} & {int, float}
            if field.init and kinds and field.name not in ANY_INTEGER:
                found.append((command, field.name, float if float in kinds else int))
    return found


@pytest.mark.parametrize(("command", "name", "kind"), numbers())
def test_a_number_far_beyond_is_refused(command: str, name: str, kind: type) -> None:
    settings: Any = at(COMMANDS[command].settings)
    needed = {field.name: Path("x") for field in dataclasses.fields(settings) if field.default is dataclasses.MISSING}
    beyond = (1e300, -1e300, math.inf, -math.inf, math.nan) if kind is float else (10**40, -(10**40))
    for value in beyond:
        with pytest.raises(UserError, match=flag(name)):
            settings(**needed, **{name: value})
