"""What looking costs while driving: maps and interventions beside a car that drives at 20 Hz, on one core."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from lanekeep.bench.measures import Turns, in_turns, report, seconds_of
from lanekeep.driving.drivers import camera_of, check_driver, open_driver
from lanekeep.driving.threads import one_thread
from lanekeep.effects import now, removal_of
from lanekeep.effects.recorded_drive import ReRenderer
from lanekeep.errors import UserError
from lanekeep.saliency import maps, methods_with
from lanekeep.settings import JsonFile, Positional, check_outputs, in_range
from lanekeep_envs import REMOVABLE, LaneKeepingVectorEnv, Scenario, load_scenario
from lanekeep_policies import Driver

INTERVENTIONS = 12


@dataclass(frozen=True)
class BenchSaliency:
    """What looking costs while driving, on one core: a frame at 20 Hz has 50 ms."""

    driver: Positional[str] = "ncp"
    """Name of a shipped driver, or a checkpoint folder."""
    scenario: str = "country"
    """Roads to drive: a name or the path of a .toml file."""
    frames: int = 100
    """Frames to drive."""
    json: JsonFile = None
    """Also write the measures to this file."""

    def __post_init__(self) -> None:
        check_outputs(self)
        in_range(self, "frames", 2, 100_000)


def bench_saliency(settings: BenchSaliency) -> None:
    """Time each way of looking at every frame of a drive, in turn."""
    driver, scenario = open_driver(settings.driver).eval(), load_scenario(settings.scenario)
    check_driver(driver, scenario)
    with one_thread():
        rows = in_turns(looking_ms(settings.driver, driver, scenario), settings.frames)
    title = f"milliseconds a frame, {Path(settings.driver).name} in {scenario.name}, one core (20 Hz leaves 50)"
    report(title, rows, rows, settings.json)


def looking_ms(name: str, driver: Driver, scenario: Scenario) -> Turns:
    """Turns that each drive a frame further and look at it in each way."""
    camera = camera_of(driver)
    if camera is None:
        raise UserError(f"{name} is told the state and sees nothing: there is nothing to look at")
    env, renderer = LaneKeepingVectorEnv(1, scenario, camera), ReRenderer(scenario, camera)
    variants = [removal_of([element]) for element in REMOVABLE[:INTERVENTIONS]]
    step, state = driver.stepper(), driver.initial_state(1).detach()
    frames, _ = env.reset(seed=[10_000])

    while True:
        seen, before, begin = frames, state, time.perf_counter()
        action, state = step(seen, before)
        frames = env.step(np.clip(action, -1.0, 1.0))[0]
        driving, snapshot = time.perf_counter() - begin, env.snapshot()
        took = {"driving": driving}
        for name in methods_with("live"):
            took[f"{name} and driving"] = driving + seconds_of(partial(maps, name, driver, seen, before))
        interventions = partial(now, driver, renderer, [snapshot], state, variants)
        took[f"{INTERVENTIONS} interventions and driving"] = driving + seconds_of(interventions)
        yield {name: 1000.0 * seconds for name, seconds in took.items()}
