"""What is watched is what is measured; the video plays; the window listens; every refusal is one sentence."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pygame
import pytest
import torch
from numpy.typing import NDArray

from lanekeep.cli import main
from lanekeep.flags import UserError
from lanekeep.rollout import DriverPilot, drive_roads
from lanekeep.viewer import Watch, circuit, window
from lanekeep.viewer.journey import Journey
from lanekeep.viewer.scene import CIRCUIT, EYE, OFFSET, ROAD, SIZE, STEERING, WINDSCREEN, Scene
from lanekeep_envs import Camera, load_scenario
from lanekeep_policies.checkpoint import save_driver
from lanekeep_policies.driver import Driver, DriverSpec
from lanekeep_policies.wiring import ncp_wiring

CAMERA = Camera(height_px=48, width_px=160)


def untrained(core: str = "ncp") -> Driver:
    return Driver.build(DriverSpec(core=core, camera_height=48, camera_width=160, curvature_limit_per_m=0.02), 0)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """A single frame is too little for two threads, which only wait for each other where the cores are busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("drivers") / "untrained"
    save_driver(folder, untrained(), training={})
    return str(folder)


@pytest.fixture
def short_roads(tmp_path: Path) -> Path:
    path = tmp_path / "short.toml"
    path.write_text("description = 'short'\n[road]\nlength_m = 110\n")
    return path


@pytest.fixture
def dummy_display(monkeypatch: pytest.MonkeyPatch) -> None:
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


