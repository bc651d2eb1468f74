"""Labelled drives: what a car's camera saw, frame by frame, with the action to learn beside the one that was driven."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep.demonstrations import EpisodeInfo
from lanekeep.driving.controllers import Controller, ExpertController
from lanekeep.driving.disturbance import DisturbedController
from lanekeep.driving.road_drives import TRACES
from lanekeep.driving.rollout import Rollout, cars_on
from lanekeep.driving.seeds import draw_place
from lanekeep_envs import CONTROL_STEP_S, Camera, Scenario

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Stretch:
    """Consecutive frames of one car, with the expert's answer to each."""

    seed: int
    frames: NDArray[np.uint8]  # [T, H, W, 3]
    signals: dict[str, NDArray[np.float32]]  # name -> [T, ...]
    departed: bool  # whether it ends because the car left its lane


def about(
    stretch: Stretch, scenario: Scenario, camera: Camera, perturbation: str, dagger_round: int = 0
) -> EpisodeInfo:
    """The record of a stretch as an episode: scenario, road, camera, time step, how it was disturbed, and in which round."""
    return EpisodeInfo(
        scenario=scenario.name,
        seed=stretch.seed,
        dagger_round=dagger_round,
        camera=asdict(camera),
        dt_s=CONTROL_STEP_S,
        curvature_limit_per_m=scenario.curvature_limit_per_m,
        perturbation=perturbation,
    )


class StretchLog:
    """What one car has seen and done since it was put down on the road of a seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._frames: list[NDArray[np.uint8]] = []
        self._rows: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._frames)

    def note(self, rollout: Rollout, car: int, driven: F64, answer: F64) -> None:
        """Note what a car of a rollout sees, the truth about it, and the actions [N, 1] driven and to be learned."""
        self._frames.append(rollout.frames[car].copy())
        truth = {name: rollout.infos[name][car] for name in TRACES}
        self._rows.append({**truth, "driven_action": driven[car], "expert_action": answer[car]})

    def stretch(self, departed: bool, count: int | None = None) -> Stretch:
        """The first `count` of what was noted, or all of it."""
        rows = self._rows[:count]
        signals = {name: np.array([row[name] for row in rows], np.float32) for name in rows[0]}
        return Stretch(self.seed, np.stack(self._frames[:count]), signals, departed)


def label_stretches(
    controller_for: Callable[[int], Controller],
    scenario: Scenario,
    camera: Camera,
    cars: int,
    steps: int,
    noise: float,
    generator: np.random.Generator,
    candidates: int = 1,
) -> Iterator[Stretch]:
    """Let a controller drive `cars` cars for `steps` steps each, with the expert's action noted at every frame.

    The driven action is disturbed by `noise` (`DisturbedController`), so that the labels show the way back.  A car that
    departs goes on elsewhere.  Every stretch begins where `draw_place` says.
    """
    controller = DisturbedController(controller_for(cars), cars, noise, generator)
    rollout = Rollout(cars_on(scenario, camera, cars), controller)
    expert = ExpertController(scenario.curvature_limit_per_m)
    logs = [StretchLog(0)] * cars

    def begin(mask: NDArray[np.bool_]) -> None:
        places = [draw_place(scenario, generator, candidates=candidates) if put else None for put in mask]
        rollout.put_down(places)
        for car, place in enumerate(places):
            logs[car] = logs[car] if place is None else StretchLog(place.seed)

    begin(np.ones(cars, np.bool_))
    for step in range(steps):
        answer, driven = expert.act(rollout.frames, rollout.infos), rollout.decide()
        for car, log in enumerate(logs):
            log.note(rollout, car, driven, answer)
        outcome, last = rollout.drive(driven), step == steps - 1
        over = outcome.departed | outcome.finished
        for car in np.flatnonzero(over | last).tolist():
            yield logs[car].stretch(bool(outcome.departed[car]))
        if over.any() and not last:
            begin(over)
