"""A process that answers for `compare`: it ends with the one that asks, and puts what it does into that one's queue.

It imports little before, so that it watches its parent from the first moment on.
"""

from typing import Any

from lanekeep import extensions
from lanekeep_files.parent import end_with_parent

told: Any = None  # in a process that answers: the queue


def begin(queue: Any) -> None:
    """Begin such a process."""
    global told
    end_with_parent()
    told = queue
    extensions.load()
    queue.cancel_join_thread()  # what is not read any more keeps no process alive
