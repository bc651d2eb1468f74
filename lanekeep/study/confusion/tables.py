"""The findings in tables and sentences: who was confused, what the predictors were, which of them ranked the outcomes."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from lanekeep.intervals import Span, over_seeds, span_of
from lanekeep.study.confusion.confounders import CONFOUNDERS, TIES
from lanekeep.study.confusion.contrast import mean_share
from lanekeep.study.confusion.findings import (
    BEST,
    CHANGED,
    PREDICTORS,
    Found,
    confusion_by_seed_m,
    confusion_draws_m,
    departures,
    group_of,
    lead_of_best,
    predicted,
    rise_draws_m,
    rms_draws_m,
    share_draws,
)
from lanekeep.study.confusion.predictors import CONTROLS, Share
from lanekeep.study.confusion.training import LEARNED
from lanekeep.terminal import Terminal


def cell(span: Span, form: str) -> str:
    """A number over its interval."""
    return f"{form.format(span.value)}\n[{form.format(span.low)}, {form.format(span.high)}]"


def in_words(span: Span) -> str:
    """A number and its interval in a line."""
    return f"{span.value:+.3f} [{span.low:+.3f}, {span.high:+.3f}]"


def new_table(title: str, words: int, *columns: str) -> Table:
    """An empty table, whose first columns are of words."""
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for k, name in enumerate(columns):
        table.add_column(name, justify="left" if k < words else "right")
    return table


def print_findings(confounder: str, cores: Sequence[str], found: Found, pixels: dict[str, Share]) -> None:
    """Print all tables, and what they come to."""
    seeds = len(group_of(found, cores[0], LEARNED[0]))
    console = Terminal()
    title = f"{confounder}, mean of {seeds} seeds: departures per km and lateral RMS [m] where it is"
    console.print(table_of_driving(title, cores, found))
    thing = CONFOUNDERS[confounder].title
    console.print(table_of_shares(f"share of the {thing} beforehand, where they are tied [%]", cores, found))
    for name, about in CONTROLS.items():
        print(f"share of the {thing} {about}: {100.0 * mean_share([pixels[name]])[0]:.1f} %")
    console.print(table_of_confusion(cores, found))
    console.print(table_of_foretelling(found))
    console.print(table_of_lead(found))
    print("\n".join(sentences(cores, found)))


def table_of_driving(title: str, cores: Sequence[str], found: Found) -> Table:
    """A row for each core, what it learned, and the world it drives in."""
    table = new_table(title, 3, "core", "learned", "drives", "departures", "lateral RMS", "rise")
    for core, learned, tie in product(cores, LEARNED, TIES):
        group = group_of(found, core, learned)
        cells = [cell(departures(group, tie), "{:.2f}"), cell(span_of(rms_draws_m(group, tie)), "{:.3f}")]
        rise = "" if tie == "tied" else cell(span_of(rise_draws_m(group, tie)), "{:+.3f}")
        table.add_row(core, learned, tie, *cells, rise)
    return table


def table_of_shares(title: str, cores: Sequence[str], found: Found) -> Table:
    """A row for each core and predictor: the confused, their controls, and the difference."""
    table = new_table(title, 2, "core", "by", "learned tied", "learned untied", "difference")
    for core, (predictor, name) in product(cores, PREDICTORS.items()):
        confused, control = (share_draws(group_of(found, core, learned), predictor) for learned in LEARNED)
        spans = (span_of(confused), span_of(control))
        cells = [cell(span, "{:.1f}") for span in spans]
        table.add_row(core, name, *cells, cell(span_of(confused - control), "{:+.1f}"))
    return table


def table_of_foretelling(found: Found) -> Table:
    """A row for each predictor: how its share ranks the outcomes of untying and of reversing."""
    confused = sum(trained.learned == LEARNED[0] for trained in found)
    title = (
        f"rank correlation of that share with the rise: all {len(found)} drivers, and the {confused} that learned tied"
    )
    names = [f"{changed},\n{group}" for group in ("all", "learned tied") for changed in CHANGED]
    table = new_table(title, 1, "by", *names)
    for predictor, name in PREDICTORS.items():
        spans = [predicted(found, predictor, changed, among) for among in (LEARNED, LEARNED[:1]) for changed in CHANGED]
        table.add_row(name, *(cell(span, "{:+.2f}") for span in spans))
    return table


def table_of_confusion(cores: Sequence[str], found: Found) -> Table:
    """A row for each core: how much more who learned tied strays than its control, over roads and seeds, and by seed."""
    title = "rise of the lateral RMS beyond the control's [cm]"
    columns = ("where", "core", "over roads\nand seeds", "over seeds,\nStudent's t", "of each")
    table = new_table(title, 2, *columns)
    for changed, core in product(CHANGED, cores):
        each = [100.0 * value for value in confusion_by_seed_m(found, core, changed)]
        spans = span_of(100.0 * confusion_draws_m(found, core, changed)), over_seeds(each)
        table.add_row(changed, core, *(cell(span, "{:+.1f}") for span in spans), " ".join(f"{v:+.1f}" for v in each))
    return table


def table_of_lead(found: Found) -> Table:
    """A row for each other predictor: by how much the Shapley value ranks the outcomes better, over all drivers."""
    table = new_table(f"rank correlation of {PREDICTORS[BEST]}, less that of", 1, "by", *CHANGED)
    for predictor, name in PREDICTORS.items():
        if predictor != BEST:
            table.add_row(name, *(cell(lead_of_best(found, predictor, changed), "{:+.2f}") for changed in CHANGED))
    return table


def sentences(cores: Sequence[str], found: Found) -> list[str]:
    """Whether they are confused, of each core, and what had shown it."""
    lines = []
    for changed in CHANGED:
        of_cores = [confusion_draws_m(found, core, changed) for core in cores]
        every = span_of(np.mean(of_cores, 0))
        verdict = "these drivers are confused" if every.low > 0.0 else "not told apart from their controls"
        lines.append(
            f"{changed}: who learned tied drives {in_words(every)} m farther from the middle, "
            f"beyond the rise of its control: {verdict}"
        )
        ways = [PREDICTORS[predictor] for predictor in PREDICTORS if predicted(found, predictor, changed).low > 0.0]
        lines.append(f"{changed}: a rank correlation with the harm that is told from 0: {'; '.join(ways) or 'none'}")
    return lines
