"""The house stays small: files of 300 lines, functions of 60 with 8 arguments, and no class name twice."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import lanekeep
import lanekeep_envs
import lanekeep_files
import lanekeep_policies

SOURCES = [Path(package.__file__).parent for package in (lanekeep, lanekeep_envs, lanekeep_files, lanekeep_policies)]
TESTS = Path(__file__).parents[1]
LINES_OF_A_FILE, LINES_OF_A_FUNCTION, ARGUMENTS = 300, 60, 8


def modules(*folders: Path) -> Iterator[tuple[str, ast.Module]]:
    """Each Python file as (its path from its room on, its syntax tree)."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            yield path.relative_to(folder.parent).as_posix(), ast.parse(path.read_text())


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Each function and method of the source, with its place."""
    for place, tree in modules(*SOURCES):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                yield f"{place} {node.name}", node


def lines_of(function: ast.FunctionDef) -> int:
    """Lines of a function without its docstring."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    return function.end_lineno - function.lineno + 1 - documented * (first.end_lineno - first.lineno + 1)


def arguments_of(function: ast.FunctionDef) -> int:
    """Arguments of a function, without `self`."""
    names = [argument.arg for argument in function.args.posonlyargs + function.args.args + function.args.kwonlyargs]
    return len([name for name in names if name not in ("self", "cls")])


def test_no_file_is_longer_than_300_lines() -> None:
    sizes = {path: len(path.read_text().splitlines()) for room in (*SOURCES, TESTS) for path in room.rglob("*.py")}
    long = {str(path): size for path, size in sizes.items() if size > LINES_OF_A_FILE}
    assert long == {}


def test_no_function_is_longer_than_60_lines() -> None:
    assert {place: lines_of(f) for place, f in functions() if lines_of(f) > LINES_OF_A_FUNCTION} == {}


def test_no_function_has_more_than_8_arguments() -> None:
    many = {place: arguments_of(f) for place, f in functions()}
    assert {place: arguments for place, arguments in many.items() if arguments > ARGUMENTS} == {}


def test_no_class_name_is_used_twice() -> None:
    names = [node.name for _, tree in modules(*SOURCES) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert [name for name, times in Counter(names).items() if times > 1] == []
