"""The way a synapse takes on paper from one neuron to another: a cubic Bezier curve between the rims of two circles.

    to the next column      straight, aimed at the centre or, where many arrive, somewhat beside it
    within a column         an arc on the right; the one in the other direction leaves and arrives elsewhere
    to itself               a loop on top
    over columns between    past their top or bottom neuron, whichever is nearer to the source
    to an earlier column    bent, beside the straight ones
It ends `GAP` before the rim, so that its head (arrow or bar) stays free. Lengths are points, angles radians, counter-
clockwise from the right.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_policies.wiring.layout import Box, Column, Floats

GAP = 0.8
LANE = 13.0  # how far past the neurons the highest way over a column is
WIDEST_ARC = np.radians(125.0)  # of a rim on which straight ways end


class Disc(NamedTuple):
    """A neuron on paper."""

    x: float
    y: float
    radius: float
    above: float  # free height over it
    column: int  # from the left

    def rim(self, angle: float, beyond: float = 0.0) -> Floats:
        """[2] the point at this angle, `beyond` points outside the circle."""
        return np.array([self.x, self.y]) + (self.radius + beyond) * _direction(angle)


def straight(sources: list[Disc], target: Disc, apart: float) -> list[Floats]:
    """Ways [4, 2] from a column into a neuron of the next, their ends `apart` points from each other if there is room."""
    heights = np.array([source.y for source in sources])
    seen = np.arctan2(heights - target.y, target.x - sources[0].x)  # from the left, upwards
    arriving = np.pi - _spread(seen, min(apart / (target.radius + GAP), WIDEST_ARC / len(sources)))
    ways = []
    for source, angle in zip(sources, arriving, strict=True):
        end = target.rim(float(angle), GAP)
        ways.append(np.linspace(_towards(source, end, 0.0), end, 4))
    return ways


def curve(source: Disc, target: Disc, layers: list[Column], box: Box) -> Floats:
    """Any other way [4, 2]; the last two points give the heading at the end. All neurons are inside the box."""
    columns = target.column - source.column
    if source == target:
        reach = min(2.6 * source.radius, 1.35 * source.above)
        return _leave_and_arrive(source, target, np.radians(55.0), np.radians(125.0), reach)
    step = np.array([target.x - source.x, target.y - source.y])
    angle, distance = float(np.arctan2(step[1], step[0])), float(np.hypot(*step))
    if columns == 0:
        down, far = float(np.sign(step[1])), min(distance / 120.0, 1.0)
        arriving = -down * np.radians(34.0 + 24.0 * far)
        return _leave_and_arrive(source, target, down * np.radians(14.0), arriving, 3.0 + 0.42 * distance)
    if columns > 1:
        passed = layers[source.column + 1 : target.column]
        return _past(source, target, float(np.mean([layer.x for layer in passed])), box)
    bend = np.radians(20.0)
    return _leave_and_arrive(source, target, angle - bend, angle + np.pi + bend, 0.36 * distance)


def _leave_and_arrive(source: Disc, target: Disc, leaving: float, arriving: float, reach: float) -> Floats:
    """Out of the source at one angle of its rim, into the target at one of its own, both at a right angle to the rim."""
    start, end = source.rim(leaving), target.rim(arriving, GAP)
    return np.stack([start, start + reach * _direction(leaving), end + reach * _direction(arriving), end])


def _past(source: Disc, target: Disc, x: float, box: Box) -> Floats:
    """Over or under the box at x, the farther out the farther the source stands, so that these ways do not cross."""
    middle, half = (box.bottom + box.top) / 2.0, (box.top - box.bottom) / 2.0
    side = 1.0 if source.y >= middle else -1.0
    peak = np.array([x, middle + side * (half + LANE * min(abs(source.y - middle) / half, 1.0))])
    start, end = np.array([source.x, source.y]), np.array([target.x, target.y])
    bend = (8.0 * peak - start - end) / 6.0  # half-way, a cubic is at (start + 3 bend + 3 bend + end) / 8
    spread = np.array([0.2 * (target.x - source.x), 0.0])
    bends = bend - spread, bend + spread
    return np.stack([_towards(source, bends[0], 0.0), *bends, _towards(target, bends[1], GAP)])


def _spread(angles: Floats, apart: float) -> Floats:
    """The nearest angles, in squares, in the same order and at least `apart` (isotonic regression)."""
    from scipy.optimize import isotonic_regression

    order, room = np.argsort(angles, kind="stable"), apart * np.arange(len(angles))
    result = np.empty_like(angles)
    result[order] = room + isotonic_regression(angles[order] - room).x
    return result


def _towards(disc: Disc, point: Floats, beyond: float) -> Floats:
    return disc.rim(float(np.arctan2(point[1] - disc.y, point[0] - disc.x)), beyond)


def _direction(angle: float) -> Floats:
    return np.array([np.cos(angle), np.sin(angle)])
