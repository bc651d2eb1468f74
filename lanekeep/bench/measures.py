"""Measures: repeated numbers by name, printed as a table for people and written as medians and spreads for machines."""

import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from lanekeep.settings import write_whole

Measures = dict[str, list[float]]


def report(title: str, rows: Measures, measures: list[str], file: Path | None) -> None:
    """Print a table and write the measures."""
    table = Table("", "median", "min", "max", title=title)
    for name, values in rows.items():
        table.add_row(name, *(f"{number:.3g}" for number in (np.median(values), min(values), max(values))))
    Console().print(table)
    if file is not None:
        summary = {
            name: {"median": float(np.median(rows[name])), "min": min(rows[name]), "max": max(rows[name])}
            for name in measures
        }
        write_whole(file, f"{json.dumps(summary, indent=2)}\n".encode())
