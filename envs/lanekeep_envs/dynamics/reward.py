"""The reward of a control step: a sum of bounded terms, in [-1.06, 0.1].

    centring     0.1 (1 - (e / half a lane)^2)      e lateral offset [m]
    heading      -0.05 |psi| / 0.2 rad              psi heading error
    smoothness   -0.01 |change of curvature| / 0.005 1/m
    departure    -1 where a tyre is past the outer edge of a marking

Each of the ratios is at most 1.
"""

from lanekeep_envs.compiled.decorators import jit


@jit
def reward(car, episode, action):
    """Set the terms of the reward and their sum; remember the action."""
    half = episode["lane_width_m"] / 2.0
    off = min(abs(car["lateral_offset_m"]) / half, 1.0)
    turn = min(abs(car["heading_error_rad"]) / 0.2, 1.0)
    change = min(abs(action - car["action"]) * episode["curvature_limit_per_m"] / 0.005, 1.0)
    car["centring"] = 0.1 * (1.0 - off * off)
    car["heading"] = -0.05 * turn
    car["smoothness"] = -0.01 * change
    car["departure"] = -1.0 if car["lane_departure"] else 0.0
    car["reward"] = car["centring"] + car["heading"] + car["smoothness"] + car["departure"]
    car["action"] = action
