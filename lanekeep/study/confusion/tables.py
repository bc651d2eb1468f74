"""The findings in tables and sentences: who was confused, what the predictors were, which of them ranked the outcomes."""

from itertools import product
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from lanekeep.evaluate.tables import cell
from lanekeep.intervals import Span, span_of
from lanekeep.study.confusion.confounders import CONFOUNDERS, TIES
from lanekeep.study.confusion.findings import BEST, CHANGED, PREDICTORS, Found, group_of, rise_draws_m
from lanekeep.study.confusion.predictors import CONTROLS
from lanekeep.study.confusion.training import LEARNED
from lanekeep.terminal import Terminal, say

Findings = dict[str, Any]


def new_table(title: str, words: int, *columns: str) -> Table:
    """An empty table, whose first columns are of words."""
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for k, name in enumerate(columns):
        table.add_column(name, justify="left" if k < words else "right")
    return table


def print_findings(confounder: str, found: Found, findings: Findings) -> None:
    """Print all tables, and what they come to."""
    console, thing = Terminal(), CONFOUNDERS[confounder].title
    console.print_table(table_of_driving(confounder, found, findings))
    console.print_table(table_of_shares(f"share of the {thing} beforehand, where they are tied [%]", findings))
    for name, about in CONTROLS.items():
        say(f"share of the {thing} {about}: {findings['share_percent_of_pixels'][name]:.1f} %")
    console.print_table(table_of_confusion(findings))
    console.print_table(table_of_foretelling(found, findings))
    console.print_table(table_of_lead(findings))
    say("\n".join(sentences(findings)))


def table_of_driving(confounder: str, found: Found, findings: Findings) -> Table:
    """A row for each core, what it learned, and the world it drives in."""
    seeds = len({trained.seed for trained in found})
    title = f"{confounder}, mean of {seeds} seeds: departures per km and lateral RMS [m] where it is"
    table = new_table(title, 3, "core", "learned", "drives", "departures", "lateral RMS", "rise")
    for core, learned, tie in product(findings["cores"], LEARNED, TIES):
        one = findings["cores"][core][learned]
        cells = [cell(one["departures_per_km"][tie], "{:.2f}"), cell(one["lateral_rms_m"][tie], "{:.3f}")]
        rise = "" if tie == "tied" else cell(span_of(rise_draws_m(group_of(found, core, learned), tie)), "{:+.3f}")
        table.add_row(core, learned, tie, *cells, rise)
    return table


def table_of_shares(title: str, findings: Findings) -> Table:
    """A row for each core and predictor: the confused, their controls, and the difference."""
    table = new_table(title, 2, "core", "by", "learned tied", "learned untied", "difference")
    for (core, one), (predictor, name) in product(findings["cores"].items(), PREDICTORS.items()):
        cells = [cell(one[learned]["share_percent"][predictor], "{:.1f}") for learned in LEARNED]
        table.add_row(core, name, *cells, cell(one["share_percent_difference"][predictor], "{:+.1f}"))
    return table


def table_of_foretelling(found: Found, findings: Findings) -> Table:
    """A row for each predictor: how its share ranks the outcomes of untying and of reversing."""
    confused = sum(trained.learned == LEARNED[0] for trained in found)
    title = (
        f"rank correlation of that share with the rise: all {len(found)} drivers, and the {confused} that learned tied"
    )
    ranks = findings["rank_correlation"]
    table = new_table(title, 1, "by", *(name.replace(", ", ",\n") for name in ranks[BEST]))
    for predictor, name in PREDICTORS.items():
        table.add_row(name, *(cell(span, "{:+.2f}") for span in ranks[predictor].values()))
    return table


def table_of_confusion(findings: Findings) -> Table:
    """A row for each core: how much more who learned tied strays than its control, over roads and seeds, and by seed."""
    title = "rise of the lateral RMS beyond the control's [cm]"
    columns = ("where", "core", "over roads\nand seeds", "over seeds,\nStudent's t", "of each")
    table = new_table(title, 2, *columns)
    for changed, (core, one) in product(CHANGED, findings["cores"].items()):
        spans = [Span(*(100.0 * v for v in one[of][changed])) for of in ("confusion_m", "confusion_over_seeds_m")]
        each = " ".join(f"{100.0 * value:+.1f}" for value in one["confusion_by_seed_m"][changed])
        table.add_row(changed, core, *(cell(span, "{:+.1f}") for span in spans), each)
    return table


def table_of_lead(findings: Findings) -> Table:
    """A row for each other predictor: by how much the Shapley value ranks the outcomes better, over all drivers."""
    table = new_table(f"rank correlation of {PREDICTORS[BEST]}, less that of", 1, "by", *CHANGED)
    for predictor, spans in findings["rank_correlation_of_shapley_less"].items():
        table.add_row(PREDICTORS[predictor], *(cell(span, "{:+.2f}") for span in spans.values()))
    return table


def sentences(findings: Findings) -> list[str]:
    """Whether they are confused, of each core, and what had shown it."""
    lines = []
    for changed, every in findings["confusion_m"].items():
        verdict = "these drivers are confused" if every.low > 0.0 else "not told apart from their controls"
        lines.append(
            f"{changed}: who learned tied drives {every.value:+.3f} [{every.low:+.3f}, {every.high:+.3f}] m farther from "
            f"the middle, beyond the rise of its control: {verdict}"
        )
        ranks = findings["rank_correlation"]
        ways = [title for name, title in PREDICTORS.items() if ranks[name][f"{changed}, all"].low > 0.0]
        lines.append(f"{changed}: a rank correlation with the harm that is told from 0: {'; '.join(ways) or 'none'}")
    return lines
