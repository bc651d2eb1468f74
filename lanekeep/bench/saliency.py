"""What looking costs while driving: maps and interventions beside a car that drives at 20 Hz, on one core."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lanekeep.bench.measures import Measures, report
from lanekeep.driving.drivers import camera_of, check_driver, open_driver
from lanekeep.effects import now, removal_of
from lanekeep.effects.recorded_drive import ReRenderer
from lanekeep.errors import UserError
from lanekeep.saliency import maps, methods_with
from lanekeep.settings import Positional, check_file, in_range
from lanekeep_envs import REMOVABLE, LaneKeepingVectorEnv, load_scenario

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
    json: Path | None = None
    """Also write the measures to this file."""

    def __post_init__(self) -> None:
        in_range(self, "frames", 2, 100_000)


def bench_saliency(settings: BenchSaliency) -> None:
    """Time each way of looking at every frame of a drive, in turn."""
    check_file(settings, "json")
    driver, scenario = open_driver(settings.driver).eval(), load_scenario(settings.scenario)
    check_driver(driver, scenario)
    camera = camera_of(driver)
    if camera is None:
        raise UserError(f"{settings.driver} is told the state and sees nothing: there is nothing to look at")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    env, projector = LaneKeepingVectorEnv(1, scenario, camera), ReRenderer(scenario, camera)
    variants = [removal_of([element]) for element in REMOVABLE[:INTERVENTIONS]]
    step, state = driver.stepper(), driver.initial_state(1).detach()
    frames, _ = env.reset(seed=[10_000])
    rows: Measures = {"driving": []}
    for number in range(settings.frames + 1):
        took, before = dict[str, float](), state
        begin = time.perf_counter()
        action, state = step(frames, state)
        following = env.step(np.clip(action, -1.0, 1.0))[0]
        driving = time.perf_counter() - begin
        took["driving"] = driving
        for name in methods_with("live"):
            begin = time.perf_counter()
            maps(name, driver, frames, before)
            took[f"{name} and driving"] = driving + time.perf_counter() - begin
        snapshot, begin = env.snapshot(), time.perf_counter()
        now(driver, projector, [snapshot], state, variants)
        took[f"{INTERVENTIONS} interventions and driving"] = driving + time.perf_counter() - begin
        frames = following
        if number > 0:  # what is compiled at the first frame is not looking
            for name, seconds in took.items():
                rows.setdefault(name, []).append(1000.0 * seconds)
    torch.set_num_threads(threads)
    title = f"milliseconds a frame, {Path(settings.driver).name} in {scenario.name}, one core (20 Hz leaves 50)"
    report(title, rows, list(rows), settings.json)
