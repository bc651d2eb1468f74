"""The section on what maps are worth: their marks against the true effects, beside their controls."""

from html import escape

import numpy as np

from lanekeep.compare.results import COLOURS, Study
from lanekeep.faithfulness.examine import Findings
from lanekeep.faithfulness.metrics import EVERYWHERE, MARKS
from lanekeep.intervals import interval_over_roads
from lanekeep.pages.html import section, wide
from lanekeep.saliency import METHODS

LOWER_IS_BETTER = ("nuisance_leak", "false_claim")
CONTROL_TITLES = {"noise": "control: noise", "flat": "control: flat", "edges": "control: edges (Sobel)"}


def marks(study: Study) -> str:
    """The section."""
    tables = "".join(
        f"<h3 class={COLOURS[i]}>{escape(study.names[i])}</h3>{_marks_of(study.found[i], study.roads)}"
        for i in range(2)
    )
    tables += (
        "<h3>What the marks are worth: a driver made by hand that steers by one line, painted magenta</h3>"
        "<p class=about>At one instant of each of the first roads. What acts through the contrast of the frame, below a "
        "quarter of what the line does, is not counted. A lift can be no larger than the frame is to what is causal in it: "
        "large for one line, smaller for the drivers above, whom trees and hills steer as well.</p>"
        f"{_marks_of(study.known, list(range(len(study.known.effects))))}"
    )
    return section(
        "Do maps point at what steers?",
        "Marks of each kind of map against the true effects. Bold: the 95 % interval lies beyond the mean of every control: "
        "noise, a flat map, the edges of the picture, and (small, below) the same map of such a network untrained. "
        f"Things that change more than {100 * EVERYWHERE:.0f} % of the frame are left out. Causal lift 1 is what a flat map "
        "gets; leak and false claims are the better the lower.",
        tables,
    )


def _marks_of(found: Findings, roads: list[int]) -> str:
    rows = []
    for name, table in found.marks.items():
        title = METHODS[name].title if name in METHODS else CONTROL_TITLES[name]
        cells = []
        for m, mark in enumerate(MARKS):
            span = interval_over_roads(table[:, m], roads)
            if np.isnan(span[0]):
                cells.append("<td>–</td>")
                continue
            fresh = float("nan")
            if name in found.untrained:
                fresh = interval_over_roads(found.untrained[name][:, m], roads)[0]
            best = beyond_controls(found, name, m, mark, span, fresh)
            value = f"<b>{span[0]:.2f}</b>" if best else f"{span[0]:.2f}"
            below = "" if np.isnan(fresh) else f"<small>{fresh:.2f}</small>"
            cells.append(f"<td title='[{span[1]:.2f}, {span[2]:.2f}]'>{value}{below}</td>")
        kind = "" if name in METHODS else " class=control"
        rows.append(f"<tr{kind}><th>{escape(title)}</th>{''.join(cells)}</tr>")
    head = "".join(f"<th>{title}</th>" for title in MARKS.values())
    return wide("marks", f"<th></th>{head}", "".join(rows))


def beyond_controls(
    found: Findings, name: str, m: int, mark: str, span: tuple[float, float, float], untrained: float
) -> bool:
    """Whether a mark of a map is better than of every control, by its whole interval."""
    if name not in METHODS:
        return False
    others = [
        float(np.nanmean(found.marks[c][:, m])) for c in CONTROL_TITLES if not np.isnan(found.marks[c][:, m]).all()
    ]
    others += [] if np.isnan(untrained) else [untrained]
    if mark in LOWER_IS_BETTER:
        return bool(others) and span[2] < min(others)
    return bool(others) and span[1] > max(others)
