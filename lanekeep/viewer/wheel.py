"""stub"""

import pygame


class Wheel:
    def __init__(self) -> None:
        self.at = 0.0

    def turned(self, left: bool, right: bool, axis: float | None, dt_s: float) -> float:
        if axis is not None:
            self.at = -axis
        elif left != right:
            self.at += (1 if left else -1) * 1.6 * dt_s
        else:
            self.at -= max(-1, min(1, self.at / (2 * dt_s))) * 2 * dt_s
        self.at = max(-1.0, min(1.0, self.at))
        return self.at


class Hands:
    left = right = moved = False
    axis: float | None = None

    def take(self, event: pygame.event.Event) -> None:
        if event.type in (pygame.KEYDOWN, pygame.KEYUP):
            if event.key == pygame.K_LEFT:
                self.left = event.type == pygame.KEYDOWN
            if event.key == pygame.K_RIGHT:
                self.right = event.type == pygame.KEYDOWN
