"""The numbers of an evaluation as tables for people, intervals below the numbers."""

import math
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from lanekeep.evaluate.settings import Evaluate
from lanekeep.intervals import Span
from lanekeep_envs import Scenario

COLUMNS = {
    "departures": "{:d}",
    "departures_per_km": "{:.3f}",
    "lateral_rms_m": "{:.3f}",
    "max_abs_lateral_m": "{:.2f}",
    "heading_rms_rad": "{:.4f}",
    "lateral_jerk_p95": "{:.2f}",
}


def cell(span: Span, form: str) -> str:
    """A number over its interval, or alone if it has none: NaN."""
    value, low, high = map(form.format, span)
    return value if math.isnan(span.low) else f"{value}\n[{low}, {high}]"


def cell_of(result: dict[str, Any], key: str, form: str) -> str:
    """A number of a result, over its interval if it has one."""
    low, high = result.get(f"{key}_ci95", (None, None))  # None as well after a single road
    return form.format(result[key]) if low is None else cell(Span(result[key], low, high), form)


def table_of(results: dict[str, dict[str, Any]], scenario: Scenario, difficulty: float = 1.0) -> Table:
    """The table for people; intervals below the numbers."""
    km, (first, last) = (next(iter(results.values()))[key] for key in ("km", "seeds"))
    dial = "" if difficulty == 1.0 else f" at difficulty {difficulty:g}"
    table = Table(
        title=f"{scenario.name}{dial}: {km:g} km of held-out roads, seeds {first} to {last}",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        caption=scenario.unavoidable_departures or None,
    )
    table.add_column("driver", overflow="fold")  # of two long names both ends must be told apart
    for name in COLUMNS:
        table.add_column(name.replace("_", " "), justify="right", min_width=max(map(len, name.split("_"))))
    for name, result in results.items():
        table.add_row(name, *(cell_of(result, key, form) for key, form in COLUMNS.items()))
    return table


def table_of_scenarios(results: dict[str, dict[str, Any]], settings: Evaluate) -> Table:
    """A row for every scenario, and for every driver its departures per km and lateral RMS [m], intervals below."""
    table = Table(
        title=f"{settings.km:g} km of held-out roads per cell, seeds from {settings.seed} on", box=SIMPLE_HEAD
    )
    table.add_column("scenario")
    for name in settings.drivers:
        table.add_column(f"{name}\ndepartures per km", justify="right")
        table.add_column("lateral\nRMS m", justify="right")
    measures = ("departures_per_km", "lateral_rms_m")
    for scenario, drivers in results.items():
        table.add_row(scenario, *(cell_of(one, measure, "{:.2f}") for one in drivers.values() for measure in measures))
    return table
