"""The study behind the page: two drivers, the same instants of a third one's drives, every element taken away.

The expert drives on each road for SECONDS, from a place that the seed decides.  Both drivers are shown what it saw, and
bring their own memory along.  At every instant that is judged, each removable element is taken away in turn, and the maps
of every method are drawn; at one instant of each road the costly effects are measured as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lanekeep.driving.controllers import ExpertController
from lanekeep.driving.drivers import states_along
from lanekeep.effects import (
    GROUPS,
    RecordedDrive,
    ReRenderer,
    changed,
    closed_loop,
    coalitions,
    pulse,
    record_drive,
    removal_of,
    steering,
    with_memory,
)
from lanekeep.effects.interventional import AHEAD_S
from lanekeep.effects.placebo import PERCENTILE, placebo_effects
from lanekeep.faithfulness import controls
from lanekeep.faithfulness.known_driver import one_cue_driver, painted
from lanekeep.faithfulness.metrics import MARKS, marks_of, spearman, truth_of
from lanekeep.saliency import METHODS, maps, ssim
from lanekeep_envs import CONTROL_STEP_S, REMOVABLE, START_M, Camera, Element, Intervention, Scenario
from lanekeep_policies import Driver

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
SECONDS = 12.0  # of each drive
SETTLING_S = 2.0  # in which memories fill
JUDGED_EVERY_S = 2.0
KNOWN = 6  # instants of the driver of one cue
MEMORY_STEPS, AFTER_STEPS = 20, 40  # absent for so long; watched for so long after a pulse
NOISES, DRAWS = (0.02, 0.05, 0.1, 0.2), 4  # deviations in full brightness, and how often each is drawn
LANE = (Element.LEFT_MARKING, Element.CENTRE_MARKING, Element.RIGHT_MARKING)
ALL = tuple(removal_of([element]) for element in REMOVABLE)


@dataclass(frozen=True)
class Subject:
    """One of the two."""

    name: str
    driver: Driver
    camera: Camera


@dataclass(frozen=True)
class Instants:
    """What is judged: moments of tapes."""

    tapes: tuple[RecordedDrive, ...]
    picks: tuple[tuple[int, int], ...]  # (tape, step), some of each tape
    costly: tuple[int, ...]  # which of them get the costly effects: one of each tape

    @property
    def roads(self) -> list[int]:
        """The tape of each pick, over which intervals are drawn."""
        return [tape for tape, _ in self.picks]


@dataclass
class Findings:
    """What was found of one driver; I instants, C costly ones, K removable elements, G groups."""

    effects: F64  # [I, K] now
    placebos: F64  # [I, P]
    floor: float
    masks: NDArray[np.bool_]  # [I, K, H, W] the pixels that an element changes
    remembered: F64  # [C, K] absent for the last second
    curves: F64  # [C, K, AFTER_STEPS]
    coalitions: F64  # [C, 2^G] the steering with only some groups present
    displaced_m: F64  # [C, K] after 3 s
    marks: dict[str, F64] = field(default_factory=dict)  # method or control -> [I, marks]
    untrained: dict[str, F64] = field(default_factory=dict)  # method -> [I, marks]
    alike: dict[str, F64] = field(default_factory=dict)  # method -> [I] correlation with the untrained driver's map


def film_roads(scenario: Scenario, seeds: Sequence[int]) -> Instants:
    """Let the expert drive, and choose the instants."""
    tapes, picks, costly = list[RecordedDrive](), list[tuple[int, int]](), list[int]()
    steps, settling, every = (round(s / CONTROL_STEP_S) for s in (SECONDS, SETTLING_S, JUDGED_EVERY_S))
    after = max(AFTER_STEPS, round(AHEAD_S / CONTROL_STEP_S))  # of road, for the costly effects
    room = max(scenario.road.length_m - 400.0, START_M)
    for seed in seeds:
        start = START_M + np.random.default_rng([seed, 7]).random() * (room - START_M)
        tape = record_drive(ExpertController(scenario.curvature_limit_per_m), scenario, None, seed, steps, float(start))
        chosen = [(len(tapes), t) for t in range(settling, len(tape) - after, every)]
        if chosen:
            costly.append(len(picks) + len(chosen) // 2)
            picks += chosen
            tapes.append(tape)
    return Instants(tuple(tapes), tuple(picks), tuple(costly))


class Examiner:
    """Shows the instants to one driver; `base` is done to every scene first."""

    def __init__(self, subject: Subject, instants: Instants, base: Sequence[Intervention] = ()) -> None:
        self.subject, self.instants = subject, instants
        scenario = instants.tapes[0].scenario
        self.projector = ReRenderer(scenario, subject.camera, base)
        films = [self.projector.frames(tape.snapshots)[:, 0] for tape in instants.tapes]
        self._along = [states_along(subject.driver, film) for film in films]
        self.frames: U8 = np.stack([films[tape][t] for tape, t in instants.picks])
        self.states = torch.stack([self._along[tape][t] for tape, t in instants.picks])

    def snapshots(self, pick: int, before: int = 0, after: int = 1) -> Sequence[object]:
        """Instants around a pick."""
        tape, t = self.instants.picks[pick]
        return self.instants.tapes[tape].snapshots[max(0, t - before) : t + after]

    def state(self, pick: int, before: int = 0) -> Tensor:
        """The memory [1, S] that was brought to it, or to an earlier instant."""
        tape, t = self.instants.picks[pick]
        return self._along[tape][max(0, t - before)][None]

    def examine(self, methods: Sequence[str], tell: Callable[[str], None]) -> Findings:
        """Everything."""
        found = self.effects(tell)
        self._costly(found, tell)
        self.maps(found, methods, tell)
        return found

    def effects(self, tell: Callable[[str], None]) -> Findings:
        """What every element does now; the rest of the findings is yet to come."""
        driver, picks, costly = self.subject.driver, range(len(self.instants.picks)), len(self.instants.costly)
        count, size = len(REMOVABLE), self.frames.shape[1:3]
        effects, masks = np.zeros((len(picks), count)), np.zeros((len(picks), count, *size), np.bool_)
        for i in picks:
            tell("effects")
            shown = self.projector.frames(self.snapshots(i), [(), *ALL])  # type: ignore[arg-type]
            masks[i] = changed(shown[0, :1], shown[0, 1:])
            seen = masks[i].any((1, 2))
            kept = np.concatenate([shown[:, :1], shown[:, 1:][:, seen]], 1)
            actions = steering(driver, kept, self.states[i : i + 1])[0]
            effects[i, seen] = actions[0] - actions[1:]
        placebos = placebo_effects(driver, self.frames, self.states)
        return Findings(
            effects=effects,
            placebos=placebos,
            floor=float(np.percentile(np.abs(placebos), PERCENTILE)),
            masks=masks,
            remembered=np.zeros((costly, count)),
            curves=np.zeros((costly, count, AFTER_STEPS)),
            coalitions=np.zeros((costly, 1 << len(GROUPS))),
            displaced_m=np.zeros((costly, count)),
        )

    def _costly(self, found: Findings, tell: Callable[[str], None]) -> None:
        driver, groups = self.subject.driver, coalitions(list(GROUPS.values()))
        for row, pick in enumerate(self.instants.costly):
            tell("memory")
            seen = np.flatnonzero(found.masks[pick].any((1, 2)))
            variants = [ALL[k] for k in seen]
            before, now = self.snapshots(pick, MEMORY_STEPS - 1), self.snapshots(pick)
            state = self.state(pick, MEMORY_STEPS - 1)
            found.remembered[row, seen] = with_memory(driver, self.projector, before, state, variants)  # type: ignore[arg-type]
            after = self.snapshots(pick, 0, AFTER_STEPS)
            found.curves[row, seen] = pulse(driver, self.projector, after, self.state(pick), variants)  # type: ignore[arg-type]
            tell("coalitions")
            shown = self.projector.frames(now, groups)  # type: ignore[arg-type]
            found.coalitions[row] = steering(driver, shown, self.state(pick))[0]
            tell("closed loop")
            tape, at = self.instants.picks[pick]
            forks = closed_loop(driver, self.subject.camera, self.instants.tapes[tape], at, self.state(pick), variants)
            found.displaced_m[row, seen] = forks.offsets_m[:, -1]

    def maps(self, found: Findings, methods: Sequence[str], tell: Callable[[str], None]) -> None:
        """Mark the maps of the driver, of controls, and of the same network untrained."""
        driver = self.subject.driver
        truths = [truth_of(m, e, found.floor) for m, e in zip(found.masks, found.effects, strict=True)]
        fresh = controls.untrained(driver)
        fresh_states = fresh.initial_state(1).expand(len(self.frames), -1)

        def mark(shown: F32, picks: Sequence[int], attributes: bool) -> F64:
            """Row by row of `Findings.effects`; NaN where no map was drawn."""
            table = np.full((len(truths), len(MARKS)), np.nan)
            for row, pick in enumerate(picks):
                table[pick] = marks_of(shown[row], truths[pick], attributes)
            return table

        every = range(len(self.frames))
        for name, control in controls.CONTROLS.items():
            found.marks[name] = mark(control(self.frames), every, False)
        for name in methods:
            tell(METHODS[name].title)
            picks, sign = self.instants.costly if METHODS[name].slow else every, METHODS[name].attributes
            frames = self.frames[list(picks)]
            shown = maps(name, driver, frames, self.states[list(picks)])
            other = maps(name, fresh, frames, fresh_states[: len(frames)])
            found.marks[name], found.untrained[name] = mark(shown, picks, sign), mark(other, picks, sign)
            found.alike[name] = np.array([alike(a, b) for a, b in zip(shown, other, strict=True)])


def marks_of_one_cue(
    instants: Instants, camera: Camera, methods: Sequence[str], tell: Callable[[str], None]
) -> Findings:
    """The marks of maps of a driver whose focus is known by construction: what a mark is worth.

    The rest of the picture acts on it through the contrast; a quarter of what the cue does is not counted as one.
    """
    tapes = instants.tapes[:KNOWN]
    picks = tuple(instants.picks[pick] for pick in instants.costly[:KNOWN])
    driver = one_cue_driver(camera, tapes[0].scenario.curvature_limit_per_m)
    subject, some = Subject("one cue", driver, camera), Instants(tapes, picks, tuple(range(len(picks))))
    examiner = Examiner(subject, some, painted(Element.RIGHT_MARKING))
    found = examiner.effects(tell)
    found.floor = 0.25 * float(np.abs(found.effects).max())
    examiner.maps(found, methods, tell)
    return found


def alike(a: F32, b: F32) -> float:
    """Spearman's correlation of the strengths of two maps, pixel by pixel."""
    return spearman(np.abs(a).ravel().astype(np.float64), np.abs(b).ravel().astype(np.float64))


