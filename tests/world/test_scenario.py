"""A scenario that cannot be used is refused in one sentence: file, key, and what is allowed."""

from pathlib import Path

import gymnasium
import msgspec
import numpy as np
import pytest

from lanekeep_envs import LaneKeepingEnv, LaneKeepingVectorEnv, Scenario, ScenarioError, load_scenario, scenario_names
from lanekeep_envs.dynamics.control_step import PREVIEW_M
from lanekeep_envs.sampling.appearance import APPEARANCE, sample_appearance
from lanekeep_envs.sampling.episode import generator_of
from lanekeep_envs.scenario.schema import DIALLED, STRENGTHS, Table
from lanekeep_policies.expert import Expert

EXPERTS_SENSES = ("lateral_offset_m", "heading_error_rad", "speed_mps", "curvature_per_m", "curvature_preview_per_m")
HARDEST = {  # held-out scenario -> what it is about
    "night": ("weather", "night"),
    "rain": ("weather", "rain"),
    "fog": ("weather", "fog"),
    "snow": ("surface", "snow"),
    "low_sun": ("weather", "glare"),
    "avenue": ("scenery", "avenue"),
    "worn": ("surface", "worn"),
    "roadworks": ("surface", "roadworks"),
    "ghost_lines": ("surface", "ghost_lines"),
    "winter_dusk": ("surface", "wet"),
    "gusts": ("disturbance", "gust_mps2"),
    "sensor_noise": ("look", "noise_grey"),
}
HEAD = 'description = "mine"\n'


def write(folder: Path, text: str) -> str:
    file = folder / "mine.toml"
    file.write_text(text)
    return str(file)


def tables() -> list[tuple[str, Table]]:
    whole = Scenario(description="")
    parts = [(name, getattr(whole, name)) for name in whole.__struct_fields__]
    return [("", whole), *((f"{name}.", part) for name, part in parts if isinstance(part, Table))]


def keys(wanted: type) -> list[tuple[str, str]]:
    """Every (table, key) of the format whose default is of this type."""
    found = []
    for path, table in tables():
        for key in table.__struct_fields__:
            if key not in ("name", "description") and isinstance(getattr(table, key), wanted):
                found.append((path, key))
    return found


def one_key(path: str, key: str, value: str) -> str:
    return HEAD + (f"[{path[:-1]}]\n" if path else "") + f"{key} = {value}\n"


@pytest.mark.parametrize("value", ['"wide"', "true", "[]", "{}"])
@pytest.mark.parametrize(("path", "key"), [*keys(float), *keys(int), *keys(tuple)])
def test_a_value_of_another_type_is_refused_by_key(path: str, key: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as error:
        load_scenario(write(tmp_path, one_key(path, key, value)))
    assert "mine.toml" in str(error.value) and key in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(("path", "key"), [*keys(float), *keys(int)])
def test_a_number_below_its_range_is_refused_with_the_range(path: str, key: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=rf"mine\.toml: Expected `(int|float)` >=? [0-9.-]+ - at `\$\.{path}{key}`"):
        load_scenario(write(tmp_path, one_key(path, key, "-2" if key == "length_m" else "-2.0")))


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ("road.", "length_m", "100001"),
        ("road.", "length_m", "99"),
        ("road.", "radius_factor", "0.99"),
        ("road.", "s_curve_probability", "1.01"),
        ("lane.", "lane_width_m", "6.1"),
        ("lane.", "marking_width_m", "0.0"),
        ("look.", "sunshine", "[0.0, 1.5]"),
        ("look.", "sun_elevation_deg", "[0.0, 60.0]"),
        ("look.", "asphalt_grey", "[0.0, 256.0]"),
        ("look.", "visibility_m", "[0.0, 100.0]"),
        ("scenery.", "trees_per_km", "[-1.0, 4.0]"),
        ("scenery.", "post_spacing_m", "4.0"),
        ("start.", "speed_factor", "[0.0, 1.0]"),
        ("weather.", "fog", "[0.0, 1.1]"),
        ("sensor.", "roll_error_deg", "[-11.0, 0.0]"),
        ("surface.", "presence", "1.5"),
        ("disturbance.", "extra_delay_s", "[0.0, 0.5]"),
        ("disturbance.", "late_frames", "[0, 11]"),
        ("disturbance.", "late_frames", "[0.5, 1.0]"),
        ("disturbance.", "friction", "[0.0, 0.9]"),
        ("confounder.", "lamp_shows_steering", "1.5"),
        ("disturbance.", "gust_mps2", "[0.0, 5.1]"),
        ("disturbance.", "crown_percent", "[-16.0, 0.0]"),
        ("disturbance.", "steering_offset_deg", "[0.0, 6.0]"),
        ("", "time_limit_s", "0.0"),
        ("", "time_limit_s", "nan"),
    ],
)
def test_a_number_just_outside_is_refused(path: str, key: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=rf"mine\.toml: Expected .*`\$\.{path}{key}"):
        load_scenario(write(tmp_path, one_key(path, key, value)))


