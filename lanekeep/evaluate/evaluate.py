"""Evaluate: every driver drives the same held-out roads; its numbers go to a table and to a file."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from lanekeep.driving.controllers import DriverController, ExpertController
from lanekeep.driving.drivers import camera_of, check_driver, open_driver
from lanekeep.driving.road_drives import RoadDrive, drive_roads
from lanekeep.errors import UserError
from lanekeep.evaluate.measures import measure
from lanekeep.evaluate.settings import FIRST_TEST_SEED, Evaluate
from lanekeep.evaluate.tables import table_of, table_of_scenarios
from lanekeep.progress import progress
from lanekeep.terminal import Terminal, as_csv
from lanekeep_envs import START_M, Scenario, load_scenario, scenario_names
from lanekeep_files.writing import write_whole
from lanekeep_policies import Driver

Results = dict[str, dict[str, Any]]  # scenario -> driver -> numbers


def evaluate(settings: Evaluate) -> None:
    """Drive every driver over the same roads and report."""
    if settings.seed < FIRST_TEST_SEED and not settings.allow_training_seeds:
        raise UserError(
            f"seeds below {FIRST_TEST_SEED} are for training; choose --seed {FIRST_TEST_SEED} or more, "
            "or say --allow-training-seeds"
        )
    scenarios = scenarios_of(settings)
    drivers = {name: None if name == "expert" else open_driver(name) for name in settings.drivers}
    for scenario in scenarios:
        for driver in drivers.values():
            check_driver(driver, scenario)
    results = drive_all(settings, scenarios, drivers)
    if len(scenarios) == 1:
        table = table_of(results[scenarios[0].name], scenarios[0], settings.difficulty)
    else:
        table = table_of_scenarios(results, settings)
    Terminal().print_table(table)
    if settings.csv is not None:
        write_whole(settings.csv, as_csv(table).encode())
    if settings.json is not None:
        kept: Any = results if len(scenarios) > 1 else results[scenarios[0].name]
        kept = kept if len(kept) > 1 else next(iter(kept.values()))
        write_whole(settings.json, f"{json.dumps(kept, indent=2)}\n".encode())


def scenarios_of(settings: Evaluate) -> list[Scenario]:
    """The scenarios to drive, on their dial; each has a name of its own."""
    scenarios = [load_scenario(name).at(settings.difficulty) for name in names_of(settings.scenario)]
    names = [scenario.name for scenario in scenarios]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"two scenarios are called {twice[0]}; rename the file of one, to tell their numbers apart")
    return scenarios


def drive_all(settings: Evaluate, scenarios: list[Scenario], drivers: dict[str, Driver | None]) -> Results:
    """Let every driver drive every scenario, with a bar of kilometres."""
    results: Results = {}
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
    return results


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
