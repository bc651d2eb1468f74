"""The show: one or two drivers on the same road, in step, and everything that a person can do to them.

Time is counted in ticks: 1/20 s of the show.  A tick drives as many control steps as its pace says, none while the
show is held.  What a person does is an action (actions.py) that takes effect between two ticks, so that the same actions at
the same ticks make the same show: a key, a line of a script and a bug report are one thing.  Drawing changes nothing.
"""

from collections.abc import Sequence
from pathlib import Path

import pygame

from lanekeep.driving.drivers import camera_of, check_driver
from lanekeep.errors import UserError
from lanekeep.video import Film, write_picture
from lanekeep.watch.driven_car import FRAMES_PER_S, NOISIEST, DrivenCar, Edits
from lanekeep.watch.panels.captions import Captions, counted
from lanekeep.watch.panels.dashboard import Dashboard, watch_over
from lanekeep.watch.panels.effect_bars import BarRows, rows_in
from lanekeep.watch.panels.layout import UNITS
from lanekeep.watch.panels.overlay import overlays
from lanekeep.watch.panels.style import GROUND
from lanekeep.watch.parallel import each_at_once
from lanekeep_envs import STRENGTHS, Element, Scenario, load_scenario, scenario_names
from lanekeep_policies import Driver, Lesions

PACES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
WEATHER = (*STRENGTHS["weather"], *STRENGTHS["surface"], *STRENGTHS["sensor"], "noise")  # what can be made stronger
MESSAGE_TICKS = 50


