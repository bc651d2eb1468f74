"""Saliency: maps of what a driver looks at, for any driver, through the memory it carries.

    from lanekeep.saliency import maps, states_along
    states = states_along(driver, frames)                       # [T + 1, S]
    found = maps("gradient", driver, frames, states[:-1])       # [T, H, W]

A map is a claim.  What an element of the scene really does to the steering is measured in `lanekeep.effects`, and
`lanekeep compare` marks the one by the other.
"""

from lanekeep.driving.drivers import states_along
from lanekeep.saliency.methods import METHODS, Method, maps, methods_with, scale_of
from lanekeep.saliency.ssim import ssim
from lanekeep.saliency.steering import Steering, images_of
from lanekeep.saliency.through_time import through_time

__all__ = [
    "METHODS",
    "Method",
    "Steering",
    "images_of",
    "maps",
    "methods_with",
    "scale_of",
    "ssim",
    "states_along",
    "through_time",
]
