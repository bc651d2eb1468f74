"""Rollout: where drivers and world meet.

A `Pilot` turns what N cars see (or, for the expert, what is true) into actions [N, 1].  `drive_roads` sends a pilot over
whole roads.  A car that departs from its lane is put back in the middle of it, a metre further on, with its memory
cleared, as a safety driver would: so every pilot is measured over the same kilometres, however often it fails.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lanekeep.errors import UserError
from lanekeep_envs import (
    START_M,
    Camera,
    LaneKeepingVectorEnv,
    Scenario,
    curvature_along,
    load_scenario,
    scenario_names,
)
from lanekeep_policies import Driver, Expert

F64 = NDArray[np.float64]
TRAINING_SEEDS = 9_000  # roads below are trained on, the next 1,000 are for validation, from 10,000 on for tests
VALIDATION_CARS = 10  # at least, side by side
BEND_AHEAD_M = 80  # of road, looked at to choose where a stretch begins
TRACES = ("lateral_offset_m", "heading_error_rad", "speed_mps", "lateral_acceleration_mps2", "curvature_per_m")


class Pilot(Protocol):
    """Drives N cars."""

    def act(self, frames: NDArray[Any], infos: dict[str, Any]) -> F64:
        """Actions [N, 1] for frames [N, H, W, 3], or states [N, D], and the environment's infos."""
        ...

    def forget(self, cars: NDArray[np.bool_]) -> None:
        """Clear the memory of these cars [N]: their next frame is not the sequel of the last."""
        ...


class ExpertPilot:
    """The privileged expert."""

    def __init__(self, curvature_limit_per_m: float) -> None:
        self._expert, self._limit = Expert(), curvature_limit_per_m

    def act(self, frames: NDArray[Any], infos: dict[str, Any]) -> F64:
        """Actions [N, 1] from the truth."""
        return expert_actions(self._expert, infos, self._limit)

    def forget(self, cars: NDArray[np.bool_]) -> None:
        """Nothing to forget."""


class DriverPilot:
    """A trained driver, one memory per car, with the weights it has now."""

    def __init__(self, driver: Driver, cars: int) -> None:
        self.driver = driver.eval()
        self.state = driver.initial_state(cars)
        self._step = driver.stepper()

    def act(self, frames: NDArray[Any], infos: dict[str, Any]) -> F64:
        """Actions [N, 1] from the frames."""
        actions, self.state = self._step(frames, self.state)
        return np.asarray(actions, np.float64)

    def forget(self, cars: NDArray[np.bool_]) -> None:
        """Back to the initial state."""
        rows = torch.from_numpy(np.asarray(cars))
        self.state = torch.where(rows[:, None], self.driver.initial_state(len(cars)), self.state)


def scenario_to_learn_on(name: str) -> Scenario:
    """Load a scenario, but not one that drivers are tested by."""
    scenario = load_scenario(name)
    if scenario.family == "held-out":
        families = {other: load_scenario(other).family for other in scenario_names()}
        ours = ", ".join(other for other, family in families.items() if family == "training")
        raise UserError(
            f"scenario {scenario.name} is held out for tests; to learn on there are {ours}, or a file of yours"
        )
    return scenario


def expert_actions(expert: Expert, infos: dict[str, Any], curvature_limit_per_m: float) -> F64:
    """The expert's actions [N, 1] for the environment's infos, clipped to [-1, 1]."""
    names = ("lateral_offset_m", "heading_error_rad", "speed_mps", "curvature_per_m", "curvature_preview_per_m")
    curvature = expert.curvature(*(infos[name] for name in names))
    return np.clip(curvature / curvature_limit_per_m, -1.0, 1.0)[:, None]


@dataclass(frozen=True, kw_only=True)
class Drive:
    """A road, or a piece of it, driven from end to end."""

    seed: int
    km: float
    departures: int
    traces: dict[str, F64]  # name of TRACES -> [T]
    breaks: tuple[int, ...]  # indices at which the car was put back: no derivative across them


