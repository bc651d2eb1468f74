"""Evaluation: jerk against a closed form, the expert as a yardstick."""

import json
from pathlib import Path

import numpy as np
import pytest

from lanekeep.cli.main import main
from lanekeep.driving.controllers import ExpertController
from lanekeep.driving.drivers import open_driver
from lanekeep.driving.road_drives import RoadDrive, drive_roads
from lanekeep.evaluate.evaluate import names_of
from lanekeep.evaluate.measures import lateral_jerk, measure
from lanekeep.evaluate.settings import FIRST_TEST_SEED
from lanekeep_envs import Camera, load_scenario, scenario_names

TINY = Camera(height_px=8, width_px=8)


def ramp(breaks: tuple[int, ...] = ()) -> RoadDrive:
    """Lateral acceleration that rises by 2 m/s^3, and falls back at every break."""
    t = np.arange(200) * 0.05
    acceleration = 2.0 * t
    for start in breaks:
        acceleration[start:] -= 50.0
    zeros = np.zeros(200)
    traces = {name: zeros for name in ("lateral_offset_m", "heading_error_rad", "speed_mps", "curvature_per_m")}
    traces = {**traces, "lateral_acceleration_mps2": acceleration}
    return RoadDrive(seed=0, km=1.0, departures=len(breaks), traces=traces, breaks=breaks)


@pytest.mark.parametrize("breaks", [(), (70,), (70, 150)])
def test_jerk_of_a_ramp_is_its_slope_whatever_the_breaks(breaks: tuple[int, ...]) -> None:
    assert lateral_jerk(ramp(breaks)) == pytest.approx(2.0)


def test_the_expert_departs_nowhere_and_every_road_is_driven_to_its_end() -> None:
    scenario = load_scenario("country")
    drives = drive_roads(
        lambda n: ExpertController(scenario.curvature_limit_per_m), scenario, TINY, range(10_000, 10_006), 4
    )
    assert [d.seed for d in drives] == list(range(10_000, 10_006))
    result = measure(drives)
    assert result["departures"] == 0 and result["km"] == pytest.approx(6 * 0.98, abs=0.01)
    assert result["lateral_rms_m"] < 0.1 and result["max_abs_lateral_m"] < 0.5
    for name in ("lateral_rms_m", "heading_rms_rad", "lateral_jerk_p95", "departures_per_km"):
        low, high = result[f"{name}_ci95"]
        assert low <= result[name] <= high


class Blind:
    """Drives straight on."""

    def act(self, frames: np.ndarray, infos: dict[str, object]) -> np.ndarray:
        return np.zeros((len(frames), 1))

    def forget(self, cars: np.ndarray) -> None:
        pass


def test_a_car_that_departs_is_put_back_and_drives_the_same_kilometres() -> None:
    drives = drive_roads(lambda n: Blind(), load_scenario("country"), TINY, [10_000, 10_001, 10_002], 2)
    assert all(d.departures > 3 for d in drives) and all(0.98 <= d.km < 1.01 for d in drives)
    for d in drives:
        assert all(abs(d.traces["lateral_offset_m"][b - 1]) > 0.7 for b in d.breaks)
        assert all(abs(d.traces["lateral_offset_m"][b]) < 0.2 for b in d.breaks if b < len(d.traces["speed_mps"]))


def test_a_road_in_parts_is_the_same_road() -> None:
    """Every metre of it is driven once, each part from the middle of the lane on."""
    scenario = load_scenario("country")
    limit, seeds = scenario.curvature_limit_per_m, [10_000, 10_001, 10_002]
    (whole, parted) = (
        drive_roads(lambda n: ExpertController(limit), scenario, TINY, seeds, 5, parts=n) for n in (1, 4)
    )
    assert [d.seed for d in parted] == [seed for seed in seeds for _ in range(4)]
    for k, road in enumerate(whole):
        parts = parted[4 * k : 4 * k + 4]
        assert sum(d.km for d in parts) == pytest.approx(road.km, abs=0.004)
        for one in parts[1:]:
            assert abs(one.traces["lateral_offset_m"][0]) < 0.05
        ends = [d.traces["curvature_per_m"][-1] for d in parts[:-1]]
        begins = [d.traces["curvature_per_m"][0] for d in parts[1:]]
        assert ends == pytest.approx(begins, abs=1e-3)


