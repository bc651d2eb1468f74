"""The runner of benchmarks: what is compared is measured in turns, shown as a table and written for machines.

A turn measures everything once, so that a ratio compares what ran within seconds of each other.  A benchmark is a
generator without end that yields the numbers of a turn by their names; the numbers of all turns are the measures.
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from lanekeep.progress import progress
from lanekeep.terminal import Terminal
from lanekeep_files.writing import write_whole

Measures = dict[str, list[float]]
Turns = Iterator[Mapping[str, float]]


def in_turns(turns: Turns, repeats: int, note: Callable[[Measures], str] = lambda measured: "") -> Measures:
    """Numbers by name of this many turns, after one that warms up and compiles; the note on them is shown meanwhile."""
    measured: Measures = defaultdict(list)
    with progress("measuring", 1 + repeats, "warming up", threaded=False) as bar:
        next(turns)
        bar.advance(note="")
        for _ in range(repeats):
            for name, number in next(turns).items():
                measured[name].append(number)
            bar.advance(note=note(measured))
    return measured


def compared(measured: Measures, ratios: Mapping[str, tuple[str, str]]) -> Measures:
    """Ratios of two measures (above, below), turn by turn."""
    return {name: (np.array(measured[above]) / measured[below]).tolist() for name, (above, below) in ratios.items()}


def report(title: str, rows: Measures, measures: Iterable[str], file: Path | None) -> None:
    """Print the rows as a table, and write medians and ranges of the measures among them."""
    table = Table("", "median", "min", "max", title=title)
    spreads = {
        name: {"median": float(np.median(values)), "min": min(values), "max": max(values)}
        for name, values in rows.items()
    }
    for name, spread in spreads.items():
        table.add_row(name, *(f"{number:.3g}" for number in spread.values()))
    Terminal().print_table(table)
    if file is not None:
        write_whole(file, f"{json.dumps({name: spreads[name] for name in measures}, indent=2)}\n".encode())


def seconds_of(work: Callable[[], Any]) -> float:
    """Wall time of a call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
