"""The dashboard: all panels about one or two driven cars on a canvas; no display is needed."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pygame
from numpy.typing import NDArray

from lanekeep.watch.driven_car import STEP_S, DrivenCar
from lanekeep.watch.panels import style
from lanekeep.watch.panels.captions import Captions, counted, draw_captions, shortened
from lanekeep.watch.panels.circuit import draw_cells, draw_circuit, wiring_of
from lanekeep.watch.panels.effect_bars import LiveEffects, draw_bars
from lanekeep.watch.panels.layout import DUO, SOLO, UNITS, Layout
from lanekeep.watch.panels.overlay import Overlay, overlays
from lanekeep.watch.panels.plots import draw_offset, draw_steering
from lanekeep.watch.panels.road_map import draw_map
from lanekeep.watch.panels.style import Canvas, Colour
from lanekeep.watch.parallel import begun
from lanekeep_envs import DEFAULT_VEHICLE, Element

U8 = NDArray[np.uint8]
COLOURS = (style.YELLOW, style.PINK)  # of the drivers


class WatchedDriver(NamedTuple):
    """A driver that is watched, with the effects and the overlay that are measured for it."""

    name: str
    car: DrivenCar
    effects: LiveEffects
    overlay: Overlay


class Dashboard:
    """Draws the instant that one or two cars are at."""

    def __init__(self, watched: list[WatchedDriver], size: tuple[int, int] = UNITS, sharp: bool = True) -> None:
        """A dashboard of `size` pixels; not `sharp`, and windscreens that take long have a quarter of their pixels."""
        self.watched, self.sharp = watched, sharp
        self.layout: Layout = SOLO if len(watched) == 1 else DUO
        self.canvas = Canvas(size, UNITS)

    def draw(self, rows: Sequence[Element] = (), captions: Captions = Captions()) -> pygame.Surface:  # noqa: B008 (immutable)
        """Draw every part, with bars of these elements."""
        canvas, layout = self.canvas, self.layout
        cars = [one.car for one in self.watched]
        pasts, colours = [tuple(car.past) for car in cars], COLOURS[: len(cars)]
        seen = begun(self._seen, range(len(cars)))  # on the other core, while this one draws
        canvas.clear()
        self._headline()
        for k in range(len(cars)):
            self._driver(k, rows, captions)
        scenario = cars[0].scenario
        self._title(layout.road, "from above")
        places = [car.env.path_ahead() for car in cars]
        draw_map(canvas, layout.road, scenario, list(zip(places, pasts, colours, strict=True)))
        self._title(layout.steering, "steering, 1/km")
        names = ("driver",) if len(cars) == 1 else tuple(shortened(one.name) for one in self.watched)
        self._key(layout.steering, (*zip(names, colours, strict=True), ("expert", style.GREEN)))
        draw_steering(canvas, layout.steering, pasts, colours, scenario.curvature_limit_per_m)
        self._title(layout.offset, "place in the lane, m", "left is up")
        draw_offset(canvas, layout.offset, pasts, colours, scenario.lane.lane_width_m, DEFAULT_VEHICLE.half_width_m)
        for k, future in enumerate(seen):
            windscreen, eye = future.result()
            canvas.image(layout.windscreen[k], windscreen, smooth=True)
            canvas.image(layout.eye[k], eye)
        draw_captions(canvas, layout.windscreen[captions.chosen], captions)
        return canvas.surface

    def _seen(self, k: int) -> tuple[U8, U8]:
        """The view through a windscreen, and the frame of its driver under its overlay."""
        one, room = self.watched[k], self.canvas.place(self.layout.windscreen[k])
        coarse = 1 if self.sharp or one.car.is_plain else 2
        windscreen = one.car.picture(room.height // coarse, room.width // coarse)
        return windscreen, one.overlay.picture(one.car, one.effects)

    def _driver(self, k: int, rows: Sequence[Element], captions: Captions) -> None:
        """The panels of one driver."""
        canvas, layout, one = self.canvas, self.layout, self.watched[k]
        car, box = one.car, layout.windscreen[k]
        if len(self.watched) == 1:
            self._title(box, "through the windscreen")
        else:
            offset = f"{_signed(car.info['lateral_offset_m'])} m, {counted(car.departures, 'departure')}"
            width = self._title(box, shortened(one.name), offset, COLOURS[k])
            if k == captions.chosen and captions.tags:
                canvas.line([(box.x, box.y - 2), (box.x + width, box.y - 2)], COLOURS[k], 2)
        size = car.env.camera.size.replace("x", " \N{MULTIPLICATION SIGN} ")
        self._title(layout.eye[k], "what the driver sees", overlays()[one.overlay.name] or f"{size} pixels")
        canvas.plate(layout.eye[k], style.PANEL)
        self._title(layout.bars[k], "true effects")
        self._key(layout.bars[k], (("steers left", style.ORANGE), ("right", style.BLUE)))
        draw_bars(canvas, layout.bars[k], rows, one.effects, car.edits.removed)
        self._memory(layout.memory[k], car)

    def _memory(self, box: pygame.Rect, car: DrivenCar) -> None:
        core, name = car.driver.core, car.driver.spec.core
        past, wiring = tuple(car.past), wiring_of(core)
        if wiring is not None:
            self._title(box, f"its {wiring.neurons} neurons", name)
            draw_circuit(self.canvas, box, past, wiring, car.running.core, car.lesions)
        elif car.driver.state_size == 0:
            self._title(box, "no memory", name)
            self.canvas.plate(box, style.PANEL)
        else:
            self._title(box, "its memory", name)
            draw_cells(self.canvas, box, past, car.lesions)

    def _headline(self) -> None:
        car = self.watched[0].car
        info = car.info
        numbers: list[tuple[str, str, Colour]] = [
            ("road", shortened(f"{info['road_seed']}", 10), style.PLAIN),
            ("along it", f"{info['distance_m']:.0f} m", style.PLAIN),
            ("speed", f"{3.6 * info['speed_mps']:.0f} km/h", style.PLAIN),
            ("time", f"{car.steps * STEP_S:.1f} s", style.PLAIN),
        ]
        if len(self.watched) == 1:
            numbers.append(("departures", f"{car.departures}", style.RED if car.departures else style.PLAIN))
            numbers.append(("offset", f"{_signed(info['lateral_offset_m'])} m", style.PLAIN))
        names = " and ".join(shortened(one.name, 17 if len(self.watched) == 1 else 14) for one in self.watched)
        self.canvas.write(f"{names} on {shortened(car.scenario.name)}", (16, 30), style.LARGE, style.BRIGHT)
        left = UNITS[0] - 16 - 144 * len(numbers)
        for k, (label, value, colour) in enumerate(numbers):
            width = self.canvas.write(label, (left + 144 * k + 22, 30), style.NORMAL, style.FAINT)
            self.canvas.write(value, (left + 144 * k + 28 + width, 30), style.NORMAL, colour)

    def _title(self, box: pygame.Rect, left: str, right: str = "", colour: Colour = style.PLAIN) -> float:
        """Write over a box; the width of what is on the left."""
        if right:
            self.canvas.write(right, (box.right, box.y - 11), style.NORMAL, style.FAINT, "right")
        return self.canvas.write(left, (box.x, box.y - 11), style.NORMAL, colour)

    def _key(self, box: pygame.Rect, entries: tuple[tuple[str, Colour], ...]) -> None:
        x, y = float(box.right), box.y - 11
        for text, colour in reversed(entries):
            x -= self.canvas.write(text, (x, y), style.NORMAL, style.FAINT, "right") + 6
            self.canvas.line([(x - 14, y), (x, y)], colour, 2)
            x -= 24


def _signed(value: float) -> str:
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "\N{MINUS SIGN}")


def watch_over(names: list[str], cars: list[DrivenCar]) -> list[WatchedDriver]:
    """Cars with everything that is found out about their drivers."""
    return [WatchedDriver(Path(n).name, j, LiveEffects(), Overlay()) for n, j in zip(names, cars, strict=True)]
