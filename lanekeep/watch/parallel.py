"""Two drivers on two cores: what is done for each of them alone is done at the same time."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import torch

One = TypeVar("One")
Result = TypeVar("Result")


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """Threads in which torch works alone; how many it takes is decided in each."""
    return ThreadPoolExecutor(2, "drivers", torch.set_num_threads, (1,))


def begun(work: Callable[[One], Result], ones: Sequence[One]) -> list[Future[Result]]:
    """Work that has begun on each, beside what the caller does; `.result()` waits for it."""
    return [_threads().submit(work, one) for one in ones]


def each_at_once(work: Callable[[One], Result], ones: Sequence[One]) -> list[Result]:
    """Results in the order of `ones`; what any of them raises is raised here."""
    return [work(ones[0])] if len(ones) == 1 else [future.result() for future in begun(work, ones)]
