"""Evaluate: how well drivers keep their lane on roads they have never seen, with intervals.

Departures per km carry the exact Poisson interval (Garwood 1936), everything else a bootstrap over roads.  Lateral jerk
follows UN R79: the derivative of the lateral acceleration, averaged over 0.5 s; its 95th percentile is taken per road and
averaged over roads, in m/s^3.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lanekeep.driving.controllers import DriverController, ExpertController
from lanekeep.driving.drivers import camera_of, check_driver, open_driver
from lanekeep.driving.road_drives import RoadDrive, drive_roads
from lanekeep.errors import UserError
from lanekeep.intervals import poisson_interval, ratio_of_sums, span_of
from lanekeep.progress import progress
from lanekeep.settings import Positional, check_file, in_range, write_whole
from lanekeep_envs import CONTROL_STEP_S, START_M, Scenario, load_scenario, scenario_names
from lanekeep_policies import Driver

F64 = NDArray[np.float64]
FIRST_TEST_SEED = 10_000
JERK_WINDOW = 10  # steps
COLUMNS = {
    "departures": "{:d}",
    "departures_per_km": "{:.3f}",
    "lateral_rms_m": "{:.3f}",
    "max_abs_lateral_m": "{:.2f}",
    "heading_rms_rad": "{:.4f}",
    "lateral_jerk_p95": "{:.2f}",
}


@dataclass(frozen=True)
class Evaluate:
    """Measure how well drivers keep their lane on held-out roads."""

    drivers: Positional[tuple[str, ...]]
    """Checkpoint folders, or names of shipped drivers (ncp, lstm); `expert` is the privileged expert."""
    scenario: tuple[str, ...] = ("country",)
    """Roads to drive: names, paths of .toml files, or `held-out` for all that no driver may be trained on."""
    km: float = 20.0
    """Kilometres per driver and scenario; every driver drives the same roads."""
    seed: int = FIRST_TEST_SEED
    """Seed of the first road; from 10,000 on for tests, below for training."""
    allow_training_seeds: bool = False
    """Measure on roads that drivers may have been trained on."""
    difficulty: float = 1.0
    """The scenarios' dial: 1 is a scenario as written, 0 its roads on a fine, calm day."""
    cars: int = 16
    """Cars driving at once."""
    json: Path | None = None
    """Also write the numbers to this file."""

    def __post_init__(self) -> None:
        in_range(self, "km", 0.1, 100_000)
        in_range(self, "difficulty", 0, 1)
        in_range(self, "cars", 1, 10_000)


def evaluate(settings: Evaluate) -> None:
    """Drive every driver over the same roads and report."""
    if settings.seed < FIRST_TEST_SEED and not settings.allow_training_seeds:
        raise UserError(
            f"seeds below {FIRST_TEST_SEED} are for training; choose --seed {FIRST_TEST_SEED} or more, "
            "or say --allow-training-seeds"
        )
    check_file(settings, "json")
    scenarios = [load_scenario(name).at(settings.difficulty) for name in names_of(settings.scenario)]
    names = [scenario.name for scenario in scenarios]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"two scenarios are called {twice[0]}; rename the file of one, to tell their numbers apart")
    drivers = {name: None if name == "expert" else open_driver(name) for name in settings.drivers}
    for scenario in scenarios:
        for driver in drivers.values():
            check_driver(driver, scenario)
    results: dict[str, dict[str, Any]] = {}
    with progress("", settings.km * len(scenarios) * len(drivers)) as bar:
        for scenario in scenarios:
            seeds, results[scenario.name] = seeds_of(scenario, settings), {}
            for name, driver in drivers.items():
                before = bar.done
                bar.reach(before, f"{name}, {scenario.name}")
                drives = drive(
                    driver, scenario, seeds, settings.cars,
                    lambda km, before=before: bar.reach(before + min(km, settings.km)),
                )  # fmt: skip
                results[scenario.name][name] = {
                    **measure(drives),
                    "seeds": [seeds[0], seeds[-1]],
                    "scenario": scenario.name,
                    "difficulty": settings.difficulty,
                }
    if len(scenarios) == 1:
        Console().print(table_of(results[scenarios[0].name], scenarios[0], settings.difficulty))
    else:
        Console().print(table_of_scenarios(results, settings))
    if settings.json is not None:
        kept: Any = results if len(scenarios) > 1 else results[scenarios[0].name]
        kept = kept if len(kept) > 1 else next(iter(kept.values()))
        write_whole(settings.json, f"{json.dumps(kept, indent=2)}\n".encode())


