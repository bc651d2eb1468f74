"""Actions: what can be done to a show, as words that keys, the mouse and scripts share.

    overlay grad-cam
    remove trees
    silence 7

A line is the action and what it is done to (words.py); script.py gives lines a time.
"""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lanekeep.errors import UserError, did_you_mean
from lanekeep.settings import check_ending
from lanekeep.watch.driven_car import Edits
from lanekeep.watch.panels.overlay import overlays
from lanekeep.watch.show.saved_instant import go_on_from, read_instant, save_instant
from lanekeep.watch.show.show import PACES, WEATHER, Show
from lanekeep.watch.show.words import TAKES
from lanekeep_envs import Element
from lanekeep_policies import Lesions

GUST_MPS2, STRONGEST_GUST_MPS2 = 4.0, 20.0


class Action(NamedTuple):
    """A word of the language: what follows it, and what it does."""

    takes: str  # the words that follow, each of TAKES, in square brackets where they may be missing
    run: Callable[..., None]

    @property
    def least(self) -> int:
        """The number of words that must follow."""
        return sum(not word.startswith("[") for word in self.takes.split())

    @property
    def most(self) -> int:
        """The number of words that may follow."""
        return len(self.takes.split())

    def meanings(self, words: Sequence[str]) -> list[Any]:
        """The words that follow as what they mean; ValueError for one that means nothing."""
        return [TAKES[kind.strip("[]")](word) for kind, word in zip(self.takes.split(), words, strict=False)]


def perform(show: Show, line: str) -> None:
    """Do what a line says; UserError, in one sentence, for what cannot be done, and then nothing has happened."""
    word, *words = words_of(line)
    try:
        ACTIONS[word].run(show, *ACTIONS[word].meanings(words))
    except ValueError as error:
        raise UserError(f"{line!r}: {error}") from None


def words_of(line: str) -> list[str]:
    """A line as an action and the words that follow; UserError for a line that is no action."""
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


def _free_name(suffix: str) -> Path:
    """A file in this folder that is not there yet."""
    return next(p for k in range(1, 1_000_000) if not (p := Path(f"lanekeep-{k}{suffix}")).exists())


def _after(now: str, names: tuple[str, ...]) -> str:
    """The next of some names, round and round."""
    return names[(names.index(now) + 1) % len(names)]


def _hold(show: Show) -> None:
    show.held = not show.held


def _pace(show: Show, pace: float) -> None:
    if not 0.0 < pace <= PACES[-1]:
        raise ValueError(f"a pace is above 0 and at most {PACES[-1]:g}")
    show.pace = pace


def _slower(show: Show) -> None:
    show.pace = max([pace for pace in PACES if pace < show.pace], default=PACES[0])


def _faster(show: Show) -> None:
    show.pace = min([pace for pace in PACES if pace > show.pace], default=PACES[-1])


def _scenario(show: Show, name: str = "") -> None:
    show.change_scenario(name or show.next_scenario())
    show.say(f"{show.scenario.name}: {show.scenario.description}")


def _overlay(show: Show, name: str = "") -> None:
    show.show_overlay(name or _after(show.overlay, tuple(overlays())))
    show.say(overlays()[show.overlay] or "no overlay")


def _steer(show: Show, action: float | None = None) -> None:
    show.car.hand = None if action is None else min(max(action, -1.0), 1.0)


def _remove(show: Show, element: Element) -> None:
    if element not in show.car.edits.removed:
        show.toggle(element)


def _restore(show: Show, element: Element | None = None) -> None:
    if element is None:
        show.edit(Edits())
    elif element in show.car.edits.removed:
        show.toggle(element)


def _weather(show: Show, name: str = "") -> None:
    show.weather = name or _after(show.weather, WEATHER)
    show.say(f"{show.weather.replace('_', ' ')} {show.strength_of(show.weather):.1f}; + and \N{MINUS SIGN} change it")


