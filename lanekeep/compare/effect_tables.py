"""What each element, and each group of them, does to the steering: the columns of two tables of bars."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lanekeep.compare.results import Comparison, elements_shown
from lanekeep.effects import GROUPS, add_one_in, leave_one_out, shapley, title_of
from lanekeep.faithfulness.metrics import F64
from lanekeep.intervals import Span, interval_over_roads
from lanekeep_envs import REMOVABLE

GROUP_EFFECTS = {"left out alone": leave_one_out, "put in alone": add_one_in, "Shapley": shapley}


class BarColumn(NamedTuple):
    """One kind of effect: bars of both drivers for each row."""

    title: str
    form: str  # of its numbers
    spans: list[tuple[Span, Span]]
    end: float  # of the scale


class BarTable(NamedTuple):
    """Rows of bars."""

    names: list[str]
    columns: list[BarColumn]


def effects_of_elements(study: Comparison) -> BarTable:
    """The effects of the elements that matter: now, absent for a second, and in closed loop."""
    chosen, one_each = elements_shown(study), range(len(study.found[0].coalitions))
    columns = [
        _column("now", "{:.3f}", [f.effects for f in study.found], chosen, study.roads),
        _column("absent for 1 s", "{:.3f}", [f.remembered for f in study.found], chosen, one_each),
        _column("3 s on, in metres", "{:.2f}", [f.displaced_m for f in study.found], chosen, one_each),
    ]
    return BarTable([title_of(REMOVABLE[k]) for k in chosen], columns)


def effects_of_groups(study: Comparison) -> BarTable:
    """The effects of the groups that have any, in company and alone, on one scale."""
    tables = {title: [run(f.coalitions) for f in study.found] for title, run in GROUP_EFFECTS.items()}
    shown = [k for k in range(len(GROUPS)) if any(np.abs(values[:, k]).max() > 0.0 for values in tables["Shapley"])]
    one_each = range(len(study.found[0].coalitions))
    columns = [_column(title, "{:.3f}", both, shown, one_each) for title, both in tables.items()]
    end = max(column.end for column in columns)
    return BarTable([list(GROUPS)[k] for k in shown], [column._replace(end=end) for column in columns])


def _column(title: str, form: str, both: Sequence[F64], columns: Sequence[int], roads: Sequence[int]) -> BarColumn:
    """Means of |effects| [I, K] of both drivers over roads, column by column."""
    first, second = ([interval_over_roads(np.abs(table[:, k]), roads) for k in columns] for table in both)
    spans = list(zip(first, second, strict=True))
    return BarColumn(title, form, spans, max((span[2] for pair in spans for span in pair), default=0.0))
