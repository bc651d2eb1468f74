"""Fog at night: a wide glow of the headlights just below the horizon."""

import numpy as np

from lanekeep_envs.compiled.decorators import jit, noalias

GLOW = 46.0  # of the densest fog in the darkest night, where it is brightest
BLUE = np.float32(0.94)  # of its colour, whose red and green are 1
BELOW = 0.06  # the horizon, where it is brightest [focal lengths]
NARROW, ABOVE, BENEATH = 5.0, 90.0, 12.0  # how fast it fades aside, up (dipped: little light goes there) and down


@jit
def light_the_fog(colour, appearance, lens):
    """Add to a picture [3, H, W] what fog at night throws back of the headlights."""
    strength, horizon = np.float32(GLOW * appearance["night"] * appearance["fog"]), lens.sin_pitch / lens.cos_pitch
    wide = 1.0 + NARROW * ((lens.centre_column - np.arange(colour.shape[2])) / lens.focal_px) ** 2
    add_glow(colour, wide.astype(np.float32), strength, horizon, lens)


@noalias
def add_glow(colour, wide, strength, horizon, lens):
    """Add the glow, which is weaker where `wide` is more."""
    for i in range(colour.shape[1]):
        down = (i - lens.centre_row) / lens.focal_px + horizon - BELOW
        high = np.float32((ABOVE if down < 0.0 else BENEATH) * down * down)
        red, green, blue = colour[0, i], colour[1, i], colour[2, i]
        for j in range(wide.shape[0]):
            light = strength / (wide[j] + high)
            red[j] += light
            green[j] += light
            blue[j] += BLUE * light
