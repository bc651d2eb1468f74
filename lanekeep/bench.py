"""Benchmarks: two things compared in one process, in turn, on the same cores; median and spread of the repeats.

Time is CPU time where one core works (environment), wall time where several do (training).
"""

import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from lanekeep.flags import UserError
from lanekeep.imitation import Trainer, TrainImitation
from lanekeep_envs import LaneKeepingVectorEnv
from lanekeep_policies.conv import ConvHead

Measures = dict[str, list[float]]


@dataclass(frozen=True)
class BenchEnv:
    """How many camera frames per CPU second the environment gives, against CarRacing-v3."""

    repeats: int = 7
    """Repeats; each times every environment once."""
    seconds: float = 1.0
    """CPU seconds per environment and repeat."""
    json: Path | None = None
    """Also write the measures to this file."""

    def run(self) -> int:
        """Measure, print, write."""
        bench_env(self)
        return 0


@dataclass(frozen=True)
class BenchTrain:
    """How long imitation takes compared with the conv head alone on the same frames."""

    core: str = "ncp"
    """Recurrent core."""
    repeats: int = 5
    """Repeats; each times both once."""
    updates: int = 5
    """Updates per repeat."""
    json: Path | None = None
    """Also write the measures to this file."""

    def run(self) -> int:
        """Measure, print, write."""
        bench_train(self)
        return 0


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


def bench_env(settings: BenchEnv) -> None:
    """Time CarRacing-v3 and this environment in turn."""
    try:
        rows = {"CarRacing-v3, 96x96": one_env("CarRacing-v3")}
    except gymnasium.error.DependencyNotInstalled:
        raise UserError("CarRacing-v3 is missing: pip install 'lanekeep[bench]'") from None
    name = "lanekeep_envs:LaneKeeping-v0"
    rows |= {f"LaneKeeping-v0, {size}, 1 car": one_env(name, camera=size) for size in ("66x200", "48x160")}
    rows |= {f"LaneKeeping-v0, {size}, 64 cars": many_cars(64, size) for size in ("66x200", "48x160")}
    for step in rows.values():
        step()
    rates: Measures = {row: [] for row in rows}
    for _ in range(settings.repeats):
        for row, step in rows.items():
            rates[row].append(steps_per_cpu_second(step, settings.seconds))
    car_racing, wide, small, wide64, small64 = (np.array(rates[row]) for row in rows)
    ratios = {
        "ratio_to_car_racing_66x200": wide / car_racing,
        "ratio_to_car_racing_48x160": small / car_racing,
        "one_car_to_64_cars": small / small64,
    }
    report("frames per CPU second", {**rates, **{k: list(v) for k, v in ratios.items()}}, list(ratios), settings.json)


def bench_train(settings: BenchTrain) -> None:
    """Time updates of a training and of the conv head alone, and the rounds of driving between updates."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(TrainImitation(out=Path(folder) / "driver", core=settings.core))
        trainer.begin_round()
        at_once = trainer.settings.batch * trainer.settings.length
        frames = torch.from_numpy(np.concatenate([e.frames for e in trainer.episodes])[:at_once])
        head = ConvHead(frames.shape[1], frames.shape[2])
        optimiser = torch.optim.Adam(head.parameters())

        def head_only() -> None:
            optimiser.zero_grad(set_to_none=True)
            head(frames).square().mean().backward()
            optimiser.step()

        head_only()
        trainer.learn()
        times: Measures = {"update": [], "conv head alone": [], "round of driving": []}
        for _ in range(settings.repeats):
            times["update"].append(seconds_of(trainer.learn, settings.updates))
            times["conv head alone"].append(seconds_of(head_only, settings.updates))
            times["round of driving"].append(seconds_of(trainer.begin_round, 1))
    update, alone, driving = (np.array(values) for values in times.values())
    every = trainer.settings.dagger_every
    ratios = {
        "update_over_head_only": update / alone,
        "time_over_head_only": (every * update + driving) / (every * alone),
    }
    title = f"seconds, {settings.core}, {at_once} frames per update; a round of driving every {every} updates"
    report(title, {**times, **{k: list(v) for k, v in ratios.items()}}, list(ratios), settings.json)


def seconds_of(work: Callable[[], Any], times: int) -> float:
    """Mean wall time of one call."""
    begin = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - begin) / times


def report(title: str, rows: Measures, measures: list[str], file: Path | None) -> None:
    """Print a table and write the measures."""
    table = Table("", "median", "min", "max", title=title)
    for name, values in rows.items():
        table.add_row(name, *(f"{number:.3g}" for number in (np.median(values), min(values), max(values))))
    Console().print(table)
    if file is not None:
        summary = {
            name: {"median": float(np.median(rows[name])), "min": min(rows[name]), "max": max(rows[name])}
            for name in measures
        }
        file.write_text(json.dumps(summary, indent=2) + "\n")
