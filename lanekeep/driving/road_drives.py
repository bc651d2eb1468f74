"""Drives over whole roads, from which drivers are measured: departures, and traces of every control step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep.driving.controllers import Controller, DriverController
from lanekeep.driving.rollout import Rollout, cars_on
from lanekeep.driving.seeds import TRAINING_SEEDS, Place
from lanekeep_envs import START_M, Camera, Scenario
from lanekeep_policies import Driver

F64 = NDArray[np.float64]
VALIDATION_CARS = 10  # at least, side by side
TRACES = ("lateral_offset_m", "heading_error_rad", "speed_mps", "lateral_acceleration_mps2", "curvature_per_m")


@dataclass(frozen=True, kw_only=True)
class RoadDrive:
    """A road, or a piece of it, driven from end to end."""

    seed: int
    km: float
    departures: int
    traces: dict[str, F64]  # name of TRACES -> [T]
    breaks: tuple[int, ...]  # indices at which the car was put back: no derivative across them


def drive_roads(
    controller_for: Callable[[int], Controller],
    scenario: Scenario,
    camera: Camera | None,
    seeds: Sequence[int],
    cars: int = 16,
    on_step: Callable[[float], None] = lambda km: None,
    parts: int = 1,
) -> list[RoadDrive]:
    """Drive the road of every seed once, `cars` at a time; drives come back in the order of the seeds.

    Without a camera the controllers are given the state [N, D] in place of frames.  More `parts` cut a road into as many
    equal pieces, each a drive of its own, which begins in the middle of the lane: the same kilometres are over sooner.
    """
    cuts = np.linspace(START_M, scenario.road.length_m, parts + 1).tolist()
    pieces = [_Piece(seed, begin, end) for seed in seeds for begin, end in pairwise(cuts)]
    cars = min(cars, len(pieces))
    rollout = Rollout(cars_on(scenario, camera, cars), controller_for(cars))
    waiting = iter(pieces[cars:])
    driven: list[_Piece | None] = list(pieces[:cars])
    rollout.put_down([piece.start for piece in pieces[:cars]])
    while any(driven):
        outcome, places = rollout.step(), list[Place | None]([None] * cars)
        for i, piece in enumerate(driven):
            if piece is None:
                continue
            piece.note(rollout.infos, i, bool(outcome.departed[i]))
            if outcome.is_over(i, piece.end_m):
                driven[i] = following = next(waiting, None)
                places[i] = None if following is None else following.start
            else:
                places[i] = outcome.put_back(i, piece.start.seed)
        rollout.put_down(places)
        on_step(sum(piece.km for piece in pieces))
    return [piece.drive() for piece in pieces]


class _Piece:
    """A piece of a road, and what was driven of it so far."""

    def __init__(self, seed: int, begin_m: float, end_m: float) -> None:
        self.start = Place(seed, None if begin_m == START_M else begin_m)
        self.begin_m, self.end_m = begin_m, end_m
        self.km, self.departures = 0.0, 0
        self.rows: list[tuple[float, ...]] = []
        self.breaks: list[int] = []

    def note(self, infos: dict[str, Any], car: int, departed: bool) -> None:
        self.rows.append(tuple(float(infos[name][car]) for name in TRACES))
        if departed:
            self.departures += 1
            self.breaks.append(len(self.rows))
        self.km = (float(infos["distance_m"][car]) - self.begin_m) / 1000.0

    def drive(self) -> RoadDrive:
        return RoadDrive(
            seed=self.start.seed,
            km=self.km,
            departures=self.departures,
            traces=dict(zip(TRACES, np.array(self.rows).T, strict=True)),
            breaks=tuple(self.breaks),
        )


def validate(driver: Driver, scenario: Scenario, camera: Camera | None, km: float) -> tuple[float, float]:
    """Departures per km and lateral RMS [m] of a driver on held-out roads that no test uses."""
    roads = max(1, round(1000.0 * km / scenario.road.length_m))
    seeds, parts = range(TRAINING_SEEDS, TRAINING_SEEDS + roads), -(-VALIDATION_CARS // roads)
    drives = drive_roads(lambda n: DriverController(driver, n), scenario, camera, seeds, roads * parts, parts=parts)
    offsets = np.concatenate([drive.traces["lateral_offset_m"] for drive in drives])
    rate = sum(drive.departures for drive in drives) / sum(drive.km for drive in drives)
    return rate, float(np.sqrt(np.mean(offsets**2)))
