"""One control step of the cars: actuator and physics, projection onto the road, and what follows from where the car is.

What changes about a car while it drives is a record of `CAR_STATE`, what is fixed for an episode a record of `EPISODE`.  A
record copied is a car copied, which is all that snapshots need.

Lateral offset and heading error refer to the centre of the right-hand lane, positive to the left (ISO 8855).  The lane
centre lies parallel to the road axis at d = -w/2; a parallel of a curve kappa at distance d has curvature
kappa / (1 - kappa d).

Time to lane crossing follows the curved path (van Winsum & Brookhuis show that offset over lateral speed is a poor
estimate): the first t > 0 at which  e + v psi t + v^2 (kappa_path - kappa_lane) t^2 / 2  reaches a margin.

The crosswind (wind.py) acts ahead of the centre of gravity and so turns the car as well.  Cross fall adds gravity's
component towards the lower edge.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import copy_row, jit
from lanekeep_envs.dynamics.reward import reward
from lanekeep_envs.dynamics.road import at, pose_beside, project
from lanekeep_envs.dynamics.vehicle import (
    CONTROL_STEP_S,
    PHYSICS_STEP_S,
    Disturbance,
    Motion,
    Vehicle,
    step,
    wheel_angle_rad,
)
from lanekeep_envs.dynamics.wind import DROP_NUMBERS, GUST_NUMBERS, gust, hashed_normal, hashed_uniform

TICKS = 5  # physics steps per control step
DELAY_ROOM = 64  # ticks of commands remembered: actuator delays up to 0.63 s
PREVIEW_M = np.array([2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 40.0])  # where `curvature_preview_per_m` looks
LONGEST_CROSSING_S = 20.0

CAR_STATE = np.dtype(
    [
        *((name, np.float64) for name in Motion._fields),
        ("commands", np.float64, (DELAY_ROOM,)),  # [rad], a ring; `tick` is the next to be written
        ("tick", np.int64),
        ("row", np.int64),  # of the road table, under the car
        ("steps", np.int64),  # control steps since the start: the frame number
        ("distance_m", np.float64),  # arc length along the axis
        ("lateral_offset_m", np.float64),
        ("heading_error_rad", np.float64),
        ("curvature_per_m", np.float64),  # of the lane centre
        ("curvature_preview_per_m", np.float64, (len(PREVIEW_M),)),
        ("lateral_acceleration_mps2", np.float64),
        ("time_to_lane_crossing_s", np.float64),
        ("centring", np.float64),  # the terms of the reward
        ("heading", np.float64),
        ("smoothness", np.float64),
        ("departure", np.float64),
        ("reward", np.float64),  # and their sum
        ("action", np.float64),
        ("lane_departure", np.bool_),
        ("truncated", np.bool_),
        ("gust_mps2", np.float64),  # the crosswind's acceleration of the car now, positive to the left
        ("push_mps2", np.float64),  # what someone outside adds to it, until they stop
    ]
)

EPISODE = np.dtype(
    [
        ("curvature_limit_per_m", np.float64),
        ("acceleration_limit_mps2", np.float64),
        ("lane_width_m", np.float64),
        ("marking_width_m", np.float64),
        ("finish_m", np.float64),
        ("time_limit_s", np.float64),
        ("friction", np.float64),
        ("cross_fall_mps2", np.float64),  # gravity along the road's cross fall, positive to the left
        ("gust_mps2", np.float64),  # standard deviation; negative in a mirrored world
        ("wheel_offset_rad", np.float64),
        ("extra_delay_s", np.float64),
        ("dropped_frames", np.float64),  # probability
        ("late_frames", np.int64),
        ("disturbance_seed", np.int64),
    ]
)


@jit
def parallel_curvature(curvature, d_m):
    """Return the curvature of the parallel at `d_m` left of a curve."""
    return curvature / (1.0 - curvature * d_m)


@jit
def first_root_s(c, b, a):
    """Return the smallest t > 0 with c + b t + a t^2 = 0, at most LONGEST_CROSSING_S."""
    best = LONGEST_CROSSING_S
    if abs(a) < 1e-9:
        if abs(b) > 1e-9 and -c / b > 0.0:
            best = min(best, -c / b)
        return best
    square = b * b - 4.0 * a * c
    if square < 0.0:
        return best
    for sign in (-1.0, 1.0):
        t = (-b + sign * np.sqrt(square)) / (2.0 * a)
        if t > 0.0:
            best = min(best, t)
    return best


@jit
def margins_m(episode, vehicle):
    """Return how far left and right the centre of gravity may be before a tyre passes a marking's outer edge."""
    left = episode["lane_width_m"] / 2.0 + episode["marking_width_m"] / 2.0 - vehicle.half_width_m
    right = episode["lane_width_m"] / 2.0 + episode["marking_width_m"] - vehicle.half_width_m
    return left, right


