"""Predictors: the confounder's share in the steering and in the maps, measured where it is tied, before it is untied.

The expert drives; every driver is shown what it saw and brings its own memory along.  At each instant I that is judged:

    effect       |a(x) - a(x without the confounder)|, of the sum of such changes over every single element
    Shapley      its |Shapley value|, of the sum over the confounder, each lane marking and all other elements together
    map          share of the strength of a saliency map on the pixels that the confounder changes

Effects are added up before they are divided, so that a quiet instant counts for little; a map has a share in each frame.
What the pixels alone explain is measured as well: their share of the frame, and of the strength of its edges.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lanekeep.effects import ReRenderer, changed, removal_of, shapley, steering
from lanekeep.faithfulness import controls
from lanekeep.faithfulness.examine import LANE
from lanekeep.faithfulness.instants import record_instants
from lanekeep.saliency import maps
from lanekeep.study.confusion.confounders import Confounder
from lanekeep_envs import REMOVABLE, Camera, Intervention, Scenario
from lanekeep_policies import Driver

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
EFFECTS = {"effect": "effect, now", "shapley": "effect, Shapley"}
MAPS = ("visual-backprop", "gradient", "integrated-gradients")
CONTROLS = {"flat": "of the frame", "edges": "of its edges"}


@dataclass(frozen=True)
class Exhibits:
    """What every driver is shown: R films of T frames, and I instants of them in V variants."""

    films: tuple[U8, ...]  # [T, H, W, 3] each
    picks: tuple[tuple[int, int], ...]  # (film, frame) of each instant
    singles: U8  # [I, 2 + K, H, W, 3] everything there, without the confounder, without each of K others
    company: U8  # [I, 2^5, H, W, 3] bit 0 of the place: if the confounder is there, then the markings, then the rest
    masks: NDArray[np.bool_]  # [I, H, W] pixels that the confounder changes

    @property
    def roads(self) -> NDArray[np.int64]:
        """The film of each instant [I]."""
        return np.array([film for film, _ in self.picks])

    @property
    def frames(self) -> U8:
        """The instants with everything there [I, H, W, 3]."""
        return self.singles[:, 0]


@dataclass(frozen=True)
class Share:
    """A share on every road: what belongs to the confounder, and of how much."""

    part: F64  # [R]
    whole: F64  # [R]


def exhibits_of(scenario: Scenario, camera: Camera, confounder: Confounder, seeds: Sequence[int]) -> Exhibits:
    """Let the expert drive the roads of these seeds, and render every variant once, for all drivers."""
    instants = record_instants(scenario, seeds)
    projector = ReRenderer(scenario, camera)
    others = [element for element in REMOVABLE if element is not confounder.element]
    snapshots = [instants.tapes[tape].snapshots[t] for tape, t in instants.picks]
    singles = projector.frames(snapshots, [(), (confounder.absent,), *(removal_of([element]) for element in others)])
    return Exhibits(
        films=tuple(projector.frames(tape.snapshots)[:, 0] for tape in instants.tapes),
        picks=instants.picks,
        singles=singles,
        company=projector.frames(snapshots, companies(confounder)),
        masks=changed(singles[:, 0], singles[:, 1]),
    )


def companies(confounder: Confounder) -> list[tuple[Intervention, ...]]:
    """A variant for each set of the confounder, the three markings and the rest: what is not in the set is absent."""
    rest = [element for element in REMOVABLE if element not in (*LANE, confounder.element)]
    groups = [(confounder.absent,), *(removal_of([element]) for element in LANE), removal_of(rest)]
    sets = range(1 << len(groups))
    return [tuple(do for k, group in enumerate(groups) if not there >> k & 1 for do in group) for there in sets]


def shares_of(driver: Driver, shown: Exhibits, tell: Callable[[str], None]) -> dict[str, Share]:
    """The confounder's share by every effect of EFFECTS and every map of MAPS."""
    tell("effects")
    states = memories_of(driver, shown)
    actions = steering(driver, shown.singles, states)
    sizes = np.abs(actions[:, :1] - actions[:, 1:])
    values = np.abs(shapley(steering(driver, shown.company, states)))
    found = {
        "effect": _by_road(shown, sizes[:, 0], sizes.sum(1)),
        "shapley": _by_road(shown, values[:, 0], values.sum(1)),
    }
    for name in MAPS:
        tell(name)
        found[name] = _of_maps(shown, maps(name, driver, shown.frames, states))
    return found


def memories_of(driver: Driver, shown: Exhibits) -> Tensor:
    """The memories [I, S] that a driver brings to the instants, having seen their films from the first frame on."""
    step, state, kept = driver.stepper(), driver.initial_state(len(shown.films)), dict[tuple[int, int], Tensor]()
    for t in range(max(t for _, t in shown.picks) + 1):
        kept |= {(film, when): state[film].clone() for film, when in shown.picks if when == t}
        # a film that is over stands still: none of its instants is yet to come
        _, state = step(np.stack([film[min(t, len(film) - 1)] for film in shown.films]), state)
    return torch.stack([kept[pick] for pick in shown.picks]).detach()


def shares_of_pixels(shown: Exhibits) -> dict[str, Share]:
    """The confounder's share of maps that know no driver: a flat map, which is its share of the frame, and edges."""
    return {name: _of_maps(shown, controls.CONTROLS[name](shown.frames)) for name in CONTROLS}


def _of_maps(shown: Exhibits, found: F32) -> Share:
    strength = np.abs(found).astype(np.float64)
    total = np.maximum(strength.sum((1, 2)), 1e-12)  # a map that shows nothing points at nothing
    return _by_road(shown, (strength * shown.masks).sum((1, 2)) / total, np.ones(len(total)))


def _by_road(shown: Exhibits, part: F64, whole: F64) -> Share:
    of_road = (np.arange(len(shown.films))[:, None] == shown.roads).astype(np.float64)  # [R, I]
    return Share(of_road @ part, of_road @ whole)
