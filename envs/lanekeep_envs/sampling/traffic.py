"""The other cars: records of `OTHER_CAR`, and where they are at a frame.

Oncoming ones drive in the left lane at one speed for all, so that they never meet each other; a car ahead keeps its
distance in ours.  Where one is follows from the frame number alone (the one ahead also from where we are): nothing has
to be stepped, a snapshot that holds the records holds the traffic.
"""

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import no_refcount
from lanekeep_envs.dynamics.road import SPACING_M
from lanekeep_envs.dynamics.vehicle import CONTROL_STEP_S
from lanekeep_envs.sampling.ranges import uniform
from lanekeep_envs.scenario.schema import Scenario

OTHER_CAR = np.dtype(
    [
        ("start_m", np.float64),  # arc length at frame 0; of the car ahead its distance
        ("speed_mps", np.float64),  # backwards along the road; of the car ahead 0
        ("tint", np.float64),  # 0 .. 1, which colour
        ("van", np.bool_),
        ("lane", np.int64),  # +1 oncoming, -1 ahead in ours, 0 none
    ]
)
LEAST_GAP_M = 18.0  # from the middle of an oncoming car to the next
AHEAD_M = (27.0, 42.0)
SWAY_M, SWAY_S = 2.5, 17.0  # of that distance


def draw_traffic(
    scenario: Scenario, length_m: float, design_speed_mps: float, generator: np.random.Generator
) -> NDArray[np.void]:
    """Draw the other cars of an episode: [K] of `OTHER_CAR`, K = 0 on an empty road."""
    reach = 2.3 * length_m  # as far as they come during a drive
    per_km = uniform(scenario.scenery.oncoming_per_km, generator.random())
    oncoming = min(round(per_km * reach / 1000.0), int(0.8 * reach / LEAST_GAP_M))
    ahead = generator.random() < scenario.scenery.car_ahead
    speed, gap = design_speed_mps * (0.85 + 0.2 * generator.random()), generator.random()
    vehicles = np.zeros(oncoming + int(ahead), OTHER_CAR)
    vehicles["tint"], vehicles["van"] = generator.random(len(vehicles)), generator.random(len(vehicles)) < 0.25
    spread = np.sort(generator.random(oncoming)) * (reach - oncoming * LEAST_GAP_M)
    vehicles["start_m"][:oncoming] = 60.0 + spread + LEAST_GAP_M * np.arange(oncoming)
    vehicles["speed_mps"][:oncoming], vehicles["lane"][:oncoming] = speed, 1
    vehicles["lane"][oncoming:], vehicles["start_m"][oncoming:] = -1, uniform(AHEAD_M, gap)
    return vehicles


@no_refcount
def place_of(vehicle, steps, distance_m, road, lane_m):
    """(s, x, y, ahead_x, ahead_y) of a vehicle at a frame: arc length, its middle, and the way that it drives.

    `lane_m` is the width of a lane, negative in a mirrored world.
    """
    t = steps * CONTROL_STEP_S
    if vehicle["lane"] < 0:
        s = distance_m + vehicle["start_m"] + SWAY_M * np.sin(2.0 * np.pi * (t / SWAY_S + vehicle["tint"]))
        d, way = -0.5 * lane_m, 1.0
    else:
        s, d, way = vehicle["start_m"] - vehicle["speed_mps"] * t, 0.5 * lane_m, -1.0
    position = min(max(s / SPACING_M, 0.0), road.shape[0] - 1.000001)
    row = min(max(int(position), 0), road.shape[0] - 2)  # whatever NaN has become
    here, next_, share = road[row], road[row + 1], position - row
    tx = here["tangent_x"] + share * (next_["tangent_x"] - here["tangent_x"])
    ty = here["tangent_y"] + share * (next_["tangent_y"] - here["tangent_y"])
    long = np.sqrt(tx * tx + ty * ty)  # a bit less than 1 in a bend; a car of that size would not mirror exactly
    tx, ty = tx / long, ty / long
    x = here["x"] + share * (next_["x"] - here["x"]) - d * ty
    y = here["y"] + share * (next_["y"] - here["y"]) + d * tx
    return s, x, y, way * tx, way * ty
