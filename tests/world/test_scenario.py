"""A scenario that cannot be used is refused in one sentence: file, key, and what is allowed."""

from pathlib import Path

import pytest

from lanekeep_envs import LaneKeepingEnv, LaneKeepingVectorEnv, Scenario, ScenarioError, load_scenario
from lanekeep_envs.scenario.schema import Table

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
