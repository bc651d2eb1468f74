"""Crosswind: its acceleration g of the car, in m/s^2 and positive to the left, is an Ornstein-Uhlenbeck process

    g(t + dt) = k g(t) + sqrt(1 - k^2) gust_mps2 N(0, 1),     k = exp(-dt / GUST_TIME_S)

of standard deviation `gust_mps2`.  The normal numbers are a hash of the episode's seed and the number of the control step,
so that a copied car meets the same wind.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import jit
from lanekeep_envs.compiled.noise import hash32
from lanekeep_envs.dynamics.vehicle import CONTROL_STEP_S

GUST_TIME_S = 1.5
GUST_NUMBERS, DROP_NUMBERS = 1, 2  # which of the sequences of numbers that a seed has: for gusts, for dropped frames


@jit
def hashed_uniform(seed, sequence, number):
    """Return a uniform number in (0, 1), a hash of the arguments."""
    return (hash32(number, sequence, 0, seed) + 0.5) / 4294967296.0


@jit
def hashed_normal(seed, sequence, number):
    """Return a normal number, a hash of the arguments (Box & Muller 1958)."""
    radius = np.sqrt(-2.0 * np.log(hashed_uniform(seed, sequence, 2 * number)))
    return radius * np.cos(2.0 * np.pi * hashed_uniform(seed, sequence, 2 * number + 1))


@jit
def gust(car, episode):
    """Set the crosswind of the next control step."""
    if episode["gust_mps2"] != 0.0:
        keep = np.exp(-CONTROL_STEP_S / GUST_TIME_S)
        kick = np.sqrt(1.0 - keep * keep) * episode["gust_mps2"]
        number = hashed_normal(episode["disturbance_seed"], GUST_NUMBERS, car["steps"] + 1)
        car["gust_mps2"] = keep * car["gust_mps2"] + kick * number
