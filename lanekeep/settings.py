"""Settings: a frozen dataclass for each command, and what all of them share.

A field is a flag of the same name, its docstring the help, its default the default; `Positional` makes it an argument
without a flag.  Settings are data: the command line fills them, a recipe is their table, a checkpoint keeps that table.
"""

import math
from dataclasses import field, fields
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

from lanekeep.errors import UserError

T = TypeVar("T")
POSITIONAL = "an argument without a flag"
Positional = Annotated[T, POSITIONAL]


def helped(default: T, text: str) -> T:
    """A field with this default and a help that is put together, where a docstring would repeat a list kept elsewhere."""
    return field(default=default, metadata={"help": text})


def flag(field_name: str) -> str:
    return f"--{field_name.rstrip('_').replace('_', '-')}"  # `from_`, since `from` is a word of the language


def in_range(settings: Any, name: str, low: float, high: float = math.inf) -> None:
    """Refuse a number outside [low, high], or infinite, or NaN; None passes. Made for `__post_init__`."""
    value = getattr(settings, name)
    if value is None or (low <= value <= high and value != math.inf):
        return
    allowed = f"at least {low}" if high == math.inf else f"from {low} to {high}"
    raise UserError(f"{flag(name)} must be {allowed}, not {value}")


def check_file(settings: Any, name: str) -> None:
    """Refuse a file that cannot be, before the work whose result it is to hold; None passes."""
    path = getattr(settings, name)
    if path is not None and path.is_dir():
        given = "" if name in positionals(type(settings)) else f"{flag(name)} "
        raise UserError(f"{given}{path} is a folder; expected the name of a file")
    if path is not None and not path.resolve().parent.is_dir():
        raise UserError(f"there is no folder for {path}")


def positionals(settings: type[Any]) -> list[str]:
    """The fields that are arguments without a flag."""
    hints = get_type_hints(settings, include_extras=True)
    return [name for name, hint in hints.items() if POSITIONAL in getattr(hint, "__metadata__", ())]


def recipe_keys(settings: type[Any]) -> list[str]:
    """The fields that a recipe may set: all flags but `--recipe` itself."""
    left_out = {"recipe", *positionals(settings)}
    return [field.name for field in fields(settings) if field.init and field.name not in left_out]


def as_recipe(settings: Any) -> dict[str, object]:
    """The settings as a TOML table; what is None is left out, as TOML has no such value."""
    values = {name: getattr(settings, name) for name in recipe_keys(type(settings))}
    return {name: _as_toml(value) for name, value in values.items() if value is not None}


def _as_toml(value: object) -> object:
    if isinstance(value, tuple):
        return [_as_toml(item) for item in value]
    return str(value) if isinstance(value, Path) else value
