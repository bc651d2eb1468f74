"""What is watched is what is measured; the video plays; the window listens; every refusal is one sentence."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pygame
import pytest
from numpy.typing import NDArray

from lanekeep.cli.main import main
from lanekeep.driving.controllers import DriverController
from lanekeep.driving.road_drives import drive_roads
from lanekeep.errors import UserError
from lanekeep.watch.driven_car import DrivenCar
from lanekeep.watch.panels import circuit
from lanekeep.watch.panels.dashboard import Dashboard, watch_over
from lanekeep.watch.panels.layout import DUO, SOLO, UNITS, Layout
from lanekeep.watch.settings import Watch
from lanekeep.watch.show.show import Show
from lanekeep.watch.watch import watch
from lanekeep_envs import Camera, load_scenario
from lanekeep_files import writing
from lanekeep_policies import Driver
from lanekeep_policies.checkpoint import save_driver
from lanekeep_policies.wiring import ncp_wiring

pytestmark = pytest.mark.usefixtures("one_thread")
Untrained = Callable[..., Driver]
CAMERA = Camera(height_px=48, width_px=160)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, untrained: Untrained) -> str:
    folder = tmp_path_factory.mktemp("drivers") / "untrained"
    save_driver(folder, untrained(), training={})
    return str(folder)


@pytest.fixture
def short_roads(tmp_path: Path) -> Path:
    path = tmp_path / "short.toml"
    path.write_text("description = 'short'\n[road]\nlength_m = 110\n")
    return path


def decode(path: Path) -> tuple[str, NDArray[np.uint8]]:
    """What ffmpeg says of a video, and its frames [T, H, W, 3]."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    return done.stderr.decode(), np.frombuffer(done.stdout, np.uint8).reshape(-1, UNITS[1], UNITS[0], 3)


def dashboard_of(car: DrivenCar, name: str = "untrained") -> Dashboard:
    return Dashboard(watch_over([name], [car]))


def test_watched_is_driven_as_measured(untrained: Untrained, short_roads: Path) -> None:
    """Departures, the places where the car is put back, and the next road included, with every instant drawn."""
    scenario = load_scenario(str(short_roads))
    drives = drive_roads(lambda n: DriverController(untrained(), n), scenario, CAMERA, [10_000, 10_001], cars=1)
    measured = [offset for drive in drives for offset in drive.traces["lateral_offset_m"]]
    assert sum(drive.departures for drive in drives) > 2
    car = DrivenCar(untrained(), scenario, CAMERA, 10_000, memory_s=1000.0)
    dashboard = dashboard_of(car)
    while car.steps < len(measured):
        if car.steps % 5 == 0:
            dashboard.draw()
        car.advance()
    log = list(car.past)
    put_down = {0} | {k + 1 for k in range(len(log) - 1) if log[k + 1].leg != log[k].leg}
    driven = [now.lateral_offset_m for k, now in enumerate(log) if k not in put_down]
    assert driven == measured
    assert car.departures == sum(drive.departures for drive in drives)


def test_drawing_draws_the_same_picture_twice_and_leaves_the_drive_alone(untrained: Untrained) -> None:
    car = DrivenCar(untrained(), load_scenario("country"), CAMERA, 10_000)
    before, dashboard = car.env.snapshot(), dashboard_of(car)
    first = pygame.image.tobytes(dashboard.draw(), "RGB")
    assert pygame.image.tobytes(dashboard.draw(), "RGB") == first
    after = car.env.snapshot()
    assert before.state.cars == after.state.cars
    assert before.generators == after.generators


def test_the_driver_s_frame_is_shown_pixel_by_pixel(untrained: Untrained) -> None:
    car = DrivenCar(untrained(), load_scenario("country"), CAMERA, 10_000)
    canvas = pygame.surfarray.array3d(dashboard_of(car).draw()).swapaxes(0, 1)
    eye = SOLO.eye[0]
    shown = canvas[eye.top : eye.bottom, eye.left : eye.right]
    assert np.array_equal(shown, car.frame.repeat(3, 0).repeat(3, 1))


@pytest.mark.parametrize("layout", [SOLO, DUO])
def test_no_panel_touches_another(layout: Layout) -> None:
    panels = [panel for part in layout for panel in ([part] if isinstance(part, pygame.Rect) else part)]
    assert len(panels) == 3 + 4 * len(layout.windscreen)
    assert all(pygame.Rect((0, 0), UNITS).contains(panel) for panel in panels)
    for k, panel in enumerate(panels):
        assert panel.inflate(12, 12).collidelist(panels[:k]) == -1


