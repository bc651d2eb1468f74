"""What a person drove is demonstrations like any other; what was not finished, or leads out of the lane, is not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pygame
import pytest

from lanekeep.cli.main import main
from lanekeep.demonstrations import read_dataset, verify
from lanekeep.driving.controllers import ExpertController
from lanekeep.driving.road_drives import TRACES
from lanekeep.driving.seeds import TRAINING_SEEDS
from lanekeep.record import human_drive as human
from lanekeep.record.human_drive import Cockpit, Trip
from lanekeep.watch.window.wheel import DEAD_ZONE
from lanekeep_envs import Camera, LaneKeepingEnv, load_scenario

SMALL = ["--camera", "16x32", "--seconds", "2"]
Script = Callable[[Cockpit, Trip], None]


@pytest.fixture(autouse=True)
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A display that nobody sees, a gamepad that nobody holds, and time that does not pass."""
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr(pygame.joystick, "Joystick", lambda n: SimpleNamespace(get_instance_id=lambda: 7))
    monkeypatch.setattr(pygame.time, "Clock", lambda: SimpleNamespace(tick=lambda rate: 0))
    yield
    assert not pygame.display.get_init()  # every window was closed


def press(*keys: int) -> None:
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))


def steer_as_the_expert(trip: Trip) -> None:
    """Move the stick to where the wheel stands at the expert's action."""
    infos = {name: np.asarray(value)[None] for name, value in trip.info.items()}
    action = ExpertController(trip.env.scenario.curvature_limit_per_m).act(np.empty(0), infos).item()
    value = -np.sign(action) * (DEAD_ZONE + (1.0 - DEAD_ZONE) * abs(action))
    pygame.event.post(pygame.event.Event(pygame.JOYAXISMOTION, instance_id=7, axis=0, value=float(value)))


def drive_like_the_expert(cockpit: Cockpit, trip: Trip) -> None:
    steer_as_the_expert(trip)
    press(*([pygame.K_SPACE] if cockpit.held else []))


def record(monkeypatch: pytest.MonkeyPatch, out: Path, script: Script, *flags: str) -> int:
    """Let a person drive who, instead of looking, does what the script says at every instant that is shown."""
    monkeypatch.setattr(Cockpit, "show", lambda cockpit, trip, kept, wanted: script(cockpit, trip))
    return main(["record", str(out), "--human", *SMALL, *flags])


def test_a_person_who_drives_like_the_expert_records_like_the_expert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same signals of the same kinds, on roads to learn on, and a training takes both at once."""
    assert record(monkeypatch, tmp_path / "mine", drive_like_the_expert, "--episodes", "2") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.endswith("driven by hand on country; episodes written: 2 of 2 to 2 s")
    assert main(["record", str(tmp_path / "its"), *SMALL, "--episodes", "2"]) == 0
    mine, its = (read_dataset(tmp_path / name).episodes for name in ("mine", "its"))
    for one, other in zip(mine, its, strict=True):
        verify(one)
        assert {n: (v.dtype, v.shape[1:]) for n, v in one.signals.items()} == {
            n: (v.dtype, v.shape[1:]) for n, v in other.signals.items()
        }
        assert one.frame_shape == other.frame_shape
        assert (one.info.camera, one.info.dt_s, one.info.curvature_limit_per_m, one.info.scenario) == (
            other.info.camera, other.info.dt_s, other.info.curvature_limit_per_m, other.info.scenario
        )  # fmt: skip
        assert "a person drove" in one.info.perturbation and 0 <= one.info.seed < TRAINING_SEEDS
    flags = ["--camera", "16x32", "--batch", "2", "--length", "4", "--frames", "16", "--validation-km", "0.1"]
    given = ["--demonstrations", str(tmp_path / "mine"), str(tmp_path / "its")]
    assert main(["train", "imitation", str(tmp_path / "driver"), *flags, *given]) == 0


def test_the_record_drives_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded actions from the recorded seed give the recorded frames, byte for byte, and were the expert's."""
    assert record(monkeypatch, tmp_path, drive_like_the_expert, "--episodes", "2", "--scenario", "mixed") == 0
    for episode in read_dataset(tmp_path).episodes:
        scenario = load_scenario("mixed")
        expert = ExpertController(scenario.curvature_limit_per_m)
        env = LaneKeepingEnv(scenario, Camera(**episode.info.camera))  # type: ignore[arg-type]
        frame, info = env.reset(seed=episode.info.seed)
        for t, action in enumerate(episode.signals["driven_action"]):
            assert np.array_equal(frame, episode.frames[t])
            assert all(np.float32(info[name]) == episode.signals[name][t] for name in TRACES)
            infos = {name: np.asarray(value)[None] for name, value in info.items()}
            assert abs(expert.act(frame, infos).item() - action[0]) < 1e-6
            frame, _, _, _, info = env.step(action)
        assert np.array_equal(episode.signals["driven_action"], episode.signals["expert_action"])


