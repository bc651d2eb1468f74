"""Everything that can be done to a show, as words: what keys, the mouse and scripts do alike.

    overlay grad-cam
    remove trees
    silence 7

A line is the action and what it is done to; script.py gives lines a time.
"""

import math
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lanekeep.errors import UserError, did_you_mean
from lanekeep.watch.driven_car import Edits
from lanekeep.watch.panels.overlay import OVERLAYS
from lanekeep.watch.show.saved_instant import open_instant, save_instant
from lanekeep.watch.show.show import PACES, WEATHER, Show
from lanekeep_envs import REMOVABLE, Element, element_named
from lanekeep_policies import Lesions

GUST_MPS2, STRONGEST_GUST_MPS2 = 4.0, 20.0


class Action(NamedTuple):
    """A word of the language: what follows it, and what it does."""

    takes: str  # the words that follow, in square brackets where they may be missing
    run: Callable[..., None]

    @property
    def least(self) -> int:
        """How many words must follow."""
        return sum(not word.startswith("[") for word in self.takes.split())

    @property
    def most(self) -> int:
        """How many may."""
        return len(self.takes.split())


def perform(show: Show, line: str) -> None:
    """Do what a line says; UserError, in one sentence, for what cannot be done, and then nothing has happened."""
    word, *words = words_of(line)
    try:
        ACTIONS[word].run(show, *words)
    except ValueError as error:
        raise UserError(f"{line!r}: {error}") from None


