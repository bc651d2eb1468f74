"""How a valid input is damaged: its bytes, or the values of its tables.  Everything follows from one `random.Random`."""

import copy
import json
import math
import random
from typing import Any

NUMBERS = (
    0, -0.0, 1, -1, 2, 0.5, 1e-300, -1e-300, 5e-324, 1e-9, 1e9, 1e38, -1e38, 1e300, -1e300, math.inf, -math.inf, math.nan,
    2**31, -(2**31), 2**32, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, -(10**30), 255, 256, 65536, 1_000_000, 3.9999999,
)  # fmt: skip
WORDS = (
    "",
    "x",
    "[/nope]",
    "[bold]",
    "\x1b[2J",
    "\x00",
    "../../etc/passwd",
    "a" * 5000,
    "\u202e",
    "{{7*7}}",
    "nan",
    "-inf",
)
BYTES = (
    b"\x00",
    b"\xff",
    b"[" * 2000,
    b"{" * 2000,
    b"1e400",
    b"-",
    b'"',
    b"'",
    b"\n",
    b"=",
    b"nan",
    b"inf",
    b"9" * 400,
    b"\x1b[",
)
DEEP = 3000


def damaged_bytes(data: bytes, dice: random.Random) -> bytes:
    """Bytes with one to four random changes: flipped, cut out, doubled, put in, cut off."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        at, way = dice.randrange(len(changed) + 1), dice.randrange(6)
        some = min(dice.choice((1, 2, 8, 64, 1024)), len(changed) - at)
        if way == 0 and at < len(changed):
            changed[at] ^= 1 << dice.randrange(8)
        elif way == 1:
            del changed[at : at + some]
        elif way == 2:
            changed[at:at] = changed[at : at + some] * dice.choice((1, 3))
        elif way == 3:
            changed[at:at] = dice.choice(BYTES)
        elif way == 4:
            changed[at : at + some] = dice.randbytes(some)
        elif dice.random() < 0.3:
            del changed[at:]
    return bytes(changed)


def any_value(dice: random.Random) -> Any:
    """A value that is seldom meant."""
    way = dice.randrange(8)
    if way < 3:
        return dice.choice(NUMBERS)
    if way == 3:
        return dice.choice(WORDS)
    if way == 4:
        return [dice.choice(NUMBERS) for _ in range(dice.choice((0, 1, 2, 2, 3, 300)))]
    if way == 5:
        return dice.choice((True, False, {}, {"x": 1}, [], [[]], None))
    return dice.uniform(-2.0, 2.0) * 10.0 ** dice.randrange(-3, 7)


def near(value: Any, dice: random.Random) -> Any:
    """A value of the same kind, somewhat or much larger or smaller."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return [near(part, dice) for part in value] if isinstance(value, list) else any_value(dice)
    moved = value * dice.choice((-1.0, 0.0, 0.5, 0.999, 1.001, 2.0, 10.0, 1e3, 1e9)) + dice.choice(
        (0.0, 0.0, 1.0, -1.0)
    )
    return round(moved) if isinstance(value, int) and math.isfinite(moved) and dice.random() < 0.9 else moved


def damaged_table(table: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """A table one to three of whose values are others, missing, or under another name."""
    changed = copy.deepcopy(table)
    for _ in range(dice.choice((1, 1, 2, 3))):
        places = list(_places(changed))
        if not places:
            break
        holder, key = dice.choice(places)
        way = dice.randrange(10)
        if way < 5:
            holder[key] = near(holder[key], dice)
        elif way < 8:
            holder[key] = any_value(dice)
        elif way == 8:
            del holder[key]
        elif isinstance(holder, dict):
            holder[f"{key}{dice.choice(('x', '_', ' '))}"] = holder[key]
    return changed


def _places(value: Any) -> Any:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in list(inner):
        yield value, key
        yield from _places(part)


def as_toml(table: dict[str, Any]) -> bytes:
    """A table as TOML, however odd its values are."""
    lines = [f"{_key(k)} = {_inline(v)}" for k, v in table.items() if not isinstance(v, dict)]
    for name, part in table.items():
        if isinstance(part, dict):
            lines += [f"[{_key(name)}]", *(f"{_key(k)} = {_inline(v)}" for k, v in part.items())]
    return "\n".join(lines).encode("utf-8", "replace")


def _key(name: Any) -> str:
    return name if str(name).replace("_", "").isalnum() else json.dumps(str(name))


def _inline(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value) if isinstance(value, str) else repr(value)
