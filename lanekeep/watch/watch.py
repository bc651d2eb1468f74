"""Watch: see one or two drivers drive, with their neurons, in a window or in a video, and act on everything.

A show holds one or two driven cars in step and takes actions, a dashboard draws them, and a window or a film shows the
pictures.  Drawing never reaches back into the drive: the same seed gives the same trajectory, watched or not.
"""

import shlex
from contextlib import nullcontext

import pygame
import torch

from lanekeep.driving.drivers import camera_of, open_driver
from lanekeep.errors import UserError
from lanekeep.progress import progress
from lanekeep.terminal import Terminal, say
from lanekeep.video import Film, held_back, write_picture
from lanekeep.watch.driven_car import FRAMES_PER_S, STEP_S
from lanekeep.watch.panels.captions import counted
from lanekeep.watch.panels.style import GROUND
from lanekeep.watch.settings import Watch, size_of
from lanekeep.watch.show.saved_instant import OpenedShow, go_on_from, read_instant
from lanekeep.watch.show.script import Play, read_script, written
from lanekeep.watch.show.show import Show
from lanekeep.watch.window.window import watch_in_window
from lanekeep_envs import load_scenario
from lanekeep_files.writing import write_whole
from lanekeep_policies import Driver

VIDEO_S, SCENARIO = 30.0, "country"


def watch(settings: Watch) -> None:
    """Check what was asked for, then drive; what was done is written down however it ends."""
    play = Play(() if settings.script is None else read_script(settings.script))
    opened = None if settings.from_ is None else read_instant(settings.from_)
    torch.set_num_threads(1)  # a single frame is too little for more, which only wait for each other
    with Terminal(stderr=True).status("getting ready; the first time compiles, a minute or two"):
        show = _show_of(settings, opened)
    ticks = None if settings.seconds is None else round(settings.seconds / STEP_S)
    begun = _begun(settings, show)
    try:
        if settings.video is None and settings.frames is None:
            watch_in_window(show, play, ticks)
        else:
            _write(settings, show, play, ticks)
        if ticks is not None and play.waiting:
            say(f"--seconds {settings.seconds:g} is over before {counted(len(play.waiting), 'line')} of the script")
    finally:
        if settings.log is not None:
            write_whole(settings.log, written(play.done, begun).encode())
            say(f"{settings.log}: {counted(len(play.done), 'action')}")


def _begun(settings: Watch, show: Show) -> str:
    """The command that begins this show again."""
    words = ["lanekeep", "watch", show.names[0], *(word for name in show.names[1:] for word in ("--against", name))]
    if settings.from_ is not None:
        return shlex.join([*words, "--from", str(settings.from_)])
    return shlex.join([*words, "--scenario", settings.scenario or SCENARIO, "--seed", str(settings.seed)])


def _show_of(settings: Watch, opened: OpenedShow | None) -> Show:
    """The show that the settings ask for, at a saved instant if one was opened."""
    names = [settings.driver or "ncp"] if opened is None or settings.driver else opened.names[:2]
    if settings.against is not None:
        names = [names[0], settings.against]
    drivers = [_seeing(name) for name in names]
    scenario = opened.scenario if opened is not None else load_scenario(settings.scenario or SCENARIO)
    window = settings.video is None and settings.frames is None
    seed = settings.seed if opened is None else opened.first_seed
    show = Show(names, drivers, scenario, seed, size_of(settings.size), sharp=not window)
    show.show_overlay(settings.overlay)
    if opened is not None:
        go_on_from(opened, show)
    return show


def _seeing(name: str) -> Driver:
    """A driver that sees frames; UserError for one that is given the state."""
    driver = open_driver(name)
    if camera_of(driver) is None:
        raise UserError(f"{name} is told the state and sees nothing: there is nothing to watch; evaluate it")
    return driver


def _write(settings: Watch, show: Show, play: Play, ticks: int | None) -> None:
    """Write video and pictures, and say what came of it."""
    if settings.frames is not None:
        settings.frames.mkdir(parents=True, exist_ok=True)
    if ticks is None:
        ticks = play.waiting[-1].tick + 1 if play.waiting else round(VIDEO_S / STEP_S)
    try:
        with (
            held_back() as interrupt,
            Film(settings.video, show.size, FRAMES_PER_S, GROUND) if settings.video else nullcontext() as film,
            progress("driving", total=ticks) as bar,
        ):
            while True:
                play.go_on(show)
                picture = show.draw()
                _keep(picture, settings, show, film)
                bar.reach(show.ticks + 1, note=_outcome(show))
                if interrupt.is_set() or show.ticks + 1 >= ticks or not show.open:
                    break
                show.tick()
    finally:
        show.finish_film()
    out = " and ".join(str(path) for path in (settings.video, settings.frames) if path is not None)
    early = " (ended early)" if interrupt.is_set() else ""
    say(f"{out}: {(show.ticks + 1) * STEP_S:g} s{early}, {_outcome(show)}")


def _keep(picture: pygame.Surface, settings: Watch, show: Show, film: Film | None) -> None:
    """Put a picture where it is wanted: into the video, among the pictures, and into what the script records."""
    number = show.ticks + 1
    if settings.frames is not None and number % settings.every == 0:
        write_picture(settings.frames / f"{number:06d}.png", picture)
    if film is not None:
        film.add(picture)
    show.into_film(picture)


def _outcome(show: Show) -> str:
    """How often the cars left their lanes, in words."""
    counts = [car.departures for car in show.cars]
    if len(counts) == 1:
        return counted(counts[0], "departure")
    return "departures: " + ", ".join(f"{name} {count}" for name, count in zip(show.names, counts, strict=True))
