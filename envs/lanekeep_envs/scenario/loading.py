"""Scenarios by name or from a file.

A key or value that does not belong is refused with the file, the key and what is allowed.
"""

import difflib
import math
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import msgspec

from lanekeep_envs.dynamics.road import MINIMUM_RADIUS_M
from lanekeep_envs.scenario.schema import Family, Kind, Scenario, ScenarioError, Table

FAMILIES, KINDS = get_args(Family), get_args(Kind)


def scenario_names() -> list[str]:
    """Return the names of the scenarios inside the package."""
    files = resources.files("lanekeep_envs").joinpath("scenarios").iterdir()
    return sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))


def load_scenario(scenario: str | Scenario | dict[str, Any]) -> Scenario:
    """Return a scenario by name, by the path of a `.toml` file, from its table, or as it was given; ScenarioError."""
    if isinstance(scenario, Scenario):
        return scenario
    if isinstance(scenario, dict):
        name = str(scenario.get("name", "own"))
        return read_scenario(msgspec.toml.encode(scenario), f"scenario {name}", name)
    if scenario.endswith(".toml") or "/" in scenario:
        path = Path(scenario)
        if not path.is_file():
            raise ScenarioError(f"there is no scenario file {path}")
        return read_scenario(path.read_bytes(), str(path), path.stem)
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
        made = msgspec.toml.decode(text, type=Scenario)
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{file}: {error}{_allowed(str(error))}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{file} is not TOML: {error}") from None
    _check_ranges(made, file)
    if not made.surface.kinds:
        raise ScenarioError(f"{file}: surface.kinds takes at least one of {', '.join(KINDS)}")
    unknown = [v for v in made.road.design_speeds_kmh if v not in MINIMUM_RADIUS_M]
    if unknown or not made.road.design_speeds_kmh:
        raise ScenarioError(f"{file}: road.design_speeds_kmh takes values of {sorted(MINIMUM_RADIUS_M)}")
    return msgspec.structs.replace(made, name=name)


def _check_ranges(table: Any, file: str, path: str = "") -> None:
    for field in table.__struct_fields__:
        value = getattr(table, field)
        if isinstance(value, Table):
            _check_ranges(value, file, f"{field}.")
        elif not all(
            math.isfinite(v) for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, float)
        ):
            raise ScenarioError(f"{file}: {path}{field} must be finite")
        elif isinstance(value, tuple) and field not in ("design_speeds_kmh", "kinds") and value[0] > value[1]:
            raise ScenarioError(f"{file}: {path}{field} = [{value[0]}, {value[1]}] must be [low, high]")


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