def test_a_word_that_is_none_is_answered_with_all(tmp_path: Path) -> None:
    for path, key, value, words in (
        ("", "family", '"mine"', "training, held-out, own"),
        ("surface.", "kinds", '["asphalt", "gravel"]', "asphalt, concrete, cobbles"),
    ):
        with pytest.raises(ScenarioError, match=rf"mine\.toml: .*`\$\.{path}{key}.*allowed: {words}\)"):
            load_scenario(write(tmp_path, one_key(path, key, value)))
    with pytest.raises(
        ScenarioError, match=r"mine\.toml: surface\.kinds takes at least one of asphalt, concrete, cobbles"
    ):
        load_scenario(write(tmp_path, one_key("surface.", "kinds", "[]")))


@pytest.mark.parametrize(("path", "key"), [(p, k) for p, k in keys(tuple) if k not in ("design_speeds_kmh", "kinds")])
def test_a_range_is_two_numbers_from_low_to_high(path: str, key: str, tmp_path: Path) -> None:
    with pytest.raises(
        ScenarioError, match=rf"mine\.toml: {path}{key} = \[9\.0, 8\.0\] must be \[low, high\]|Expected"
    ):
        load_scenario(write(tmp_path, one_key(path, key, "[9.0, 8.0]")))
    for value in ("[1.0]", "[1.0, 2.0, 3.0]", "1.0"):
        with pytest.raises(ScenarioError, match=rf"mine\.toml: Expected `array.*{key}"):
            load_scenario(write(tmp_path, one_key(path, key, value)))


@pytest.mark.parametrize(("path", "table"), tables(), ids=lambda x: x if isinstance(x, str) else "")
def test_an_unknown_key_is_answered_with_the_nearest_or_with_all(path: str, table: Table, tmp_path: Path) -> None:
    key = table.__struct_fields__[-1]
    with pytest.raises(ScenarioError, match=rf"mine\.toml: .*unknown field `{key}x`.*did you mean {key}\?"):
        load_scenario(write(tmp_path, one_key(path, f"{key}x", "1")))
    with pytest.raises(ScenarioError, match=rf"mine\.toml: .*`zzzz`.*allowed: .*{key}"):
        load_scenario(write(tmp_path, one_key(path, "zzzz", "1")))


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ("start.", "lateral_offset_m", "[nan, nan]"),
        ("look.", "visibility_m", "[400.0, inf]"),
        ("road.", "radius_factor", "inf"),
        ("", "time_limit_s", "inf"),
    ],
)
def test_what_is_not_finite_is_refused(path: str, key: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=rf"mine\.toml: {path}{key} must be finite"):
        load_scenario(write(tmp_path, one_key(path, key, value)))


@pytest.mark.parametrize(
    "key", ["trees_per_km", "bushes_per_km", "signs_per_km", "buildings_per_km", "oncoming_per_km"]
)
def test_more_things_than_a_picture_holds_are_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=rf"mine\.toml: .* <= 1000.*{key}"):
        load_scenario(write(tmp_path, one_key("scenery.", key, "[0.0, 1e12]")))


