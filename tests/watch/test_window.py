"""A window: what is pressed in it is done and written down, and neither a slip nor a full disk closes it."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pygame
import pytest

from lanekeep.cli.main import main
from lanekeep.watch.show.actions import perform
from lanekeep.watch.show.script import Play, Timed, read_script, written
from lanekeep.watch.show.show import Show
from lanekeep.watch.window import window
from lanekeep_files import writing
from lanekeep_policies import Driver
from lanekeep_policies.checkpoint import save_driver

pytestmark = pytest.mark.usefixtures("one_thread")
Untrained = Callable[..., Driver]
ShowOf = Callable[..., Show]


@pytest.fixture
def dummy_display(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    pygame.display.quit()


def press(*keys: int, shift: bool = False) -> None:
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, mod=pygame.KMOD_SHIFT if shift else 0))


@pytest.mark.usefixtures("dummy_display")
def test_a_window_takes_keys_and_its_log_is_a_script_that_does_it_again(show_of: ShowOf, tmp_path: Path) -> None:
    show = show_of("ncp")
    keys = {
        2: [pygame.K_1],
        3: [pygame.K_o],
        5: [pygame.K_g],
        6: [pygame.K_COMMA],
        12: [pygame.K_LEFT],
        20: [pygame.K_q],
    }
    draw = show.draw

    def drawn_and_pressed() -> pygame.Surface:
        press(*keys.get(show.ticks, []))
        return draw()

    show.draw = drawn_and_pressed  # type: ignore[method-assign]
    play = Play()
    window.watch_in_window(show, play, ticks=None)
    assert not pygame.display.get_init() and not show.open
    assert {timed.line.split()[0] for timed in play.done} >= {"remove", "overlay", "gust", "slower", "steer", "quit"}
    (tmp_path / "again.txt").write_text(written(play.done, "how it was begun"))
    script, again = read_script(tmp_path / "again.txt"), show_of("ncp")
    assert script == play.done
    for ticks in range(show.ticks + 1):
        for timed in [timed for timed in script if timed.tick == ticks]:
            perform(again, timed.line)
        if again.open:
            again.tick()
    assert again.car.past[-1].x == show.car.past[-1].x
    assert np.array_equal(again.car.past[-1].state, show.car.past[-1].state)


@pytest.mark.usefixtures("dummy_display")
def test_space_holds_the_car_and_a_full_stop_steps_it(show_of: ShowOf) -> None:
    show = show_of("ncp")
    keys = {0: [pygame.K_SPACE], 3: [pygame.K_PERIOD], 5: [pygame.K_n], 6: [pygame.K_x], 8: [pygame.K_ESCAPE]}
    seen = []
    draw = show.draw

    def drawn_and_pressed() -> pygame.Surface:
        seen.append((show.car.steps, show.car.road_seed - 10_000))
        press(*keys.get(show.ticks, []))
        return draw()

    show.draw = drawn_and_pressed  # type: ignore[method-assign]
    window.watch_in_window(show, Play(), ticks=None)
    assert seen == [(0, 0), (0, 0), (0, 0), (0, 0), (1, 0), (1, 0), (1, 1), (1, 1), (1, 1)]


@pytest.mark.usefixtures("dummy_display")
@pytest.mark.parametrize(("key", "steered"), [(pygame.K_TAB, None), (pygame.K_RETURN, None), (pygame.K_o, 0.32)])
def test_hands_do_not_stay_on_a_wheel_that_is_given_away(show_of: ShowOf, key: int, steered: float | None) -> None:
    """The arrow is still held: it steers on, but neither the other driver nor one who was given the wheel back."""
    show, play = show_of("ncp", "lstm"), Play()
    keys = {1: [pygame.K_LEFT], 3: [key]}
    draw = show.draw

    def drawn_and_pressed() -> pygame.Surface:
        press(*keys.get(show.ticks, []))
        return draw()

    show.draw = drawn_and_pressed  # type: ignore[method-assign]
    window.watch_in_window(show, play, ticks=5)
    assert show.cars[0].hand == steered and show.cars[1].hand is None


@pytest.mark.usefixtures("dummy_display")
def test_a_finger_that_slips_says_so_and_ends_nothing(show_of: ShowOf, monkeypatch: pytest.MonkeyPatch) -> None:
    show = show_of("lstm")
    monkeypatch.setattr(window.Window, "listen", lambda self, s: ["cut 1 0"] if s.ticks == 1 else [])
    window.watch_in_window(show, Play(), ticks=3)
    assert "has no synapses" in show.message


def test_a_picture_and_a_film_are_written_where_one_is(
    show_of: ShowOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dummy_display: None
) -> None:
    """A window that is closed in mid-recording leaves a film that plays."""
    monkeypatch.chdir(tmp_path)
    show = show_of("ncp")
    script = [Timed(0, "screenshot"), Timed(1, "record"), Timed(3, "screenshot"), Timed(5, "quit")]
    window.watch_in_window(show, Play(script), ticks=None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lanekeep-1.mp4", "lanekeep-1.png", "lanekeep-2.png"]
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "lanekeep-1.mp4"))
    assert frames == 5  # of ticks 1 to 5: it closes after that of the last
    assert pygame.image.load(tmp_path / "lanekeep-2.png").get_size() == (1280, 720)


@pytest.mark.usefixtures("dummy_display")
@pytest.mark.parametrize("lines", ["screenshot no/such/picture.png", "screenshot .", "record .", "record drive.avi"])
def test_a_file_that_cannot_be_is_said_in_the_window_which_stays(
    show_of: ShowOf, lines: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    show = show_of("ncp")
    monkeypatch.setattr(window.Window, "listen", lambda self, s: [lines] if s.ticks == 1 else [])
    window.watch_in_window(show, Play(), ticks=3)
    assert show.ticks == 3 and ("picture.png cannot be" in show.message or "expected a name" in show.message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_full_disk_ends_the_film_and_not_the_window(
    show_of: ShowOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dummy_display: None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".aside.mp4").symlink_to("/dev/full")
    monkeypatch.setattr(writing, "aside_of", lambda path: tmp_path / ".aside.mp4")
    show, play = show_of("ncp"), Play([Timed(0, "record drive.mp4")])
    keys = {6: "record"}  # ends it, if it has not failed before
    monkeypatch.setattr(window.Window, "listen", lambda self, s: [keys[s.ticks]] if s.ticks in keys and s.film else [])
    window.watch_in_window(show, play, ticks=8)
    assert "drive.mp4 cannot be written: ffmpeg gave up" in show.message and show.film is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("dummy_display")
def test_ctrl_c_closes_a_window_and_leaves_a_film_that_plays_and_a_log(
    untrained: Untrained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_driver(tmp_path / "one", untrained(), training={})
    (tmp_path / "script.txt").write_text("0 record drive.mp4\n0.1 silence 3\n")
    tick = Show.tick

    def interrupted(show: Show) -> None:
        tick(show)
        if show.ticks == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Show, "tick", interrupted)
    assert main(["watch", "./one", "--script", "script.txt", "--log", "log.txt"]) == 0
    assert imageio_ffmpeg.count_frames_and_secs("drive.mp4")[0] == 3
    begun, *lines = (tmp_path / "log.txt").read_text().splitlines()
    assert begun == "# lanekeep watch ./one --scenario country --seed 10000"
    assert lines == ["0.00 record drive.mp4", "0.10 silence 3"]
