"""Recipe: the flags of a command kept as TOML, so that a training can be repeated from a file.

`lanekeep train imitation drivers/mine --recipe ncp.toml --seed 3` reads the flags in the file first, and then those on
the command line, which win. A command takes recipes if its dataclass has the field `recipe: Path | None = None`. Positional
arguments are what a recipe is applied to, and so are not in it.
"""

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lanekeep.errors import UserError, did_you_mean
from lanekeep.settings import flag, recipe_keys
from lanekeep_files.reading import LARGEST_TEXT, FileError, read_file, toml_of


def with_recipe(settings: type[Any], argv: Sequence[str]) -> list[str]:
    """The command line with the flags of its recipe in front."""
    path = _recipe_path(argv) if "recipe" in {field.name for field in dataclasses.fields(settings)} else None
    if path is None:
        return list(argv)
    # --recipe again, so that a list at the end of the recipe does not take the positional arguments for its own.
    return [*_as_flags(settings, path), f"--recipe={path}", *argv]


def _recipe_path(argv: Sequence[str]) -> Path | None:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--recipe", type=Path, nargs="?")
    path: Path | None = parser.parse_known_args(argv)[0].recipe
    return path


def _as_flags(settings: type[Any], path: Path) -> Iterator[str]:
    keys = recipe_keys(settings)
    for name, value in _read(path).items():
        if name not in keys:
            way_out = did_you_mean(name, keys, f"it may hold {', '.join(keys)}")
            raise UserError(f"{path} has an unknown key {name}; {way_out}")
        match value:
            case dict():
                raise UserError(f"{path} has a table {name} where a value is expected")
            case bool():
                yield flag(name) if value else flag(f"no_{name}")
            case list():
                if any(isinstance(item, (list, dict)) for item in value):
                    raise UserError(f"{path} has a list of lists or tables at {name} where values are expected")
                yield flag(name)
                yield from map(str, value)
            case _:
                yield f"{flag(name)}={value}"


def _read(path: Path) -> dict[str, object]:
    try:
        return toml_of(read_file(path, LARGEST_TEXT), path)
    except OSError as error:
        raise UserError(f"cannot read the recipe {path}: {error.strerror}") from error
    except FileError as error:
        raise UserError(f"the recipe {error}") from error
