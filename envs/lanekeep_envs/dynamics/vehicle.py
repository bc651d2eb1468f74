"""Single-track (bicycle) model of the car, with its steering actuator.

State   x, y [m] of the centre of gravity, yaw [rad], forward speed u, lateral speed v [m/s] (positive left),
        yaw rate r [rad/s], road-wheel angle delta [rad].
Input   commanded road-wheel angle, forward acceleration [m/s^2].

    slip angles    alpha_f = delta - (v + a r)/u       alpha_r = -(v - b r)/u
    tyre forces    F = clip(C alpha, -mu Fz, +mu Fz)   per axle: linear, then saturated
    v' = (F_f + F_r)/m - u r + p  r' = (a F_f - b F_r)/I + q  yaw' = r
    x' = u cos(yaw) - v sin(yaw)  y' = u sin(yaw) + v cos(yaw)
with p [m/s^2] and q [rad/s^2] what wind and cross fall do to the car, delta as measured plus the offset of a badly set
steering, and mu the road's friction: a `Disturbance`, which is CALM unless a scenario says otherwise.
Rajamani, Vehicle Dynamics and Control (2nd ed.), section 2.3.  Below 4 m/s, where the slip angles lose their meaning, the
lateral motion fades into the kinematic model r = u delta/L, v = b r (section 2.2), which alone holds below 2 m/s.

Actuator: a pure delay, then a first-order lag with a rate limit: delta' = clip((command - delta)/lag, +-rate).

A path curvature kappa [1/m] becomes the command  delta = kappa (L + K u^2),  K = m/L (b/C_f - a/C_r), the understeer
gradient: in the steady state the car then turns with exactly that curvature (section 3.3).
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import jit

GRAVITY_MPS2 = 9.81
PHYSICS_STEP_S = 0.01
CONTROL_STEP_S = 0.05  # 20 Hz


class Vehicle(NamedTuple):
    """A mid-size passenger car."""

    mass_kg: float = 1500.0
    yaw_inertia_kgm2: float = 2500.0
    front_axle_m: float = 1.2  # centre of gravity to front axle
    rear_axle_m: float = 1.5  # centre of gravity to rear axle
    front_stiffness_n: float = 110_000.0  # cornering stiffness of the axle [N/rad]
    rear_stiffness_n: float = 115_000.0
    half_width_m: float = 0.875  # to the outside of the tyres
    maximum_wheel_angle_rad: float = 0.5
    actuator_delay_s: float = 0.10
    actuator_lag_s: float = 0.10
    maximum_wheel_rate_radps: float = 0.4
    wind_arm_m: float = 0.25  # centre of the crosswind's pressure ahead of the centre of gravity


class Disturbance(NamedTuple):
    """What acts on the car from outside, and how its steering is off; positive to the left."""

    friction: float
    lateral_mps2: float
    yaw_radps2: float
    wheel_offset_rad: float


CALM = Disturbance(0.9, 0.0, 0.0, 0.0)


class Motion(NamedTuple):
    """State of the single-track model; also its time derivative."""

    x: float
    y: float
    yaw: float
    speed: float
    lateral_speed: float
    yaw_rate: float
    wheel_angle: float


@jit
def wheel_angle_rad(curvature_per_m, speed_mps, vehicle):
    """Return the road-wheel angle that holds a path curvature in the steady state."""
    a, b = vehicle.front_axle_m, vehicle.rear_axle_m
    understeer = vehicle.mass_kg / (a + b) * (b / vehicle.front_stiffness_n - a / vehicle.rear_stiffness_n)
    angle = curvature_per_m * (a + b + understeer * speed_mps * speed_mps)
    return min(max(angle, -vehicle.maximum_wheel_angle_rad), vehicle.maximum_wheel_angle_rad)


@jit
def derivative(m, command_rad, acceleration_mps2, vehicle, outside):
    """Return the time derivative of the motion `m`; `outside` is a `Disturbance`."""
    a, b = vehicle.front_axle_m, vehicle.rear_axle_m
    u = max(m.speed, 1.0)
    wheel_angle = m.wheel_angle + outside.wheel_offset_rad
    front_limit = outside.friction * vehicle.mass_kg * GRAVITY_MPS2 * b / (a + b)
    rear_limit = outside.friction * vehicle.mass_kg * GRAVITY_MPS2 * a / (a + b)
    front = vehicle.front_stiffness_n * (wheel_angle - (m.lateral_speed + a * m.yaw_rate) / u)
    rear = -vehicle.rear_stiffness_n * (m.lateral_speed - b * m.yaw_rate) / u
    front = min(max(front, -front_limit), front_limit)
    rear = min(max(rear, -rear_limit), rear_limit)
    kinematic_rate = m.speed * wheel_angle / (a + b)
    dynamic = min(max((m.speed - 2.0) / 2.0, 0.0), 1.0)
    settle = (1.0 - dynamic) / 0.05  # how fast the slow car falls into its kinematic state [1/s]
    lateral = dynamic * ((front + rear) / vehicle.mass_kg - m.speed * m.yaw_rate + outside.lateral_mps2)
    turning = dynamic * (a * front - b * rear) / vehicle.yaw_inertia_kgm2 + dynamic * outside.yaw_radps2
    rate = (command_rad - m.wheel_angle) / vehicle.actuator_lag_s
    limit = vehicle.maximum_wheel_rate_radps
    cos, sin = np.cos(m.yaw), np.sin(m.yaw)
    return Motion(
        m.speed * cos - m.lateral_speed * sin,
        m.speed * sin + m.lateral_speed * cos,
        m.yaw_rate,
        acceleration_mps2,
        lateral + settle * (b * kinematic_rate - m.lateral_speed),
        turning + settle * (kinematic_rate - m.yaw_rate),
        min(max(rate, -limit), limit),
    )


@jit
def moved(m, rate, dt_s):
    """Return `m + dt * rate`, field by field."""
    return Motion(
        m.x + dt_s * rate.x,
        m.y + dt_s * rate.y,
        m.yaw + dt_s * rate.yaw,
        m.speed + dt_s * rate.speed,
        m.lateral_speed + dt_s * rate.lateral_speed,
        m.yaw_rate + dt_s * rate.yaw_rate,
        m.wheel_angle + dt_s * rate.wheel_angle,
    )


@jit
def step(m, command_rad, acceleration_mps2, vehicle, outside, dt_s):
    """Return the motion after one step of the classical Runge-Kutta method of order 4, inputs held."""
    k1 = derivative(m, command_rad, acceleration_mps2, vehicle, outside)
    k2 = derivative(moved(m, k1, dt_s / 2.0), command_rad, acceleration_mps2, vehicle, outside)
    k3 = derivative(moved(m, k2, dt_s / 2.0), command_rad, acceleration_mps2, vehicle, outside)
    k4 = derivative(moved(m, k3, dt_s), command_rad, acceleration_mps2, vehicle, outside)
    m = moved(m, k1, dt_s / 6.0)
    m = moved(m, k2, dt_s / 3.0)
    m = moved(m, k3, dt_s / 3.0)
    return moved(m, k4, dt_s / 6.0)
