"""A window on a journey: Esc or Q closes it, Space holds and goes on, N goes to the next road."""

import os
import sys

import pygame

from lanekeep.flags import UserError
from lanekeep.viewer.journey import FRAMES_PER_S, Journey
from lanekeep.viewer.scene import SIZE, WINDSCREEN, Scene
from lanekeep.viewer.style import BRIGHT, GROUND, LARGE, write

WAY_OUT = "no window can be opened here; write a video instead: --video drive.mp4"


class Window:
    """Shows a journey and listens to the keyboard."""

    def __init__(self, title: str) -> None:
        chosen = os.environ.get("SDL_VIDEODRIVER")
        if sys.platform == "linux" and not (chosen or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise UserError(WAY_OUT)  # SDL would find out too, but not without complaints of its own
        try:
            pygame.display.init()
            if pygame.display.get_driver() == "offscreen" and chosen != "offscreen":
                raise pygame.error("there is no display")  # what SDL falls back to; nobody would see anything
            self.screen = pygame.display.set_mode(SIZE, pygame.RESIZABLE)
        except pygame.error:
            pygame.display.quit()
            raise UserError(WAY_OUT) from None
        pygame.display.set_caption(title)
        self.open, self.held, self.wants_next = True, False, False

    def listen(self) -> None:
        """Take in what was pressed."""
        for event in pygame.event.get():
            key = event.key if event.type == pygame.KEYDOWN else None
            if event.type == pygame.QUIT or key in (pygame.K_ESCAPE, pygame.K_q):
                self.open = False
            elif key == pygame.K_SPACE:
                self.held = not self.held
            elif key == pygame.K_n:
                self.wants_next = True

    def show(self, canvas: pygame.Surface) -> None:
        """Fit the canvas into the window; a car that is held says so on its windscreen."""
        if self.held:
            plate = pygame.Rect(0, 0, 248, 48)
            plate.center = WINDSCREEN.center
            pygame.draw.rect(canvas, GROUND, plate, border_radius=8)
            write(canvas, "held: Space goes on", plate.center, LARGE, BRIGHT, "middle")
        width, height = self.screen.get_size()
        scale = min(width / SIZE[0], height / SIZE[1])
        fitted = (max(1, round(SIZE[0] * scale)), max(1, round(SIZE[1] * scale)))
        self.screen.fill(GROUND)
        picture = canvas if fitted == SIZE else pygame.transform.smoothscale(canvas, fitted)
        self.screen.blit(picture, ((width - fitted[0]) // 2, (height - fitted[1]) // 2))
        pygame.display.flip()


def watch_in_window(journey: Journey, scene: Scene, steps: int | None) -> None:
    """Drive in real time until the window is closed, or for a number of steps."""
    window, clock = Window(f"lanekeep watch {scene.name}"), pygame.time.Clock()
    try:
        while window.open and (steps is None or journey.steps < steps):
            window.show(scene.draw())
            clock.tick(FRAMES_PER_S)
            window.listen()
            if window.wants_next:
                journey.next_road()
                window.wants_next = False
            elif not window.held:
                journey.advance()
    finally:
        pygame.display.quit()