@pytest.mark.parametrize("speeds", ["[55]", "[]", "[50, 140]"])
def test_a_design_speed_without_a_minimum_radius_is_refused(speeds: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"mine\.toml: road\.design_speeds_kmh takes values of \[30, 50, 60"):
        load_scenario(write(tmp_path, one_key("road.", "design_speeds_kmh", speeds)))


@pytest.mark.parametrize("text", ["description = ", "[road", 'description = "a"\ndescription = "b"\n'])
def test_what_is_not_toml_is_refused_by_file(text: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"mine\.toml is not TOML"):
        load_scenario(write(tmp_path, text))


def test_bytes_that_are_no_text_are_refused_by_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00description")
    with pytest.raises(ScenarioError, match=r"mine\.toml is not TOML"):
        load_scenario(str(tmp_path / "mine.toml"))


def test_a_description_is_demanded(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"mine\.toml: .*missing required field `description`"):
        load_scenario(write(tmp_path, ""))


def test_an_unknown_name_is_answered_with_the_nearest_or_with_all() -> None:
    with pytest.raises(ScenarioError, match="unknown scenario 'contry': did you mean country"):
        load_scenario("contry")
    with pytest.raises(ScenarioError, match="unknown scenario 'zzz': there are avenue, country"):
        LaneKeepingEnv(scenario="zzz")
    with pytest.raises(ScenarioError, match=r"there is no scenario file .*nowhere\.toml"):
        LaneKeepingVectorEnv(scenario="./nowhere.toml")
    assert issubclass(ScenarioError, ValueError)


def test_a_file_of_ones_own_is_driven(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD + "curvature_limit_per_m = 0.03\n[road]\nlength_m = 120\ndesign_speeds_kmh = [50]\n"
                 "[lane]\nlane_width_m = 3.0\n[start]\nspeed_factor = [0.5, 0.5]\n")  # fmt: skip
    scenario = load_scenario(file)
    assert (scenario.name, scenario.description, scenario.road.length_m) == ("mine", "mine", 120)
    assert scenario.scenery == Scenario(description="").scenery  # what is left out is the default
    env = LaneKeepingEnv(scenario=file, observation="state")
    _, info = env.reset(seed=0)
    assert info["scenario"] == "mine" and info["speed_mps"] == pytest.approx(25 / 3.6)
    truncated = terminated = False
    while not (terminated or truncated):
        _, _, terminated, truncated, info = env.step([0.0])
    assert truncated and 120.0 <= info["distance_m"] < 120.5


