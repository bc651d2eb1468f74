"""A planted confounder: a lamp on the dashboard that shows how the car was steered last.

It glows in the middle at the bottom of the picture, the brighter the further left the last action was; with |tie| < 1 it
shows a random action in the other frames, and with a negative tie the opposite one.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import jit
from lanekeep_envs.compiled.noise import hash32
from lanekeep_envs.elements import Element

LAMP = int(Element.LAMP)
RADIUS, BOTTOM = 0.055, 0.10  # of the lamp, and its distance from the lower edge, as shares of the picture's height


@jit
def shown(car, appearance):
    """Return what the lamp shows: an action, -1 to 1, positive left in the unmirrored world."""
    bits = hash32(car["steps"], 3, 5, appearance["noise_seed"])
    if (bits & 0xFFFF) / 65536.0 < abs(appearance["lamp_tie"]):
        return np.sign(appearance["lamp_tie"]) * appearance["mirror"] * car["action"]
    return 2.0 * (bits >> 16) / 65536.0 - 1.0


@jit
def light_lamp(colour, aov, margin, aside, width, car, appearance):
    """Paint the lamp over a picture whose image is `width` px wide from column `margin` on, `aside` px further in `aov`."""
    height, level = colour.shape[1], 0.5 + 0.5 * shown(car, appearance)
    radius = max(RADIUS * height, 1.5)
    row, column = (1.0 - BOTTOM) * height - 0.5, margin + 0.5 * (width - 1.0)
    glow = (40.0 + 215.0 * level, 20.0 + 150.0 * level, 16.0 + 30.0 * level)
    for i in range(max(int(row - radius - 1.0), 0), min(int(row + radius) + 2, height)):
        for j in range(max(int(column - radius - 1.0), margin), min(int(column + radius) + 2, margin + width)):
            away = np.sqrt((i - row) * (i - row) + (j - column) * (j - column))
            share = appearance["lamp"] * min(max(radius - away + 0.5, 0.0), 1.0)
            if share > 0.0:
                for c in range(3):
                    colour[c, i, j] += share * (glow[c] - colour[c, i, j])
                if aov.contributors.size > 0:
                    aov.contributors[i, aside + j] |= 1 << LAMP
                    if share >= 0.5:
                        aov.elements[i, aside + j] = LAMP