def names_of(scenarios: Sequence[str]) -> list[str]:
    """Scenarios by name or path, each once; `held-out` stands for its whole family."""
    if not scenarios:
        raise UserError("--scenario takes at least one name, path, or held-out")
    family = [name for name in scenario_names() if load_scenario(name).family == "held-out"]
    named = [name for one in scenarios for name in (family if one == "held-out" else [one])]
    return list(dict.fromkeys(named))


def seeds_of(scenario: Scenario, settings: Evaluate) -> range:
    """Seeds of as many roads as the kilometres take."""
    roads = int(np.ceil(settings.km / ((scenario.road.length_m - START_M) / 1000.0)))
    return range(settings.seed, settings.seed + roads)


def drive(driver: Driver | None, scenario: Scenario, seeds: Sequence[int], cars: int, on_step: Any) -> list[RoadDrive]:
    """Drive roads with a driver, or with the expert."""
    limit = scenario.curvature_limit_per_m
    if driver is None:
        return drive_roads(lambda n: ExpertController(limit), scenario, None, seeds, cars, on_step)
    return drive_roads(lambda n: DriverController(driver, n), scenario, camera_of(driver), seeds, cars, on_step)


def lateral_jerk(one: RoadDrive) -> F64:
    """Lateral jerk [m/s^3] by 0.5 s differences, none of them across a place where the car was put back."""
    accelerations = np.split(one.traces["lateral_acceleration_mps2"], one.breaks)
    pieces = [(a[JERK_WINDOW:] - a[:-JERK_WINDOW]) / (JERK_WINDOW * CONTROL_STEP_S) for a in accelerations]
    return np.concatenate(pieces)


def measure(drives: Sequence[RoadDrive]) -> dict[str, Any]:
    """The numbers of an evaluation, with 95 % intervals."""
    km, departures = sum(d.km for d in drives), sum(d.departures for d in drives)
    steps = np.array([float(len(d.traces["lateral_offset_m"])) for d in drives])
    squares = {
        name: np.array([np.mean(d.traces[trace] ** 2) for d in drives])
        for name, trace in (("lateral_rms_m", "lateral_offset_m"), ("heading_rms_rad", "heading_error_rad"))
    }
    jerks = np.array([np.percentile(np.abs(lateral_jerk(d)), 95) for d in drives])
    result: dict[str, Any] = {
        "km": round(km, 3),
        "departures": departures,
        "departures_per_km": departures / km,
        "departures_per_km_ci95": poisson_interval(departures, km),
        "max_abs_lateral_m": max(float(np.abs(d.traces["lateral_offset_m"]).max()) for d in drives),
    }
    means = {"lateral_jerk_p95": ratio_of_sums(jerks * steps, steps)}
    means |= {name: np.sqrt(ratio_of_sums(values * steps, steps)) for name, values in squares.items()}
    for name, draws in means.items():
        result[name], *result[f"{name}_ci95"] = span_of(draws)
    return result


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
        cells = []
        for key, form in COLUMNS.items():
            interval = result.get(f"{key}_ci95")
            low_high = "" if interval is None else "\n[" + ", ".join(form.format(v) for v in interval) + "]"
            cells.append(form.format(result[key]) + low_high)
        table.add_row(name, *cells)
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
    for scenario, drivers in results.items():
        cells = []
        for result in drivers.values():
            for key, form in (("departures_per_km", "{:.2f}"), ("lateral_rms_m", "{:.2f}")):
                low, high = (form.format(bound) for bound in result[f"{key}_ci95"])
                cells.append(f"{form.format(result[key])}\n[{low}, {high}]")
        table.add_row(scenario, *cells)
    return table