def decode(path: Path) -> tuple[str, NDArray[np.uint8]]:
    """What ffmpeg says of a video, and its frames [T, H, W, 3]."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    return done.stderr.decode(), np.frombuffer(done.stdout, np.uint8).reshape(-1, SIZE[1], SIZE[0], 3)


def press(*keys: int) -> None:
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))


def test_watched_is_driven_as_measured(short_roads: Path) -> None:
    """Departures, the places where the car is put back, and the next road included, with every instant drawn."""
    scenario = load_scenario(str(short_roads))
    drives = drive_roads(lambda n: DriverPilot(untrained(), n), scenario, CAMERA, [10_000, 10_001], cars=1)
    measured = [offset for drive in drives for offset in drive.traces["lateral_offset_m"]]
    assert sum(drive.departures for drive in drives) > 2
    journey = Journey(untrained(), scenario, CAMERA, 10_000, memory_s=1000.0)
    scene = Scene(journey, "untrained")
    while journey.steps < len(measured):
        if journey.steps % 5 == 0:
            scene.draw()
        journey.advance()
    log = list(journey.past)
    put_down = {0} | {k + 1 for k in range(len(log) - 1) if log[k + 1].leg != log[k].leg}
    driven = [now.lateral_offset_m for k, now in enumerate(log) if k not in put_down]
    assert driven == measured
    assert journey.departures == sum(drive.departures for drive in drives)


def test_drawing_draws_the_same_picture_twice_and_leaves_the_drive_alone() -> None:
    journey = Journey(untrained(), load_scenario("country"), CAMERA, 10_000)
    before, scene = journey.env.snapshot(), Scene(journey, "untrained")
    first = pygame.image.tobytes(scene.draw(), "RGB")
    assert pygame.image.tobytes(scene.draw(), "RGB") == first
    after = journey.env.snapshot()
    assert before.cars == after.cars
    assert before.generators == after.generators


def test_the_driver_s_frame_is_shown_pixel_by_pixel() -> None:
    journey = Journey(untrained(), load_scenario("country"), CAMERA, 10_000)
    canvas = pygame.surfarray.array3d(Scene(journey, "untrained").draw()).swapaxes(0, 1)
    shown = canvas[EYE.top : EYE.bottom, EYE.left : EYE.right]
    assert np.array_equal(shown, journey.frame.repeat(3, 0).repeat(3, 1))


def test_no_panel_touches_another() -> None:
    panels = [WINDSCREEN, STEERING, OFFSET, EYE, CIRCUIT, ROAD]
    assert all(pygame.Rect((0, 0), SIZE).contains(panel) for panel in panels)
    for k, panel in enumerate(panels):
        assert panel.inflate(12, 12).collidelist(panels[:k]) == -1


def test_neurons_stand_apart_within_their_panel() -> None:
    points = np.array(circuit.place_neurons(ncp_wiring(), CIRCUIT.width, CIRCUIT.height))
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e3 * np.eye(len(points))
    assert len(points) == 19
    assert apart.min() > 2.0 * (circuit.RADIUS + 1.0)
    assert (points > circuit.RADIUS).all()
    assert (points < np.array(CIRCUIT.size) - circuit.RADIUS).all()


def test_a_core_without_a_wiring_is_drawn_too() -> None:
    journey = Journey(untrained("lstm"), load_scenario("country"), CAMERA, 10_000)
    for _ in range(3):
        journey.advance()
    cells = Scene(journey, "untrained").draw().subsurface(CIRCUIT)
    assert len(np.unique(pygame.surfarray.array2d(cells))) > 100  # 128 numbers, each in its own shade


@pytest.mark.parametrize("core", ["ltc", "ncp-cfc", "liquid-s4", "cnn"])  # no layers, 19 and 1,088 numbers, no state
def test_any_core_is_drawn(core: str) -> None:
    journey = Journey(untrained(core), load_scenario("country"), CAMERA, 10_000)
    journey.advance()
    assert np.ptp(pygame.surfarray.array3d(Scene(journey, core).draw().subsurface(CIRCUIT.move(0, -40))), (0, 1)).all()


def test_video_plays(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, pictures = tmp_path / "drive.mp4", tmp_path / "pictures"
    assert Watch(driver=folder, seconds=0.5, video=path, frames=pictures, every=10).run() == 0
    about, frames = decode(path)
    assert "Video: h264" in about and "yuv420p" in about and "1280x720" in about and "20 fps" in about
    assert len(frames) == 10
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays before it is loaded
    picture = pygame.surfarray.array3d(pygame.image.load(pictures / "000010.png")).swapaxes(0, 1)
    assert np.abs(frames[-1].astype(float) - picture).mean() < 4.0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["drive.mp4", "pictures"]
    assert "0.5 s" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_leaves_a_video_that_plays(folder: str, tmp_path: Path) -> None:
    path = tmp_path / "drive.mp4"
    command = [sys.executable, "-m", "lanekeep", "watch", folder, "--seconds", "600", "--video", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60.0
    while not any(file.stat().st_size for file in tmp_path.glob(".*.mp4")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the program and ffmpeg alike
    out, _ = process.communicate(timeout=60.0)
    assert process.returncode == 0
    assert "ended early" in out
    assert [file.name for file in tmp_path.iterdir()] == ["drive.mp4"]
    assert len(decode(path)[1]) > 0


def test_a_failure_leaves_no_file(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journey, "advance", lambda journey: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Watch(driver=folder, seconds=1.0, video=tmp_path / "drive.mp4").run()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
@pytest.mark.parametrize(
    ("flags", "aside", "sentence"),
    [
        (["--video", "drive.mp4"], ".drive.PID.mp4", "drive.mp4 cannot be written: ffmpeg gave up"),
        (["--frames", ".", "--every", "1"], "000001.png", "000001.png cannot be written: No space left"),
    ],
)
def test_a_full_disk_is_one_sentence(
    folder: str,
    flags: list[str],
    aside: str,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(aside.replace("PID", str(os.getpid()))).symlink_to("/dev/full")
    assert main(["watch", folder, "--seconds", "0.5", *flags]) == 2
    said = capfd.readouterr().err  # ffmpeg's too
    assert said.startswith(f"lanekeep: {sentence}") and said.count("\n") == 1
    assert not Path("drive.mp4").exists()


@pytest.mark.usefixtures("dummy_display")
def test_a_held_car_says_so_on_its_windscreen_only() -> None:
    shown = window.Window("test")
    shown.held = True
    for grey in (0, 255):
        canvas = pygame.Surface(SIZE, 0, 32)
        canvas.fill((grey, grey, grey))
        shown.show(canvas)
        rows, columns = np.nonzero((pygame.surfarray.array3d(shown.screen) != grey).any(2).T)
        about = pygame.Rect(columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
        assert WINDSCREEN.contains(about)
        assert np.abs(np.subtract(about.center, WINDSCREEN.center)).max() <= 1
    pygame.display.quit()


@pytest.mark.usefixtures("dummy_display")
@pytest.mark.parametrize("key", [pygame.K_ESCAPE, pygame.K_q])
def test_a_key_closes_the_window(key: int) -> None:
    shown = window.Window("test")
    press(pygame.K_x)
    shown.listen()
    assert shown.open
    press(key)
    shown.listen()
    pygame.display.quit()
    assert not shown.open


@pytest.mark.usefixtures("dummy_display")
def test_space_holds_the_car_and_n_takes_the_next_road(monkeypatch: pytest.MonkeyPatch) -> None:
    journey = Journey(untrained(), load_scenario("country"), CAMERA, 10_000)
    seen: list[tuple[int, int]] = []
    script = {1: pygame.K_SPACE, 4: pygame.K_SPACE, 6: pygame.K_n, 8: pygame.K_ESCAPE}

    def note_and_press(shown: window.Window, canvas: pygame.Surface) -> None:
        seen.append((journey.steps, int(journey.info["road_seed"]) - 10_000))
        press(*([script[len(seen)]] if len(seen) in script else []))

    monkeypatch.setattr(window.Window, "show", note_and_press)
    window.watch_in_window(journey, Scene(journey, "untrained"), steps=None)
    assert seen == [(0, 0), (0, 0), (0, 0), (0, 0), (1, 0), (2, 0), (2, 1), (3, 1)]
    assert not pygame.display.get_init()


@pytest.mark.usefixtures("dummy_display")
def test_the_canvas_fits_any_window() -> None:
    shown, canvas = window.Window("test"), pygame.Surface(SIZE, 0, 32)
    canvas.fill((255, 255, 255))
    shown.screen = pygame.Surface((500, 500), 0, 32)
    shown.show(canvas)
    white = (pygame.surfarray.array3d(shown.screen) > 250).all(2)
    pygame.display.quit()
    assert white.any(1).all()  # as wide as the window
    assert abs(white.sum() / 500 / (500 * 9 / 16) - 1.0) < 0.01  # and of the canvas's shape


@pytest.mark.parametrize("chosen", ["", "no such driver"])
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_without_a_display_the_way_out_is_a_video(folder: str, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pygame.display.quit()
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", chosen)
    with pytest.raises(UserError, match="--video"):
        Watch(driver=folder).run()


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--seconds", "0"], "--seconds must be from 0.05 to"),
        (["--seconds", "nan"], "--seconds must be from 0.05 to"),
        (["--every", "0"], "--every must be at least 1"),
        (["--video", "drive.avi"], "ends in .mp4"),
        (["--video", "no/such/drive.mp4"], "there is no folder for no/such/drive.mp4"),
        (["--video", "x.mp4", "--scenario", "contry"], "country"),
    ],
)
def test_refusals(folder: str, flags: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", folder, *flags]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
