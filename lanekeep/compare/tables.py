"""The tables of the page: what each element, and each group of them, does to the steering, and what maps are worth.

Effects are columns of bars; a map's metrics against the true effects stand beside those of its controls.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lanekeep.compare.results import Comparison, elements_shown
from lanekeep.effects import add_one_in, leave_one_out, shapley
from lanekeep.faithfulness.examine import Findings
from lanekeep.faithfulness.metrics import F64, METRICS
from lanekeep.intervals import Span, interval_over_roads
from lanekeep.saliency import METHODS
from lanekeep_envs import GROUPS, REMOVABLE

GROUP_EFFECTS = {"left out alone": leave_one_out, "put in alone": add_one_in, "Shapley": shapley}
LOWER_IS_BETTER = ("nuisance_leak", "false_claim")
METRIC_TITLES = [name.replace("_", " ") for name in METRICS]
CONTROL_TITLES = {"noise": "control: noise", "flat": "control: flat", "edges": "control: edges (Sobel)"}


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
    return BarTable([REMOVABLE[k].title for k in chosen], columns)


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


class MetricCell(NamedTuple):
    """A metric of a map with its interval, and of the same map of the untrained network, if there is one."""

    span: Span
    untrained: float | None
    beyond_controls: bool  # whether the whole interval is better than those controls that there are


class MetricRow(NamedTuple):
    """All metrics of a map or of a control; None where a metric has no meaning."""

    title: str
    is_control: bool
    cells: list[MetricCell | None]


def metric_rows(found: Findings, roads: list[int]) -> list[MetricRow]:
    """A row for each control and each method, with intervals over roads."""
    rows = []
    for name in found.metrics:
        cells = [_cell(found, name, m, roads) for m in range(len(METRICS))]
        title = METHODS[name].title if name in METHODS else CONTROL_TITLES[name]
        rows.append(MetricRow(title, name in CONTROL_TITLES, cells))
    return rows


def _cell(found: Findings, name: str, m: int, roads: list[int]) -> MetricCell | None:
    span = interval_over_roads(found.metrics[name][:, m], roads)
    if np.isnan(span.value):
        return None
    untrained = _mean(found.untrained[name][:, m]) if name in found.untrained else None
    controls = [*(_mean(found.metrics[control][:, m]) for control in CONTROL_TITLES), untrained]
    known = [value for value in controls if value is not None]
    lower = METRICS[m] in LOWER_IS_BETTER
    better = bool(known) and (span.high < min(known) if lower else span.low > max(known))
    return MetricCell(span, untrained, name in METHODS and better)


def _mean(values: F64) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