def test_keys_do_what_the_hint_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Space holds, R throws away, N keeps, Esc ends without the present drive."""
    seen: list[tuple[int, int]] = []
    script = {0: [pygame.K_SPACE], 10: [pygame.K_r], 13: [pygame.K_SPACE], 25: [pygame.K_SPACE], 30: [pygame.K_SPACE],
              45: [pygame.K_n], 47: [pygame.K_SPACE], 67: [pygame.K_ESCAPE]}  # fmt: skip

    def person(cockpit: Cockpit, trip: Trip) -> None:
        press(*script.get(len(seen), []))
        seen.append((trip.seed, trip.driven))

    assert record(monkeypatch, tmp_path, person) == 0
    roads = [road for road, _ in seen]
    assert roads[0] == roads[45] != roads[46] == roads[-1]
    driven = [steps for _, steps in seen]
    assert driven[:11] == list(range(11))  # held until Space, then a step at a time
    assert driven[11:14] == [0, 0, 0]  # R: from the start, held
    assert driven[14:26] == list(range(1, 13)) and driven[26:31] == [12] * 5  # held, and on from there
    (episode,) = read_dataset(tmp_path).episodes
    assert len(episode) == driven[45] == 27 and episode.info.seed == roads[0]


def test_what_leads_out_of_the_lane_is_not_taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A departure ends the drive, whose last two seconds are left out."""
    log: list[tuple[int, int]] = []

    def person(cockpit: Cockpit, trip: Trip) -> None:
        if cockpit.held and log:
            return press(pygame.K_ESCAPE)
        if not cockpit.held:
            log.append((trip.seed, trip.driven))
        if trip.driven < 60:
            drive_like_the_expert(cockpit, trip)
        elif trip.driven == 60:
            press(pygame.K_a)
        return None

    assert record(monkeypatch, tmp_path, person, "--seconds", "30") == 0
    (episode,) = read_dataset(tmp_path).episodes
    assert len(episode) == log[-1][1] + 1 - 40 and episode.info.seed == log[-1][0]


def test_whoever_leaves_at_once_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notices: list[str] = []

    def person(cockpit: Cockpit, trip: Trip) -> None:
        notices.append(cockpit.notice if cockpit.held else "")
        press(*([] if len(notices) > 1 else [pygame.K_RIGHT, pygame.K_SPACE]))
        press(*([pygame.K_ESCAPE] if len(notices) > 1 and cockpit.held else []))

    assert record(monkeypatch, tmp_path, person, "--seconds", "30") == 0
    assert notices[-1] == "out of the lane" and "no episode was kept" in capsys.readouterr().out


def test_a_second_run_drives_other_roads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        assert record(monkeypatch, tmp_path, drive_like_the_expert, "--episodes", "2", "--seconds", "1") == 0
    assert len({e.info.seed for e in read_dataset(tmp_path).episodes}) == 4


def test_a_finished_drive_is_kept_though_the_window_is_closed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def person(cockpit: Cockpit, trip: Trip) -> None:
        drive_like_the_expert(cockpit, trip)
        if trip.driven == trip.steps - 1:
            pygame.event.post(pygame.event.Event(pygame.QUIT))

    assert record(monkeypatch, tmp_path, person) == 0
    assert len(read_dataset(tmp_path).episodes) == 1


def pixels(cockpit: Cockpit, box: pygame.Rect) -> Any:
    return pygame.surfarray.array3d(cockpit.canvas.surface.subsurface(box)).swapaxes(0, 1)


def test_the_person_sees_the_road_and_the_wheel() -> None:
    """The bar goes where the wheel goes; a gamepad that is lost is said on the windscreen."""
    cockpit = Cockpit("test")
    trip = Trip(load_scenario("country"), Camera(height_px=16, width_px=32), 40, 5)
    before = trip.env.snapshot()
    cockpit.held = False
    bars, views = [], []
    for position in (0.5, -0.5):
        cockpit.wheel.position = position
        cockpit.show(trip, 0, 16)
        bars.append(pixels(cockpit, human.STEERING))
        views.append(pixels(cockpit, human.WINDSCREEN))
    seen = trip.env.view(before, camera=trip.env.camera.resized(*human.SEEN_PX)).image
    assert abs(views[0].mean((0, 1)) - seen.mean((0, 1))).max() < 1.0 and np.array_equal(*views)
    orange, blue = (np.nonzero((bar[5] != bar[5, [0, -1]][k]).any(1))[0] for k, bar in ((1, bars[0]), (0, bars[1])))
    assert orange.max() <= 152 <= blue.min() + 1 and len(orange) > 70 and len(blue) > 70
    for kind, fields in ((pygame.JOYDEVICEADDED, {"device_index": 0}), (pygame.JOYAXISMOTION, {"axis": 0, "value": 0.5}),
                         (pygame.JOYDEVICEREMOVED, {})):  # fmt: skip
        pygame.event.post(pygame.event.Event(kind, instance_id=7, **fields))
    cockpit.listen()
    cockpit.show(trip, 0, 16)
    rows, columns = np.nonzero((pixels(cockpit, human.WINDSCREEN) != views[0]).any(2))
    assert rows.size > 0 and rows.max() < human.WINDSCREEN.height / 3  # above the road
    assert abs((columns.min() + columns.max()) / 2 - human.WINDSCREEN.centerx) < 2
    after = trip.env.snapshot()
    assert before.state.cars == after.state.cars and before.generators == after.generators
    cockpit.close()


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--noise", "0.3"], "--noise disturbs the expert, and a person drives undisturbed"),
        (["--seconds", "0.9"], "--seconds 0.9: a person's drive is kept from 1 s on"),
        (["--scenario", "fog"], "fog is held out for tests"),
        ([], "no window can be opened here; leave --human out"),
    ],
)
def test_refusals(
    flags: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", "no such driver")
    assert main(["record", str(tmp_path / "mine"), "--human", *flags]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1 and not any(tmp_path.iterdir())