@dataclass(frozen=True)
class Noisy:
    """What noise in the frame does to a map and to the steering, at each of NOISES; n frames, N noises."""

    ssim: dict[str, F64]  # method, or `edges` -> [n, N]
    untrained: dict[str, F64]  # method -> [n, N]
    steering: F64  # [n, N] mean of |change of the action|


def under_noise(examiner: Examiner, methods: Sequence[str], tell: Callable[[str], None]) -> Noisy:
    """SSIM of maps of clean and of noisy frames, each pair on one scale; at the costly instants."""
    driver, picks = examiner.subject.driver, list(examiner.instants.costly)
    frames, states, fresh = examiner.frames[picks], examiner.states[picks], controls.untrained(examiner.subject.driver)
    fresh_states = fresh.initial_state(1).expand(len(picks), -1)
    generator = np.random.default_rng(0)
    shape = (len(NOISES), DRAWS, *frames.shape)
    off = 255.0 * np.array(NOISES)[:, None, None, None, None, None] * generator.standard_normal(shape)
    noisy: U8 = np.clip(np.round(frames + off), 0, 255).astype(np.uint8)  # [N, D, n, H, W, 3]

    def similar(draw: Callable[[U8, Tensor], F32], memories: Tensor) -> F64:
        clean = np.abs(draw(frames, memories))
        both = [np.abs(draw(shown, memories)) for shown in noisy.reshape(-1, *frames.shape)]
        found = [
            [ssim(m, other[k], max(float(m.max()), float(other[k].max()), 1e-12)) for k, m in enumerate(clean)]
            for other in both
        ]
        return np.asarray(np.array(found).reshape(len(NOISES), DRAWS, len(picks)).mean(1).T)

    found, other = {"edges": similar(lambda x, h: controls.edges(x), states)}, dict[str, F64]()
    for name in methods:
        tell(f"{METHODS[name].title} under noise")
        found[name] = similar(lambda x, h, name=name: maps(name, driver, x, h), states)  # type: ignore[misc]
        other[name] = similar(lambda x, h, name=name: maps(name, fresh, x, h), fresh_states)  # type: ignore[misc]
    clean = steering(driver, frames[:, None], states)
    changed_to = steering(driver, noisy.reshape(-1, *frames.shape).swapaxes(0, 1), states)
    moved = np.abs(changed_to - clean).reshape(len(picks), len(NOISES), DRAWS).mean(2)
    return Noisy(found, other, moved)