@pytest.mark.parametrize("name", scenario_names())
def test_the_scenarios_of_the_package_load_and_say_what_they_are(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name and len(scenario.description) > 20
    assert scenario.description.endswith(".") and ". " not in scenario.description  # one sentence
    assert scenario.family in ("training", "held-out")
    assert load_scenario(scenario) is scenario


def test_a_scenario_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        load_scenario("country").road.length_m = 5  # type: ignore[misc]
    changed = msgspec.structs.replace(load_scenario("country"), time_limit_s=1.0)
    assert load_scenario("country").time_limit_s != changed.time_limit_s


def test_the_scenarios_for_tests_are_harder_than_all_that_is_trained_on() -> None:
    families = {name: load_scenario(name).family for name in scenario_names()}
    training = [load_scenario(name) for name, family in families.items() if family == "training"]
    assert {s.name for s in training} == {"country", "motorway", "town", "mixed"}
    assert {name for name, family in families.items() if family == "held-out"} == set(HARDEST)
    for name, (table, key) in HARDEST.items():
        if name == "winter_dusk":  # hard by what comes together
            continue
        low, _ = getattr(getattr(load_scenario(name), table), key)
        assert all(low >= getattr(getattr(s, table), key)[1] for s in training), (name, key)


@pytest.mark.parametrize("name", scenario_names())
def test_the_dial_goes_from_a_fine_calm_day_to_the_scenario(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.at(1.0) is scenario
    fine, half, nearly = (scenario.at(d) for d in (0.0, 0.5, 1.0 - 1e-9))
    neutral = Scenario(description="")
    for table, names in DIALLED.items():
        for key in names:
            at = [getattr(getattr(s, table), key) for s in (fine, half, nearly, scenario)]
            if table != "look":
                assert at[0] == getattr(getattr(neutral, table), key), key
            assert np.allclose(np.mean([at[0], at[3]], axis=0), at[1], atol=0.5 if key == "late_frames" else 1e-9)
            assert np.allclose(at[2], at[3], rtol=1e-6) and type(at[1][0]) is type(at[3][0])
    assert (fine.road, fine.lane, fine.start, fine.family) == (
        scenario.road, scenario.lane, scenario.start, scenario.family)  # fmt: skip
    look = np.zeros(1, APPEARANCE)[0]
    sample_appearance(look, fine, generator_of(1))
    assert sum(look[key] for keys in STRENGTHS.values() for key in keys) == 0.0
    if name == "country":
        assert fine == half == scenario  # what it is already


def test_the_dial_is_an_argument_of_both_environments_and_has_its_ends() -> None:
    one = gymnasium.make("lanekeep_envs:LaneKeeping-v0", scenario="sensor_noise", observation="state", difficulty=0.5)
    many = gymnasium.make_vec(
        "lanekeep_envs:LaneKeeping-v0", num_envs=2, scenario="sensor_noise", observation="state", difficulty=0.5
    )
    expected = load_scenario("sensor_noise").at(0.5)
    assert one.unwrapped.scenario == many.unwrapped.scenario == expected != load_scenario("sensor_noise")  # type: ignore[attr-defined]
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ScenarioError, match=f"difficulty must be 0 to 1, not {wrong}"):
            LaneKeepingEnv("fog", observation="state", difficulty=wrong)


def test_presence_is_the_share_of_episodes_with_an_effect() -> None:
    appearances, mixed = np.zeros(400, APPEARANCE), load_scenario("mixed")
    for k, look in enumerate(appearances):
        sample_appearance(look, mixed, generator_of(k))
    for table, names in STRENGTHS.items():
        for key in names:
            low, high = getattr(getattr(mixed, table), key)
            there = appearances[key] != 0.0
            assert high == 0.0 or abs(there.mean() - getattr(mixed, table).presence) < 0.08, key
            assert ((appearances[key][there] >= low) & (appearances[key][there] <= high)).all()


def departures_of_the_expert(scenario: Scenario, cars: int) -> tuple[int, float, float]:
    """How often the expert departs on a road per car, its greatest offset [m] after 3 s, and the way driven [km]."""
    env, expert = LaneKeepingVectorEnv(cars, scenario, observation="state", autoreset_mode="Disabled"), Expert()
    assert expert.preview_m == tuple(PREVIEW_M)
    _, infos = env.reset(seed=10_000)
    over, departed, worst = np.zeros(cars, np.bool_), np.zeros(cars, np.bool_), 0.0
    while not over.all():
        curvature = expert.curvature(*(infos[name] for name in EXPERTS_SENSES))
        _, _, terminated, truncated, infos = env.step(curvature[:, None] / scenario.curvature_limit_per_m)
        awake = ~over & (infos["elapsed_s"] > 3.0)
        worst = max(worst, np.abs(infos["lateral_offset_m"][awake]).max(initial=0.0))
        departed |= terminated
        over |= terminated | truncated
    assert (departed | (infos["distance_m"] >= scenario.road.length_m)).all()  # nobody runs out of time
    return int(departed.sum()), float(worst), float(infos["distance_m"].sum() / 1000.0)


@pytest.mark.parametrize("name", scenario_names())
def test_the_expert_keeps_its_lane_for_some_hundred_metres(name: str) -> None:
    scenario = load_scenario(name)
    short = msgspec.structs.replace(scenario, road=msgspec.structs.replace(scenario.road, length_m=400))
    departures, worst, _ = departures_of_the_expert(short, 2)
    assert departures == 0 or scenario.unavoidable_departures
    assert worst < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("name", scenario_names())
def test_the_expert_keeps_its_lane_for_kilometres(name: str) -> None:
    scenario = load_scenario(name)
    departures, worst, km = departures_of_the_expert(scenario, 64)
    assert km > 50.0 and (departures == 0 or scenario.unavoidable_departures)
    assert worst < (0.8 if name == "gusts" else 0.4)
