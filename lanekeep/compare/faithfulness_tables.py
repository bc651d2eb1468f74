"""What maps are worth: their metrics against the true effects, beside those of their controls."""

from typing import NamedTuple

import numpy as np

from lanekeep.faithfulness.examine import Findings
from lanekeep.faithfulness.metrics import F64, METRICS
from lanekeep.intervals import Span, interval_over_roads
from lanekeep.saliency import METHODS

LOWER_IS_BETTER = ("nuisance_leak", "false_claim")
METRIC_TITLES = [name.replace("_", " ") for name in METRICS]
CONTROL_TITLES = {"noise": "control: noise", "flat": "control: flat", "edges": "control: edges (Sobel)"}


class MetricCell(NamedTuple):
    """A metric of a map with its interval, and of the same map of the untrained network, if there is one."""

    span: Span
    untrained: float | None
    beyond_controls: bool


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
    return MetricCell(span, untrained, name in METHODS and beyond(span, METRICS[m], controls))


def _mean(values: F64) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def beyond(span: Span, metric: str, controls: list[float | None]) -> bool:
    """Whether the whole interval of a metric is better than those controls that there are."""
    known = [value for value in controls if value is not None]
    if not known:
        return False
    return span.high < min(known) if metric in LOWER_IS_BETTER else span.low > max(known)
