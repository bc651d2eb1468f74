"""Scenarios by name or from a file.

A key or value that does not belong is refused with the file, the key and what is allowed.
"""

import difflib
import math
from importlib import resources
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from lanekeep_envs.dynamics.road import MINIMUM_RADIUS_M
from lanekeep_envs.scenario.schema import Family, Kind, Scenario, ScenarioError, Table
from lanekeep_files.reading import LARGEST_TEXT, FileError, read_file, toml_of

FAMILIES, KINDS = get_args(Family), get_args(Kind)


def scenario_names() -> list[str]:
    """Return the names of the scenarios inside the package."""
    files = resources.files("lanekeep_envs").joinpath("scenarios").iterdir()
    return sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))


def load_scenario(scenario: str | Scenario | dict[str, Any]) -> Scenario:
    """Return a scenario by name, by the path of a `.toml` file, from its table, or as it was given; ScenarioError."""
    if isinstance(scenario, (Scenario, dict)):
        table: dict[str, Any] = msgspec.to_builtins(scenario)
        return checked_scenario(table, f"scenario {table.get('name') or 'own'}")
    if scenario.endswith(".toml") or "/" in scenario:
        path = Path(scenario)
        if not path.is_file():
            raise ScenarioError(f"there is no scenario file {path}")
        return read_scenario(_content(path), str(path), path.stem)
    names = scenario_names()
    if scenario not in names:
        near = difflib.get_close_matches(scenario, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}, or a path to a .toml file."
        raise ScenarioError(f"unknown scenario {scenario!r}: {hint}")
    text = resources.files("lanekeep_envs").joinpath("scenarios", f"{scenario}.toml").read_bytes()
    return read_scenario(text, f"{scenario}.toml", scenario)


def read_scenario(text: bytes, file: str, name: str) -> Scenario:
    """Decode and check the text of a file; ScenarioError names `file`."""
    try:
        table = toml_of(text, file)
    except FileError as error:
        raise ScenarioError(str(error)) from None
    return msgspec.structs.replace(checked_scenario(table, file), name=name)


def checked_scenario(table: Any, origin: str) -> Scenario:
    """Return a table of plain values as a scenario whose every number is within its bounds; ScenarioError names `origin`.

    Files, saved instants and scenarios made in Python all come through here: no number reaches a kernel otherwise.
    """
    try:
        made = msgspec.convert(table, type=Scenario)
    except msgspec.ValidationError as error:
        raise ScenarioError(_sentence(str(error), table, origin)) from None
    except RecursionError:
        raise ScenarioError(f"{origin} is nested too deeply") from None
    for name in made.__struct_fields__:
        if isinstance(getattr(made, name), Table):
            _check_order(getattr(made, name), origin, name)
    if not made.surface.kinds:
        raise ScenarioError(f"{origin}: surface.kinds takes at least one of {', '.join(KINDS)}")
    speeds = made.road.design_speeds_kmh
    if not speeds or any(speed not in MINIMUM_RADIUS_M for speed in speeds):
        raise ScenarioError(f"{origin}: road.design_speeds_kmh takes values of {sorted(MINIMUM_RADIUS_M)}")
    return made


def _content(path: Path) -> bytes:
    try:
        return read_file(path, LARGEST_TEXT)
    except (FileError, OSError) as error:
        raise ScenarioError(f"{path} cannot be read: {error}" if isinstance(error, OSError) else str(error)) from None


def _check_order(table: Table, origin: str, section: str) -> None:
    for field in table.__struct_fields__:
        value = getattr(table, field)
        if isinstance(value, tuple) and field not in ("design_speeds_kmh", "kinds") and value[0] > value[1]:
            raise ScenarioError(f"{origin}: {section}.{field} = [{value[0]}, {value[1]}] must be [low, high]")


def _sentence(message: str, table: Any, origin: str) -> str:
    """Return what msgspec refused, with the range that is allowed, and plainly for a number that is none."""
    place = message.partition("at `$.")[2].rstrip("`")
    path = place.partition("[")[0]
    section, _, key = path.rpartition(".")
    made = getattr(Scenario(description=""), section, None) if section else Scenario(description="")
    if not isinstance(made, Table) or key not in made.__struct_fields__:
        return f"{origin}: {message}{_allowed(message)}"
    given = table.get(section, {}).get(key) if section else table.get(key)
    numbers = given if isinstance(given, (list, tuple)) else (given,)
    prefix = f"{path} must be finite: " if any(isinstance(v, float) and math.isinf(v) for v in numbers) else ""
    if isinstance(given, (list, tuple)) and any(isinstance(v, float) and math.isnan(v) for v in numbers):
        prefix = f"{path} must be finite: "
    return f"{origin}: {prefix}{message}{range_of(type(made), key)}{_allowed(message)}"


def range_of(table: type[Table], key: str) -> str:
    """Return the range of a number, or of the numbers of a list, in words; nothing for what has none."""
    kind = msgspec.inspect.type_info(get_type_hints(table, include_extras=True)[key])
    if isinstance(kind, msgspec.inspect.TupleType):
        kind = kind.item_types[0]
    if isinstance(kind, (msgspec.inspect.FloatType, msgspec.inspect.IntType)) and kind.ge is not None:
        return f" (from {kind.ge:g} to {kind.le:g})"
    return ""


def _allowed(message: str) -> str:
    """Return the keys that a table takes for an error about an unknown key, the words for an unknown word."""
    if "Invalid enum value" in message:
        words = KINDS if ".kinds" in message else FAMILIES
        return f" (allowed: {', '.join(words)})"
    if "unknown field" not in message:
        return ""
    section = message.partition("at `$.")[2].rstrip("`") or ""
    table = getattr(Scenario(description=""), section, None) if section else Scenario(description="")
    wrong = message.partition("unknown field `")[2].partition("`")[0]
    keys = list(table.__struct_fields__) if isinstance(table, Table) else []
    near = difflib.get_close_matches(wrong, keys, 1)
    return f" (did you mean {near[0]}?)" if near else f" (allowed: {', '.join(keys)})"
