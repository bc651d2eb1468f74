"""The last eight seconds as curves: time runs to the right and ends now; left of the road is up."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import pygame

from lanekeep.watch.driven_car import MEMORY_S, Instant
from lanekeep.watch.panels import style
from lanekeep.watch.panels.style import Canvas, Colour

TICKS_WIDTH, TIMES_HEIGHT = 40, 18
SCALES_PER_KM = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


class Plot:
    """Axes in a rectangle: 8 s wide, from -reach to reach high."""

    def __init__(self, canvas: Canvas, box: pygame.Rect, reach: float, ticks: Sequence[float]) -> None:
        self.canvas, self.box, self.reach, self.ticks = canvas, box, reach, ticks
        self.sheet = canvas.sheet(
            pygame.Rect(box.x + TICKS_WIDTH, box.y, box.width - TICKS_WIDTH, box.height - TIMES_HEIGHT)
        )
        for value in ticks:
            self.level(value, style.RULE)

    def height(self, value: float) -> float:
        """The height [units] at which a value is drawn."""
        share = min(max(value / self.reach, -1.2), 1.2)
        return (1.0 - share) * self.sheet.height / 2.0

    def across(self, ago_s: float) -> float:
        """The place from the left [units] at which a time is drawn."""
        return (1.0 - ago_s / MEMORY_S) * (self.sheet.width - 3)

    def level(self, value: float, colour: Colour, width: float = 0.5) -> None:
        """A line at one value."""
        y = float(round(self.height(value)))  # on whole pixels: every level as sharp as the others
        self.sheet.line([(0, y), (self.sheet.width, y)], colour, width)

    def curve(self, past: Sequence[Instant], values: Sequence[float], colour: Colour, width: float) -> None:
        """A curve, broken where the car was put back and where there is no value."""
        now = past[-1].elapsed_s
        pairs = zip(past, values, strict=True)
        for (_, is_there), piece in groupby(pairs, lambda pair: (pair[0].leg, bool(np.isfinite(pair[1])))):
            if is_there:
                points = [(self.across(now - instant.elapsed_s), self.height(value)) for instant, value in piece]
                self.sheet.line(points, colour, width)

    def departures(self, past: Sequence[Instant]) -> None:
        """Upright lines where the car departed from its lane."""
        for instant in past:
            if instant.departed:
                x = float(round(self.across(past[-1].elapsed_s - instant.elapsed_s)))
                self.sheet.line([(x, 0), (x, self.sheet.height)], style.RED, 1.0)

    def done(self, written: str) -> None:
        """Put curves and numbers on the canvas; `written` is the format of a tick."""
        left, top = self.box.x + TICKS_WIDTH, self.box.y
        self.sheet.done()
        for value in self.ticks:
            text = "0" if value == 0.0 else written.format(value).replace("-", "\N{MINUS SIGN}")
            self.canvas.write(text, (left - 6, top + self.height(value)), style.SMALL, style.FAINT, "right")
        y = self.box.bottom - TIMES_HEIGHT / 2 + 2
        for ago_s in (8, 6, 4, 2, 0) if self.box.width > 300 else (8, 4, 0):
            align = {8: "left", 0: "right"}.get(ago_s, "middle")
            text = f"\N{MINUS SIGN}{ago_s} s" if ago_s else "now"
            self.canvas.write(text, (left + self.across(ago_s), y), style.SMALL, style.FAINT, align)


def draw_steering(
    canvas: Canvas, box: pygame.Rect, pasts: Sequence[Sequence[Instant]], colours: Sequence[Colour], limit_per_m: float
) -> None:
    """Plot the curvatures that the drivers, the expert in the place of the first, and in white a person ask for."""
    per_km = 1000.0 * limit_per_m
    drivers = [[per_km * float(np.clip(instant.action, -1, 1)) for instant in past] for past in pasts]
    expert = [per_km * instant.expert for instant in pasts[0]]
    hands = [[per_km * instant.hand for instant in past] for past in pasts]
    most = max(float(np.nanmax(np.abs([0.0, *curve]))) for curve in (*drivers, expert, *hands))
    step = next((scale for scale in SCALES_PER_KM if scale >= most), per_km)
    ticks = (step, step / 2, 0.0, -step / 2, -step) if box.height > 110 else (step, 0.0, -step)
    plot = Plot(canvas, box, 1.15 * step, ticks)
    plot.departures(pasts[0])
    plot.curve(pasts[0], expert, style.GREEN, 1.5)
    for past, curve, hand, colour in reversed(list(zip(pasts, drivers, hands, colours, strict=True))):
        plot.curve(past, curve, colour, 2.0)
        plot.curve(past, hand, style.BRIGHT, 2.0)
    plot.done("{:+g}")


def draw_offset(
    canvas: Canvas,
    box: pygame.Rect,
    pasts: Sequence[Sequence[Instant]],
    colours: Sequence[Colour],
    lane_width_m: float,
    half_car_m: float,
) -> None:
    """Plot the place of the cars in their lane: their middle, the body of the first, and the edges of the lane."""
    half = lane_width_m / 2.0
    plot = Plot(canvas, box, half + 0.45, ())
    edge = plot.sheet.width
    inside = [(0, plot.height(half)), (edge, plot.height(half)), (edge, plot.height(-half)), (0, plot.height(-half))]
    plot.sheet.area(inside, style.mix(style.PANEL, style.RULE, 0.35))
    now = pasts[0][-1].elapsed_s
    for leg in sorted({instant.leg for instant in pasts[0]}):
        body = [(plot.across(now - i.elapsed_s), i.lateral_offset_m) for i in pasts[0] if i.leg == leg]
        if len(body) > 1:
            above = [(x, plot.height(offset + half_car_m)) for x, offset in body]
            below = [(x, plot.height(offset - half_car_m)) for x, offset in reversed(body)]
            plot.sheet.area(above + below, style.mix(style.PANEL, colours[0], 0.28))
    plot.level(0.0, style.GREEN, 0.5)
    for side in (half, -half):
        plot.level(side, style.PLAIN, 1.0)
    for past, colour in reversed(list(zip(pasts, colours, strict=True))):
        plot.departures(past)
        plot.curve(past, [instant.lateral_offset_m for instant in past], colour, 2.0)
    plot.ticks = (half, 0.0, -half)
    plot.done("{:+.2f}")
