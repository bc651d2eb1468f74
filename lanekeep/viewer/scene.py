"""The scene: seven parts on a canvas of 1280x720, drawn from a journey; no display is needed."""

import numpy as np
import pygame
from numpy.typing import NDArray

from lanekeep.viewer.circuit import draw_cells, draw_circuit
from lanekeep.viewer.journey import STEP_S, Journey
from lanekeep.viewer.plots import draw_offset, draw_steering
from lanekeep.viewer.road_map import draw_map
from lanekeep.viewer.style import BLUE, BRIGHT, FAINT, GROUND, LARGE, NORMAL, ORANGE, PANEL, PLAIN, RED, Colour, write
from lanekeep_envs.drive import DEFAULT_VEHICLE
from lanekeep_policies.cores.ltc import LTC

SIZE = (1280, 720)
WINDSCREEN = pygame.Rect(16, 76, 752, 424)
STEERING = pygame.Rect(16, 532, 368, 172)
OFFSET = pygame.Rect(400, 532, 368, 172)
EYE = pygame.Rect(784, 76, 480, 144)
CIRCUIT = pygame.Rect(784, 252, 260, 452)
ROAD = pygame.Rect(1060, 252, 204, 452)


class Scene:
    """Draws the instant a journey is at."""

    def __init__(self, journey: Journey, name: str) -> None:
        self.journey, self.name = journey, name
        self.canvas = pygame.Surface(SIZE, 0, 32)
        core = journey.driver.core
        self.wiring = core.wiring if isinstance(core, LTC) else None

    def draw(self) -> pygame.Surface:
        """Draw every part."""
        canvas, journey, past = self.canvas, self.journey, tuple(self.journey.past)
        canvas.fill(GROUND)
        self._headline()
        self._title(WINDSCREEN, "through the windscreen")
        blit_image(canvas, WINDSCREEN, journey.view(WINDSCREEN.height, WINDSCREEN.width).image)
        size = journey.env.camera.size.replace("x", " \N{MULTIPLICATION SIGN} ")
        self._title(EYE, "what the driver sees", f"{size} pixels")
        pygame.draw.rect(canvas, PANEL, EYE)
        blit_image(canvas, EYE, journey.frame)
        self._memory()
        self._title(ROAD, "from above")
        draw_map(canvas, ROAD, journey.env.path_ahead(), past, journey.scenario)
        self._title(STEERING, "steering, 1/km")
        self._key(STEERING, (("driver", BLUE), ("expert", ORANGE)))
        draw_steering(canvas, STEERING, past, journey.scenario.curvature_limit_per_m)
        self._title(OFFSET, "place in the lane, m", "left is up")
        draw_offset(canvas, OFFSET, past, journey.scenario.lane.lane_width_m, DEFAULT_VEHICLE.half_width_m)
        return canvas

    def _memory(self) -> None:
        past, core = tuple(self.journey.past), self.journey.driver.spec.core
        if self.wiring is not None:
            self._title(CIRCUIT, f"its {self.wiring.neurons} neurons", core)
            draw_circuit(self.canvas, CIRCUIT, past, self.wiring)
        elif self.journey.driver.state_size == 0:
            self._title(CIRCUIT, "no memory", core)
            pygame.draw.rect(self.canvas, PANEL, CIRCUIT)
        else:
            self._title(CIRCUIT, "its memory", core)
            draw_cells(self.canvas, CIRCUIT, past)

    def _headline(self) -> None:
        journey, info = self.journey, self.journey.info
        offset = f"{info['lateral_offset_m']:+.2f} m".replace("-", "\N{MINUS SIGN}")
        numbers: tuple[tuple[str, str, Colour], ...] = (
            ("road", f"{info['road_seed']}", PLAIN),
            ("along it", f"{info['distance_m']:.0f} m", PLAIN),
            ("speed", f"{3.6 * info['speed_mps']:.0f} km/h", PLAIN),
            ("time", f"{journey.steps * STEP_S:.1f} s", PLAIN),
            ("departures", f"{journey.departures}", RED if journey.departures else PLAIN),
            ("offset", offset, PLAIN),
        )
        title = f"{shortened(self.name)} on {shortened(journey.scenario.name)}"
        write(self.canvas, title, (16, 30), LARGE, BRIGHT)
        for k, (label, value, colour) in enumerate(numbers):
            x = 424 + 144 * k
            width = write(self.canvas, label, (x, 30), NORMAL, FAINT)
            write(self.canvas, value, (x + width + 6, 30), NORMAL, colour)

    def _title(self, box: pygame.Rect, left: str, right: str = "") -> None:
        write(self.canvas, left, (box.x, box.y - 11), NORMAL, PLAIN)
        if right:
            write(self.canvas, right, (box.right, box.y - 11), NORMAL, FAINT, "right")

    def _key(self, box: pygame.Rect, entries: tuple[tuple[str, Colour], ...]) -> None:
        x, y = box.right, box.y - 11
        for text, colour in reversed(entries):
            x -= write(self.canvas, text, (x, y), NORMAL, FAINT, "right") + 6
            pygame.draw.line(self.canvas, colour, (x - 14, y), (x, y), 2)
            x -= 28


def shortened(name: str, letters: int = 17) -> str:
    """A name that leaves room for what stands beside it."""
    return name if len(name) <= letters else name[: letters - 1] + "\N{HORIZONTAL ELLIPSIS}"


def blit_image(canvas: pygame.Surface, box: pygame.Rect, image: NDArray[np.uint8]) -> None:
    """Put an image [H, W, 3] into a box, every pixel a block, as large as its shape allows."""
    height, width = image.shape[:2]
    picture = pygame.image.frombuffer(image.tobytes(), (width, height), "RGB")
    scale = min(box.width / width, box.height / height)
    place = pygame.Rect(0, 0, round(width * scale), round(height * scale))
    place.center = box.center
    canvas.blit(picture if scale == 1.0 else pygame.transform.scale(picture, place.size), place)
