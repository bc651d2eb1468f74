"""A process that helps ends with the one that started it, however that ends: KILL tells nobody, but closes a pipe.

Import this file alone before anything that takes long: until `end_with_parent` is called, nothing is watched.
"""

import multiprocessing
import os
import threading


def end_with_parent() -> None:
    """End this process of `multiprocessing` at once when its parent has ended; it has nothing to save."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), name="follows its parent", daemon=True).start()


def _follow(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
