"""TERM, HUP and, on Windows, Ctrl-Break end a command as Ctrl-C does: a training finishes its step and saves.

They are passed on to whatever listens to Ctrl-C at that moment.  HUP often says that the terminal is gone; what is written
to it from then on would fail, and end the command before it has saved, so that it goes nowhere.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LIKE_CTRL_C = ("SIGTERM", "SIGHUP", "SIGBREAK")


@contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """Pass these signals on to what listens to Ctrl-C, while the block runs; one that is ignored (nohup) stays so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in LIKE_CTRL_C if hasattr(signal, name)]
    taken = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _pass_on)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _pass_on(number: int, frame: FrameType | None) -> None:
    for stream in (1, 2):
        _leave_if_gone(stream)
    listener = signal.getsignal(signal.SIGINT)
    if not callable(listener):  # a shell has its background ignore Ctrl-C, not these
        raise KeyboardInterrupt
    listener(signal.SIGINT, frame)


def _leave_if_gone(stream: int) -> None:
    """Let a stream to a terminal that is gone lead nowhere."""
    try:
        os.write(stream, b"")
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream)
        os.close(nowhere)
