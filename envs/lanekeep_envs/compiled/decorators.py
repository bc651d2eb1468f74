"""How the kernels are compiled: cached on disk, free to run beside other threads, and dividing as numpy does (a check for
zero would stop vectorisation).

README.md here tells what each decorator makes of a program, and how to see it.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numba.core.compiler import Compiler
from numpy.typing import NDArray

from lanekeep_files.kernel_cache import keep_on_disk

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile on first use; the plain function stays reachable as `.py_func`."""
    return _compiled(function, {})


def no_refcount(function: F) -> F:
    """Compile a kernel that allocates nothing, without counting references to arrays, which costs more than a short loop.

    Such a kernel may return arrays to another of its kind, not to one compiled by `jit`, which counts.
    """
    return _compiled(function, {"_nrt": False})


class NoaliasCompiler(Compiler):
    """numba's compiler, which marks each argument of a function as memory that no other argument reaches."""

    def define_pipelines(self) -> list[Any]:
        """Return the default steps, with that mark set."""
        self.state.flags.noalias = True
        return cast(list[Any], super().define_pipelines())


def noalias(function: F) -> F:
    """Compile, as `no_refcount` does, a kernel in whose arguments no array that is written overlaps another.

    Its loops need not compare addresses before they go on as vectorised ones, which takes longer than a short loop itself.
    Not for loops that look up a table: they would be vectorised too, with gathers that are slower than single loads.
    """
    return _compiled(function, {"_nrt": False, "pipeline_class": NoaliasCompiler})


def inline_always(function: F) -> F:
    """Copy a function into its callers: for what an innermost loop calls, where a call costs more than the body."""
    return _compiled(function, {"inline": "always"})


def float32_literals(function: F) -> F:
    """Turn every float literal in the body of a function into one of single precision, before a decorator above compiles it.

    To numba, unlike numpy, one literal would make everything that it meets double precision, at half the speed.  Whole
    numbers still do: they need a cast.  A float under a name is no literal: a constant that such a kernel reads is declared
    `np.float32(...)`, or `np.float64(...)` where double precision is meant (tests/renderer/test_float_literals.py).
    """
    whole = cast(FunctionType, function)
    code = whole.__code__.replace(co_consts=tuple(map(_rounded, whole.__code__.co_consts)))
    return cast(F, FunctionType(code, whole.__globals__, whole.__name__, whole.__defaults__, whole.__closure__))


def _rounded(constant: Any) -> Any:
    """Return a constant of a program with its floats in single precision."""
    if isinstance(constant, tuple):
        return tuple(map(_rounded, constant))
    return np.float32(constant) if isinstance(constant, float) else constant


def _compiled(function: F, options: dict[str, Any]) -> F:
    made = njit(nogil=True, error_model="numpy", **options)(function)
    return cast(F, made if made is function else keep_on_disk(made))  # itself where numba is switched off


@no_refcount
def copy_row(to: NDArray[Any], of: NDArray[Any]) -> None:
    """Copy a row [N]; as a slice it would be copied twice, because the two might overlap."""
    for j in range(to.shape[0]):
        to[j] = of[j]
