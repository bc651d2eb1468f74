"""How many camera frames per CPU second the environment gives: one car and many, against CarRacing-v3."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium
import msgspec

from lanekeep.bench.measures import Turns, compared, in_turns, report
from lanekeep.errors import UserError
from lanekeep.settings import JsonFile, check_outputs, in_range
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

CAR_RACING, EVERYTHING_ON = "CarRacing-v3, 96x96", "everything on, 66x200, 1 car"
ONE_VARIANT, EIGHT_VARIANTS = "one instant without an element, 66x200", "one instant without each of eight, 66x200"
Steps = Iterator[int]  # without end; each gives the number of frames that it made
RATIOS = {  # of two rows of the table
    "ratio_to_car_racing_66x200": ("LaneKeeping-v0, 66x200, 1 car", CAR_RACING),
    "ratio_to_car_racing_48x160": ("LaneKeeping-v0, 48x160, 1 car", CAR_RACING),
    "one_car_to_64_cars": ("LaneKeeping-v0, 48x160, 1 car", "LaneKeeping-v0, 48x160, 64 cars"),
    "everything_on_to_car_racing_66x200": (EVERYTHING_ON, CAR_RACING),
    "eight_variants_to_one": (ONE_VARIANT, EIGHT_VARIANTS),
}


@dataclass(frozen=True)
class BenchEnv:
    """How many camera frames per CPU second the environment gives, against CarRacing-v3."""

    repeats: int = 7
    """Repeats; each times every environment once."""
    seconds: float = 1.0
    """CPU seconds per environment and repeat."""
    json: JsonFile = None
    """Also write the measures to this file."""

    def __post_init__(self) -> None:
        check_outputs(self)
        in_range(self, "repeats", 1, 10_000)
        in_range(self, "seconds", 0.01, 10_000)


def steps_per_cpu_second(steps: Steps, seconds: float) -> float:
    """Make steps for about `seconds` of CPU time."""
    begin, frames = time.process_time(), 0
    while time.process_time() - begin < seconds:
        frames += next(steps)
    return frames / (time.process_time() - begin)


def random_actions(space: gymnasium.Space[Any]) -> Iterator[Any]:
    """Random actions without end; drawn beforehand, because drawing one takes as long as moving a car."""
    space.seed(0)
    return itertools.cycle([space.sample() for _ in range(997)])


def one_env(name: str, **settings: Any) -> Steps:
    """Steps of a gymnasium environment by random actions, resets included."""
    env = gymnasium.make(name, **settings)
    actions = random_actions(env.action_space)
    env.reset(seed=0)
    while True:
        *_, terminated, truncated, _ = env.step(next(actions))
        if terminated or truncated:
            env.reset()
        yield 1


def many_cars(cars: int, camera: str) -> Steps:
    """Steps of many cars in the vector environment by random actions, resets included."""
    env = LaneKeepingVectorEnv(cars, "country", camera)
    actions = random_actions(env.action_space)
    env.reset(seed=0)
    while True:
        env.step(next(actions))
        yield cars


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


def variants_of_an_instant(number: int) -> Steps:
    """Steps that each render one instant at 66x200 under so many interventions."""
    env = LaneKeepingEnv(camera="66x200")
    env.reset(seed=0, options={"start_m": 200.0})
    snapshot, variants = env.snapshot(), [[Remove(element)] for element in REMOVABLE[:number]]
    while True:
        env.views([snapshot], variants)
        yield 1


def environments() -> dict[str, Steps]:
    """What is timed, by the row of the table."""
    try:
        gymnasium.make("CarRacing-v3").close()
    except gymnasium.error.DependencyNotInstalled:
        raise UserError("CarRacing-v3 is missing: pip install 'lanekeep[bench]'") from None
    name, sizes = "lanekeep_envs:LaneKeeping-v0", ("66x200", "48x160")
    rows = {CAR_RACING: one_env("CarRacing-v3")}
    rows |= {f"LaneKeeping-v0, {size}, 1 car": one_env(name, camera=size) for size in sizes}
    rows |= {f"LaneKeeping-v0, {size}, 64 cars": many_cars(64, size) for size in sizes}
    rows[EVERYTHING_ON] = one_env(name, camera="66x200", scenario=everything_on())
    rows[ONE_VARIANT], rows[EIGHT_VARIANTS] = variants_of_an_instant(1), variants_of_an_instant(8)
    return rows


def frames_per_cpu_second(seconds: float) -> Turns:
    """Turns in which each environment is timed for so many CPU seconds."""
    rows = environments()
    while True:
        yield {row: steps_per_cpu_second(steps, seconds) for row, steps in rows.items()}


def bench_env(settings: BenchEnv) -> None:
    """Time CarRacing-v3 and this environment in turn."""
    rates = in_turns(frames_per_cpu_second(settings.seconds), settings.repeats)
    ratios = compared(rates, RATIOS)
    report("frames per CPU second", rates | ratios, ratios, settings.json)
