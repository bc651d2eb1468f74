"""How many pictures a second `lanekeep watch` draws, driving included: two drivers, an overlay, circuit, true effects.

Everything that a window does is timed but for the waiting: drive, measure, draw 1280x720 pixels, put them on the display.
The world moves 20 times a second; what is beyond that is room for slower machines and for driving faster than the clock.
"""

import os
import time
from dataclasses import dataclass

from lanekeep.bench.measures import Turns, in_turns, report
from lanekeep.driving.drivers import open_driver
from lanekeep.driving.threads import one_thread
from lanekeep.evaluate.settings import FIRST_TEST_SEED
from lanekeep.settings import JsonFile, check_outputs, in_range
from lanekeep.watch.panels.overlay import overlays
from lanekeep.watch.show.show import Show
from lanekeep.watch.window.window import Window
from lanekeep_envs import load_scenario

DRIVERS = ("ncp", "lstm")
SLOWEST = "gradient"  # the overlay whose pictures per second are the measure


@dataclass(frozen=True)
class BenchWatch:
    """How many pictures a second a window on two drivers shows; without a display it is one that nobody sees."""

    repeats: int = 7
    """Repeats; each times every overlay once."""
    frames: int = 60
    """Pictures per overlay and repeat."""
    scenario: str = "country"
    """Roads to drive: a name or the path of a .toml file."""
    json: JsonFile = None
    """Also write the measures to this file."""

    def __post_init__(self) -> None:
        check_outputs(self)
        in_range(self, "repeats", 1, 10_000)
        in_range(self, "frames", 1, 100_000)


def bench_watch(settings: BenchWatch) -> None:
    """Print pictures per second, and with which overlay."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    with one_thread():
        measured = in_turns(speeds(settings), settings.repeats)
    rows = {"frames_per_s": measured[row_of(SLOWEST)], **measured}
    report("pictures per second, two drivers at 1280x720", rows, ["frames_per_s"], settings.json)


def row_of(overlay: str) -> str:
    """The row of the table."""
    return f"overlay: {overlays()[overlay] or 'none'}"


def speeds(settings: BenchWatch) -> Turns:
    """Turns in which two drivers drive and are shown, under each overlay."""
    show = Show(DRIVERS, [open_driver(name) for name in DRIVERS], load_scenario(settings.scenario), FIRST_TEST_SEED)
    window = Window("lanekeep bench watch")
    while True:
        yield {row_of(overlay): pictures_per_s(show, window, overlay, settings.frames) for overlay in overlays()}


def pictures_per_s(show: Show, window: Window, overlay: str, frames: int) -> float:
    """Drive, draw and show so many pictures, as fast as it goes."""
    show.show_overlay(overlay)
    window.show(show.draw())
    begin = time.perf_counter()
    for _ in range(frames):
        show.tick()
        window.listen(show)
        window.show(show.draw())
    return frames / (time.perf_counter() - begin)
