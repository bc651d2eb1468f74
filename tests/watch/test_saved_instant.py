"""Saved instants: one goes on from its file as it would have, and a damaged or foreign one is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from lanekeep.errors import UserError
from lanekeep.watch.show.actions import perform
from lanekeep.watch.show.saved_instant import read_instant
from lanekeep.watch.show.show import Show
from lanekeep_envs import Element, load_scenario
from lanekeep_policies import Driver, DriverSpec
from lanekeep_policies.lesions import Lesions

pytestmark = pytest.mark.usefixtures("one_thread")
Untrained = Callable[..., Driver]
ShowOf = Callable[..., Show]
Drive = Callable[[Show, int], NDArray[np.float64]]


@pytest.mark.parametrize("scenario", ["country", "sensor_noise"])  # the second shows late frames
def test_an_instant_goes_on_from_its_file_as_it_would_have(
    show_of: ShowOf, drive: Drive, tmp_path: Path, scenario: str
) -> None:
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
def test_an_instant_of_a_car_that_cannot_be_is_refused(
    show_of: ShowOf, tmp_path: Path, column: str, value: float
) -> None:
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
def test_an_instant_of_any_weather_is_opened(show_of: ShowOf, drive: Drive, tmp_path: Path, scenario: str) -> None:
    show = show_of("ncp", scenario=scenario)
    drive(show, 2)
    perform(show, f"save {tmp_path / 'here.instant'}")
    assert read_instant(tmp_path / "here.instant").scenario == show.scenario


def test_an_instant_written_with_red_green_and_blue_apart_is_opened(
    show_of: ShowOf, drive: Drive, tmp_path: Path
) -> None:
    show, path = show_of("ncp", scenario="mixed"), tmp_path / "here.instant"
    perform(show, f"save {path}")
    expected = drive(show, 3)
    with np.load(path) as file:
        arrays = dict(file)
    for table, colours in (("looks_0", 17), ("things_0", 1)):
        now = arrays[table].dtype
        before = [
            column
            for name in now.names
            for column in ([(f"{name}_{c}", "<f8") for c in "rgb"] if now[name].shape == (3,) else [(name, now[name])])
        ]
        assert len(before) == len(now.names) + 2 * colours
        arrays[table] = arrays[table].view(before)
    assert {"zenith_g", "right_paint_b"} < set(arrays["looks_0"].dtype.names)
    assert "leaf_r" in arrays["things_0"].dtype.names
    with path.open("wb") as opened:
        np.savez(opened, **arrays)
    other = show_of("ncp")
    perform(other, f"open {path}")
    assert np.array_equal(drive(other, 3), expected)


def test_an_instant_keeps_seeds_of_any_size(untrained: Untrained, show_of: ShowOf, tmp_path: Path) -> None:
    seed = -(10**30)
    show = Show(["a"], [untrained()], load_scenario("country"), seed)
    perform(show, f"save {tmp_path / 'here.instant'}")
    other = show_of("ncp")
    perform(other, f"open {tmp_path / 'here.instant'}")
    assert other.first_seed == other.car.road_seed == seed


def test_an_instant_of_another_world_changes_nothing(show_of: ShowOf, drive: Drive, tmp_path: Path) -> None:
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


def test_another_driver_takes_over_an_instant_without_its_memory(show_of: ShowOf, drive: Drive, tmp_path: Path) -> None:
    show = show_of("ncp")
    drive(show, 5)
    perform(show, f"save {tmp_path / 'here.instant'}")
    other = show_of("lstm")
    perform(other, f"open {tmp_path / 'here.instant'}")
    assert other.car.past[-1].x == show.car.past[-1].x
    assert (other.car.before == 0.0).all()


def test_a_damaged_or_foreign_instant_is_refused(show_of: ShowOf, tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    "change",
    [
        {"road": {"design_speeds_kmh": [7]}},
        {"road": {"straight_m": [1e300, 1e300]}},
        {"road": {"radius_factor": float("nan")}},
        {"lane": {"lane_width_m": 0.0}},
        {"surface": {"kinds": []}},
        {"start": {"speed_factor": [2.0, 1.0]}},
    ],
)
def test_the_scenario_of_an_instant_is_checked_as_a_file_is(
    show_of: ShowOf, tmp_path: Path, change: dict[str, dict[str, object]]
) -> None:
    (table, values), path = next(iter(change.items())), tmp_path / "here.instant"
    arrays = saved_arrays(show_of("ncp"), path)
    scenario = msgspec.msgpack.decode(arrays["scenario"].tobytes())
    scenario[table] |= values
    arrays["scenario"] = np.frombuffer(msgspec.msgpack.encode(scenario), np.uint8)
    write_arrays(path, arrays)
    with pytest.raises(UserError, match=rf"here\.instant is no instant.*its scenario: .*{next(iter(values))}"):
        read_instant(path)


@pytest.mark.parametrize(
    "change",
    [
        {"gust_mps2": 1e300},
        {"gust_steps": -1},
        {"steps": 2**70},
        {"strengths": {"fog": 1.5}},
        {"strengths": {"fogg": 0.5}},
        {"clamped": {"3": 1e30}},
        {"road_seed": "1e9"},
        {"road_seed": "9" * 5000},
        {"generator": "[" * 5000},
        {"removed": [10**9]},
    ],
)
def test_what_an_instant_tells_has_bounds(show_of: ShowOf, tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "here.instant"
    arrays = saved_arrays(show_of("ncp"), path)
    told = json.loads(arrays["told"].tobytes())
    told["drivers"][0] |= change
    arrays["told"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    write_arrays(path, arrays)
    with pytest.raises(UserError, match=r"here\.instant is no instant of this version, or damaged"):
        read_instant(path)


def test_arrays_of_an_instant_that_nobody_wants_are_not_read(show_of: ShowOf, tmp_path: Path) -> None:
    path = tmp_path / "here.instant"
    arrays = saved_arrays(show_of("ncp"), path)
    arrays["more"] = np.array([{"an": "object"}])
    write_arrays(path, arrays)
    assert read_instant(path).names == ["ncp"]


def test_an_instant_never_takes_the_place_of_another_file(show_of: ShowOf, tmp_path: Path) -> None:
    show = show_of("ncp")
    for name in ("thesis.tex", "driver.toml", "instant", "x.instant.txt"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(UserError, match=r"expected a name that ends in \.instant"):
            perform(show, f"save {tmp_path / name}")
        assert (tmp_path / name).read_text() == "mine"


def saved_arrays(show: Show, path: Path) -> dict[str, NDArray[np.generic]]:
    perform(show, f"save {path}")
    with np.load(path) as file:
        return dict(file)


def write_arrays(path: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    with path.open("wb") as opened:
        np.savez(opened, **arrays)
