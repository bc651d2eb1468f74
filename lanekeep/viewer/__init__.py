"""Watch: see a driver drive, with its neurons, in a window or in a video.

journey drives, scene draws what the journey has come to, and window or video shows it.  Drawing never reaches back into the
drive: the same seed gives the same trajectory, watched or not.
"""

# ruff: noqa: E402
import io
import os
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # before anything imports pygame

import pygame
import torch
import tyro
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from lanekeep.drivers import camera_of, check_driver, open_driver
from lanekeep.evaluate import FIRST_TEST_SEED
from lanekeep.flags import UserError, check_file, in_range, write_whole
from lanekeep.viewer.journey import FRAMES_PER_S, STEP_S, Journey
from lanekeep.viewer.scene import SIZE, Scene
from lanekeep.viewer.video import Film, held_back
from lanekeep.viewer.window import watch_in_window
from lanekeep_envs import load_scenario

__all__ = ["Watch", "watch"]

VIDEO_S = 30.0


@dataclass(frozen=True)
class Watch:
    """See a driver drive, with its neurons; Space holds, N goes to the next road, Esc or Q closes."""

    driver: tyro.conf.Positional[str] = "ncp"
    """Name of a shipped driver, or a checkpoint folder."""
    scenario: str = "country"
    """Roads to drive: a name or the path of a .toml file."""
    seed: int = FIRST_TEST_SEED
    """Seed of the first road; the next one follows at its end."""
    seconds: float | None = None
    """Length of the drive [s]; left out, 30 s of video, and a window until it is closed."""
    video: Path | None = None
    """Write an .mp4 file instead of opening a window."""
    frames: Path | None = None
    """Write .png pictures into this folder instead of opening a window."""
    every: int = 20
    """Steps of 1/20 s between two pictures."""

    def __post_init__(self) -> None:
        in_range(self, "seconds", STEP_S, 1_000_000)
        in_range(self, "every", 1)

    def run(self) -> int:
        """Drive and show."""
        watch(self)
        return 0


def watch(settings: Watch) -> None:
    """Check what was asked for, then drive."""
    check_file(settings, "video")
    if settings.video is not None and settings.video.suffix.lower() != ".mp4":
        raise UserError(f"--video {settings.video}: expected a name that ends in .mp4")
    driver, scenario = open_driver(settings.driver), load_scenario(settings.scenario)
    check_driver(driver, scenario)
    camera = camera_of(driver)
    if camera is None:
        raise UserError(f"{settings.driver} is told the state and sees nothing: there is nothing to watch; evaluate it")
    torch.set_num_threads(1)  # a single frame is too little for more, which only wait for each other
    journey = Journey(driver, scenario, camera, settings.seed)
    scene = Scene(journey, Path(settings.driver).name)
    if settings.video is None and settings.frames is None:
        watch_in_window(journey, scene, None if settings.seconds is None else round(settings.seconds / STEP_S))
    else:
        _write(settings, journey, scene)


def _write(settings: Watch, journey: Journey, scene: Scene) -> None:
    """Write video and pictures, and say what came of it."""
    if settings.frames is not None:
        settings.frames.mkdir(parents=True, exist_ok=True)
    steps = round((VIDEO_S if settings.seconds is None else settings.seconds) / STEP_S)
    with held_back() as interrupt:
        film = None if settings.video is None else Film(settings.video, SIZE, FRAMES_PER_S)
        columns = (TextColumn("driving"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
        try:
            with Progress(*columns, transient=True) as bar:
                task = bar.add_task("", total=steps, note="")
                for shown in range(1, steps + 1):
                    canvas = scene.draw()
                    if film is not None:
                        film.add(pygame.image.tobytes(canvas, "RGB"))
                    if settings.frames is not None and shown % settings.every == 0:
                        write_whole(settings.frames / f"{shown:06d}.png", png(canvas))
                    bar.update(task, completed=shown, note=_departures(journey))
                    if interrupt.pressed or shown == steps:
                        break
                    journey.advance()
            if film is not None:
                film.finish()
        except BaseException:
            if film is not None:
                film.abandon()
            raise
    out = " and ".join(str(path) for path in (settings.video, settings.frames) if path is not None)
    print(f"{out}: {shown * STEP_S:g} s{' (ended early)' if interrupt.pressed else ''}, {_departures(journey)}")


def png(canvas: pygame.Surface) -> bytes:
    """The canvas as a .png file; pygame itself does not notice a full disk."""
    encoded = io.BytesIO()
    pygame.image.save(canvas, encoded, ".png")
    return encoded.getvalue()


def _departures(journey: Journey) -> str:
    return f"{journey.departures} departure{'' if journey.departures == 1 else 's'}"
