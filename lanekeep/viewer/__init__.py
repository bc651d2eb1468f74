"""Watch: see one or two drivers drive, with their neurons, in a window or in a video, and put your hands on everything.

journey drives, show holds one or two of them in step and takes actions, scene draws what has come of it, and window or film
shows it.  Drawing never reaches back into the drive: the same seed gives the same trajectory, watched or not.
"""

# ruff: noqa: E402
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # before anything imports pygame

import torch
import tyro
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from lanekeep.drivers import camera_of, open_driver
from lanekeep.evaluate import FIRST_TEST_SEED
from lanekeep.flags import UserError, check_file, did_you_mean, in_range, write_whole
from lanekeep.viewer.actions import Timed, perform, read_script, written
from lanekeep.viewer.journey import STEP_S
from lanekeep.viewer.layout import LARGEST, SMALLEST
from lanekeep.viewer.moment import Opened, go_on_from, read_moments
from lanekeep.viewer.overlay import OVERLAYS
from lanekeep.viewer.show import Show
from lanekeep.viewer.video import held_back
from lanekeep.viewer.window import watch_in_window
from lanekeep_envs import load_scenario
from lanekeep_policies.driver import Driver

__all__ = ["Watch", "watch"]

VIDEO_S = 30.0


@dataclass(frozen=True)
class Watch:
    """See a driver drive, or two on the same road, with their neurons; H lists the keys.

    In the window: hold, step, slow motion, take the wheel, other roads and weather, things removed, neurons silenced or
    clamped and synapses cut by a click, pictures, films, and instants that --from opens again.
    """

    driver: tyro.conf.Positional[str | None] = None
    """Name of a shipped driver, or a checkpoint folder; ncp, or those of --from."""
    against: str | None = None
    """A second driver, on the same road in step."""
    scenario: str | None = None
    """Roads to drive: a name or the path of a .toml file; country."""
    seed: int = FIRST_TEST_SEED
    """Seed of the first road; the next one follows at its end."""
    seconds: float | None = None
    """Length of the show [s]; left out, 30 s of video or the script's last line, and a window until it is closed."""
    overlay: str = "none"
    """What lies over the drivers' pictures: none, visual-backprop, gradient, grad-cam or elements."""
    size: str = "1280x720"
    """Width x height of picture or window [pixels]."""
    video: Path | None = None
    """Write an .mp4 file instead of opening a window."""
    frames: Path | None = None
    """Write .png pictures into this folder instead of opening a window."""
    every: int = 20
    """Steps of 1/20 s between two pictures."""
    script: Path | None = None
    """A file of timed actions to do, a line for each: `2.5 remove trees`."""
    log: Path | None = None
    """Write everything that was done as such a script."""
    from_: Annotated[Path | None, tyro.conf.arg(name="from")] = None
    """Go on from an instant that was saved with I."""

    def __post_init__(self) -> None:
        in_range(self, "seconds", STEP_S, 1_000_000)
        in_range(self, "every", 1)
        if self.overlay not in OVERLAYS:
            raise UserError(
                f"there is no overlay {self.overlay!r}; {did_you_mean(self.overlay, OVERLAYS, ', '.join(OVERLAYS))}"
            )
        if self.from_ is not None and self.scenario is not None:
            raise UserError("--from has a scenario of its own; leave out --scenario")
        size_of(self.size)

    def run(self) -> int:
        """Drive and show."""
        watch(self)
        return 0


def size_of(text: str) -> tuple[int, int]:
    """`1280x720` as numbers; UserError for what no scene fits into."""
    words = text.split("x")
    if len(words) == 2 and all(word.isdecimal() for word in words):
        width, height = map(int, words)
        if all(low <= got <= high for low, got, high in zip(SMALLEST, (width, height), LARGEST, strict=True)):
            return width, height
    low, high = ("x".join(map(str, pair)) for pair in (SMALLEST, LARGEST))
    raise UserError(f"--size is WIDTHxHEIGHT from {low} to {high}, not {text!r}")


def watch(settings: Watch) -> None:
    """Check what was asked for, then drive."""
    for name in ("video", "log"):
        check_file(settings, name)
    if settings.video is not None and settings.video.suffix.lower() != ".mp4":
        raise UserError(f"--video {settings.video}: expected a name that ends in .mp4")
    script = [] if settings.script is None else read_script(settings.script)
    opened = None if settings.from_ is None else read_moments(settings.from_)
    torch.set_num_threads(1)  # a single frame is too little for more, which only wait for each other
    show = _show_of(settings, opened)
    ticks = None if settings.seconds is None else round(settings.seconds / STEP_S)
    if settings.video is None and settings.frames is None:
        done = watch_in_window(show, script, ticks)
    else:
        done = _write(settings, show, script, ticks)
    if settings.log is not None:
        write_whole(settings.log, written(done).encode())
        print(f"{settings.log}: {len(done)} action{'' if len(done) == 1 else 's'}")


def _show_of(settings: Watch, opened: Opened | None) -> Show:
    names = [settings.driver or "ncp"] if opened is None or settings.driver else opened.names[:2]
    if settings.against is not None:
        names = [names[0], settings.against]
    drivers = [_seeing(name) for name in names]
    scenario = opened.scenario if opened is not None else load_scenario(settings.scenario or "country")
    window = settings.video is None and settings.frames is None
    seed = settings.seed if opened is None else opened.first_seed
    show = Show(names, drivers, scenario, seed, size_of(settings.size), sharp=not window)
    show.show_overlay(settings.overlay)
    if opened is not None:
        go_on_from(opened, show)
    return show


def _seeing(name: str) -> Driver:
    driver = open_driver(name)
    if camera_of(driver) is None:
        raise UserError(f"{name} is told the state and sees nothing: there is nothing to watch; evaluate it")
    return driver


def _write(settings: Watch, show: Show, script: Sequence[Timed], ticks: int | None) -> list[Timed]:
    """Write video and pictures, and say what came of it."""
    if settings.frames is not None:
        settings.frames.mkdir(parents=True, exist_ok=True)
    waiting, done = list(script), list[Timed]()
    if ticks is None:
        ticks = script[-1].tick + 1 if script else round(VIDEO_S / STEP_S)
    with held_back() as interrupt:
        columns = (TextColumn("driving"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
        if settings.video is not None:
            show.record(settings.video)
        try:
            with Progress(*columns, transient=True) as bar:
                task = bar.add_task("", total=ticks, note="")
                while True:
                    while waiting and waiting[0].tick <= show.ticks:
                        done.append(waiting.pop(0))
                        perform(show, done[-1].line)
                    if settings.frames is not None and (show.ticks + 1) % settings.every == 0:
                        show.picture(settings.frames / f"{show.ticks + 1:06d}.png")
                    show.draw()
                    bar.update(task, completed=show.ticks + 1, note=_outcome(show))
                    if interrupt.pressed or show.ticks + 1 >= ticks or not show.open:
                        break
                    show.tick()
            show.finish_film()
        except BaseException:
            show.abandon_film()
            raise
    out = " and ".join(str(path) for path in (settings.video, settings.frames) if path is not None)
    early = " (ended early)" if interrupt.pressed else ""
    print(f"{out}: {(show.ticks + 1) * STEP_S:g} s{early}, {_outcome(show)}")
    return done


def _outcome(show: Show) -> str:
    counts = [journey.departures for journey in show.journeys]
    if len(counts) == 1:
        return f"{counts[0]} departure{'' if counts[0] == 1 else 's'}"
    return "departures: " + ", ".join(f"{name} {count}" for name, count in zip(show.names, counts, strict=True))
