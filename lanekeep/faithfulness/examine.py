"""The experiment: a driver is shown the judged instants, every removable element is taken away in turn, maps are drawn.

The driver is shown what the expert saw and brings its own memory along.  At every instant the effect of each element now is
measured, and the maps of every method are held against it; at one instant of each road the costly effects are measured as
well: absent for a second, a pulse, all coalitions of groups, and the closed loop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lanekeep.driving.drivers import states_along
from lanekeep.effects import (
    ReRenderer,
    changed,
    closed_loop,
    coalitions,
    placebo_threshold,
    pulse,
    removal_of,
    steering,
    with_memory,
)
from lanekeep.faithfulness.controls import CONTROLS, untrained
from lanekeep.faithfulness.instants import AFTER_STEPS, JudgedInstants, Subject
from lanekeep.faithfulness.known_driver import known_driver, painted
from lanekeep.faithfulness.metrics import F32, F64, METRICS, U8, ground_truth_of, metrics_of, spearman
from lanekeep.saliency import METHODS, maps
from lanekeep_envs import GROUPS, REMOVABLE, Camera, Element, Intervention, Snapshot
from lanekeep_policies import Driver

KNOWN = 6  # instants of the known-answer driver
MEMORY_STEPS = 20  # that an element is absent for
LANE = (Element.LEFT_MARKING, Element.CENTRE_MARKING, Element.RIGHT_MARKING)
REMOVALS = tuple(removal_of([element]) for element in REMOVABLE)


@dataclass
class Findings:
    """What was found of one driver; I instants, C costly ones, K removable elements, G groups."""

    effects: F64  # [I, K] now
    placebo_threshold: float
    masks: NDArray[np.bool_]  # [I, K, H, W] the pixels that an element changes
    remembered: F64  # [C, K] absent for the last second
    curves: F64  # [C, K, AFTER_STEPS]
    coalitions: F64  # [C, 2^G] the steering with only some groups present
    displaced_m: F64  # [C, K] after 3 s
    metrics: dict[str, F64] = field(default_factory=dict)  # method or control -> [I, METRICS]
    untrained: dict[str, F64] = field(default_factory=dict)  # method -> [I, METRICS] of the same network untrained
    alike: dict[str, F64] = field(default_factory=dict)  # method -> [I] correlation with the untrained network's map


def effects_now(
    driver: Driver, projector: ReRenderer, snapshot: Snapshot, state: Tensor
) -> tuple[F64, NDArray[np.bool_]]:
    """Effects [K] of all removable elements at an instant, and the pixels [K, H, W] that each of them changes.

    Only elements that change a pixel are shown to the driver; the others have no effect.
    """
    shown = projector.frames([snapshot], [(), *REMOVALS])[0]
    masks = changed(shown[:1], shown[1:])
    seen, effects = masks.any((1, 2)), np.zeros(len(REMOVABLE))
    actions = steering(driver, shown[None, np.append(True, seen)], state)[0]
    effects[seen] = actions[0] - actions[1:]
    return effects, masks


class Examiner:
    """Shows the instants to one driver; the interventions of `base` are done to every scene first."""

    def __init__(self, subject: Subject, instants: JudgedInstants, base: Sequence[Intervention] = ()) -> None:
        self.subject, self.instants = subject, instants
        self.projector = ReRenderer(instants.tapes[0].scenario, subject.camera, base)
        films = [self.projector.frames(tape.snapshots)[:, 0] for tape in instants.tapes]
        self._along = [states_along(subject.driver, film) for film in films]
        self.frames: U8 = np.stack([films[tape][t] for tape, t in instants.picks])
        self.states = torch.stack([self._along[tape][t] for tape, t in instants.picks])

    def snapshots(self, pick: int, before: int = 0, after: int = 1) -> Sequence[Snapshot]:
        """The instants around a pick."""
        tape, t = self.instants.picks[pick]
        return self.instants.tapes[tape].snapshots[max(0, t - before) : t + after]

    def state(self, pick: int, before: int = 0) -> Tensor:
        """The memory [1, S] that the driver brings to a pick, or to an instant some steps before it."""
        tape, t = self.instants.picks[pick]
        return self._along[tape][max(0, t - before)][None]

    def examine(self, methods: Sequence[str], tell: Callable[[str], None]) -> Findings:
        """Measure all effects, and the metrics of the maps of these methods."""
        found = self.effects(tell)
        self._costly(found, tell)
        self.maps(found, methods, tell)
        return found

    def effects(self, tell: Callable[[str], None]) -> Findings:
        """Measure what every element does now; the other findings are still zero or empty."""
        driver, picks, costly = self.subject.driver, range(len(self.instants.picks)), len(self.instants.costly)
        effects, masks = list[F64](), list[NDArray[np.bool_]]()
        for i in picks:
            tell("effects")
            of_elements, pixels = effects_now(driver, self.projector, self.snapshots(i)[0], self.state(i))
            effects.append(of_elements)
            masks.append(pixels)
        return Findings(
            effects=np.stack(effects),
            placebo_threshold=placebo_threshold(driver, self.frames, self.states),
            masks=np.stack(masks),
            remembered=np.zeros((costly, len(REMOVABLE))),
            curves=np.zeros((costly, len(REMOVABLE), AFTER_STEPS)),
            coalitions=np.zeros((costly, 1 << len(GROUPS))),
            displaced_m=np.zeros((costly, len(REMOVABLE))),
        )

    def _costly(self, found: Findings, tell: Callable[[str], None]) -> None:
        driver, groups = self.subject.driver, coalitions(list(GROUPS.values()))
        for row, pick in enumerate(self.instants.costly):
            tell("memory")
            seen = np.flatnonzero(found.masks[pick].any((1, 2)))
            variants = [REMOVALS[k] for k in seen]
            before, state = self.snapshots(pick, MEMORY_STEPS - 1), self.state(pick, MEMORY_STEPS - 1)
            found.remembered[row, seen] = with_memory(driver, self.projector, before, state, variants)
            after = self.snapshots(pick, 0, AFTER_STEPS)
            found.curves[row, seen] = pulse(driver, self.projector, after, self.state(pick), variants)
            tell("coalitions")
            shown = self.projector.frames(self.snapshots(pick), groups)
            found.coalitions[row] = steering(driver, shown, self.state(pick))[0]
            tell("closed loop")
            tape, at = self.instants.picks[pick]
            forks = closed_loop(driver, self.subject.camera, self.instants.tapes[tape], at, self.state(pick), variants)
            found.displaced_m[row, seen] = forks.offsets_m[:, -1]

    def maps(self, found: Findings, methods: Sequence[str], tell: Callable[[str], None]) -> None:
        """Hold maps of the driver, of controls, and of the same network untrained against the effects."""
        driver = self.subject.driver
        truths = [
            ground_truth_of(m, e, found.placebo_threshold) for m, e in zip(found.masks, found.effects, strict=True)
        ]
        fresh = untrained(driver)
        fresh_states = fresh.initial_state(1).expand(len(self.frames), -1)

        def scored(shown: F32, picks: Sequence[int], attributes: bool) -> F64:
            """Metrics in the rows of `Findings.effects`; NaN where no map was drawn."""
            table = np.full((len(truths), len(METRICS)), np.nan)
            for row, pick in enumerate(picks):
                table[pick] = metrics_of(shown[row], truths[pick], attributes)
            return table

        every = range(len(self.frames))
        for name, control in CONTROLS.items():
            found.metrics[name] = scored(control(self.frames), every, False)
        for name in methods:
            tell(METHODS[name].title)
            picks, sign = self.instants.costly if METHODS[name].slow else every, METHODS[name].attributes
            frames = self.frames[list(picks)]
            shown = maps(name, driver, frames, self.states[list(picks)])
            other = maps(name, fresh, frames, fresh_states[: len(frames)])
            found.metrics[name], found.untrained[name] = scored(shown, picks, sign), scored(other, picks, sign)
            found.alike[name] = np.array([alike(a, b) for a, b in zip(shown, other, strict=True)])


def examine_known_driver(
    instants: JudgedInstants, camera: Camera, methods: Sequence[str], tell: Callable[[str], None]
) -> Findings:
    """Measure maps of a driver whose focus is known by construction: what a metric is worth.

    The rest of the picture acts on it through the contrast; a quarter of what its cue does is the threshold of an effect.
    """
    tapes = instants.tapes[:KNOWN]
    picks = tuple(instants.picks[pick] for pick in instants.costly[:KNOWN])
    driver = known_driver(camera, tapes[0].scenario.curvature_limit_per_m)
    subject, some = Subject("known answer", driver, camera), JudgedInstants(tapes, picks, tuple(range(len(picks))))
    examiner = Examiner(subject, some, painted(Element.RIGHT_MARKING))
    found = examiner.effects(tell)
    found.placebo_threshold = 0.25 * float(np.abs(found.effects).max())
    examiner.maps(found, methods, tell)
    return found


def alike(a: F32, b: F32) -> float:
    """Spearman's correlation of the strengths of two maps, pixel by pixel."""
    return spearman(np.abs(a).ravel().astype(np.float64), np.abs(b).ravel().astype(np.float64))
