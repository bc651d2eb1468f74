"""How the kernels are compiled: cached on disk, free to run beside other threads, and dividing as numpy does (a check for
zero would stop vectorisation).

numba's cache notices a changed file, not a changed import of it: after editing one kernel, delete `__pycache__`.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile on first use; the plain function stays reachable as `.py_func`."""
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    return cast(F, compiled)


def inlined(function: F) -> F:
    """The same for the innermost loop, copied into its callers: a call there costs more than the body."""
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy", inline="always")(function)
    return cast(F, compiled)
