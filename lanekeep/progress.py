"""Progress: one bar for all long work: what is being done, how far it is, how long it takes still, and a note beside it.

with progress("driving", total=km) as bar:
    bar.advance(0.1, note="2 departures")
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from lanekeep.terminal import printable


class Bar:
    """The bar of one piece of work."""

    def __init__(self, shown: Progress, text: str, total: float | None, done: int, note: str) -> None:
        self._shown = shown
        self._task = shown.add_task(printable(text), total=total, completed=done, note=printable(note))

    @property
    def done(self) -> float:
        """How much is done, in the unit of the total."""
        return self._shown.tasks[0].completed

    def reach(self, done: float, text: str | None = None, note: str | None = None) -> None:
        """Show that this much is done in all; text and note stay unless they are given."""
        fields: dict[str, Any] = {} if note is None else {"note": printable(note)}
        by_hand = not self._shown.live.auto_refresh
        told = None if text is None else printable(text)
        self._shown.update(self._task, completed=done, description=told, refresh=by_hand, **fields)

    def advance(self, more: float = 1.0, text: str | None = None, note: str | None = None) -> None:
        """Show that more is done; text and note stay unless they are given."""
        self.reach(self.done + more, text, note)


@contextmanager
def progress(
    text: str, total: float | None, note: str = "", done: int = 0, stays: bool = False, threaded: bool = True
) -> Iterator[Bar]:
    """Show a bar while the work is done; afterwards it goes unless it `stays`.

    A thread keeps the time that is left up to date.  Where CPU time is measured there must be none: `threaded=False`.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, transient=not stays, auto_refresh=threaded) as shown:
        yield Bar(shown, text, total, done, note)