@jit
def project_on_lane(car, road, episode, vehicle):
    """Set where the car is with respect to its lane, and how soon it would leave it."""
    row, s, d = project(road, car["row"], car["x"], car["y"])
    lane_d = -episode["lane_width_m"] / 2.0
    offset = d - lane_d
    turn = car["yaw"] - at(road["heading"], s)
    error = np.arctan2(np.sin(turn), np.cos(turn))
    curvature = parallel_curvature(at(road["curvature"], s), lane_d)
    car["row"], car["distance_m"] = row, s
    car["lateral_offset_m"], car["heading_error_rad"], car["curvature_per_m"] = offset, error, curvature
    for k in range(PREVIEW_M.shape[0]):
        car["curvature_preview_per_m"][k] = parallel_curvature(at(road["curvature"], s + PREVIEW_M[k]), lane_d)
    left, right = margins_m(episode, vehicle)
    front = vehicle.front_axle_m * np.sin(error)
    rear = -vehicle.rear_axle_m * np.sin(error)
    car["lane_departure"] = offset + max(front, rear) > left or offset + min(front, rear) < -right
    speed = car["speed"]
    drift = speed * np.sin(error) + car["lateral_speed"] * np.cos(error)
    bend = 0.5 * speed * (car["yaw_rate"] - speed * curvature)
    crossing = min(first_root_s(offset - left, drift, bend), first_root_s(offset + right, drift, bend))
    car["time_to_lane_crossing_s"] = 0.0 if car["lane_departure"] else crossing


@jit
def show_frames(shown, film, frames, cars, episodes):
    """Fill `shown` [N, P] with the frames that the cameras hand out for what they see, `frames` [N, P], and keep those.

    A camera may show its previous frame again, but for the first of an episode.  Frame n of a car lies in place n of its
    `film` [N, K, P], modulo the length; doing this twice at one instant changes nothing.
    """
    places = film.shape[1]
    for i in range(cars.shape[0]):
        steps, episode = cars[i]["steps"], episodes[i]
        chance = hashed_uniform(episode["disturbance_seed"], DROP_NUMBERS, steps)
        lost = steps > 0 and chance < episode["dropped_frames"]
        copy_row(film[i, steps % places], film[i, (steps - 1) % places] if lost else frames[i])
        copy_row(shown[i], film[i, max(steps - episode["late_frames"], 0) % places])


@jit
def actuate_and_integrate(car, command_rad, acceleration_mps2, episode, vehicle):
    """Move the car by actuator and physics over one control step."""
    delay = int(round((vehicle.actuator_delay_s + episode["extra_delay_s"]) / PHYSICS_STEP_S))
    wind = car["gust_mps2"] + car["push_mps2"]
    turn = wind * vehicle.mass_kg * vehicle.wind_arm_m / vehicle.yaw_inertia_kgm2
    outside = Disturbance(episode["friction"], wind + episode["cross_fall_mps2"], turn, episode["wheel_offset_rad"])
    before = car["lateral_speed"]
    m = Motion(car["x"], car["y"], car["yaw"], car["speed"], car["lateral_speed"], car["yaw_rate"], car["wheel_angle"])
    for _ in range(TICKS):
        tick = car["tick"]
        car["commands"][tick % DELAY_ROOM] = command_rad
        m = step(m, car["commands"][(tick - delay) % DELAY_ROOM], acceleration_mps2, vehicle, outside, PHYSICS_STEP_S)
        if m.speed < 0.0:
            m = Motion(m.x, m.y, m.yaw, 0.0, 0.0, 0.0, m.wheel_angle)
        car["tick"] = tick + 1
    car["x"], car["y"], car["yaw"], car["speed"] = m.x, m.y, m.yaw, m.speed
    car["lateral_speed"], car["yaw_rate"], car["wheel_angle"] = m.lateral_speed, m.yaw_rate, m.wheel_angle
    car["lateral_acceleration_mps2"] = (m.lateral_speed - before) / CONTROL_STEP_S + m.speed * m.yaw_rate


