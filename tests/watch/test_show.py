"""A show: drivers in step, on roads, edits, lesions, gusts and hands that all act on them and on nothing else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lanekeep.watch.driven_car import DrivenCar, Edits
from lanekeep.watch.show.actions import perform
from lanekeep.watch.show.show import Show
from lanekeep_envs import Camera, Element, Remove, load_scenario, scenario_names
from lanekeep_policies import Driver

pytestmark = pytest.mark.usefixtures("one_thread")
Untrained = Callable[..., Driver]
ShowOf = Callable[..., Show]
Drive = Callable[[Show, int], NDArray[np.float64]]
CAMERA = Camera(height_px=48, width_px=160)


@pytest.mark.parametrize("cores", [("ncp",), ("ncp", "lstm")])
def test_a_show_drives_as_its_cars_would_alone(untrained: Untrained, show_of: ShowOf, cores: tuple[str, ...]) -> None:
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


def test_a_pace_changes_when_steps_are_driven_and_not_which(show_of: ShowOf, drive: Drive) -> None:
    fast, slow = show_of("ncp"), show_of("ncp")
    fast.pace, slow.pace = 2.0, 0.25
    a, b = drive(fast, 4), drive(slow, 32)
    assert fast.car.steps == slow.car.steps == 8
    assert np.array_equal(a[-1], b[-1])


def test_drivers_go_on_to_the_next_road_together(show_of: ShowOf, tmp_path: Path) -> None:
    path = tmp_path / "short.toml"
    path.write_text("description = 'short'\n[road]\nlength_m = 110\n")
    show = show_of("ncp", "lstm", scenario=str(path))
    for _ in range(300):
        show.tick()
        assert len({car.road_seed for car in show.cars}) == 1
    assert show.car.road_seed > 10_000


def test_what_is_removed_is_gone_for_the_driver_and_the_present_is_thought_over(show_of: ShowOf, drive: Drive) -> None:
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


def test_bars_are_the_effects_that_the_library_measures(show_of: ShowOf, drive: Drive) -> None:
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


def test_a_gust_pushes_the_car_to_its_side_and_ends(show_of: ShowOf, drive: Drive) -> None:
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


def test_a_person_at_the_wheel_steers_and_gives_it_back(show_of: ShowOf, drive: Drive) -> None:
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


def test_weather_is_made_stronger_for_all_to_see(show_of: ShowOf) -> None:
    show = show_of("ncp", "lstm")
    fine = [car.frame.copy() for car in show.cars]
    for line in ("weather fog", "stronger", "stronger", "stronger", "weaker"):
        perform(show, line)
    assert show.car.edits.strengths == {"fog": 0.2}
    assert all((car.frame != frame).any() for car, frame in zip(show.cars, fine, strict=True))
    perform(show, "strength noise 1")
    grain = show.car.frame.astype(float) - show.car.picture(48, 160)
    assert show.strength_of("noise") == 1.0 and np.isfinite(grain).all()


def test_the_key_for_scenarios_goes_round_those_the_driver_was_made_for(show_of: ShowOf) -> None:
    show, seen = show_of("ncp"), []
    for _ in range(len(scenario_names())):
        seen.append(show.next_scenario())
        show.scenario = load_scenario(seen[-1])
    limits = {name: load_scenario(name).curvature_limit_per_m for name in scenario_names()}
    assert set(seen) == {name for name, limit in limits.items() if limit == 0.02} and len(set(limits.values())) > 1


def test_the_other_s_turn_gives_the_wheel_back_and_everything_is_restored(show_of: ShowOf) -> None:
    show = show_of("ncp", "lstm")
    for line in ("steer 0.5", "driver 1"):
        perform(show, line)
    assert show.car.hand == 0.5
    for line in ("driver 2", "remove trees", "strength fog 0.5", "strength noise 0.5", "restore"):
        perform(show, line)
    assert show.cars[0].hand is None and show.car.edits == Edits()
