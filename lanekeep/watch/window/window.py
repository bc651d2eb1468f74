"""A window on a show: it is driven in real time, and what is pressed or clicked becomes an action."""

import pygame

from lanekeep.errors import UserError
from lanekeep.video import held_back
from lanekeep.watch.driven_car import FRAMES_PER_S, STEP_S
from lanekeep.watch.panels.captions import HINT
from lanekeep.watch.panels.layout import SMALLEST, UNITS
from lanekeep.watch.panels.style import GROUND
from lanekeep.watch.show.script import Play
from lanekeep.watch.show.show import Show
from lanekeep.watch.window.display import open_window
from lanekeep.watch.window.keys import action_of_key, actions_of_click
from lanekeep.watch.window.wheel import Hands, Wheel
from lanekeep_files.writing import WritingError

WAY_OUT = "write a video instead: --video drive.mp4"
BUTTONS = (1, 3, 4, 5)  # left, right, and the mouse's wheel


class Window:
    """Shows pictures and listens to keys, mouse and gamepad."""

    def __init__(self, title: str, size: tuple[int, int] = UNITS) -> None:
        self.screen = open_window(size, title, WAY_OUT)
        self._hands, self._wheel, self._told = Hands(), Wheel(), False

    def listen(self, show: Show) -> list[str]:
        """Actions for the keys and clicks since the last call."""
        actions: list[str] = []
        for event in pygame.event.get():
            self._hands.heed(event)
            if event.type == pygame.QUIT:
                actions.append("quit")
            elif event.type == pygame.KEYDOWN:
                text = event.dict.get("unicode", "")
                action = action_of_key(show, event.key, bool(event.mod & pygame.KMOD_SHIFT), text)
                actions += [action] if action is not None else []
            elif event.type == pygame.MOUSEBUTTONDOWN and event.button in BUTTONS:
                actions += actions_of_click(show, event.pos, event.button)
        own = f"driver {show.chosen + 1}"
        if any(action == "release" or (action.startswith("driver") and action != own) for action in actions):
            self._hands.let_go()  # what is still held is not for the other driver
            self._wheel.centre()
            return actions
        return actions + self._steering(show)

    def _steering(self, show: Show) -> list[str]:
        """Actions of a person's steering, from the first arrow or move of a gamepad on until the wheel is given back."""
        hands, hand = self._hands, show.car.hand
        if hands.lost_gamepad and not self._told:
            show.say("the gamepad is gone: steer with the arrows, or give the wheel back with Enter")
        self._told = hands.lost_gamepad
        if hand is None and not (hands.left or hands.right or hands.axis is not None):
            self._wheel.centre()
            return []
        action = self._wheel.turned(hands.left, hands.right, hands.axis, STEP_S)
        return [] if hand is not None and abs(action - hand) < 1e-6 else [f"steer {action:.4f}"]

    def show(self, picture: pygame.Surface) -> None:
        """Put a picture into the window, whose size it has."""
        self.screen.fill(GROUND)
        self.screen.blit(picture, (0, 0))
        pygame.display.flip()

    @property
    def size(self) -> tuple[int, int]:
        """Pixels to draw; a window smaller than what can be read shows a part."""
        width, height = self.screen.get_size()
        return max(width, SMALLEST[0] // 2), max(height, SMALLEST[1] // 2)


def watch_in_window(show: Show, play: Play, ticks: int | None) -> None:
    """Run a show in real time until it is closed or interrupted, or for a number of ticks; a film then plays."""
    show.hint = HINT
    window, clock = Window(f"lanekeep watch {' '.join(show.names)}", show.size), pygame.time.Clock()
    try:
        with held_back() as interrupt:
            while show.open and not interrupt.is_set() and (ticks is None or show.ticks < ticks):
                play.go_on(show)
                show.resize(window.size)
                _show(show, window)
                clock.tick(FRAMES_PER_S)
                _heed(show, play, window)
                if show.open:
                    show.tick()
    finally:
        try:
            show.finish_film()
        finally:
            pygame.display.quit()


def _show(show: Show, window: Window) -> None:
    picture = show.draw()
    window.show(picture)
    try:
        show.into_film(picture)
    except UserError as error:  # a full disk ends the film and nothing else
        show.say(str(error))


def _heed(show: Show, play: Play, window: Window) -> None:
    for line in window.listen(show):
        try:
            play.do(show, line)
        except (UserError, WritingError) as error:  # a finger that slipped ends nothing
            show.say(str(error))
