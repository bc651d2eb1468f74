"""The wheel obeys time and symmetry, and the hands whatever was moved last."""

from types import SimpleNamespace

import numpy as np
import pygame
import pytest

from lanekeep.watch.window.wheel import DEAD_ZONE, Hands, Wheel

GENERATOR = np.random.default_rng(0)


def after(holds: list[tuple[bool, bool, float | None, float]]) -> float:
    wheel = Wheel()
    for hold in holds:
        wheel.turned(*hold)
    return wheel.position


def some_holds(count: int) -> list[tuple[bool, bool, float | None, float]]:
    keys = GENERATOR.integers(2, size=(count, 2)).astype(bool)
    return [(bool(left), bool(right), None, float(GENERATOR.uniform(0.0, 0.4))) for left, right in keys]


@pytest.mark.parametrize("case", range(20))
def test_half_the_time_twice_is_the_whole(case: int) -> None:
    """The frame rate steers nobody, through the centre and against the stops included."""
    holds = some_holds(12)
    halves = [(left, right, axis, dt / 2) for left, right, axis, dt in holds for _ in range(2)]
    assert after(halves) == pytest.approx(after(holds), abs=1e-12)


@pytest.mark.parametrize("case", range(20))
def test_left_is_the_mirror_of_right(case: int) -> None:
    holds = some_holds(8)
    assert after([(right, left, None, dt) for left, right, _, dt in holds]) == pytest.approx(-after(holds), abs=1e-12)
    assert abs(after(holds)) <= 1.0


def test_a_key_turns_at_its_rate_and_letting_go_returns_to_the_centre() -> None:
    wheel = Wheel()
    assert [wheel.turned(True, False, None, 0.05) for _ in range(3)] == pytest.approx(
        [0.08, 0.16, 0.24]
    )  # left: positive
    assert wheel.turned(True, False, None, 10.0) == 1.0
    assert wheel.turned(True, True, None, 0.25) == pytest.approx(0.4)  # both are none
    assert wheel.turned(False, False, None, 10.0) == 0.0


def test_turning_back_is_faster_than_turning_in() -> None:
    wheel = Wheel()
    wheel.turned(True, False, None, 0.5)
    assert wheel.position == pytest.approx(0.8)
    assert wheel.turned(False, True, None, 0.25) == pytest.approx(0.0)
    assert wheel.turned(False, True, None, 0.25) == pytest.approx(-0.4)


def test_an_axis_sets_the_position_at_once_and_steadily() -> None:
    wheel = Wheel()
    axes = np.linspace(-1.0, 1.0, 201)
    positions = np.array([wheel.turned(True, False, axis, 0.05) for axis in axes])
    assert (positions[[0, 100, 200]] == (1.0, 0.0, -1.0)).all()  # pushed to the right it steers to the right
    assert (positions[np.abs(axes) < DEAD_ZONE - 1e-9] == 0.0).all()
    steps = np.diff(positions)
    assert (steps <= 0.0).all() and steps.min() > -0.02  # no jump at the edge of the dead zone


def key(kind: int, which: int) -> pygame.event.Event:
    return pygame.event.Event(kind, key=which)


def test_a_key_is_held_from_down_to_up_and_its_twin_too() -> None:
    hands = Hands()
    for which in (pygame.K_LEFT, pygame.K_a):
        hands.heed(key(pygame.KEYDOWN, which))
    hands.heed(key(pygame.KEYUP, pygame.K_LEFT))
    assert hands.left and not hands.right
    hands.heed(key(pygame.KEYUP, pygame.K_a))
    hands.heed(key(pygame.KEYDOWN, pygame.K_d))
    hands.heed(key(pygame.KEYDOWN, pygame.K_x))
    assert not hands.left and hands.right
    hands.heed(pygame.event.Event(pygame.WINDOWFOCUSLOST))  # its KEYUP goes to another window
    assert not hands.right


def stick(value: float, instance: int = 7, axis: int = 0) -> pygame.event.Event:
    return pygame.event.Event(pygame.JOYAXISMOTION, instance_id=instance, axis=axis, value=value)


def test_what_was_moved_last_steers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pygame.joystick, "Joystick", lambda n: SimpleNamespace(get_instance_id=lambda: 7))
    hands = Hands()
    hands.heed(pygame.event.Event(pygame.JOYDEVICEADDED, device_index=0))
    hands.heed(stick(0.05))
    hands.heed(stick(0.9, axis=1))
    assert hands.axis is None  # it rests, and its other axes are not for steering
    hands.heed(stick(-0.5))
    hands.heed(stick(0.01))
    assert hands.axis == 0.01  # the centre of the one that steers is the centre
    hands.heed(key(pygame.KEYDOWN, pygame.K_LEFT))
    hands.heed(stick(0.02))
    assert hands.axis is None and hands.left
    hands.heed(stick(0.5))
    assert hands.axis == 0.5
    hands.heed(pygame.event.Event(pygame.JOYDEVICEREMOVED, instance_id=8))
    assert hands.axis == 0.5 and not hands.lost_gamepad
    hands.heed(pygame.event.Event(pygame.JOYDEVICEREMOVED, instance_id=7))
    assert hands.axis is None and hands.lost_gamepad
    hands.heed(key(pygame.KEYDOWN, pygame.K_RIGHT))
    assert not hands.lost_gamepad  # the person knows by now


def test_a_gamepad_that_went_before_it_was_opened_is_none() -> None:
    hands = Hands()
    hands.heed(pygame.event.Event(pygame.JOYDEVICEADDED, device_index=1000))
    assert hands.axis is None and not hands.lost_gamepad
