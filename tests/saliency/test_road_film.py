"""`lanekeep saliency`: maps over recordings of any kind, and recordings that cannot be read."""

import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest

from lanekeep.cli.main import main
from lanekeep.road_video import Recording, cut_of, shrunk
from lanekeep.watch.panels.overlay import HEAT, coloured
from lanekeep_envs import Camera, LaneKeepingVectorEnv

CAMERA = Camera.parse("48x160")


def film(path: Path, frames: int, width: int = 128, height: int = 96, extra: tuple[str, ...] = ()) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), np.uint8)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", "10", "-i", "-", *extra, str(path)]
    subprocess.run(command, input=pixels.tobytes(), check=True)
    return path


def frames_in(path: Path) -> tuple[int, Any]:
    recording = Recording(path, None)
    return sum(1 for _ in recording), (recording.width, recording.height)


@pytest.mark.parametrize(
    ("frames", "width", "height", "extra"),
    [
        (4, 128, 96, ()),
        (1, 128, 96, ()),  # a single frame
        (3, 64, 160, ()),  # upright
        (3, 130, 30, ()),  # wider than the driver's frame
        (3, 128, 96, ("-vf", "format=gray")),
        (3, 66, 50, ("-r", "7.5")),
    ],
)
def test_a_film_of_every_kind(frames: int, width: int, height: int, extra: tuple[str, ...], tmp_path: Path) -> None:
    path = film(tmp_path / "road.mp4", frames, width, height, extra)
    out = tmp_path / "out.mp4"
    assert main(["saliency", "ncp", "--video", str(path), "--out", str(out), "--method", "gradient"]) == 0
    assert frames_in(out) == (frames_in(path)[0], (960, 924))


def test_a_turned_film_is_turned_upright(tmp_path: Path) -> None:
    path = film(tmp_path / "road.mp4", 3)
    turned = tmp_path / "turned.mp4"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-display_rotation", "90"]
    subprocess.run([*ffmpeg, "-i", str(path), "-c", "copy", str(turned)], check=True)
    assert frames_in(turned) == (3, (96, 128))


def test_a_folder_of_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film(tmp_path / "%02d.png", 3)
    (tmp_path / "notes.txt").write_text("not a picture")
    arguments = ["saliency", "lstm", "--video", str(tmp_path), "--out", str(tmp_path / "out.mp4")]
    assert main([*arguments, "--method", "visual-backprop"]) == 0
    assert "3 frames" in capsys.readouterr().out
    film(tmp_path / "99.png", 1, 64, 64)
    assert main(arguments) == 2
    assert "99.png is 64x64, the first picture 128x96" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("empty.mp4", b"", "is no video or picture that can be read"),
        ("text.mp4", b"not a film at all" * 100, "is no video or picture that can be read"),
        ("half.mp4", None, "is no video or picture that can be read"),
    ],
)
def test_what_cannot_be_read(
    name: str, data: bytes | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(film(tmp_path / "whole.mp4", 8).read_bytes()[:900] if data is None else data)
    assert main(["saliency", "--video", str(path), "--out", str(tmp_path / "out.mp4")]) == 2
    told = capsys.readouterr().err
    assert sentence in told and told.count("\n") == 1 and not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "saliency needs --video"),
        (["--video", "nowhere.mp4"], "there is no such file"),
        (["--video", ".", "--method", "gradeint"], "did you mean gradient?"),
        (["--video", "a.mp4", "--out", "b.avi"], "expected a name that ends in .mp4"),
        (["--video", "a.mp4", "--horizon", "2"], "--horizon must be from 0.0 to 1.0"),
    ],
)
def test_what_is_refused(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["saliency", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_the_cut_is_what_the_drivers_camera_would_see() -> None:
    """A picture of the same world from a camera with another shape and no pitch, cut, is nearly the driver's own frame."""
    larger = Camera(height_px=360, width_px=640, pitch_deg=0.0)
    env = LaneKeepingVectorEnv(1, camera=CAMERA)
    env.reset(seed=[3])
    snapshot = env.snapshot()
    own, seen = env.view(snapshot).image, env.view(snapshot, camera=larger).image
    cut = cut_of(CAMERA, 360, 640, 0.5, 60.0)
    found = shrunk(seen, cut, CAMERA)
    assert np.abs(found.astype(int) - own).mean() < 8.0
    wrong = shrunk(seen, cut_of(CAMERA, 360, 640, 0.6, 60.0), CAMERA)
    assert np.abs(wrong.astype(int) - own).mean() > 2.0 * np.abs(found.astype(int) - own).mean()
    assert cut_of(CAMERA, 360, 640, 0.5, 90.0).width == pytest.approx(640 * np.tan(np.pi / 6), abs=1)
    for height, width in ((20, 640), (1920, 1080), (48, 160)):
        part = cut_of(CAMERA, height, width, 1.0, 60.0)
        assert part.top >= 0 and part.top + part.height <= height and part.left + part.width <= width


def test_colours_say_the_side() -> None:
    small = np.full((1, 3, 3), 100, np.uint8)
    signed = coloured(small, np.array([[-1.0, 0.0, 1.0]], np.float32), True)[0].astype(int)
    assert signed[0, 2] > signed[0, 0] and signed[2, 0] > signed[2, 2] and np.ptp(signed[1]) == 0
    assert np.array_equal(coloured(small, np.ones((1, 3), np.float32), False)[0, 0], HEAT[-1].astype(np.uint8))