class Show:
    """Driven cars in step, the dashboard that draws them, and the film that records them."""

    def __init__(
        self,
        names: Sequence[str],
        drivers: Sequence[Driver],
        scenario: Scenario,
        seed: int,
        size: tuple[int, int] = UNITS,
        sharp: bool = True,
    ) -> None:
        self.names, self.drivers = list(names), list(drivers)
        self.ticks, self.pace, self.held, self.help, self.open = 0, 1.0, False, False, True
        self.chosen, self.weather, self.overlay = 0, WEATHER[0], "none"
        self.message, self._message_until, self._owed = "", 0, 0.0
        self.hint = ""  # of whoever listens to keys
        self.film: Film | None = None
        self.size, self._sharp = size, sharp
        self.begin(self.new_cars(scenario, seed), seed)

    def new_cars(self, scenario: Scenario, seed: int) -> list[DrivenCar]:
        """A car for each driver on a road of a scenario; UserError where a driver was made for another world."""
        cars = []
        for driver in self.drivers:
            check_driver(driver, scenario)
            camera = camera_of(driver)
            assert camera is not None
            cars.append(DrivenCar(driver, scenario, camera, seed))
        return cars

    def begin(self, cars: list[DrivenCar], seed: int) -> None:
        """Show these cars from now on; another scenario begins with the road of `seed`."""
        self.scenario, self.first_seed = cars[0].scenario, seed
        self.watched = watch_over(self.names, cars)
        self.dashboard = Dashboard(self.watched, self.size, self._sharp)
        self.rows = BarRows(rows_in(self.dashboard.layout.bars[0]))
        self.show_overlay(self.overlay)
        self.measure()

    @property
    def cars(self) -> list[DrivenCar]:
        """The driven cars, one for each driver."""
        return [one.car for one in self.watched]

    @property
    def car(self) -> DrivenCar:
        """The driven car of the driver whose turn it is."""
        return self.watched[self.chosen].car

    def tick(self) -> None:
        """Let 1/20 s of the show pass."""
        self.ticks += 1
        if not self.held:
            self._owed += self.pace
            while self._owed >= 1.0:
                self._owed -= 1.0
                self._drive()

    def step(self) -> None:
        """Hold, and drive one control step."""
        self.held = True
        self._drive()
        self.measure()

    def _drive(self) -> None:
        roads = [car.road_seed for car in self.cars]
        each_at_once(DrivenCar.advance, self.cars)
        for road, car in zip(roads, self.cars, strict=True):
            if car.road_seed != road:  # one is at the end of the road: all go on to the next
                self._to_road(car.road_seed)
                break
        each_at_once(lambda one: one.effects.step(one.car), self.watched)
        self.rows.choose([one.effects for one in self.watched], self.car.steps)

    def _to_road(self, seed: int) -> None:
        for car in self.cars:
            if car.road_seed != seed:
                car.go_to(seed)

    def measure(self) -> None:
        """Measure every effect at the present instant."""
        each_at_once(lambda one: one.effects.all(one.car), self.watched)
        self.rows.choose([one.effects for one in self.watched], self.car.steps)

    def draw(self) -> pygame.Surface:
        """The picture of this tick."""
        return self._drawn(self.message if self.ticks < self._message_until else "")

    def _drawn(self, message: str) -> pygame.Surface:
        return self.dashboard.draw(
            self.rows.elements, Captions(self._tags(), message, self.chosen, self.help, self.hint)
        )

    def _tags(self) -> tuple[str, ...]:
        tags = ["held"] if self.held else []
        tags += [f"{self.pace:g}\N{MULTIPLICATION SIGN} speed"] if self.pace != 1.0 else []
        hand = self.car.hand
        tags += [f"you steer {hand:+.2f}".replace("-", "\N{MINUS SIGN}")] if hand is not None else []
        edits, lesions = self.car.edits, self.car.lesions
        tags += [f"{name} {strength:.1f}" for name, strength in edits.strengths.items()]
        gone = len(edits.removed)
        tags += [f"{gone} removed"] if gone else []
        touched = len(lesions.silenced) + len(lesions.clamped) + len(lesions.cut)
        tags += [counted(touched, "lesion")] if touched else []
        tags += [self.car.left_to_steer] if self.car.left_to_steer else []
        return (*tags, *(["recording"] if self.film is not None else []))

    def say(self, message: str) -> None:
        """Show a sentence for a while."""
        self.message, self._message_until = message, self.ticks + MESSAGE_TICKS

    def choose(self, number: int) -> None:
        """Let the wheel and the lesions be those of this driver, counted from 0; ValueError if there is none.

        The wheel of the other driver is given back, as no hand would hold it.
        """
        if not 0 <= number < len(self.watched):
            there = "is 1 driver" if len(self.watched) == 1 else f"are {len(self.watched)} drivers"
            raise ValueError(f"there {there}, so none is number {number + 1}")
        if number != self.chosen:
            self.car.hand = None
            self.chosen = number
            self.say(f"now it is the turn of {self.watched[number].name}: wheel and lesions are its own")

    def show_overlay(self, name: str) -> None:
        """Put an overlay on the pictures of all drivers; KeyError for one that is not there."""
        overlays()[name]
        self.overlay = name
        for one in self.watched:
            one.overlay.name = name

    def edit(self, edits: Edits) -> None:
        """Let all drivers see the world under these edits."""
        for car in self.cars:
            car.edit(edits)
        self.measure()

    def toggle(self, element: Element) -> None:
        """Remove an element, or put it back."""
        edits = self.car.edits
        self.edit(Edits(edits.removed ^ {element}, edits.strengths))

    def strengthen(self, name: str, strength: float) -> None:
        """Give weather, wear or the lens a strength, 0 to 1."""
        edits = self.car.edits
        self.edit(Edits(edits.removed, {**edits.strengths, name: min(max(round(strength, 3), 0.0), 1.0)}))

    def strength_of(self, name: str) -> float:
        """The strength that is seen now."""
        own = self.car.env.snapshot().state.appearances[0]
        given = float(own["noise_grey"]) / NOISIEST if name == "noise" else float(own[name])
        return self.car.edits.strengths.get(name, given)

    def lesion(self, lesions: Lesions) -> None:
        """Put the driver whose turn it is under lesions; ValueError for a neuron or synapse that it does not have."""
        self.car.lesion(lesions)
        self.watched[self.chosen].effects.all(self.car)

    def go_to_road(self, seed: int) -> None:
        """Put all drivers at the beginning of a road."""
        for car in self.cars:
            car.go_to(seed)
        self.measure()

    def change_scenario(self, name: str) -> None:
        """Go on in another scenario, from the beginning, with the same edits and lesions; ValueError, UserError."""
        cars = self.new_cars(load_scenario(name), self.first_seed)
        for old, new in zip(self.cars, cars, strict=True):
            new.lesion(old.lesions)
            new.edit(old.edits)
        self.begin(cars, self.first_seed)

    def next_scenario(self) -> str:
        """The name of the scenario after this one, of those that the drivers were made for."""
        names = scenario_names()
        here = names.index(self.scenario.name) + 1 if self.scenario.name in names else 0
        in_turn = names[here:] + names[:here]
        return next((name for name in in_turn if self._suits(load_scenario(name))), in_turn[0])

    def _suits(self, scenario: Scenario) -> bool:
        try:
            for driver in self.drivers:
                check_driver(driver, scenario)
        except UserError:
            return False
        return True

    def picture(self, path: Path) -> None:
        """Write the dashboard of now, without a message, as a .png file."""
        write_picture(path, self._drawn(""))

    def record(self, path: Path) -> None:
        """Begin a film of everything from the next frame on; UserError if there is one already."""
        if self.film is not None:
            raise UserError("a film is being recorded already")
        self.film = Film(path, self.size, FRAMES_PER_S, GROUND)

    def into_film(self, surface: pygame.Surface) -> None:
        """Record a picture, if a film is being recorded; UserError if that fails, and then it no longer is."""
        if self.film is not None:
            try:
                self.film.add(surface)
            except UserError:
                film, self.film = self.film, None
                film.abandon()
                raise

    def finish_film(self) -> Path | None:
        """End the film, so that it plays; the path of it."""
        film, self.film = self.film, None
        if film is None:
            return None
        film.finish()
        return film.path

    def resize(self, size: tuple[int, int]) -> None:
        """Draw pictures of this size [pixels] from now on."""
        if size != self.size:
            self.size = size
            self.dashboard = Dashboard(self.watched, size, self._sharp)
