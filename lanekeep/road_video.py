"""`lanekeep saliency`: what a driver would do and look at on a recording of yours, frame by frame.

The part of the picture that the driver's own camera would see is cut out (`Cut`) and made as small; the driver gets one
frame after another, with the time between them, and nobody follows its steering: the recording goes on as it went.

The recording is read twice, first to find the one scale that all maps have, then to draw.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import imageio_ffmpeg
import msgspec
import numpy as np
import pygame
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from lanekeep.driving.drivers import camera_of, open_driver
from lanekeep.errors import UserError, did_you_mean
from lanekeep.progress import progress
from lanekeep.saliency import METHODS, maps, methods_with
from lanekeep.settings import Output, Positional, check_outputs, helped, in_range
from lanekeep.terminal import say
from lanekeep.video import Film, held_back
from lanekeep.watch.panels.overlay import coloured
from lanekeep.watch.panels.style import BLUE, BRIGHT, FAINT, GROUND, LARGE, ORANGE, RULE, Canvas
from lanekeep_envs import Camera
from lanekeep_policies import Driver

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
WIDTH, PICTURE, STRIP, GAP = 960, 540, 84, 12  # [pixels] of the film
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".ppm")
USUAL_FPS = 20.0
MOST_PIXELS = 8192 * 4320  # of a frame


@dataclass(frozen=True)
class Saliency:
    """See what a driver would do and look at on a video of yours."""

    driver: Positional[str] = "ncp"
    """Name of a shipped driver, or a checkpoint folder."""
    video: Path | None = None
    """The recording: a video file, or a folder of pictures, which are taken in the order of their names."""
    out: Annotated[Path, Output((".mp4",))] = Path("saliency.mp4")
    """The film to write."""
    method: str = helped(
        "integrated-gradients",
        f"Kind of map: {', '.join(METHODS)}.  VisualBackProp never looks at the controller; "
        f"{' and '.join(methods_with('slow'))} take a second for a frame.",
    )
    horizon: float = 0.5
    """Where the horizon is in the recording: 0 at the upper edge, 1 at the lower."""
    fov: float = 60.0
    """Horizontal field of view of the recording [degrees]; of a wider one only the middle is used."""
    fps: float | None = None
    """Frames per second; what the file says unless given, and 20 for pictures."""

    def __post_init__(self) -> None:
        check_outputs(self)
        if self.method not in METHODS:
            raise UserError(
                f"there is no map {self.method!r}; {did_you_mean(self.method, METHODS, ', '.join(METHODS))}"
            )
        in_range(self, "horizon", 0.0, 1.0)
        in_range(self, "fov", 10.0, 170.0)
        in_range(self, "fps", 0.1, 1000.0)


class Cut(NamedTuple):
    """The part of a picture that a driver's camera sees [pixels]."""

    top: int
    left: int
    height: int
    width: int


def cut_of(camera: Camera, height: int, width: int, horizon: float, fov_deg: float) -> Cut:
    """The part with the camera's shape and field of view and its horizon, as far as the picture has it."""
    share = min(1.0, float(np.tan(np.deg2rad(camera.horizontal_fov_deg) / 2) / np.tan(np.deg2rad(fov_deg) / 2)))
    ratio = camera.height_px / camera.width_px
    wide = min(share * width, height / ratio)
    tall = wide * ratio
    below_top = 0.5 - camera.focal_length_px * float(np.tan(np.deg2rad(camera.pitch_deg))) / camera.height_px
    top = min(max(horizon * height - below_top * tall, 0.0), height - tall)
    return Cut(round(top), round((width - wide) / 2), max(1, round(tall)), max(1, round(wide)))