@pytest.mark.parametrize("cores", [("ncp",), ("ncp", "lstm"), ("lstm", "ncp")])
@pytest.mark.parametrize("size", [(960, 540), (1280, 720), (2560, 1440), (1300, 900)])
def test_no_words_overlap_at_any_size(untrained: Untrained, cores: tuple[str, ...], size: tuple[int, int]) -> None:
    names = [f"a-driver-with-a-long-name-{core}" for core in cores]
    show = Show(names, [untrained(core) for core in cores], load_scenario("sensor_noise"), 10_000, size)
    for _ in range(3):
        show.tick()
    show.draw()
    words = show.dashboard.canvas.written
    assert len(words) > 40
    for k, word in enumerate(words):
        assert pygame.Rect((0, 0), size).contains(word)
        assert word.inflate(-2, -4).collidelist(words[:k]) == -1  # a line's box is higher than its letters


@pytest.mark.parametrize("layout", [SOLO, DUO])
def test_neurons_stand_apart_within_their_panel(layout: Layout) -> None:
    box = layout.memory[0]
    found, radius = circuit.place_neurons(ncp_wiring(), box.width, box.height)
    points = np.array(found)
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e3 * np.eye(len(points))
    assert len(points) == 19 and radius > 4.0
    assert apart.min() > 2.0 * (radius + 1.0)
    assert (points > radius).all()
    assert (points < np.array(box.size) - radius).all()


def test_a_core_without_a_wiring_is_drawn_too(untrained: Untrained) -> None:
    car = DrivenCar(untrained("lstm"), load_scenario("country"), CAMERA, 10_000)
    for _ in range(3):
        car.advance()
    cells = dashboard_of(car).draw().subsurface(SOLO.memory[0])
    assert len(np.unique(pygame.surfarray.array2d(cells))) > 100  # 128 numbers, each in its own shade


@pytest.mark.parametrize("core", ["ltc", "ncp-cfc", "liquid-s4", "cnn"])  # no layers, 19 and 1,088 numbers, no state
def test_any_core_is_drawn(untrained: Untrained, core: str) -> None:
    car = DrivenCar(untrained(core), load_scenario("country"), CAMERA, 10_000)
    car.advance()
    drawn = dashboard_of(car, core).draw().subsurface(SOLO.memory[0].move(0, -40))
    assert np.ptp(pygame.surfarray.array3d(drawn), (0, 1)).all()


def test_video_plays(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, pictures = tmp_path / "drive.mp4", tmp_path / "pictures"
    watch(Watch(driver=folder, seconds=0.5, video=path, frames=pictures, every=10))
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
    monkeypatch.setattr(DrivenCar, "advance", lambda car: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        watch(Watch(driver=folder, seconds=1.0, video=tmp_path / "drive.mp4"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
@pytest.mark.parametrize(
    ("flags", "aside", "sentence"),
    [
        (["--video", "drive.mp4"], ".aside.mp4", "drive.mp4 cannot be written: ffmpeg gave up"),
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
    Path(aside).symlink_to("/dev/full")
    monkeypatch.setattr(writing, "aside_of", lambda path: tmp_path / aside)
    assert main(["watch", folder, "--seconds", "0.5", *flags]) == 2
    said = capfd.readouterr().err  # ffmpeg's too
    assert said.startswith(f"lanekeep: {sentence}") and said.count("\n") == 1
    assert not Path("drive.mp4").exists()


@pytest.mark.parametrize("chosen", ["", "no such driver"])
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_without_a_display_the_way_out_is_a_video(folder: str, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pygame.display.quit()
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", chosen)
    with pytest.raises(UserError, match="--video"):
        watch(Watch(driver=folder))


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--seconds", "0"], "--seconds must be from 0.05 to"),
        (["--seconds", "nan"], "--seconds must be from 0.05 to"),
        (["--every", "0"], "--every must be from 1 to"),
        (["--video", "drive.avi"], "ends in .mp4"),
        (["--video", "no/such/drive.mp4"], "there is no folder for no/such/drive.mp4"),
        (["--video", "x.mp4", "--scenario", "contry"], "country"),
        (["--size", "100x100"], "--size is WIDTHxHEIGHT from 960x540 to 3840x2160, not '100x100'"),
        (["--overlay", "gradients"], "did you mean gradient?"),
        (["--script", "no.txt"], "--script no.txt: No such file"),
        (["--from", "no.instant"], "no.instant cannot be read: No such file"),
        (["--from", "x.instant", "--scenario", "night"], "leave out --scenario"),
    ],
)
def test_refusals(folder: str, flags: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", folder, *flags]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