def drive_roads(
    pilot_for: Callable[[int], Pilot],
    scenario: Scenario,
    camera: Camera | None,
    seeds: Sequence[int],
    cars: int = 16,
    on_step: Callable[[float], None] = lambda km: None,
    parts: int = 1,
) -> list[Drive]:
    """Drive the road of every seed once, `cars` at a time; drives come back in the order of the seeds.

    Without a camera the pilots are told the state [N, D] instead of shown frames.  More `parts` cut a road into as many
    equal pieces, each a drive of its own, which begins in the middle of the lane: the same kilometres are over sooner.
    """
    cuts = np.linspace(START_M, scenario.road.length_m, parts + 1).tolist()
    work = [(seed, begin, end) for seed in seeds for begin, end in pairwise(cuts)]
    cars = min(cars, len(work))
    env = LaneKeepingVectorEnv(
        cars, scenario, camera or "8x8", "state" if camera is None else "camera", autoreset_mode="Disabled"
    )
    pilot, logs = pilot_for(cars), [_Log(*piece) for piece in work]
    waiting = iter(logs[cars:])
    driven: list[_Log | None] = list(logs[:cars])
    frames, infos = env.reset(
        seed=[log.seed for log in logs[:cars]], options={"start_m": [log.start_m for log in logs[:cars]]}
    )
    while any(driven):
        frames, _, departed, finished, infos = env.step(pilot.act(frames, infos))
        starts: list[float | None] = [None] * cars
        fresh: list[int | None] = [None] * cars
        for i, log in enumerate(driven):
            if log is None:
                continue
            where = float(infos["distance_m"][i])
            log.note(infos, i, bool(departed[i]))
            if finished[i] or where + (1.0 if departed[i] else 0.0) >= log.end_m:
                driven[i] = log = next(waiting, None)
                if log is not None:
                    fresh[i], starts[i] = log.seed, log.start_m
            elif departed[i]:
                fresh[i], starts[i] = log.seed, where + 1.0
        mask = np.array([seed is not None for seed in fresh])
        if mask.any():
            frames, infos = env.reset(seed=fresh, options={"reset_mask": mask, "start_m": starts})
            pilot.forget(mask)
        on_step(sum(log.km for log in logs))
    return [log.drive() for log in logs]


class _Log:
    """What one car has driven on one piece of road so far."""

    def __init__(self, seed: int, begin_m: float, end_m: float) -> None:
        self.seed, self.begin_m, self.end_m = seed, begin_m, end_m
        self.start_m = None if begin_m == START_M else begin_m  # None: the usual start, a little off the middle
        self.km, self.departures = 0.0, 0
        self.rows: list[tuple[float, ...]] = []
        self.breaks: list[int] = []

    def note(self, infos: dict[str, Any], car: int, departed: bool) -> None:
        self.rows.append(tuple(float(infos[name][car]) for name in TRACES))
        if departed:
            self.departures += 1
            self.breaks.append(len(self.rows))
        self.km = (float(infos["distance_m"][car]) - self.begin_m) / 1000.0

    def drive(self) -> Drive:
        columns = np.array(self.rows).T
        return Drive(
            seed=self.seed,
            km=self.km,
            departures=self.departures,
            traces=dict(zip(TRACES, columns, strict=True)),
            breaks=tuple(self.breaks),
        )


@dataclass(frozen=True)
class Stretch:
    """Consecutive frames of one car, with the expert's answer to each."""

    seed: int
    frames: NDArray[np.uint8]  # [T, H, W, 3]
    signals: dict[str, NDArray[np.float32]]  # name -> [T, ...]
    departed: bool  # whether it ends because the car left its lane


def draw_place(
    scenario: Scenario, generator: np.random.Generator, seeds_below: int, candidates: int
) -> tuple[int, float | None]:
    """Seed of a road and where on it to begin; None is the usual start.

    With more than one candidate it is the place, out of up to so many, ahead of which the road bends hardest to the left, or
    to the right: the sharpest bends are a few metres in a kilometre, and those are where drivers fail.
    """
    reach = max(scenario.road.length_m - 300.0, 0.0)
    if generator.random() < 0.2 or reach == 0.0:
        return int(generator.integers(seeds_below)), None
    drawn = [
        (int(generator.integers(seeds_below)), START_M + generator.random() * reach)
        for _ in range(generator.integers(candidates) + 1)
    ]
    if len(drawn) == 1:
        return drawn[0]
    sense = generator.choice((-1.0, 1.0))

    def bend(place: tuple[int, float]) -> float:
        seed, start = place
        return float(sense * curvature_along(scenario, seed)[int(start) :][:BEND_AHEAD_M].mean())

    return max(drawn, key=bend)