@jit
def first_not_finite(actions):
    """Return the first row of `actions` [N, 1 or 2] that holds NaN or infinity; -1 without any."""
    for i in range(actions.shape[0]):
        for k in range(actions.shape[1]):
            if not np.isfinite(actions[i, k]):
                return i
    return -1


@jit
def step_cars(cars, actions, episodes, roads, vehicle, resting):
    """Drive every car that is not `resting` [N] for one control step; actions [N, 1 or 2] in [-1, 1]."""
    for i in range(cars.shape[0]):
        if resting[i]:
            continue
        car, episode, road = cars[i], episodes[i], roads[i]
        action = min(max(actions[i, 0], -1.0), 1.0)
        push = min(max(actions[i, 1], -1.0), 1.0) if actions.shape[1] > 1 else 0.0
        command = wheel_angle_rad(action * episode["curvature_limit_per_m"], car["speed"], vehicle)
        gust(car, episode)
        actuate_and_integrate(car, command, push * episode["acceleration_limit_mps2"], episode, vehicle)
        project_on_lane(car, road, episode, vehicle)
        reward(car, episode, action)
        car["steps"] += 1
        late = car["steps"] * CONTROL_STEP_S >= episode["time_limit_s"] - 1e-9
        car["truncated"] = not car["lane_departure"] and (late or car["distance_m"] >= episode["finish_m"])


@jit
def place_car(car, road, episode, vehicle, s_m, offset_m, heading_error_rad, speed_mps):
    """Put a car on its lane, wheels set for the bend it is in."""
    x, y, heading = pose_beside(road, s_m, offset_m - episode["lane_width_m"] / 2.0)
    curvature = parallel_curvature(at(road["curvature"], s_m), -episode["lane_width_m"] / 2.0)
    angle = wheel_angle_rad(curvature, speed_mps, vehicle)
    slip = vehicle.mass_kg * vehicle.front_axle_m * speed_mps * speed_mps * curvature
    slip /= (vehicle.front_axle_m + vehicle.rear_axle_m) * vehicle.rear_stiffness_n
    sideslip = vehicle.rear_axle_m * curvature - slip  # steady state: the car's path, not its nose, follows the lane
    car["x"], car["y"], car["yaw"], car["speed"] = x, y, heading + heading_error_rad - sideslip, speed_mps
    car["lateral_speed"] = speed_mps * sideslip
    car["yaw_rate"], car["wheel_angle"] = speed_mps * curvature, angle
    car["commands"][:] = angle
    car["tick"], car["steps"], car["row"] = DELAY_ROOM, 0, int(s_m)
    car["action"] = min(max(curvature / episode["curvature_limit_per_m"], -1.0), 1.0)
    car["lateral_acceleration_mps2"] = speed_mps * speed_mps * curvature
    car["centring"] = car["heading"] = car["smoothness"] = car["departure"] = car["reward"] = 0.0
    car["gust_mps2"] = episode["gust_mps2"] * hashed_normal(episode["disturbance_seed"], GUST_NUMBERS, 0)
    car["push_mps2"] = 0.0
    car["truncated"] = False
    project_on_lane(car, road, episode, vehicle)


DEFAULT_VEHICLE = Vehicle()
