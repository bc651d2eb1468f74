"""Hands on: keys, clicks and scripts do the same, lesions act on the running network and on nothing else, an instant that
was saved goes on as it would have, and a film that was begun plays."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pygame
import pytest

from lanekeep.cli.main import main
from lanekeep.errors import UserError
from lanekeep.video.files import fitted
from lanekeep.watch.driven_car import DrivenCar, Edits
from lanekeep.watch.panels import circuit
from lanekeep.watch.panels.captions import HELP, folded
from lanekeep.watch.show import actions
from lanekeep.watch.show.actions import ACTIONS, perform
from lanekeep.watch.show.saved_instant import read_instant
from lanekeep.watch.show.script import Play, Timed, read_script, written
from lanekeep.watch.show.show import Show
from lanekeep.watch.window import window
from lanekeep.watch.window.keys import KEYS, action_of_key, actions_of_click
from lanekeep_envs import Camera, Element, Remove, load_scenario, scenario_names
from lanekeep_policies import Driver, DriverSpec
from lanekeep_policies.checkpoint import save_driver
from lanekeep_policies.lesions import Lesions, lesioned

pytestmark = pytest.mark.usefixtures("one_thread")
CAMERA = Camera(height_px=48, width_px=160)


def untrained(core: str = "ncp") -> Driver:
    return Driver.build(DriverSpec(core=core, camera_height=48, camera_width=160, curvature_limit_per_m=0.02), 0)


def show_of(*cores: str, scenario: str = "country") -> Show:
    return Show(list(cores), [untrained(core) for core in cores], load_scenario(scenario), 10_000)


def drive(show: Show, ticks: int) -> np.ndarray:
    """Where the cars are, tick after tick [ticks, N, 2]."""
    places = []
    for _ in range(ticks):
        show.tick()
        places.append([(car.past[-1].x, car.past[-1].y) for car in show.cars])
    return np.array(places)


@pytest.fixture
def dummy_display(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    pygame.display.quit()


def press(*keys: int, shift: bool = False) -> None:
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, mod=pygame.KMOD_SHIFT if shift else 0))


def pixel_of(show: Show, point: tuple[float, float]) -> tuple[int, int]:
    return show.dashboard.canvas.pixel(point)


# --- the drive -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cores", [("ncp",), ("ncp", "lstm")])
def test_a_show_drives_as_its_journeys_would_alone(cores: tuple[str, ...]) -> None:
    """In step, on two threads, with overlays, bars and every frame drawn."""
    show = show_of(*cores)
    show.show_overlay("gradient")
    alone = [DrivenCar(untrained(core), load_scenario("country"), CAMERA, 10_000) for core in cores]
    for _ in range(12):
        show.tick()
        show.draw()
        for car in alone:
            car.advance()
    for car, other in zip(show.cars, alone, strict=True):
        assert np.array_equal(car.past[-1].state, other.past[-1].state)
        assert [i[:7] for i in car.past] == [i[:7] for i in other.past]


def test_a_pace_changes_when_steps_are_driven_and_not_which() -> None:
    fast, slow = show_of("ncp"), show_of("ncp")
    fast.pace, slow.pace = 2.0, 0.25
    a, b = drive(fast, 4), drive(slow, 32)
    assert fast.car.steps == slow.car.steps == 8
    assert np.array_equal(a[-1], b[-1])


def test_drivers_go_on_to_the_next_road_together(tmp_path: Path) -> None:
    path = tmp_path / "short.toml"
    path.write_text("description = 'short'\n[road]\nlength_m = 110\n")
    show = show_of("ncp", "lstm", scenario=str(path))
    for _ in range(300):
        show.tick()
        assert len({car.road_seed for car in show.cars}) == 1
    assert show.car.road_seed > 10_000


# --- edits and lesions -----------------------------------------------------------------------------------------------


def test_what_is_removed_is_gone_for_the_driver_and_the_present_is_thought_over() -> None:
    show = show_of("ncp")
    drive(show, 5)
    car = show.car
    state = car.before.clone()
    show.toggle(Element.TREES)
    expected = car.env.view(car.env.snapshot(), [Remove(Element.TREES)]).image
    assert np.array_equal(car.frame, expected)
    action, _ = car.driver.step(expected[None], state)
    assert car.past[-1].action == pytest.approx(float(action[0, 0]), abs=1e-5)
    assert len(car.past) == 6  # decided anew, not twice
    show.toggle(Element.TREES)
    assert car.edits == Edits()


def test_bars_are_the_effects_that_the_library_measures() -> None:
    show = show_of("ncp", "lstm")
    drive(show, 3)
    show.step()
    for one in show.watched:
        car = one.car
        seen = one.effects.now
        assert {Element.RIGHT_MARKING, Element.LEFT_MARKING} <= set(seen)
        for element, effect in seen.items():
            without = car.env.view(car.env.snapshot(), [Remove(element)]).image
            a, b = (car.driver.step(frame[None], car.before)[0] for frame in (car.frame, without))
            assert effect == pytest.approx(float(a[0, 0] - b[0, 0]), abs=1e-5)


def test_a_lesion_let_go_leaves_the_undisturbed_drive() -> None:
    """From a snapshot: drive on; come back, lesion, drive, heal, come back: the same drive, bit for bit."""
    show = show_of("ncp")
    drive(show, 6)
    here = show.car.saved()
    undisturbed = drive(show, 10)
    show.car.come_back(here)
    perform(show, "silence 0")
    perform(show, "cut 5 0") if (5, 0) in circuit_ends() else None
    disturbed = drive(show, 10)
    perform(show, "heal")
    show.car.come_back(here)
    again = drive(show, 10)
    assert np.array_equal(again, undisturbed)
    assert not np.array_equal(disturbed, undisturbed)


def circuit_ends() -> set[tuple[int, int]]:
    core = untrained().core
    wiring = circuit.wiring_of(core)
    assert wiring is not None
    return set(zip(wiring.source.tolist(), wiring.target.tolist(), strict=True))


def test_a_lesion_acts_on_one_of_two_drivers() -> None:
    show, alone = show_of("ncp", "ncp"), show_of("ncp", "ncp")
    perform(show, "driver 2")
    perform(show, "clamp 0 0.9")
    a, b = drive(show, 8), drive(alone, 8)
    assert np.array_equal(a[:, 0], b[:, 0])
    assert not np.array_equal(a[:, 1], b[:, 1])


def test_a_lesioned_drive_is_the_drive_of_a_lesioned_driver() -> None:
    show = show_of("ncp")
    perform(show, "silence 7")
    show.go_to_road(10_003)
    other = Show(["x"], [lesioned(untrained(), Lesions().silence(7))], load_scenario("country"), 10_003)
    assert np.array_equal(drive(show, 6), drive(other, 6))


def test_a_gust_pushes_the_car_to_its_side_and_ends() -> None:
    offsets = {}
    for gust in ("gust", "gust -4", None):
        show = show_of("ncp")
        perform(show, "steer 0")
        if gust is not None:
            perform(show, gust)
        drive(show, 15)
        offsets[gust] = show.car.info["lateral_offset_m"]
        assert show.car.env.snapshot().state.cars["push_mps2"][0] == 0.0
    assert offsets["gust"] > offsets[None] + 0.05 > offsets["gust -4"] + 0.1


def test_a_person_at_the_wheel_steers_and_gives_it_back() -> None:
    right, left = show_of("ncp"), show_of("ncp")
    perform(left, "steer 0.5")
    perform(right, "steer -0.5")
    drive(left, 12), drive(right, 12)
    assert left.car.past[-1].lateral_offset_m > right.car.past[-1].lateral_offset_m
    assert left.car.env.snapshot().state.cars["action"][0] == 0.5
    assert left.car.past[-2].hand == 0.5 and np.isnan(left.car.past[-1].hand)
    perform(left, "release")
    wanted = left.car.past[-1].action
    drive(left, 1)
    assert left.car.env.snapshot().state.cars["action"][0] == pytest.approx(np.clip(wanted, -1, 1))


def test_weather_is_made_stronger_for_all_to_see() -> None:
    show = show_of("ncp", "lstm")
    fine = [car.frame.copy() for car in show.cars]
    for line in ("weather fog", "stronger", "stronger", "stronger", "weaker"):
        perform(show, line)
    assert show.car.edits.strengths == {"fog": 0.2}
    assert all((car.frame != frame).any() for car, frame in zip(show.cars, fine, strict=True))
    perform(show, "strength noise 1")
    grain = show.car.frame.astype(float) - show.car.picture(48, 160)
    assert show.strength_of("noise") == 1.0 and np.isfinite(grain).all()


# --- keys, clicks, scripts --------------------------------------------------------------------------------------------


def test_every_key_is_an_action_and_is_in_the_help() -> None:
    show = show_of("ncp")
    assert all(action in ACTIONS for action in KEYS.values())
    assert len({text for _, text in HELP}) == len(HELP)
    for key in KEYS:
        action = action_of_key(show, key, False)
        assert action is not None and action.split()[0] in ACTIONS
    assert action_of_key(show, pygame.K_g, True) == "gust -4"
    assert action_of_key(show, pygame.K_x, False) is None
    rows = show.rows.elements
    assert action_of_key(show, pygame.K_1, False) == f"remove {rows[0].name.lower()}"


def test_a_key_is_what_is_written_on_it() -> None:
    """A German keyboard has the slash above the 7, a French one has figures above everything."""
    show = show_of("ncp")
    first = f"remove {show.rows.elements[0].name.lower()}"
    assert action_of_key(show, pygame.K_7, True, "/") == "faster"
    assert action_of_key(show, pygame.K_AMPERSAND, True, "1") == first == action_of_key(show, pygame.K_1, False, "1")
    assert action_of_key(show, pygame.K_KP_PLUS, False, "+") == "stronger"


@pytest.mark.parametrize(
    ("cores", "size"), [(("ncp",), (960, 540)), (("ncp", "lstm"), (960, 540)), (("ncp", "lstm"), (2560, 1440))]
)
def test_words_stay_in_their_windscreen_however_many_there_are(cores: tuple[str, ...], size: tuple[int, int]) -> None:
    show = Show(list(cores), [untrained(core) for core in cores], load_scenario("country"), -(10**40), size)
    lines = "hold|pace 0.125|steer -0.5|strength fog 0.3|strength rain 0.1|strength noise 0.5|remove trees|silence 9"
    lines += "|clamp 18 -0.4|clamp 17 12|clamp 7 0.4|clamp 12 0.1|clamp 6 -3|clamp 1 0.2|clamp 0 -1.5"
    for line in lines.split("|"):
        perform(show, line)
    show.draw()
    before = list(show.dashboard.canvas.written)
    for message in ("a/path/" * 40 + "x is written", "this driver cannot do " * 20):
        show.say(message)
        show.draw()
        words = show.dashboard.canvas.written
        place = show.dashboard.canvas.place(show.dashboard.layout.windscreen[0])
        assert len(words) > len(before)
        assert all(place.contains(word) for word in words[len(before) - len(show._tags()) :])
        for k, word in enumerate(words):
            assert pygame.Rect((0, 0), size).contains(word)
            assert word.inflate(-2, -4).collidelist(words[:k]) == -1


def test_a_text_is_folded_without_losing_a_word_while_there_is_room() -> None:
    def fits(line: str) -> bool:
        return len(line) <= 12

    text = "one two three four five"
    assert " ".join(folded(text, fits)) == text and all(map(fits, folded(text, fits)))
    assert folded("x" * 30, fits) == ["x" * 11 + "\N{HORIZONTAL ELLIPSIS}"]
    many = folded("word " * 30, fits)
    assert len(many) == 3 and many[-1].endswith("\N{HORIZONTAL ELLIPSIS}") and all(map(fits, many))


def test_a_click_on_a_neuron_silences_clamps_and_lets_it_go() -> None:
    show = show_of("ncp")
    show.draw()
    box, wiring = show.dashboard.layout.memory[0], circuit.wiring_of(show.car.driver.core)
    assert wiring is not None
    at, _ = circuit.place_neurons(wiring, box.width, box.height)
    place = pixel_of(show, (box.x + at[9][0], box.y + at[9][1]))
    potential = float(show.car.past[-1].state[9])
    for expected in ("silence 9", "clamp 9", "free 9"):
        lines = actions_of_click(show, place, 1)
        assert lines == ["driver 1", expected]
        for line in lines:
            perform(show, line)
        if expected == "clamp 9":
            assert show.car.lesions.clamped[9] == pytest.approx(potential, abs=0.5)
            assert actions_of_click(show, place, 4)[1].startswith("clamp 9 ")
            assert actions_of_click(show, place, 3)[1] == "free 9"
    assert not show.car.lesions


def test_a_click_on_a_synapse_cuts_it_and_another_mends_it() -> None:
    show = show_of("lstm", "ncp")
    show.draw()
    box, wiring = show.dashboard.layout.memory[1], circuit.wiring_of(show.cars[1].driver.core)
    assert wiring is not None
    at, radius = circuit.place_neurons(wiring, box.width, box.height)
    for source, target in zip(wiring.source.tolist(), wiring.target.tolist(), strict=True):
        line = circuit.synapse(at[source], at[target], radius)
        point = np.mean(line[:2], axis=0) if len(line) == 2 else line[len(line) // 2]
        point = (box.x + point[0], box.y + point[1])
        if circuit.synapse_at(box, wiring, point) == (source, target) and circuit.neuron_at(box, wiring, point) is None:
            break
    for word in ("cut", "mend"):
        lines = actions_of_click(show, pixel_of(show, point), 1)
        assert lines == ["driver 2", f"{word} {source} {target}"]
        for line in lines:
            perform(show, line)
    assert not show.car.lesions


def test_a_click_on_a_cell_and_on_a_bar() -> None:
    show = show_of("lstm")
    show.draw()
    memory, bars = show.dashboard.layout.memory[0], show.dashboard.layout.bars[0]
    columns, cell, left = circuit.cells_in(memory, 128)
    point = (memory.x + left + 2.5 * cell, memory.y + circuit.NAMES_HEIGHT + 1.5 * cell)
    assert actions_of_click(show, pixel_of(show, point), 1) == ["driver 1", f"silence {columns + 2}"]
    second = show.rows.elements[1].name.lower()
    assert actions_of_click(show, pixel_of(show, (bars.x + 30, bars.y + 3 + 24)), 1) == ["driver 1", f"remove {second}"]
    assert actions_of_click(show, pixel_of(show, (5, 5)), 1) == []


@pytest.mark.usefixtures("dummy_display")
def test_a_window_takes_keys_and_its_log_is_a_script_that_does_it_again(tmp_path: Path) -> None:
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
def test_space_holds_the_car_and_a_full_stop_steps_it() -> None:
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
def test_hands_do_not_stay_on_a_wheel_that_is_given_away(key: int, steered: float | None) -> None:
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
def test_a_finger_that_slips_says_so_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    show = show_of("lstm")
    monkeypatch.setattr(window.Window, "listen", lambda self, s: ["cut 1 0"] if s.ticks == 1 else [])
    window.watch_in_window(show, Play(), ticks=3)
    assert "has no synapses" in show.message


def test_a_picture_and_a_film_are_written_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dummy_display: None
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
    lines: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    show = show_of("ncp")
    monkeypatch.setattr(window.Window, "listen", lambda self, s: [lines] if s.ticks == 1 else [])
    window.watch_in_window(show, Play(), ticks=3)
    assert show.ticks == 3 and ("picture.png cannot be" in show.message or "expected a name" in show.message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_full_disk_ends_the_film_and_not_the_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dummy_display: None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / f".drive.{os.getpid()}.mp4").symlink_to("/dev/full")
    show, play = show_of("ncp"), Play([Timed(0, "record drive.mp4")])
    keys = {6: "record"}  # ends it, if it has not failed before
    monkeypatch.setattr(window.Window, "listen", lambda self, s: [keys[s.ticks]] if s.ticks in keys and s.film else [])
    window.watch_in_window(show, play, ticks=8)
    assert "drive.mp4 cannot be written: ffmpeg gave up" in show.message and show.film is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("dummy_display")
def test_ctrl_c_closes_a_window_and_leaves_a_film_that_plays_and_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


def test_a_script_that_fails_says_when_and_leaves_the_log_of_what_was_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_driver(tmp_path / "one", untrained(), training={})
    (tmp_path / "script.txt").write_text("0.05 silence 3\n0.1\tsilence 99\n0.15 hold\n")
    paths = {"--script": "script.txt", "--log": "log.txt", "--video": "drive.mp4"}
    flags = [word for flag, name in paths.items() for word in (flag, str(tmp_path / name))]
    assert main(["watch", f"{tmp_path}/one", *flags]) == 2
    assert "0.1 s into the script: 'silence 99': this driver's state has 19" in capsys.readouterr().err
    assert [timed.line for timed in read_script(tmp_path / "log.txt")] == ["silence 3"]
    assert not (tmp_path / "drive.mp4").exists()


def test_a_script_records_beside_the_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each film has its own beginning and end; what --seconds cuts off is said."""
    save_driver(tmp_path / "one", untrained(), training={})
    part, whole = tmp_path / "part.mp4", tmp_path / "whole.mp4"
    (tmp_path / "script.txt").write_text(f"0.1 record {part}\n0.2 record\n9 hold\n")
    flags = ["--seconds", "0.3", "--script", str(tmp_path / "script.txt"), "--video", str(whole)]
    assert main(["watch", f"{tmp_path}/one", *flags]) == 0
    assert [imageio_ffmpeg.count_frames_and_secs(str(path))[0] for path in (part, whole)] == [2, 6]
    assert "--seconds 0.3 is over before 1 line of the script" in capsys.readouterr().out