class Recording:
    """Frames of a video file, or of a folder of pictures; it can be read more than once."""

    def __init__(self, path: Path, fps: float | None) -> None:
        if not path.exists():
            raise UserError(f"--video {path}: there is no such file")
        self.path, self._pictures = path, list[Path]()
        if path.is_dir():
            self._pictures = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGES)
            if not self._pictures:
                raise UserError(f"there are no pictures in {path}")
        first = next(frames_of(self._pictures[0] if self._pictures else path))
        self.height, self.width = first.shape[:2]
        own, seconds = (0.0, 0.0) if self._pictures else told_by_ffmpeg(path)
        self.fps = fps or (own if 0.1 <= own <= 1000.0 else USUAL_FPS)
        self.expected = len(self._pictures) or max(1, round(seconds * own))

    def __iter__(self) -> Iterator[U8]:
        for path in self._pictures or [self.path]:
            for frame in frames_of(path):
                if frame.shape[:2] != (self.height, self.width):
                    size = f"{frame.shape[1]}x{frame.shape[0]}"
                    raise UserError(f"{path} is {size}, the first picture {self.width}x{self.height}")
                yield frame


def frames_of(path: Path) -> Iterator[U8]:
    """Frames [H, W, 3] of a video or a picture, turned upright; refused if there is none.

    ffmpeg writes each as a portable pixmap, which begins with its size; a damaged file ends where nothing more can be read.
    """
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "quiet", "-max_pixels", str(MOST_PIXELS)]
    command += ["-i", f"file:{path}", "-fps_mode", "passthrough"]
    command += ["-an", "-pix_fmt", "rgb24", "-f", "image2pipe", "-vcodec", "ppm", "-"]
    silent = subprocess.DEVNULL
    ffmpeg = subprocess.Popen(command, stdin=silent, stdout=subprocess.PIPE, stderr=silent, start_new_session=True)
    assert ffmpeg.stdout is not None
    some = False
    try:
        while ffmpeg.stdout.readline() == b"P6\n":
            width, height = map(int, ffmpeg.stdout.readline().split())
            ffmpeg.stdout.readline()
            if width * height > MOST_PIXELS:
                break
            data = ffmpeg.stdout.read(3 * width * height)
            if len(data) < 3 * width * height:
                break
            some = True
            yield np.frombuffer(data, np.uint8).reshape(height, width, 3)
    finally:
        ffmpeg.kill()
        ffmpeg.stdout.close()
        ffmpeg.wait()
    if not some:
        raise UserError(f"{path} is no video or picture that can be read")