def test_the_command_writes_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out.json"
    assert main(["evaluate", "expert", "--km", "2.5", "--json", str(file)]) == 0
    result = json.loads(file.read_text())
    assert result["seeds"] == [FIRST_TEST_SEED, FIRST_TEST_SEED + 2] and result["scenario"] == "country"
    assert {
        "km",
        "departures",
        "departures_per_km",
        "departures_per_km_ci95",
        "lateral_rms_m",
        "max_abs_lateral_m",
    } <= set(result)
    assert {"heading_rms_rad", "lateral_jerk_p95"} <= set(result)
    assert f"{result['lateral_rms_m']:.3f}" in capsys.readouterr().out and result["difficulty"] == 1.0


def test_the_dial_makes_the_storm_a_calm_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, rms = tmp_path / "out.json", []
    for difficulty in ("0", "0.5", "1"):
        argv = ["expert", "--scenario", "gusts", "--km", "1.5", "--difficulty", difficulty, "--json", str(file)]
        assert main(["evaluate", *argv]) == 0
        assert ("gusts at difficulty 0.5:" in " ".join(capsys.readouterr().out.split())) == (difficulty == "0.5")
        result = json.loads(file.read_text())
        assert result["difficulty"] == float(difficulty) and result["departures"] == 0
        rms.append(result["lateral_rms_m"])
    assert rms[0] < rms[1] < rms[2]


def test_many_scenarios_make_a_table_of_scenarios(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out.json"
    argv = ["expert", "--scenario", "worn", "country", "worn", "--km", "0.9", "--json", str(file)]
    assert main(["evaluate", *argv]) == 0
    results, printed = json.loads(file.read_text()), capsys.readouterr().out
    assert list(results) == ["worn", "country"] and "worn" in printed and "country" in printed
    assert all(f"{result['expert']['lateral_rms_m']:.2f}" in printed for result in results.values())
    assert names_of(["held-out"]) == [n for n in scenario_names() if load_scenario(n).family == "held-out"]


def test_two_files_of_one_name_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.toml").write_text('description = "mine"')
    for files in (["a/mine.toml", "b/mine.toml"], ["a/mine.toml", "./a/mine.toml"]):
        assert main(["evaluate", "expert", "--scenario", *(f"{tmp_path}/{file}" for file in files)]) == 2
        assert "two scenarios are called mine" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["expert", "--seed", "3"], "for training"),
        *((["expert", "--km", km], "--km must be from 0.1 to 100000") for km in ("0", "inf", "nan", "1e12")),
        (["expert", "--cars", "0"], "--cars must be from 1"),
        (["expert", "--scenario", "contry"], "did you mean country"),
        (["expert", "--difficulty", "1.5"], "--difficulty must be from 0 to 1"),
        (["npc"], "no shipped driver"),
        (["./nowhere"], "no checkpoint folder"),
        (["expert", "--json", "/nowhere/at/all/out.json"], "no folder"),
        (["expert", "--json", "/"], "--json / is a folder"),
        ([], "evaluate needs drivers"),
    ],
)
def test_bad_input_is_one_sentence(argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *argv]) == 2
    out = capsys.readouterr().err
    assert sentence in out and out.count("\n") == 1


def test_a_bare_name_is_a_shipped_driver_even_beside_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ncp").mkdir()
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    assert open_driver("ncp").spec.core == "ncp"
    assert main(["evaluate", "mine"]) == 2
    assert "a folder is written ./mine" in capsys.readouterr().err
