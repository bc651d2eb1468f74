"""How many camera frames per CPU second the environment gives: one car and many, against CarRacing-v3."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import msgspec
import numpy as np

from lanekeep.bench.measures import Measures, report
from lanekeep.errors import UserError
from lanekeep.settings import check_file, in_range
from lanekeep_envs import (
    REMOVABLE,
    STRENGTHS,
    Element,
    LaneKeepingEnv,
    LaneKeepingVectorEnv,
    Remove,
    Scenario,
    load_scenario,
)


@dataclass(frozen=True)
class BenchEnv:
    """How many camera frames per CPU second the environment gives, against CarRacing-v3."""

    repeats: int = 7
    """Repeats; each times every environment once."""
    seconds: float = 1.0
    """CPU seconds per environment and repeat."""
    json: Path | None = None
    """Also write the measures to this file."""

    def __post_init__(self) -> None:
        in_range(self, "repeats", 1, 10_000)
        in_range(self, "seconds", 0.01, 10_000)


def steps_per_cpu_second(step: Callable[[], int], seconds: float) -> float:
    """Call `step`, which returns how many frames it made, for about `seconds` of CPU time."""
    begin, frames = time.process_time(), 0
    while time.process_time() - begin < seconds:
        frames += step()
    return frames / (time.process_time() - begin)


def random_actions(space: gymnasium.Space[Any]) -> Iterator[Any]:
    """Random actions without end; drawn beforehand, because drawing one takes as long as moving a car."""
    space.seed(0)
    return itertools.cycle([space.sample() for _ in range(997)])


def one_env(name: str, **settings: Any) -> Callable[[], int]:
    """A function that makes one step of a gymnasium environment, random actions, resets included."""
    env = gymnasium.make(name, **settings)
    actions = random_actions(env.action_space)
    env.reset(seed=0)

    def step() -> int:
        *_, terminated, truncated, _ = env.step(next(actions))
        if terminated or truncated:
            env.reset()
        return 1

    return step


def many_cars(cars: int, camera: str) -> Callable[[], int]:
    """The same for the vector environment."""
    env = LaneKeepingVectorEnv(cars, "country", camera)
    actions = random_actions(env.action_space)
    env.reset(seed=0)

    def step() -> int:
        env.step(next(actions))
        return cars

    return step


def everything_on() -> Scenario:
    """Every strength of weather, surface, sensor and scenery at 1, with houses, signs and traffic."""
    table = load_scenario("mixed")
    full = {
        name: msgspec.structs.replace(getattr(table, name), presence=1.0, **dict.fromkeys(STRENGTHS[name], (1.0, 1.0)))
        for name in STRENGTHS
    }
    keys = [path.removeprefix("scenery.") for e in Element for path in e.spec.keys if path.startswith("scenery.")]
    scenery = msgspec.structs.replace(
        table.scenery,
        **{key: (20.0, 20.0) if key.endswith("_per_km") else (1.0, 1.0) for key in keys if key != "car_ahead"},
        car_ahead=1.0,
    )
    return msgspec.structs.replace(table, scenery=scenery, **full)


def variants_of_an_instant(number: int) -> Callable[[], int]:
    """A function that renders one instant at 66x200 under so many interventions."""
    env = LaneKeepingEnv(camera="66x200")
    env.reset(seed=0, options={"start_m": 200.0})
    snapshot, variants = env.snapshot(), [[Remove(element)] for element in REMOVABLE[:number]]

    def step() -> int:
        env.views([snapshot], variants)
        return 1

    return step


def bench_env(settings: BenchEnv) -> None:
    """Time CarRacing-v3 and this environment in turn."""
    check_file(settings, "json")
    try:
        rows = {"CarRacing-v3, 96x96": one_env("CarRacing-v3")}
    except gymnasium.error.DependencyNotInstalled:
        raise UserError("CarRacing-v3 is missing: pip install 'lanekeep[bench]'") from None
    name = "lanekeep_envs:LaneKeeping-v0"
    rows |= {f"LaneKeeping-v0, {size}, 1 car": one_env(name, camera=size) for size in ("66x200", "48x160")}
    rows |= {f"LaneKeeping-v0, {size}, 64 cars": many_cars(64, size) for size in ("66x200", "48x160")}
    rows |= {"everything on, 66x200, 1 car": one_env(name, camera="66x200", scenario=everything_on())}
    rows |= {"one instant without an element, 66x200": variants_of_an_instant(1)}
    rows |= {"one instant without each of eight, 66x200": variants_of_an_instant(8)}
    for step in rows.values():
        step()
    rates: Measures = {row: [] for row in rows}
    for _ in range(settings.repeats):
        for row, step in rows.items():
            rates[row].append(steps_per_cpu_second(step, settings.seconds))
    car_racing, wide, small, _, small64, everything, one, eight = (np.array(rates[row]) for row in rows)
    ratios = {
        "ratio_to_car_racing_66x200": wide / car_racing,
        "ratio_to_car_racing_48x160": small / car_racing,
        "one_car_to_64_cars": small / small64,
        "everything_on_to_car_racing_66x200": everything / car_racing,
        "eight_variants_to_one": one / eight,
    }
    report("frames per CPU second", {**rates, **{k: list(v) for k, v in ratios.items()}}, list(ratios), settings.json)
