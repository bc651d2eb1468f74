"""Benchmarks: two things compared in one process, in turn, on the same cores; median and spread.

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
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from lanekeep.flags import UserError, check_file, in_range, write_whole
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

    def __post_init__(self) -> None:
        in_range(self, "repeats", 1, 10_000)
        in_range(self, "seconds", 0.01, 10_000)

    def run(self) -> int:
        """Measure, print, write."""
        bench_env(self)
        return 0


@dataclass(frozen=True)
class BenchTrain:
    """How long a whole training by imitation takes, compared with its conv head alone."""

    core: str = "ncp"
    """Recurrent core."""
    frames: int = 60_000
    """Training frames to pass through the driver."""
    json: Path | None = None
    """Also write the measures to this file."""

    def __post_init__(self) -> None:
        in_range(self, "frames", 1, 1_000_000_000)

    def run(self) -> int:
        """Train, measure, print, write."""
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
    check_file(settings, "json")
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
    """Train as `imitation.train` does; every update is followed by one of the conv head alone, on as many frames."""
    check_file(settings, "json")
    many_cars(1, "8x8")()  # what is compiled once per installation is not training
    columns = (TextColumn("training"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, transient=True) as bar:
        trainer = Trainer(TrainImitation(out=Path(folder) / "driver", core=settings.core, frames=settings.frames))
        task = bar.add_task("", total=trainer.updates, note="first demonstrations")
        driving, update, alone = [seconds_of(trainer.begin_round)], list[float](), list[float]()
        head_only = head_alone(trainer)
        while not trainer.finished:
            if trainer.round_due:
                driving.append(seconds_of(trainer.begin_round))
            else:
                update.append(seconds_of(trainer.learn))
                alone.append(seconds_of(head_only))
            note = f"{(sum(update) + sum(driving)) / sum(alone):.2f} times the conv head alone"
            bar.update(task, completed=trainer.update, note=note)
        driving.append(seconds_of(trainer.validate))
    ratios = {
        "update_over_head_only": [sum(update) / sum(alone)],
        "time_over_head_only": [(sum(update) + sum(driving)) / sum(alone)],
    }
    rows = {"update": update, "conv head alone": alone, "driving in all": [sum(driving)], **ratios}
    report(f"seconds, {settings.core}, {trainer.frames_seen:,} frames", rows, list(ratios), settings.json)


def head_alone(trainer: Trainer) -> Callable[[], None]:
    """A function that trains a conv head on one batch's worth of the first demonstrations; called once already."""
    at_once = trainer.settings.batch * trainer.settings.length
    frames = torch.from_numpy(np.concatenate([e.frames for e in trainer.episodes])[:at_once])
    head = ConvHead(trainer.camera.height_px, trainer.camera.width_px)
    optimiser = torch.optim.Adam(head.parameters())

    def head_only() -> None:
        optimiser.zero_grad(set_to_none=True)
        head(frames).square().mean().backward()
        optimiser.step()

    head_only()
    return head_only


def seconds_of(work: Callable[[], Any]) -> float:
    """Wall time of a call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


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
        write_whole(file, f"{json.dumps(summary, indent=2)}\n".encode())
