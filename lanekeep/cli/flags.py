"""Flags: a frozen dataclass is the only source of a command's flags and of its --help (lanekeep/settings.py).

The dataclass is flat. tyro does the parsing; its errors, which are boxes of many lines, are told again here as one sentence
that names the flag, the value and what is expected.
"""

import ast
import dataclasses
import difflib
import inspect
import io
import itertools
import re
import textwrap
import types
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import tyro
from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructFieldSpec, StructTypeInfo

from lanekeep.errors import UserError, did_you_mean
from lanekeep.settings import flag, positionals

Settings = TypeVar("Settings")  # a frozen dataclass

EXPECTED = {int: "an integer", float: "a number", str: "a word", Path: "a path", bool: "True or False"}


def parse(command: str, settings: type[Settings], argv: Sequence[str]) -> Settings:
    """Fill the dataclass from the command line; prints the help and exits if that is asked for."""
    _refuse_unknown_flags(command, settings, argv)
    complaint = io.StringIO()
    try:
        with redirect_stderr(complaint), _registry():
            parsed, left_over = tyro.cli(settings, prog=f"lanekeep {command}", args=argv, return_unknown_args=True)
    except ValueError as error:
        raise UserError(str(error)) from error
    except SystemExit as refusal:
        if not refusal.code:
            raise
        raise UserError(_sentence(command, settings, argv, complaint.getvalue(), refusal.__context__)) from refusal
    if left_over:
        raise UserError(f"unexpected argument {left_over[0]!r}; see lanekeep {command} --help")
    for name in positionals(settings):
        if getattr(parsed, name) == () and _is_required(settings, name):  # tyro takes none at all for any number
            raise UserError(f"{command} needs {name}; see lanekeep {command} --help")
    return parsed


def _registry() -> ConstructorRegistry:
    """What tyro has to know of settings: the help of a field, which ones are positional, and that `from_` is `from`."""
    registry = ConstructorRegistry()

    @registry.struct_rule
    def of_settings(info: StructTypeInfo) -> StructConstructorSpec | None:
        return (
            StructConstructorSpec(info.type, _tyro_fields(info.type)) if dataclasses.is_dataclass(info.type) else None
        )

    return registry


def _tyro_fields(settings: Any) -> tuple[StructFieldSpec, ...]:
    annotated, positional = cast(Any, Annotated), cast(Any, tyro.conf.Positional)
    hints, helps, specs = get_type_hints(settings), _helps(settings), []
    for field in (field for field in dataclasses.fields(settings) if field.init):
        hint = annotated[hints[field.name], tyro.conf.arg(name=field.name.rstrip("_"))]
        hint = positional[hint] if field.name in positionals(settings) else hint
        default = tyro.MISSING if field.default is dataclasses.MISSING else field.default
        specs.append(StructFieldSpec(field.name, hint, default, field.metadata.get("help", helps.get(field.name, ""))))
    return tuple(specs)


def _helps(settings: type[Any]) -> dict[str, str]:
    """The docstring under each field; Python itself does not keep it."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(settings))).body
    assert isinstance(definition, ast.ClassDef)
    helps = {}
    for field, text in itertools.pairwise(definition.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                helps[name] = inspect.cleandoc(words)
    return helps


def _flag_hints(settings: type[Any]) -> dict[str, Any]:
    """Flag -> type, None aside, without the positional arguments."""
    hints = get_type_hints(settings)
    names = [field.name for field in dataclasses.fields(settings) if field.init]
    return {flag(name): _without_none(hints[name]) for name in names if name not in positionals(settings)}


def _is_required(settings: type[Any], name: str) -> bool:
    field = next(field for field in dataclasses.fields(settings) if name in (field.name, flag(field.name)))
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _flag_in(token: str) -> str | None:
    """`--a_flag=3` -> `--a-flag`; None for a value, which may be a negative number."""
    word = token.partition("=")[0]
    return word.replace("_", "-") if re.match(r"--?[A-Za-z]", word) and not re.match(r"-(inf|nan)", word) else None


def _refuse_unknown_flags(command: str, settings: type[Any], argv: Sequence[str]) -> None:
    """Before tyro, which may complain about something that only follows from the unknown flag."""
    hints = _flag_hints(settings)
    known = {"--help", "-h", *hints} | {f"--no-{name[2:]}" for name, hint in hints.items() if hint is bool}
    for token in argv:
        if token == "--":
            return
        name = _flag_in(token)
        if name is not None and name not in known:
            way_out = did_you_mean(name, known, f"see lanekeep {command} --help")
            raise UserError(f"{command} has no flag {name}; {way_out}")


def _sentence(
    command: str, settings: type[Any], argv: Sequence[str], complaint: str, cause: BaseException | None
) -> str:
    """Say what tyro refused, from its complaint and from the types of the flags."""
    if isinstance(cause, ValueError):  # raised by the dataclass itself, in __post_init__
        return str(cause)
    hints = _flag_hints(settings)
    given = [_flag_in(token) for token in argv]
    words = re.findall(r"[\w-]+", complaint)
    for word in words:  # the first of our flags that is named is the culprit; those after it are in its help
        if word in hints and (word in given or _is_required(settings, word)):
            return _about_flag(command, word, hints[word], argv)
    for name in positionals(settings):  # tyro names a documented one by its type only
        if name.replace("_", "-") in words or ("required" in words and _is_required(settings, name)):
            return f"{command} needs {name}; see lanekeep {command} --help"
    return " ".join(re.sub(r"[^ -~]|-{4,}", " ", complaint).split())


def _about_flag(command: str, name: str, hint: Any, argv: Sequence[str]) -> str:
    if name not in map(_flag_in, argv):
        return f"{command} needs {name}: {_expected(hint)}"
    values = _values(name, hint, argv)
    if not values:
        return f"{name} needs a value: {_expected(hint)}"
    choices = [str(choice) for choice in _choices(hint)]
    wrong = next((value for value in values if value not in choices), "")
    near = difflib.get_close_matches(wrong, choices, n=1)
    return f"{name} {' '.join(values)}: expected {_expected(hint)}" + (f"; did you mean {near[0]}?" if near else "")


def _values(name: str, hint: Any, argv: Sequence[str]) -> list[str]:
    """What was given for a flag, at its last appearance."""
    at = max(index for index, token in enumerate(argv) if _flag_in(token) == name)
    _, attached, value = argv[at].partition("=")
    values = [value] if attached else []
    for token in argv[at + 1 :]:
        if len(values) == _arity(hint) or _flag_in(token) is not None:
            break
        values.append(token)
    return values


def _arity(hint: Any) -> float:
    """How many values a flag takes."""
    if get_origin(hint) is not tuple:
        return 1
    return float("inf") if Ellipsis in get_args(hint) else len(get_args(hint))


def _choices(hint: Any) -> tuple[object, ...]:
    if get_origin(hint) is tuple:
        return _choices(get_args(hint)[0])
    return get_args(hint) if get_origin(hint) is Literal else ()


def _expected(hint: Any) -> str:
    """A type in words."""
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(str, get_args(hint)))}"
    if get_origin(hint) is tuple:
        count = "any number of" if Ellipsis in get_args(hint) else len(get_args(hint))
        return f"{count} values, each {_expected(get_args(hint)[0])}"
    return EXPECTED.get(hint, str(hint))


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(inner for inner in get_args(hint) if inner is not type(None))
    return hint