def told_by_ffmpeg(path: Path) -> tuple[float, float]:
    """Frames per second and seconds of a video; 0 for what it does not say."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", f"file:{path}"]
    told = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).stderr.decode(
        "utf8", "replace"
    )
    fps, length = re.search(r"([\d.]+) fps", told), re.search(r"Duration: (\d+):(\d+):([\d.]+)", told)
    seconds = 0.0 if length is None else 3600.0 * int(length[1]) + 60.0 * int(length[2]) + float(length[3])
    return 0.0 if fps is None else float(fps[1]), seconds


def look(settings: Saliency) -> None:
    """Check what was asked for, then do it."""
    driver = open_driver(settings.driver)
    camera = camera_of(driver)
    if camera is None or driver.spec.actions != 1:
        raise UserError(f"{settings.driver} does not steer by what a camera sees: it has no map")
    if settings.video is None:
        raise UserError("saliency needs --video: a video file, or a folder of pictures")
    recording = Recording(settings.video, settings.fps)
    if settings.out.resolve() == settings.video.resolve():
        raise UserError(f"--out {settings.out} is the recording itself; choose another name")
    driver.spec = msgspec.structs.replace(driver.spec, dt_s=1.0 / recording.fps)
    cut = cut_of(camera, recording.height, recording.width, settings.horizon, settings.fov)
    with held_back() as interrupt, tempfile.TemporaryFile() as kept, progress("looking", 2 * recording.expected) as bar:
        steered, largest = list[float](), list[float]()
        for small, shown, action in watched(driver, recording, cut, camera, settings.method):
            kept.write(small.tobytes() + shown.tobytes())
            steered.append(action)
            largest.append(float(np.percentile(np.abs(shown), 99.5)))
            bar.advance()
            if interrupt.is_set():
                break
        scale = float(np.percentile(largest, 95.0)) or 1.0  # a flash of one frame shall not turn all others dark
        kept.seek(0)
        size = (WIDTH, PICTURE + GAP + round(WIDTH * camera.height_px / camera.width_px / 2) * 2 + STRIP)
        with Film(settings.out, size, max(1, round(recording.fps)), GROUND) as film:
            bar.advance(0, "drawing")
            for frame, action in zip(recording, steered, strict=False):
                pixels = camera.height_px * camera.width_px
                small = np.frombuffer(kept.read(3 * pixels), np.uint8).reshape(camera.height_px, camera.width_px, 3)
                shown = np.frombuffer(kept.read(4 * pixels), np.float32).reshape(camera.height_px, camera.width_px)
                film.add(drawn(settings, size, frame, cut, small, shown / scale, action))
                bar.advance()
    early = " (ended early)" if interrupt.is_set() else ""
    say(f"{settings.out}: {len(steered)} frames{early}, steering {min(steered):+.2f} to {max(steered):+.2f}")


def watched(
    driver: Driver, recording: Recording, cut: Cut, camera: Camera, method: str
) -> Iterator[tuple[U8, F32, float]]:
    """What the driver gets of each frame [H, W, 3], its map [H, W] and what it steers."""
    state, step = driver.initial_state(1).detach(), driver.stepper()
    torch.set_num_threads(1)
    for frame in recording:
        small = shrunk(frame, cut, camera)
        shown = maps(method, driver, small[None], state)[0]
        action, state = step(small[None], state)
        yield small, shown, float(action[0, 0])


def shrunk(frame: U8, cut: Cut, camera: Camera) -> U8:
    """The cut of a frame, in the size of the driver's frames."""
    part = frame[cut.top : cut.top + cut.height, cut.left : cut.left + cut.width]
    pixels = torch.from_numpy(part.copy()).permute(2, 0, 1)[None].float()
    size = (camera.height_px, camera.width_px)
    small = F.interpolate(pixels, size, mode="bilinear", align_corners=False, antialias=True)
    frame_of_driver: U8 = small[0].permute(1, 2, 0).round().clamp(0.0, 255.0).byte().numpy()
    return frame_of_driver


def drawn(
    settings: Saliency, size: tuple[int, int], frame: U8, cut: Cut, small: U8, shown: F32, action: float
) -> pygame.Surface:
    """A picture of the film: the recording with the cut, the map over the cut, the steering."""
    canvas = Canvas(size, size)
    canvas.clear()
    height, width = frame.shape[:2]
    at = canvas.image(pygame.Rect(0, 0, WIDTH, PICTURE), frame, smooth=True)
    fit = at.width / width
    box = pygame.Rect(
        at.x + round(fit * cut.left), at.y + round(fit * cut.top), round(fit * cut.width), round(fit * cut.height)
    )
    pygame.draw.rect(canvas.surface, BRIGHT, box, 2)
    method = METHODS[settings.method]
    below, top = size[1] - PICTURE - GAP - STRIP, size[1] - STRIP
    canvas.image(pygame.Rect(0, PICTURE + GAP, WIDTH, below), coloured(small, shown, method.signed), smooth=True)
    strip = canvas.sheet(pygame.Rect(0, top, WIDTH, STRIP))
    middle, half, y = 590.0, 210.0, 50.0
    reach = half * min(max(action, -1.0), 1.0)
    strip.line([(middle - half, y), (middle + half, y)], RULE, 8.0)
    strip.line([(middle, y), (middle - reach, y)], ORANGE if action > 0.0 else BLUE, 8.0)
    strip.line([(middle, y - 12), (middle, y + 12)], BRIGHT, 2.0)
    strip.done()
    canvas.write(f"{Path(settings.driver).name}, {method.title}", (16, top + 22), colour=BRIGHT)
    key = "orange: to the left, blue: to the right" if method.signed else "bright: looked at"
    canvas.write(key, (16, top + 52))
    canvas.write(f"{action:+.2f}", (WIDTH - 16, top + 50), LARGE, BRIGHT, "right")
    canvas.write("steering", (middle, top + 18), colour=FAINT, align="middle")
    return canvas.surface
