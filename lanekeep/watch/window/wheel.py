"""A person's steering: `Hands` are on the keys or on a gamepad, `Wheel` is what they turn.

Positions are actions: -1 to 1, positive to the left, as everywhere.  SDL's first axis is positive to the right.
"""

import math

import pygame

TURNING_PER_S = 1.6  # of a key that is held [action units / s]
RETURNING_PER_S = 2.4  # towards the centre, by itself once every key is let go
BACK_PER_S = 3.2  # towards the centre, by a key: a driver who countersteers is late already
DEAD_ZONE = 0.08  # of a gamepad's axis, which seldom rests at 0

LEFT_KEYS, RIGHT_KEYS = (pygame.K_LEFT, pygame.K_a), (pygame.K_RIGHT, pygame.K_d)


class Wheel:
    """A steering wheel; `position` is the action it stands for."""

    def __init__(self) -> None:
        self.position = 0.0

    def turned(self, left: bool, right: bool, axis: float | None, dt_s: float) -> float:
        """The position [-1, 1], positive to the left, after `dt_s` with these keys held, or at a gamepad's axis.

        A key turns at a rate, both keys are none, and none lets the wheel return; an axis (-1 left to 1 right) outside the
        dead zone sets the position at once, and inside it is the centre.
        """
        if axis is not None:
            self.position = -_beyond_dead_zone(axis)
        elif left != right:
            self._turn(1.0 if left else -1.0, dt_s)
        else:
            self.position = _nearer_to_zero(self.position, RETURNING_PER_S * dt_s)
        return self.position

    def centre(self) -> None:
        """Straight ahead again, at once."""
        self.position = 0.0

    def _turn(self, sense: float, dt_s: float) -> None:
        """First back to the centre, if it is on the other side, then away from it."""
        if sense * self.position < 0.0:
            back_s = min(dt_s, abs(self.position) / BACK_PER_S)
            self.position = _nearer_to_zero(self.position, BACK_PER_S * back_s)
            dt_s -= back_s
        self.position = min(max(self.position + sense * TURNING_PER_S * dt_s, -1.0), 1.0)


class Hands:
    """Keys and gamepads that a person holds, by pygame's events; the one that was moved last steers.

    Events of gamepads come only once `pygame.joystick.init()` was called; any number may come and go.
    """

    def __init__(self) -> None:
        self._held: set[int] = set()
        self._gamepads: dict[int, pygame.joystick.JoystickType] = {}  # by instance; pygame closes what is not kept
        self._axis_of: int | None = None  # the gamepad that steers
        self._axis = 0.0
        self.lost_gamepad = False  # whether the last thing that happened to the steering gamepad is that it went

    @property
    def left(self) -> bool:
        """Whether a key for left is held."""
        return not self._held.isdisjoint(LEFT_KEYS)

    @property
    def right(self) -> bool:
        """Whether a key for right is held."""
        return not self._held.isdisjoint(RIGHT_KEYS)

    @property
    def axis(self) -> float | None:
        """The first axis of the gamepad (-1 left to 1 right); None while the keys steer."""
        return None if self._axis_of is None else self._axis

    def heed(self, event: pygame.event.Event) -> None:
        """Take in an event; those that are none of the steering's are passed over."""
        if event.type == pygame.KEYDOWN and event.key in LEFT_KEYS + RIGHT_KEYS:
            self._held.add(event.key)
            self._axis_of, self.lost_gamepad = None, False
        elif event.type == pygame.KEYUP:
            self._held.discard(event.key)
        elif event.type == pygame.WINDOWFOCUSLOST:
            self._held.clear()  # a key that is let go in another window makes no event here
        elif event.type == pygame.JOYDEVICEADDED:
            self._take(event.device_index)
        elif event.type == pygame.JOYDEVICEREMOVED:
            self._lose(event.instance_id)
        elif event.type == pygame.JOYAXISMOTION and event.axis == 0:
            self._move(event.instance_id, event.value)

    def let_go(self) -> None:
        """Hold nothing, until a key is pressed again or a stick is moved."""
        self._held.clear()
        self._axis_of = None

    def _take(self, device_index: int) -> None:
        try:
            gamepad = pygame.joystick.Joystick(device_index)
        except pygame.error:  # gone before it was opened
            return
        self._gamepads[gamepad.get_instance_id()] = gamepad
        self.lost_gamepad = False

    def _lose(self, instance: int) -> None:
        if self._gamepads.pop(instance, None) is not None and self._axis_of == instance:
            self._axis_of, self.lost_gamepad = None, True

    def _move(self, instance: int, value: float) -> None:
        if instance == self._axis_of or abs(value) > DEAD_ZONE:  # a gamepad at rest takes no wheel
            self._axis_of, self._axis, self.lost_gamepad = instance, value, False


def _beyond_dead_zone(axis: float) -> float:
    """0 within the dead zone, from there on steadily to 1 at the stop."""
    return math.copysign(min(_nearer_to_zero(abs(axis), DEAD_ZONE) / (1.0 - DEAD_ZONE), 1.0), axis)


def _nearer_to_zero(position: float, by: float) -> float:
    return math.copysign(max(abs(position) - by, 0.0), position)