@pytest.mark.parametrize("size", [(960, 800), (2000, 600), (1281, 721)])
def test_a_film_keeps_the_shape_of_a_window_that_is_resized(size: tuple[int, int]) -> None:
    surface = pygame.Surface(size, 0, 32)
    surface.fill((255, 0, 0))
    red = pygame.surfarray.array3d(fitted(surface, (1280, 720), (0, 0, 0)))[..., 0] > 128
    shown = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    wide, high = (np.ptp(pixels) + 1 for pixels in shown)
    assert wide == 1280 or high == 720
    assert wide / high == pytest.approx(size[0] / size[1], rel=0.01)


def test_a_script_makes_a_video_twice_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "drivers" / "one"
    save_driver(folder, untrained(), training={})
    script = tmp_path / "script.txt"
    script.write_text(
        "# what is done\n0.1 remove trees\n0.2 silence 3 # a neuron\n\n0.3 pace 0.5\n0.35 scenario night\n0.4 help\n"
    )
    for name in ("a", "b"):
        flags = [
            "--script",
            str(script),
            "--frames",
            str(tmp_path / name),
            "--every",
            "9",
            "--log",
            str(tmp_path / "log"),
        ]
        assert main(["watch", str(folder), *flags]) == 0
    assert (tmp_path / "a/000009.png").read_bytes() == (tmp_path / "b/000009.png").read_bytes()
    assert read_script(tmp_path / "log") == read_script(script)
    assert "0.45 s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1.0 jump", "line 1: there is no action 'jump'; did you mean gust?|line 1: there is no action 'jump'"),
        ("0 hold\nx hold", "line 2: 'x' is not a number"),
        ("-1 hold", "line 1: a time is from 0 to"),
        ("0 silence", "line 1: silence takes NEURON, not nothing"),
        ("0 remove trees now", "line 1: remove takes ELEMENT, not trees now"),
        ("0 remove 'trees", "line 1: .*No closing quotation"),
    ],
)
def test_a_script_that_is_none_is_refused_before_it_begins(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "script.txt"
    path.write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_script(path)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("remove tree", "did you mean trees?"),
        ("remove road", "cannot be removed"),
        ("silence 19", "19 numbers"),
        ("silence many", "not a whole number"),
        ("clamp 3 nan", "not a number"),
        ("clamp 3 1e30", "from -1000 to 1000"),
        ("gust 1e30", "no gust is stronger"),
        ("scenario town", "action 1 is a curvature"),
        ("strength fog 2", "from 0 to 1"),
        ("strength mist 1", "there are night"),
        ("pace 0", "a pace is"),
        ("overlay x-ray", "there are none"),
        ("driver 2", "there is 1 driver, so none is number 2"),
        ("scenario nigt", "did you mean night?"),
        ("open no.instant", "cannot be read"),
        ("free 9", "neither silenced nor held"),
        ("mend 5 0", "is not cut"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_nothing_has_happened(line: str, sentence: str) -> None:
    show = show_of("ncp")
    before = (show.car.edits, show.car.lesions, show.pace, show.overlay, show.scenario.name, show.chosen)
    with pytest.raises((UserError, ValueError), match=sentence):
        perform(show, line)
    assert before == (
        show.car.edits, show.car.lesions, show.pace, show.overlay, show.scenario.name, show.chosen
    )  # fmt: skip


# --- instants ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["country", "sensor_noise"])  # the second shows late frames
def test_an_instant_goes_on_from_its_file_as_it_would_have(tmp_path: Path, scenario: str) -> None:
    show = show_of("ncp", "lstm", scenario=scenario)
    drive(show, 5)
    for line in ("remove shadows", "silence 8", "driver 2", "clamp 70 0.5", "gust"):
        perform(show, line)
    drive(show, 2)
    path = tmp_path / "here.instant"
    perform(show, f"save {path}")
    expected = drive(show, 8)
    other = show_of("ncp", "lstm")
    perform(other, f"open {path}")
    assert other.cars[0].lesions == Lesions().silence(8) and other.cars[1].lesions == Lesions().clamp(70, 0.5)
    assert other.car.edits.removed == {Element.SHADOWS}
    assert np.array_equal(drive(other, 8), expected)


@pytest.mark.parametrize(
    ("column", "value"),
    [("x", 1e9), ("y", np.inf), ("speed", 1e9), ("yaw_rate", 1e9), ("distance_m", np.inf), ("push_mps2", -1e9)],
)
def test_an_instant_of_a_car_that_cannot_be_is_refused(tmp_path: Path, column: str, value: float) -> None:
    path = tmp_path / "here.instant"
    perform(show_of("ncp"), f"save {path}")
    with np.load(path) as file:
        arrays = dict(file)
    arrays["cars_0"][column] = value
    with path.open("wb") as opened:
        np.savez(opened, **arrays)
    with pytest.raises(UserError, match="is no instant of this version, or damaged"):
        read_instant(path)


@pytest.mark.parametrize("scenario", ["mixed", "gusts", "fog"])
def test_an_instant_of_any_weather_is_opened(tmp_path: Path, scenario: str) -> None:
    show = show_of("ncp", scenario=scenario)
    drive(show, 2)
    perform(show, f"save {tmp_path / 'here.instant'}")
    assert read_instant(tmp_path / "here.instant").scenario == show.scenario


def test_an_instant_keeps_seeds_of_any_size(tmp_path: Path) -> None:
    seed = -(10**30)
    show = Show(["a"], [untrained()], load_scenario("country"), seed)
    perform(show, f"save {tmp_path / 'here.instant'}")
    other = show_of("ncp")
    perform(other, f"open {tmp_path / 'here.instant'}")
    assert other.first_seed == other.car.road_seed == seed


def test_an_instant_of_another_world_changes_nothing(tmp_path: Path) -> None:
    """Neither one whose camera is another's, where late frames are shown, nor one of a town."""
    wide = Driver.build(DriverSpec(core="lstm", camera_height=32, camera_width=96, curvature_limit_per_m=0.02), 0)
    town = Driver.build(DriverSpec(core="lstm", camera_height=48, camera_width=160, curvature_limit_per_m=0.05), 0)
    show, path = show_of("ncp", "lstm"), tmp_path / "here.instant"
    drive(show, 3)
    cars = show.cars
    for driver, scenario in ((wide, "sensor_noise"), (town, "town")):
        perform(Show(["other"], [driver], load_scenario(scenario), 5), f"save {path}")
        with pytest.raises(UserError):
            perform(show, f"open {path}")
        assert show.cars == cars and show.first_seed == 10_000 and show.scenario.name == "country"


def test_the_key_for_scenarios_goes_round_those_the_driver_was_made_for() -> None:
    show, seen = show_of("ncp"), []
    for _ in range(len(scenario_names())):
        seen.append(show.next_scenario())
        show.scenario = load_scenario(seen[-1])
    limits = {name: load_scenario(name).curvature_limit_per_m for name in scenario_names()}
    assert set(seen) == {name for name, limit in limits.items() if limit == 0.02} and len(set(limits.values())) > 1


def test_the_other_s_turn_gives_the_wheel_back_and_everything_is_restored() -> None:
    show = show_of("ncp", "lstm")
    for line in ("steer 0.5", "driver 1"):
        perform(show, line)
    assert show.car.hand == 0.5
    for line in ("driver 2", "remove trees", "strength fog 0.5", "strength noise 0.5", "restore"):
        perform(show, line)
    assert show.cars[0].hand is None and show.car.edits == Edits()


def test_another_driver_takes_over_an_instant_without_its_memory(tmp_path: Path) -> None:
    show = show_of("ncp")
    drive(show, 5)
    perform(show, f"save {tmp_path / 'here.instant'}")
    other = show_of("lstm")
    perform(other, f"open {tmp_path / 'here.instant'}")
    assert other.car.past[-1].x == show.car.past[-1].x
    assert (other.car.before == 0.0).all()


def test_a_damaged_or_foreign_instant_is_refused(tmp_path: Path) -> None:
    show = show_of("ncp")
    path = tmp_path / "here.instant"
    perform(show, f"save {path}")
    whole = path.read_bytes()
    for name, data in {
        "cut": whole[: len(whole) // 2],
        "flipped": whole[:2000] + bytes([whole[2000] ^ 255]) + whole[2001:],
        "empty": b"",
        "foreign": b"PK\x03\x04 something else",
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match=name):
            read_instant(tmp_path / name)
    with np.load(path) as file:
        arrays = dict(file)
    for change in ({"cars_0": arrays["cars_0"].copy()}, {"roads_0": arrays["roads_0"][["x", "y"]]}, {"memory_0": None}):
        changed = {**arrays, **change}
        if change.keys() == {"cars_0"}:
            changed["cars_0"]["row"] = 10**9
        kept = {name: array for name, array in changed.items() if array is not None}
        with (tmp_path / "changed").open("wb") as opened:
            np.savez(opened, **kept)
        with pytest.raises(UserError, match="changed is no instant of this version, or damaged"):
            read_instant(tmp_path / "changed")
    told = json.loads(arrays["told"].tobytes())
    arrays["told"] = np.frombuffer(json.dumps({**told, "format": 2}).encode(), np.uint8)
    with (tmp_path / "newer").open("wb") as opened:
        np.savez(opened, **arrays)
    with pytest.raises(UserError, match="newer is of version 2, and this program reads version 1"):
        read_instant(tmp_path / "newer")


# --- golden frames ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cores", [("ncp",), ("ncp", "lstm")])
def test_the_layout_is_as_it_was(cores: tuple[str, ...]) -> None:
    """A small copy of the picture against one that was looked at; `LANEKEEP_GOLDEN=1` writes it anew."""
    show = show_of(*cores)
    drive(show, 24)
    for line in ("overlay elements", "remove trees", "cut 1 0" if (1, 0) in circuit_ends() else "silence 4", "hold"):
        perform(show, line)
    show.message = ""
    small = pygame.transform.smoothscale(show.draw(), (480, 270))
    path = Path(__file__).parents[1] / "golden" / f"watch_{'_'.join(cores)}.png"
    if os.environ.get("LANEKEEP_GOLDEN"):
        pygame.image.save(small, path)
    golden = pygame.surfarray.array3d(pygame.image.load(path)).astype(float)
    assert np.abs(pygame.surfarray.array3d(small) - golden).mean() < 1.0


def test_default_gust_is_what_the_key_says() -> None:
    assert f"{actions.GUST_MPS2:g}" == "4"
