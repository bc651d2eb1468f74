"""The true effect of each thing in the picture on the steering, measured again and again while the car drives.

    effect of an element    a(x, h) - a(x', h)

where x' is the same instant rendered without it, or, of one that is removed, x' is with it; h is the memory that the
driver brings along (lanekeep.effects.now).  A few elements take their turn at each step, so that every bar is at most half
a second old; after an edit, a lesion or a single step all are of the present instant.
"""

from collections.abc import Sequence

import numpy as np
import pygame

from lanekeep.effects import seen_in, steering
from lanekeep.watch.driven_car import DrivenCar, Edits
from lanekeep.watch.panels.style import BLUE, FAINT, ORANGE, PANEL, PLAIN, RED, RULE, SMALL, Canvas, mix
from lanekeep_envs import REMOVABLE, Element

AT_ONCE = 2  # elements measured in a step
LOOK_EVERY = 10  # steps between two looks at what there is to be seen
RANK_EVERY = 100  # steps between two choices of the elements that get a row
FULL_EFFECT = 0.1  # of the action, where a bar is full
ROW = 16


class LiveEffects:
    """Effects of the elements that one driver sees."""

    def __init__(self) -> None:
        self.now: dict[Element, float] = {}
        self.weight: dict[Element, float] = {}  # a running mean of the size of its effect, of all ever measured
        self._turn = 0
        self._seen: tuple[Element, ...] = ()

    def step(self, car: DrivenCar) -> None:
        """Measure the elements whose turn it is."""
        if not self._seen or car.steps % LOOK_EVERY == 0:
            self._look(car)
        waiting = [self._seen[(self._turn + k) % len(self._seen)] for k in range(min(AT_ONCE, len(self._seen)))]
        self._turn = (self._turn + len(waiting)) % max(1, len(self._seen))
        self._measure(car, waiting)

    def all(self, car: DrivenCar) -> None:
        """Measure every element in view at the present instant."""
        self._look(car)
        self._measure(car, list(self._seen))

    def _look(self, car: DrivenCar) -> None:
        seen = {*seen_in(car.scenery()), *car.edits.removed}
        self._seen = tuple(element for element in REMOVABLE if element in seen)
        for element in set(self.now) - seen:
            self.now[element] = 0.0

    def _measure(self, car: DrivenCar, elements: list[Element]) -> None:
        if not elements:
            return
        edits, snapshot = car.edits, car.env.snapshot()
        others = [Edits(edits.removed ^ {element}, edits.strengths).variant() for element in elements]
        frames = car.env.views([snapshot], [edits.variant(), *others])
        actions = steering(car.running, frames, car.before)[0]
        for element, action in zip(elements, actions[1:], strict=True):
            effect = float(action - actions[0]) if element in edits.removed else float(actions[0] - action)
            self.now[element] = effect
            size = abs(effect) + (1.0 if element in edits.removed else 0.0)  # what is removed keeps its row
            self.weight[element] = 0.9 * self.weight.get(element, size) + 0.1 * size


class BarRows:
    """Which elements get a bar: the same for all drivers, those with the largest effects, chosen anew now and then."""

    def __init__(self, most: int) -> None:
        self.elements: list[Element] = []
        self._most, self._known = most, set[Element]()

    def choose(self, effects: Sequence[LiveEffects], steps: int) -> None:
        """Choose if it is time, or if an element is new; in the order of `Element`, so that bars keep their places."""
        known = set().union(*(one.weight for one in effects))
        if steps % RANK_EVERY == 0 or known != self._known:
            self._known = known
            by_weight = sorted(sorted(known), key=lambda e: -sum(one.weight.get(e, 0.0) for one in effects))
            self.elements = sorted(by_weight[: self._most])


def rows_in(box: pygame.Rect) -> int:
    """The number of bars that a box has room for."""
    return (box.height - 6) // ROW


def row_at(box: pygame.Rect, y: float) -> int:
    """The number of the row at a height; it may be beyond the last."""
    return int((y - box.y - 3) // ROW)


def draw_bars(
    canvas: Canvas, box: pygame.Rect, rows: Sequence[Element], effects: LiveEffects, removed: frozenset[Element]
) -> None:
    """A bar for each element, to the left where it steers to the left; hollow for one that is removed."""
    canvas.plate(box, PANEL)
    left, right = box.x + 118.0, box.right - 8.0
    middle, half = (left + right) / 2.0, (right - left) / 2.0
    canvas.line([(middle, box.y + 3), (middle, box.bottom - 4)], RULE)
    for k, element in enumerate(rows):
        y = box.y + 3 + ROW * (k + 0.5)
        gone = element in removed
        number = str((k + 1) % 10) if k < 10 else ""
        canvas.write(number, (box.x + 12, y), SMALL, FAINT, "middle")
        width = canvas.write(element.title, (box.x + 22, y), SMALL, FAINT if gone else PLAIN)
        if gone:
            canvas.line([(box.x + 22, y), (box.x + 22 + width, y)], RED)
        effect = effects.now.get(element, 0.0)
        share = float(np.clip(effect / FULL_EFFECT, -1.0, 1.0))
        reach = middle - half * share
        bar = pygame.Rect(round(min(middle, reach)), round(y - 4), round(abs(reach - middle)), 8)
        colour = ORANGE if effect > 0.0 else BLUE
        if bar.width:
            canvas.plate(bar, mix(PANEL, colour, 0.45) if gone else colour)
        if abs(effect) > FULL_EFFECT:  # it goes on beyond the edge; how far stands where no bar is
            at, align = ((middle + 5, y), "left") if effect > 0.0 else ((middle - 5, y), "right")
            canvas.write(f"{abs(effect):.2f}", at, SMALL, FAINT if gone else PLAIN, align)