def _stronger(show: Show, by: float = 0.1) -> None:
    show.strengthen(show.weather, show.strength_of(show.weather) + by)
    show.say(f"{show.weather.replace('_', ' ')} {show.strength_of(show.weather):.1f}")


def _silence(show: Show, neuron: int) -> None:
    show.lesion(show.car.lesions.silence(neuron))
    show.say(f"{neuron} is silenced")


def _clamp(show: Show, neuron: int, value: float | None = None) -> None:
    state = show.car.past[-1].state
    if not 0 <= neuron < len(state):
        raise ValueError(f"this driver's state has {len(state)} numbers, counted from 0")
    held = float(state[neuron]) if value is None else value
    show.lesion(show.car.lesions.clamp(neuron, held))
    show.say(f"{neuron} is held at {held:+.2f}; the mouse wheel turns it".replace("-", "\N{MINUS SIGN}"))


def _free(show: Show, neuron: int) -> None:
    lesions = show.car.lesions
    if (freed := lesions.free(neuron)) == lesions:
        raise ValueError(f"{neuron} is neither silenced nor held")
    show.lesion(freed)


def _cut(show: Show, source: int, target: int, mend: bool = False) -> None:
    lesions = show.car.lesions
    if ((source, target) in lesions.cut) != mend:
        raise ValueError(f"the synapse from {source} to {target} is {'not cut' if mend else 'cut already'}")
    show.lesion(lesions.toggle(source, target))


def _gust(show: Show, acceleration_mps2: float = GUST_MPS2) -> None:
    if abs(acceleration_mps2) > STRONGEST_GUST_MPS2:
        raise ValueError(f"no gust is stronger than {STRONGEST_GUST_MPS2:g} m/s2")
    for car in show.cars:
        car.gust(acceleration_mps2)
    show.say(f"a gust to the {'left' if acceleration_mps2 >= 0.0 else 'right'}")


def _screenshot(show: Show, file: Path | None = None) -> None:
    file = file or _free_name(".png")
    show.picture(file)
    show.say(f"{file} is written")


def _record(show: Show, file: Path | None = None) -> None:
    if show.film is not None and file is None:
        show.say(f"{show.finish_film()} is written")
        return
    file = file or _free_name(".mp4")
    show.record(file)
    show.say(f"recording {file}")


def _save(show: Show, file: Path | None = None) -> None:
    file = file or _free_name(".instant")
    check_ending(file, [".instant"])
    save_instant(file, show)
    show.say(f"this instant is in {file}; watch --from {file} opens it")


def _driver(show: Show, number: int | None = None) -> None:
    show.choose((show.chosen + 1) % len(show.watched) if number is None else number - 1)


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
    "road": Action("SEED", Show.go_to_road),
    "scenario": Action("[SCENARIO]", _scenario),
    "overlay": Action("[OVERLAY]", _overlay),
    "driver": Action("[NUMBER]", _driver),
    "steer": Action("ACTION", _steer),
    "release": Action("", _steer),
    "remove": Action("ELEMENT", _remove),
    "restore": Action("[ELEMENT]", _restore),
    "weather": Action("[WEATHER]", _weather),
    "strength": Action("WEATHER STRENGTH", Show.strengthen),
    "stronger": Action("", _stronger),
    "weaker": Action("", lambda show: _stronger(show, -0.1)),
    "silence": Action("NEURON", _silence),
    "clamp": Action("NEURON [POTENTIAL]", _clamp),
    "free": Action("NEURON", _free),
    "cut": Action("SOURCE TARGET", _cut),
    "mend": Action("SOURCE TARGET", lambda show, source, target: _cut(show, source, target, mend=True)),
    "heal": Action("", lambda show: show.lesion(Lesions())),
    "gust": Action("[MPS2]", _gust),
    "screenshot": Action("[FILE]", _screenshot),
    "record": Action("[FILE]", _record),
    "save": Action("[FILE]", _save),
    "open": Action("FILE", lambda show, file: go_on_from(read_instant(file), show)),
    "help": Action("", _help),
    "quit": Action("", _quit),
}
