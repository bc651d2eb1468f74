"""Compare: what two drivers look at, and what that is worth, on one page.

`experiment` asks both drivers, `faithfulness` and `verdict` judge the answers, `page` and `figure` show them.
"""

import json
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from lanekeep.compare.experiment import comparison_of, subject_of
from lanekeep.compare.figure import figure
from lanekeep.compare.page import page
from lanekeep.compare.results import Comparison
from lanekeep.compare.settings import Compare
from lanekeep.compare.verdict import sentence
from lanekeep.evaluate.tables import cell
from lanekeep.faithfulness.examine import Findings
from lanekeep.faithfulness.instants import check_frames_are_fresh
from lanekeep.faithfulness.metrics import F64, METRICS
from lanekeep.intervals import clean, interval_over_roads
from lanekeep.terminal import Terminal, as_csv, say
from lanekeep_envs import REMOVABLE, load_scenario
from lanekeep_files.writing import write_whole


def compare(settings: Compare) -> None:
    """Compare two drivers: print the verdict, write the page and whatever else is asked for."""
    scenario = load_scenario(settings.scenario)
    check_frames_are_fresh(scenario)
    a, b = (subject_of(name, scenario).name for name in settings.drivers)
    study = comparison_of(settings, (a, b) if a != b else (settings.drivers[0], settings.drivers[1]))
    write_whole(settings.out, page(study).encode())
    if settings.picture is not None:
        write_whole(settings.picture, figure(study))
    if settings.json is not None:
        write_whole(settings.json, f"{json.dumps(as_json(study), indent=2)}\n".encode())
    table = table_of(study)
    if settings.csv is not None:
        write_whole(settings.csv, as_csv(table).encode())
    Terminal().print_table(table)
    say(sentence(study.rows, list(study.names)))
    say(f"{settings.out}: open it in a browser")


def table_of(study: Comparison) -> Table:
    """The verdict as a table, intervals below the numbers."""
    table = Table(
        title=f"{study.scenario}: {len(study.roads)} instants on {len(set(study.roads))} test roads",
        box=SIMPLE_HEAD,
    )
    for name in ("", *study.names, "difference"):
        table.add_column(name, justify="right" if name else "left", overflow="fold")
    for row in study.rows:
        table.add_row(row.title, *(cell(span, row.form) for span in (*row.values, row.difference)))
    return table


def as_json(study: Comparison) -> dict[str, Any]:
    """All numbers of a comparison, for machines."""

    def marks(tables: dict[str, F64], roads: list[int]) -> dict[str, Any]:
        return {
            method: {mark: clean(interval_over_roads(rows[:, m], roads)) for m, mark in enumerate(METRICS)}
            for method, rows in tables.items()
        }

    def of(found: Findings) -> dict[str, Any]:
        effects = {
            element.name.lower(): clean(interval_over_roads(np.abs(found.effects[:, k]), study.roads))
            for k, element in enumerate(REMOVABLE)
        }
        own, untrained = marks(found.metrics, study.roads), marks(found.untrained, study.roads)
        told = {"floor": found.placebo_threshold, "effects_now": effects}
        return told | {"marks": own, "marks_of_the_untrained": untrained}

    return {
        "drivers": dict(zip(study.names, map(of, study.found), strict=True)),
        "marks_of_one_cue": marks(study.known.metrics, list(range(len(study.known.effects)))),
        "verdict": {row.title: row.as_json() for row in study.rows},
        "scenario": study.scenario,
        "roads": len(set(study.roads)),
        "instants": len(study.roads),
    }
