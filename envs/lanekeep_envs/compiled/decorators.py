"""How the kernels are compiled: cached on disk, free to run beside other threads, and dividing as numpy does (a check for
zero would stop vectorisation).

numba's cache notices a changed file, not a changed import of it: after editing one kernel, delete `__pycache__`.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numba.core.compiler import Compiler
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile on first use; the plain function stays reachable as `.py_func`."""
    return _compiled(function, {})


def no_refcount(function: F) -> F:
    """The same for what allocates nothing: references to arrays are not counted, which would cost more than a short loop.

    Such a kernel may return arrays to another one, not to one that counts.
    """
    return _compiled(function, {"_nrt": False})


class NoaliasCompiler(Compiler):
    """numba's compiler, with the arguments of a function marked as memory that no other of them reaches."""

    def define_pipelines(self) -> list[Any]:
        """The default steps."""
        self.state.flags.noalias = True
        return cast(list[Any], super().define_pipelines())


def noalias(function: F) -> F:
    """The same as `borrowing` for what is handed arrays of which none overlaps another that is written.

    No loop has to ask for that before it goes on as a vectorised one, which takes longer than a short loop itself.  Not for
    loops that look up a table: they would be vectorised too, with gathers that are slower than single loads.
    """
    return _compiled(function, {"_nrt": False, "pipeline_class": NoaliasCompiler})


def inline_always(function: F) -> F:
    """The same for the innermost loop, copied into its callers: a call there costs more than the body."""
    return _compiled(function, {"inline": "always"})


def float32_literals(function: F) -> F:
    """Take every float that the body of a function names as one of single precision, before one of the above compiles it.

    To numba, unlike numpy, one such number would make everything that it meets double precision, at half the speed.  Whole
    numbers still do: they need a cast.
    """
    whole = cast(FunctionType, function)
    code = whole.__code__.replace(co_consts=tuple(map(_rounded, whole.__code__.co_consts)))
    return cast(F, FunctionType(code, whole.__globals__, whole.__name__, whole.__defaults__, whole.__closure__))


def _rounded(constant: Any) -> Any:
    """A constant of a program, its floats in single precision."""
    if isinstance(constant, tuple):
        return tuple(map(_rounded, constant))
    return np.float32(constant) if isinstance(constant, float) else constant


def _compiled(function: F, options: dict[str, Any]) -> F:
    options |= {"nogil": True, "error_model": "numpy"}
    try:
        compiled: Any = njit(cache=True, **options)(function)
    except RuntimeError:  # no folder to cache in can be written: every process compiles for itself
        compiled = njit(**options)(function)
    return cast(F, compiled)


@no_refcount
def copy_row(to: NDArray[Any], of: NDArray[Any]) -> None:
    """Copy a row [N]; as a slice it would be copied twice, because the two might overlap."""
    for j in range(to.shape[0]):
        to[j] = of[j]