def words_of(line: str) -> list[str]:
    """A line as an action and what it takes; UserError for what is none."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UserError(f"{line!r}: {error}") from None
    if not words or words[0] not in ACTIONS:
        word = words[0] if words else ""
        way_out = did_you_mean(word, ACTIONS, f"there are {', '.join(ACTIONS)}")
        raise UserError(f"there is no action {word!r}; {way_out}")
    action = ACTIONS[words[0]]
    if not action.least <= len(words) - 1 <= action.most:
        raise UserError(f"{words[0]} takes {action.takes or 'nothing'}, not {' '.join(words[1:]) or 'nothing'}")
    return words


def number_of(word: str) -> float:
    """A finite number; ValueError for another word."""
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{word!r} is not a number")
    return value


def _whole(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise ValueError(f"{word!r} is not a whole number") from None


def _among(word: str, words: tuple[str, ...]) -> str:
    if word not in words:
        raise ValueError(did_you_mean(word, words, f"there are {', '.join(words)}"))
    return word


def _free_name(suffix: str) -> Path:
    """A file in this folder that is not there yet."""
    return next(p for k in range(1, 1_000_000) if not (p := Path(f"lanekeep-{k}{suffix}")).exists())


def _hold(show: Show) -> None:
    show.held = not show.held


def _pace(show: Show, pace: str) -> None:
    if not 0.0 < (value := number_of(pace)) <= PACES[-1]:
        raise ValueError(f"a pace is above 0 and at most {PACES[-1]:g}")
    show.pace = value


def _slower(show: Show) -> None:
    show.pace = max([pace for pace in PACES if pace < show.pace], default=PACES[0])


def _faster(show: Show) -> None:
    show.pace = min([pace for pace in PACES if pace > show.pace], default=PACES[-1])


def _road(show: Show, seed: str) -> None:
    show.go_to_road(_whole(seed))


def _scenario(show: Show, name: str = "") -> None:
    show.change_scenario(name or show.next_scenario())
    show.say(f"{show.scenario.name}: {show.scenario.description}")


def _overlay(show: Show, name: str = "") -> None:
    names = tuple(OVERLAYS)
    show.show_overlay(_among(name, names) if name else names[(names.index(show.overlay) + 1) % len(names)])
    show.say(OVERLAYS[show.overlay] or "no overlay")


def _steer(show: Show, action: str) -> None:
    show.car.hand = min(max(number_of(action), -1.0), 1.0)


def _release(show: Show) -> None:
    show.car.hand = None


def _remove(show: Show, name: str) -> None:
    element = _removable(name)
    if element not in show.car.edits.removed:
        show.toggle(element)


def _restore(show: Show, name: str = "") -> None:
    if not name:
        show.edit(Edits())
    elif (element := _removable(name)) in show.car.edits.removed:
        show.toggle(element)


def _removable(name: str) -> Element:
    element = element_named(name)
    if element not in REMOVABLE:
        raise ValueError(f"{name} cannot be removed: the rest stands on it")
    return element


def _weather(show: Show, name: str = "") -> None:
    show.weather = _among(name, WEATHER) if name else WEATHER[(WEATHER.index(show.weather) + 1) % len(WEATHER)]
    show.say(f"{show.weather.replace('_', ' ')} {show.strength_of(show.weather):.1f}; + and \N{MINUS SIGN} change it")


def _strength(show: Show, name: str, strength: str) -> None:
    if not 0.0 <= (value := number_of(strength)) <= 1.0:
        raise ValueError("a strength is from 0 to 1")
    show.strengthen(_among(name, WEATHER), value)


def _stronger(show: Show, by: float = 0.1) -> None:
    show.strengthen(show.weather, show.strength_of(show.weather) + by)
    show.say(f"{show.weather.replace('_', ' ')} {show.strength_of(show.weather):.1f}")


def _silence(show: Show, neuron: str) -> None:
    show.lesion(show.car.lesions.silence(_whole(neuron)))
    show.say(f"{neuron} is silenced")


def _clamp(show: Show, neuron: str, value: str = "") -> None:
    number, state = _whole(neuron), show.car.past[-1].state
    if not 0 <= number < len(state):
        raise ValueError(f"this driver's state has {len(state)} numbers, counted from 0")
    held = number_of(value) if value else float(state[number])
    show.lesion(show.car.lesions.clamp(number, held))
    show.say(f"{number} is held at {held:+.2f}; the mouse wheel turns it".replace("-", "\N{MINUS SIGN}"))


def _free(show: Show, neuron: str) -> None:
    lesions = show.car.lesions
    if (freed := lesions.free(_whole(neuron))) == lesions:
        raise ValueError(f"{neuron} is neither silenced nor held")
    show.lesion(freed)


def _cut(show: Show, source: str, target: str, mend: bool = False) -> None:
    ends, lesions = (_whole(source), _whole(target)), show.car.lesions
    if (ends in lesions.cut) != mend:
        raise ValueError(f"the synapse from {source} to {target} is {'not cut' if mend else 'cut already'}")
    show.lesion(lesions.toggle(*ends))


def _heal(show: Show) -> None:
    show.lesion(Lesions())


def _gust(show: Show, acceleration: str = "") -> None:
    value = number_of(acceleration) if acceleration else GUST_MPS2
    if abs(value) > STRONGEST_GUST_MPS2:
        raise ValueError(f"no gust is stronger than {STRONGEST_GUST_MPS2:g} m/s2")
    for car in show.cars:
        car.gust(value)
    show.say(f"a gust to the {'left' if value >= 0.0 else 'right'}")


def _screenshot(show: Show, path: str = "") -> None:
    file = Path(path) if path else _free_name(".png")
    show.picture(file)
    show.say(f"{file} is written")


def _record(show: Show, path: str = "") -> None:
    if show.film is not None and not path:
        show.say(f"{show.finish_film()} is written")
        return
    file = Path(path) if path else _free_name(".mp4")
    show.record(file)
    show.say(f"recording {file}")


def _save(show: Show, path: str = "") -> None:
    file = Path(path) if path else _free_name(".instant")
    save_instant(file, show)
    show.say(f"this instant is in {file}; watch --from {file} opens it")


def _open(show: Show, path: str) -> None:
    open_instant(Path(path), show)


def _driver(show: Show, number: str = "") -> None:
    show.choose(_whole(number) - 1 if number else (show.chosen + 1) % len(show.watched))


def _help(show: Show) -> None:
    show.help = not show.help


def _quit(show: Show) -> None:
    show.open = False


ACTIONS: dict[str, Action] = {
    "hold": Action("", _hold),
    "step": Action("", Show.step),
    "pace": Action("FACTOR", _pace),
    "slower": Action("", _slower),
    "faster": Action("", _faster),
    "reset": Action("", lambda show: show.go_to_road(show.car.road_seed)),
    "next-road": Action("", lambda show: show.go_to_road(show.car.road_seed + 1)),
    "road": Action("SEED", _road),
    "scenario": Action("[NAME]", _scenario),
    "overlay": Action("[NAME]", _overlay),
    "driver": Action("[NUMBER]", _driver),
    "steer": Action("ACTION", _steer),
    "release": Action("", _release),
    "remove": Action("ELEMENT", _remove),
    "restore": Action("[ELEMENT]", _restore),
    "weather": Action("[NAME]", _weather),
    "strength": Action("NAME STRENGTH", _strength),
    "stronger": Action("", _stronger),
    "weaker": Action("", lambda show: _stronger(show, -0.1)),
    "silence": Action("NEURON", _silence),
    "clamp": Action("NEURON [POTENTIAL]", _clamp),
    "free": Action("NEURON", _free),
    "cut": Action("SOURCE TARGET", _cut),
    "mend": Action("SOURCE TARGET", lambda show, source, target: _cut(show, source, target, mend=True)),
    "heal": Action("", _heal),
    "gust": Action("[MPS2]", _gust),
    "screenshot": Action("[FILE]", _screenshot),
    "record": Action("[FILE]", _record),
    "save": Action("[FILE]", _save),
    "open": Action("FILE", _open),
    "help": Action("", _help),
    "quit": Action("", _quit),
}
