"""The law of single precision: no kernel with `float32_literals` reads a plain float by name, which would be a double."""

import ast
import importlib
from pathlib import Path

import lanekeep_envs

ROOT = Path(lanekeep_envs.__file__).parent


def is_double(value: object) -> bool:
    return type(value) is float or isinstance(value, tuple) and any(map(is_double, value))


def test_no_float32_literals_kernel_reads_a_float_global() -> None:
    found, kernels = [], 0
    for path in ROOT.rglob("[!_]*.py"):
        module = importlib.import_module(".".join(("lanekeep_envs", *path.relative_to(ROOT).with_suffix("").parts)))
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and "float32_literals" in map(ast.unparse, node.decorator_list):
                kernels += 1
                names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
                names -= {argument.arg for argument in node.args.args}
                found += [f"{node.name} reads {name}" for name in names if is_double(getattr(module, name, None))]
    assert not found and kernels > 30
