"""A window of the desktop, if there is a desktop."""

import os
import sys
from contextlib import suppress

import pygame

from lanekeep.errors import UserError


def open_window(size: tuple[int, int], title: str, otherwise: str) -> pygame.Surface:
    """Open a window that can be resized, and listen to gamepads; UserError with what to do otherwise without a display."""
    chosen = os.environ.get("SDL_VIDEODRIVER")
    sentence = f"no window can be opened here; {otherwise}"
    if sys.platform == "linux" and not (chosen or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UserError(sentence)  # SDL would find out too, but not without complaints of its own
    try:
        pygame.display.init()
        if pygame.display.get_driver() == "offscreen" and chosen != "offscreen":
            raise pygame.error("there is no display")  # what SDL falls back to; nobody would see anything
        screen = pygame.display.set_mode(size, pygame.RESIZABLE)
    except pygame.error:
        pygame.display.quit()
        raise UserError(sentence) from None
    pygame.display.set_caption(title)
    with suppress(pygame.error):  # without gamepads there are the keys
        pygame.joystick.init()
    return screen
