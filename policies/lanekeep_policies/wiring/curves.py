"""The way a synapse takes on paper from one neuron to another: a cubic Bezier curve between the rims of two circles.

    to the next column      straight, aimed at the centre
    within a column         an arc on the right; the one in the other direction leaves and arrives elsewhere
    to itself               a loop on top
    any other column        over or under the neurons between
It ends `GAP` before the rim, so that its head (arrow or bar) stays free. Lengths are points, angles radians, counter-
clockwise from the right.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_policies.wiring.layout import Floats

GAP = 0.8


class Disc(NamedTuple):
    """A neuron on paper."""

    x: float
    y: float
    radius: float
    column: int  # from the left

    def rim(self, angle: float, beyond: float = 0.0) -> Floats:
        """[2] the point at this angle, `beyond` points outside the circle."""
        return np.array([self.x, self.y]) + (self.radius + beyond) * _direction(angle)


def curve(source: Disc, target: Disc) -> Floats:
    """[4, 2] control points; the last two give the heading at the end."""
    if source == target:
        return _leave_and_arrive(source, target, np.radians(55.0), np.radians(125.0), 2.6 * source.radius)
    step = np.array([target.x - source.x, target.y - source.y])
    distance, down = float(np.hypot(*step)), float(np.sign(step[1]))
    if source.column == target.column:
        return _leave_and_arrive(
            source, target, down * np.radians(12.0), -down * np.radians(42.0), 4.0 + 0.42 * distance
        )
    angle = float(np.arctan2(step[1], step[0]))
    if target.column == source.column + 1:
        return _leave_and_arrive(source, target, angle, angle + np.pi, 0.0)
    side = 1.0 if target.column > source.column else -1.0
    bend = side * np.radians(24.0)
    return _leave_and_arrive(source, target, angle + bend, angle + np.pi - bend, 0.36 * distance)


def _leave_and_arrive(source: Disc, target: Disc, leaving: float, arriving: float, reach: float) -> Floats:
    """Out of the source at one angle of its rim, into the target at one of its own, both at a right angle to the rim."""
    start, end = source.rim(leaving), target.rim(arriving, GAP)
    if reach == 0.0:
        return np.stack([start, start + (end - start) / 3.0, end - (end - start) / 3.0, end])
    return np.stack([start, start + reach * _direction(leaving), end + reach * _direction(arriving), end])


def _direction(angle: float) -> Floats:
    return np.array([np.cos(angle), np.sin(angle)])
