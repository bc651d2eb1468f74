"""The section on what each thing does to the steering, alone and in company."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from lanekeep.compare.results import COLOURS, Study, elements_shown
from lanekeep.effects import GROUPS, add_one_in, leave_one_out, shapley, title_of
from lanekeep.intervals import interval_over_roads
from lanekeep.pages.charts import bar
from lanekeep.pages.html import Span, section, wide
from lanekeep_envs import REMOVABLE

F64 = NDArray[np.float64]
Pairs = list[tuple[Span, Span]]


def effects(study: Study) -> str:
    """The section."""
    chosen, one_each = elements_shown(study), list(range(len(study.found[0].coalitions)))
    kinds = [
        ("now", "{:.3f}", _spans([f.effects for f in study.found], chosen, study.roads)),
        ("absent for 1 s", "{:.3f}", _spans([f.remembered for f in study.found], chosen, one_each)),
        ("3 s on, in metres", "{:.2f}", _spans([f.displaced_m for f in study.found], chosen, one_each)),
    ]
    names = [title_of(REMOVABLE[k]) for k in chosen]
    elements = _bar_table(names, [(title, form, _end(spans), spans) for title, form, spans in kinds])
    return section(
        "What each thing does to the steering",
        f"{study.names[0]} above, {study.names[1]} below, with 95 % intervals. Now: memory as it is. Absent for 1 s: the "
        "memory has not seen it either. 3 s on: how far the car is from where it would have been. What no one can see, a "
        "grey level more or less in every pixel, changes the steering by less than "
        f"{study.found[0].floor:.4f} and {study.found[1].floor:.4f} in 95 % of all cases.",
        elements + _groups(study),
    )


def _groups(study: Study) -> str:
    shown = [k for k in range(len(GROUPS)) if any(np.abs(shapley(f.coalitions)[:, k]).max() > 0.0 for f in study.found)]
    kinds = (("left out alone", leave_one_out), ("put in alone", add_one_in), ("Shapley", shapley))
    one_each = list(range(len(study.found[0].coalitions)))
    spans = [_spans([run(f.coalitions) for f in study.found], shown, one_each) for _, run in kinds]
    end = max(map(_end, spans), default=0.0)
    names = list(GROUPS)
    return (
        "<p class='about groups'>Groups, in company and alone. Two lines back each other up: left out alone, each may look "
        "useless; put in alone, each may look like everything. Shapley values share the effect out.</p>"
        + _bar_table(
            [names[k] for k in shown], [(title, "{:.3f}", end, s) for (title, _), s in zip(kinds, spans, strict=True)]
        )
    )


def _bar_table(names: Sequence[str], kinds: Sequence[tuple[str, str, float, Sequence[tuple[Span, Span]]]]) -> str:
    """A row for each name, a column for each kind: its title, how its numbers are written, the end of its scale, and the
    spans of both drivers for each row."""
    head = "".join(f"<th>{title}</th>" for title, *_ in kinds)
    rows = []
    for k, name in enumerate(names):
        cells = "".join(
            "<td>"
            + "".join(
                f"{bar(*span, end, colour)}<small>{form.format(span[0])}</small>"
                for span, colour in zip(spans[k], COLOURS, strict=True)
            )
            + "</td>"
            for _, form, end, spans in kinds
        )
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return wide("effects", f"<th>mean |effect| of</th>{head}", "".join(rows))


def _spans(both: list[F64], columns: list[int], roads: list[int]) -> Pairs:
    """Means of |effects| [I, K] of both drivers over roads, column by column."""
    first, second = ([interval_over_roads(np.abs(table[:, k]), roads) for k in columns] for table in both)
    return list(zip(first, second, strict=True))


def _end(spans: Pairs) -> float:
    """The highest end of an interval."""
    return max((span[2] for both in spans for span in both), default=0.0)
