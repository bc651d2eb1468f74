"""Overlays of the driver's picture: a saliency map, or the true effect of each thing in it on the steering.

elements    the pixels of an element in the colour of its true effect: orange where its presence steers to the left,
            blue to the right, the stronger the more (effect_bars.py measures them)
the others  maps of `lanekeep.saliency`, on a scale that follows their largest numbers and falls back slowly, so that
            frames of little attention look like it
"""

import numpy as np
from numpy.typing import NDArray

from lanekeep.saliency import METHODS, maps, methods_with
from lanekeep.watch.driven_car import DrivenCar
from lanekeep.watch.panels.effect_bars import FULL_EFFECT, LiveEffects
from lanekeep.watch.panels.style import BLUE, ORANGE

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
FALL = 0.98  # of the scale, from one frame to the next
HEAT = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], np.float64)  # inferno


def overlays() -> dict[str, str]:
    """Name -> title of each overlay, with the maps that were added by a file or a package."""
    return {"none": "", **{name: METHODS[name].title for name in methods_with("live")}, "elements": "true effects"}


class Overlay:
    """One driver's picture under one kind of overlay."""

    def __init__(self, name: str = "none") -> None:
        self.name = name
        self._scale = 0.0

    def picture(self, car: DrivenCar, effects: LiveEffects) -> U8:
        """The driver's frame [H, W, 3] with what lies over it."""
        if self.name == "none":
            frame: U8 = car.frame
            return frame
        if self.name == "elements":
            return coloured(car.frame, tint(car, effects), signed=True)
        shown = maps(self.name, car.running, car.frame[None], car.before)[0]
        self._scale = max(FALL * self._scale, float(np.percentile(np.abs(shown), 99.5)))
        return coloured(car.frame, shown / (self._scale or 1.0), METHODS[self.name].signed)


def tint(car: DrivenCar, effects: LiveEffects) -> F32:
    """Effects in -1..1 of the elements that dominate the driver's pixels [H, W]."""
    table = np.zeros(64, np.float32)
    for element, effect in effects.now.items():
        table[element] = np.clip(effect / FULL_EFFECT, -1.0, 1.0)
    shown: F32 = table[car.scenery().elements]
    return shown


def coloured(small: U8, shown: F32, signed: bool) -> U8:
    """A map, in -1..1 or 0..1, over its frame in grey: orange steers to the left, blue to the right."""
    grey = 0.75 * (small @ np.array([0.299, 0.587, 0.114]))[..., None]
    share = np.clip(np.abs(shown), 0.0, 1.0)[..., None]
    if signed:
        over = np.where(shown[..., None] > 0.0, np.array(ORANGE, np.float64), np.array(BLUE, np.float64))
    else:
        place = (0.25 + 0.75 * share[..., 0]) * (len(HEAT) - 1)
        over = np.stack([np.interp(place, np.arange(len(HEAT)), HEAT[:, c]) for c in range(3)], -1)
    mixed: U8 = np.clip(share * over + (1.0 - share) * grey, 0.0, 255.0).astype(np.uint8)
    return mixed
