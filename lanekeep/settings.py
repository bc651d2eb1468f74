"""Settings: a frozen dataclass for each command, and what all of them share.

A field is a flag of the same name, its docstring the help, its default the default; `Positional` makes it an argument
without a flag.  Settings are data: the command line fills them, a recipe is their table, a checkpoint keeps that table.
"""

import math
from collections.abc import Iterable
from dataclasses import field, fields
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, get_type_hints

from lanekeep.errors import UserError

T = TypeVar("T")
POSITIONAL = "an argument without a flag"
Positional = Annotated[T, POSITIONAL]


class Output(NamedTuple):
    """Marks the field of a file that a command writes, with the endings that its name may have."""

    endings: tuple[str, ...]


CsvFile = Annotated[Path | None, Output((".csv",))]
JsonFile = Annotated[Path | None, Output((".json",))]
PageFile = Annotated[Path, Output((".html", ".htm"))]
PngFile = Annotated[Path | None, Output((".png",))]


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


def check_outputs(settings: Any) -> None:
    """Refuse files that cannot be written or are named as what they are not, before the work whose results they hold.

    Made for `__post_init__`; None passes, and so does a device such as /dev/stdout.
    """
    for name, output in outputs(type(settings)).items():
        path: Path | None = getattr(settings, name)
        if path is None or (path.exists() and not path.is_file() and not path.is_dir()):
            continue
        given = str(path) if name in positionals(type(settings)) else f"{flag(name)} {path}"
        if path.is_dir():
            raise UserError(f"{given} is a folder; expected the name of a file")
        check_ending(path, output.endings, given)
        if not path.resolve().parent.is_dir():
            raise UserError(f"there is no folder for {path}")


def check_ending(path: Path, endings: Iterable[str], given: str = "") -> None:
    """Refuse a file whose name says that it is something else; an ending of no letters is that of a name without one."""
    if path.suffix.lower() not in endings:
        raise UserError(f"{given or path}: expected a name that ends in {' or '.join(filter(None, endings))}")


def outputs(settings: type[Any]) -> dict[str, Output]:
    """The fields of files that are written, with their endings."""
    marked = {name: [mark for mark in marks if isinstance(mark, Output)] for name, marks in _marks(settings).items()}
    return {name: marks[0] for name, marks in marked.items() if marks}


def positionals(settings: type[Any]) -> list[str]:
    """The fields that are arguments without a flag."""
    return [name for name, marks in _marks(settings).items() if POSITIONAL in marks]


def _marks(settings: type[Any]) -> dict[str, tuple[object, ...]]:
    """What every field is annotated with beside its type."""
    hints = get_type_hints(settings, include_extras=True)
    return {name: getattr(hint, "__metadata__", ()) for name, hint in hints.items()}


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
