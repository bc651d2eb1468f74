"""The road from above, the car's heading upwards."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pygame
from numpy.typing import NDArray

from lanekeep.watch.driven_car import Instant
from lanekeep.watch.panels.style import GREEN, PLAIN, SMALL, Canvas, Colour
from lanekeep_envs import ELEMENT_OF_KIND, Scenario

F64 = NDArray[np.float64]
SCALE = 3.4  # pixels per metre
CAR_FROM_BOTTOM = 0.24
MEADOW, GRAVEL, ASPHALT = (27, 35, 32), (47, 49, 49), (62, 66, 73)
LENGTH_M, WIDTH_M = 4.6, 1.75


class RoadMap:
    """Turns the world about the car and draws it."""

    def __init__(self, canvas: Canvas, box: pygame.Rect, place: dict[str, Any], scenario: Scenario) -> None:
        self.canvas, self.box, self.lane = canvas, box, scenario.lane
        self.sheet = canvas.sheet(box, MEADOW)
        self.road = np.asarray(place["road"])
        self.things, self.others = np.asarray(place["things"]), np.asarray(place["others"])
        self.x, self.y, self.yaw = place["x"], place["y"], place["yaw"]
        nearest = np.argmin((self.road["x"] - self.x) ** 2 + (self.road["y"] - self.y) ** 2)
        self.rows = np.arange(max(int(nearest) - 60, 0), min(int(nearest) + 170, len(self.road)))

    def pixels(self, x: F64, y: F64) -> F64:
        """World points to pixels [M, 2]."""
        east, north = x - self.x, y - self.y
        forward = east * np.cos(self.yaw) + north * np.sin(self.yaw)
        left = north * np.cos(self.yaw) - east * np.sin(self.yaw)
        middle = (self.box.width / 2.0, self.box.height * (1.0 - CAR_FROM_BOTTOM))
        return np.stack([middle[0] - SCALE * left, middle[1] - SCALE * forward], 1)

    def beside(self, s_m: F64, d_m: float) -> F64:
        """Pixels of the line `d_m` to the left of the axis."""
        low = int(s_m[0])  # only that part of the road is looked at
        part = self.road[low : int(s_m[-1]) + 2]
        s = np.arange(low, low + len(part), dtype=np.float64)
        x, y, heading = (np.interp(s_m, s, part[name]) for name in ("x", "y", "heading"))
        return self.pixels(x - d_m * np.sin(heading), y + d_m * np.cos(heading))

    def strip(self, left_m: float, right_m: float, colour: tuple[int, int, int]) -> None:
        """The area between two parallels of the axis."""
        s = self.rows.astype(np.float64)
        self.sheet.area(np.concatenate([self.beside(s, left_m), self.beside(s, right_m)[::-1]]), colour)

    def draw_road(self) -> None:
        """Shoulder, carriageway, markings, the middle of the lane ahead."""
        lane, s = self.lane, self.rows.astype(np.float64)
        paved = lane.lane_width_m + lane.edge_strip_m
        self.strip(paved + lane.shoulder_m, -paved - lane.shoulder_m, GRAVEL)
        self.strip(paved, -paved, ASPHALT)
        for side in (1.0, -1.0):
            self.sheet.line(self.beside(s, side * (lane.lane_width_m + lane.marking_width_m / 2.0)), PLAIN, 1.0)
        period = lane.dash_m + lane.gap_m
        for start in np.arange(np.ceil(s[0] / period) * period, s[-1] - lane.dash_m, period):
            self.sheet.line(self.beside(start + np.linspace(0.0, lane.dash_m, 3), 0.0), PLAIN, 1.0)
        self.sheet.line(self.beside(s, -lane.lane_width_m / 2.0), GREEN, 0.75)

    def draw_things(self) -> None:
        """Trees and bushes as their crowns, posts and signs as dots, hedges, rails and houses as their plans."""
        at = self.pixels(self.things["x"], self.things["y"])
        near = (np.abs(at - (self.box.width / 2, self.box.height / 2)) < (self.box.width, self.box.height)).all(1)
        for (x, y), thing in zip(at[near].tolist(), self.things[near], strict=True):
            shape, colour = ELEMENT_OF_KIND[int(thing["kind"])].spec.map_mark
            if shape == "dot":
                self.sheet.disc((x, y), 1.0, colour)
            elif shape == "outline":
                ahead = np.cos(thing["twist"]), np.sin(thing["twist"])
                half = max(float(thing["radius_m"]), 0.25)
                self.plan(float(thing["x"]), float(thing["y"]), ahead, 0.5 * float(thing["length_m"]), half, colour)
            else:
                self.sheet.disc((x, y), max(SCALE * float(thing["radius_m"]), 1.5), colour)

    def plan(
        self, x: float, y: float, ahead: tuple[float, float], long: float, wide: float, colour: tuple[int, int, int]
    ) -> None:
        """A rectangle of half length and half width `long` and `wide` [m], lying along the unit vector `ahead`."""
        corners = np.array([(long, wide), (long, -wide), (-long, -wide), (-long, wide)])
        east = x + corners[:, 0] * ahead[0] - corners[:, 1] * ahead[1]
        north = y + corners[:, 0] * ahead[1] + corners[:, 1] * ahead[0]
        self.sheet.area(self.pixels(east, north), colour)

    def draw_others(self) -> None:
        """The other cars, to scale."""
        for x, y, ahead_x, ahead_y in self.others.tolist():
            self.plan(x, y, (ahead_x, ahead_y), 0.5 * LENGTH_M, 0.5 * WIDTH_M, PLAIN)

    def draw_path(self, past: Sequence[Instant], colour: Colour) -> None:
        """Draw the way that a car has come on this road."""
        here = [instant for instant in past if instant.road_seed == past[-1].road_seed]
        for leg in sorted({instant.leg for instant in here}):
            xy = np.array([(instant.x, instant.y) for instant in here if instant.leg == leg])
            self.sheet.line(self.pixels(xy[:, 0], xy[:, 1]), colour, 1.5)

    def draw_car(self, place: dict[str, Any], colour: Colour) -> None:
        """A car that is watched, to scale."""
        ahead = np.cos(place["yaw"]), np.sin(place["yaw"])
        self.plan(place["x"], place["y"], ahead, 0.5 * LENGTH_M, 0.5 * WIDTH_M, colour)

    def done(self) -> None:
        """Put the map on the canvas, with a scale."""
        self.sheet.done()
        right, y = self.box.right - 10, self.box.bottom - 12
        left = right - 20.0 * SCALE
        self.canvas.line([(left, y), (right, y)], PLAIN)
        for x in (left, right):
            self.canvas.line([(x, y - 3), (x, y + 3)], PLAIN)
        self.canvas.write("20 m", ((left + right) / 2, y - 10), SMALL, PLAIN, "middle")


def draw_map(
    canvas: Canvas,
    box: pygame.Rect,
    scenario: Scenario,
    cars: Sequence[tuple[dict[str, Any], Sequence[Instant], Colour]],
) -> None:
    """Draw the map about the first of the cars, from the ground up; each car has a place, a past and a colour."""
    road_map = RoadMap(canvas, box, cars[0][0], scenario)
    road_map.draw_road()
    road_map.draw_things()
    road_map.draw_others()
    for _, past, colour in cars:
        road_map.draw_path(past, colour)
    for place, _, colour in reversed(cars):
        road_map.draw_car(place, colour)
    road_map.done()