def label_stretches(
    pilot_for: Callable[[int], Pilot],
    scenario: Scenario,
    camera: Camera,
    cars: int,
    steps: int,
    noise: float,
    generator: np.random.Generator,
    seeds_below: int,
    candidates: int = 1,
) -> Iterator[Stretch]:
    """Let a pilot drive `cars` cars for `steps` steps each, with the expert's action noted at every frame.

    The driven action carries an Ornstein-Uhlenbeck disturbance of standard deviation `noise` (action units) and 0.5 s
    correlation, so that the cars get where a perfect driver never is and the labels show the way back.  A car that
    departs goes on elsewhere.  Every stretch begins where `draw_place` says.
    """
    env = LaneKeepingVectorEnv(cars, scenario, camera, autoreset_mode="Disabled")
    expert, pilot, limit = Expert(), pilot_for(cars), scenario.curvature_limit_per_m

    def begin(mask: NDArray[np.bool_]) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        places = [draw_place(scenario, generator, seeds_below, candidates) if m else (0, None) for m in mask]
        for i in np.flatnonzero(mask):
            seeds[i] = places[i][0]
        options = {"reset_mask": mask, "start_m": [start for _, start in places]}
        return env.reset(seed=seeds, options=options)

    seeds = [0] * cars
    frames, infos = begin(np.ones(cars, np.bool_))
    film = np.empty((cars, steps, *frames.shape[1:]), np.uint8)
    log = {name: np.empty((cars, steps), np.float32) for name in TRACES}
    log |= {name: np.empty((cars, steps, 1), np.float32) for name in ("driven_action", "expert_action")}
    begun = np.zeros(cars, np.int64)  # step at which the stretch of each car began
    disturbance = np.zeros((cars, 1))
    keep = float(np.exp(-0.05 / 0.5))
    for step in range(steps):
        answer = expert_actions(expert, infos, limit)
        disturbance = keep * disturbance + np.sqrt(1 - keep**2) * noise * generator.standard_normal((cars, 1))
        driven = np.clip(pilot.act(frames, infos) + disturbance, -1.0, 1.0)
        film[:, step] = frames
        for name, now in {**infos, "driven_action": driven, "expert_action": answer}.items():
            if name in log:
                log[name][:, step] = now
        frames, _, departed, finished, infos = env.step(driven)
        over = departed | finished
        for i in (int(car) for car in np.flatnonzero(over | (step == steps - 1))):
            part = slice(begun[i], step + 1)
            signals = {name: values[i, part] for name, values in log.items()}
            yield Stretch(seeds[i], film[i, part], signals, bool(departed[i]))
            begun[i] = step + 1
        if over.any() and step < steps - 1:
            frames, infos = begin(over)
            pilot.forget(over)
            disturbance[over] = 0.0


def validate(driver: Driver, scenario: Scenario, camera: Camera | None, km: float) -> tuple[float, float]:
    """Departures per km and lateral RMS [m] of a driver on held-out roads that no test uses."""
    roads = max(1, round(1000.0 * km / scenario.road.length_m))
    seeds, parts = range(TRAINING_SEEDS, TRAINING_SEEDS + roads), -(-VALIDATION_CARS // roads)
    drives = drive_roads(lambda n: DriverPilot(driver, n), scenario, camera, seeds, roads * parts, parts=parts)
    offsets = np.concatenate([drive.traces["lateral_offset_m"] for drive in drives])
    rate = sum(drive.departures for drive in drives) / sum(drive.km for drive in drives)
    return rate, float(np.sqrt(np.mean(offsets**2)))
