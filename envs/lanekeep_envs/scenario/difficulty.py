"""The dial of difficulty: every number of a dialled range goes straight from its neutral value to the written one."""

from typing import Any, TypeVar

import msgspec

Eased = TypeVar("Eased", bound=msgspec.Struct)


def eased(table: Eased, fine: msgspec.Struct, keys: tuple[str, ...], difficulty: float) -> Eased:
    """Return a table whose `keys` are ranges between those of a `fine` day (difficulty 0) and those written (1)."""
    moved = {key: between(getattr(fine, key), getattr(table, key), difficulty) for key in keys}
    return msgspec.structs.replace(table, **moved)


def between(fine: tuple[Any, Any], written: tuple[Any, Any], difficulty: float) -> tuple[Any, Any]:
    """Go from the nearest values within `fine` to those written; whole numbers stay whole."""
    pairs = [(min(max(end, fine[0]), fine[1]), end) for end in written]
    moved = [near + difficulty * (end - near) for near, end in pairs]
    if all(isinstance(end, int) for end in written):
        moved = [round(value) for value in moved]
    return moved[0], moved[1]
