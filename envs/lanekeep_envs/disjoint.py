"""Kernels whose arrays do not overlap, which the compiler is told: else it would ask before every short loop that writes
to one array and reads from another, and that costs more than the loop.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit
from numba.core.compiler import Compiler

F = TypeVar("F", bound=Callable[..., Any])


class DisjointCompiler(Compiler):
    """numba's compiler, with the arguments of a function marked as memory that no other of them reaches."""

    def define_pipelines(self) -> list[Any]:
        """The default steps."""
        self.state.flags.noalias = True
        return cast(list[Any], super().define_pipelines())


def disjoint(function: F) -> F:
    """Compile as `kernel.borrowing` does, for arrays that are apart: none may be a part of another one."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False, "pipeline_class": DisjointCompiler}
    try:
        compiled: Any = njit(cache=True, **options)(function)
    except RuntimeError:  # no folder to cache in can be written: every process compiles for itself
        compiled = njit(**options)(function)
    return cast(F, compiled)
