"""How the kernels are compiled: cached on disk, free to run beside other threads, and dividing as numpy does (a check for
zero would stop vectorisation).

numba's cache notices a changed file, not a changed import of it: after editing one kernel, delete `__pycache__`.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile on first use; the plain function stays reachable as `.py_func`."""
    return _compiled(function, {})


def borrowing(function: F) -> F:
    """The same for what allocates nothing: references to arrays are not counted, which would cost more than a short loop.

    Such a kernel may return arrays to another one, not to one that counts.
    """
    return _compiled(function, {"_nrt": False})


def inlined(function: F) -> F:
    """The same for the innermost loop, copied into its callers: a call there costs more than the body."""
    return _compiled(function, {"inline": "always"})


def _compiled(function: F, options: dict[str, Any]) -> F:
    options |= {"nogil": True, "error_model": "numpy"}
    try:
        compiled: Any = njit(cache=True, **options)(function)
    except RuntimeError:  # no folder to cache in can be written: every process compiles for itself
        compiled = njit(**options)(function)
    return cast(F, compiled)


@borrowing
def copy_row(to: NDArray[Any], of: NDArray[Any]) -> None:
    """Copy a row [N]; as a slice it would be copied twice, because the two might overlap."""
    for j in range(to.shape[0]):
        to[j] = of[j]
