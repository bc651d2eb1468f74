"""What the settings of every command share: the names of their flags, and checks made for `__post_init__`."""

import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, get_type_hints

import tyro

from lanekeep.errors import UserError


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


def write_whole(path: Path, data: bytes) -> None:
    """Write a file aside and rename it: if that fails, what was there stays. Links and devices are written through."""
    through = path.is_symlink() or (path.exists() and not path.is_file())
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        (path if through else aside).write_bytes(data)
        if not through:
            aside.replace(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise UserError(f"{path} cannot be written: {error.strerror}") from error


def positionals(settings: type[Any]) -> list[str]:
    """The fields that are arguments without a flag."""
    hints = get_type_hints(settings, include_extras=True)
    return [name for name, hint in hints.items() if tyro.conf.Positional in getattr(hint, "__metadata__", ())]
