"""Cores and maps that are not of this project: of a file of one's own, or of an installed package.

    lanekeep train imitation drivers/mine --core my-core --with mine.py
A file holds either or both of
    CORES = {"my-core": CoreRow(lambda features, spec: MyCore(features), "what it is")}    rows as in lanekeep_policies.cores
    def my_map(steering, images, states): ...         every public function with these arguments is the map `my-map`
A package names such a module by an entry point of the group `lanekeep.cores` or `lanekeep.maps`, and needs no --with.
A checkpoint of such a core says what it needs, the name of the file or the package; only what the user named or installed is
ever imported.  Processes that a command starts find the files in the environment variable LANEKEEP_WITH.
"""

import inspect
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from lanekeep.errors import UserError

WITH, ARGUMENTS = "LANEKEEP_WITH", ("steering", "images", "states")
GROUPS = CORES_GROUP, MAPS_GROUP = ("lanekeep.cores", "lanekeep.maps")  # of entry points
HELP = "--with FILE: also use the cores and maps of a Python file of yours (every command, any number of times)"
_loaded: set[str] = set()


def taken_from(argv: Sequence[str]) -> list[str]:
    """A command line without its --with FILE, which are remembered for this process and those it starts."""
    rest, files, given = list[str](), list[str](), iter(argv)
    for word in given:
        if word == "--":
            return _remembered(files, [*rest, word, *given])
        if word == "--with":
            files.append(next(given, ""))
        elif word.startswith("--with="):
            files.append(word.removeprefix("--with="))
        else:
            rest.append(word)
    return _remembered(files, rest)


def _remembered(files: list[str], rest: list[str]) -> list[str]:
    if files:
        before = os.environ.get(WITH, "").split(os.pathsep)
        paths = [str(Path(file).resolve()) if file else "" for file in files]
        os.environ[WITH] = os.pathsep.join(dict.fromkeys([*filter(None, before), *paths]))
        if "" in paths:
            raise UserError("--with needs the name of a Python file")
    return rest


def load() -> None:
    """Import what --with names and what is installed, once, and put it into the tables of cores and maps."""
    for name in filter(None, os.environ.get(WITH, "").split(os.pathsep)):
        if name not in _loaded:
            path = Path(name)
            found = _of_file(path)
            if not _register(found, path.name, GROUPS):
                raise UserError(f"--with {path}: there is neither a table CORES in it nor a map")
            _loaded.add(name)
    for group in GROUPS:
        for entry in entry_points(group=group):
            if f"{group} {entry.value}" not in _loaded:
                needs = entry.dist.name if entry.dist is not None else entry.value
                _register(_of_entry(entry, needs), needs, (group,))
                _loaded.add(f"{group} {entry.value}")


def _of_file(path: Path) -> ModuleType:
    """The module of a file; UserError that says why it cannot be imported."""
    if not path.is_file():
        raise UserError(f"--with {path}: there is no such file")
    spec = spec_from_file_location(f"with_{path.stem}", path)
    if path.suffix != ".py" or spec is None or spec.loader is None:
        raise UserError(f"--with {path}: expected a Python file, whose name ends in .py")
    module = module_from_spec(spec)
    sys.modules[module.__name__] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise UserError(f"--with {path} cannot be imported: {type(error).__name__}: {error}") from error
    return module


def _of_entry(entry: EntryPoint, package: str) -> ModuleType:
    """The module that an installed package names; UserError that names the package if it cannot be imported."""
    try:
        module: ModuleType = entry.load()
    except (Exception, SystemExit) as error:
        raise UserError(
            f"{package} cannot be imported: {type(error).__name__}: {error}; uninstall or mend it"
        ) from error
    return module


def _register(module: ModuleType, needs: str, groups: Sequence[str]) -> int:
    """Add a module's rows to the tables of these groups; return how many there are."""
    from lanekeep.saliency.methods import METHODS, Method
    from lanekeep_policies import CORES, CoreRow

    rows = getattr(module, "CORES", {}) if CORES_GROUP in groups else {}
    if not (isinstance(rows, dict) and all(isinstance(row, CoreRow) for row in rows.values())):
        raise UserError(f"{needs}: CORES is a dictionary of names and rows, CoreRow(build, summary)")
    of_cores = {name: row._replace(needs=needs) for name, row in rows.items()}
    maps = _maps_of(module) if MAPS_GROUP in groups else ()
    of_maps = {name: Method(name.replace("-", " "), run, live=True) for name, run in maps}
    taken = [name for table, rows in ((CORES, of_cores), (METHODS, of_maps)) for name in rows if name in table]
    if taken:
        raise UserError(f"{needs}: there is already a {taken[0]!r}; choose another name for it")
    CORES.update(of_cores)
    METHODS.update(of_maps)
    return len(of_cores) + len(of_maps)


def _maps_of(module: ModuleType) -> list[tuple[str, Any]]:
    return [
        (name.replace("_", "-"), function)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_")
        and function.__module__ == module.__name__
        and tuple(inspect.signature(function).parameters) == ARGUMENTS
    ]
