"""Road axis: straights, clothoids and circular arcs, laid out like a German country road.

The axis is a curvature profile kappa(s), piecewise linear in the arc length s: zero on straights, constant on arcs, and
linear in between (clothoid, A^2 = R L).  Heading and position are its integrals:

    heading' = kappa        x' = cos(heading)        y' = sin(heading)           x forward, y left, kappa > 0 to the left

Rules (RAS-L 1995, sections 4.1-4.3, for roads outside built-up areas):
    minimum radius by design speed               50: 80 m   60: 120 m   70: 180 m   80: 250 m   90: 340 m
    transition curve between straight and arc    R/3 <= A <= R, and here also lateral jerk v^3/(R L) <= 1.2 m/s^3
    arc at least 2 s of travel; a straight between two bends of the same sense at least 1.5 R, else none is needed
Motorways (RAA 2008):                            100: 470 m   120: 720 m   130: 900 m
Streets: R >= V^2/(127 (e + f)), V in km/h, with a cross fall e = 0.025 and a side friction f = 0.21:   30: 30 m
The heading stays within +-75 degrees of where it began, so that a road never meets itself.

Every element is a whole number of metres long, so that the table below holds the profile's corners exactly.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import jit

SPACING_M = 1.0  # distance between two rows of the table
MINIMUM_RADIUS_M = {  # design speed [km/h] -> R
    30: 30.0,
    50: 80.0,
    60: 120.0,
    70: 180.0,
    80: 250.0,
    90: 340.0,
    100: 470.0,
    120: 720.0,
    130: 900.0,
}
MAXIMUM_JERK_MPS3 = 1.2
MAXIMUM_HEADING_RAD = np.deg2rad(75.0)
MINIMUM_ARC_S = 2.0


# The axis of one road is an array [M] of these rows, one every `SPACING_M`; of N roads an array [N, M].
ROAD = np.dtype(
    [
        ("x", np.float64),  # [m]
        ("y", np.float64),  # [m]
        ("heading", np.float64),  # [rad]
        ("curvature", np.float64),  # [1/m]
        ("tangent_x", np.float64),  # cos(heading)
        ("tangent_y", np.float64),  # sin(heading)
        ("tone", np.float64),  # brightness of the asphalt, 1 but for a planted confounder
    ]
)


class Profile(NamedTuple):
    """The numbers by which the sampler lays out a kind of road."""

    design_speed_mps: float
    minimum_radius_m: float
    maximum_radius_m: float
    minimum_straight_m: float
    maximum_straight_m: float
    lead_in_m: float  # straight piece at the start
    s_curve_probability: float  # chance that a bend follows an opposite one without a straight


@jit
def clothoid_length_m(radius_m, speed_mps, draw):
    """Return the length of a transition curve; `draw` in [0, 1) picks between the shortest and the longest allowed."""
    shortest = max(radius_m / 9.0, speed_mps**3 / (radius_m * MAXIMUM_JERK_MPS3))
    longest = max(shortest, 0.6 * radius_m)
    return min(np.ceil(shortest + draw * (longest - shortest)), np.floor(radius_m))


@jit
def write_bend(curvature, start, peak, ramp, arc):
    """Write clothoid, arc, clothoid from row `start` on; return the row where the bend ends."""
    rows = curvature.shape[0]
    for k in range(ramp + arc + ramp + 1):
        row = start + k
        if not 0 <= row < rows:
            break
        if k < ramp:
            curvature[row] = peak * k / ramp
        elif k <= ramp + arc:
            curvature[row] = peak
        else:
            curvature[row] = peak * (ramp + arc + ramp - k) / ramp
    return start + ramp + arc + ramp


@jit
def whole_rows(length_m, most):
    """Return a length as a number of rows of the table, from 0 to `most`, also a length that is no number."""
    if length_m >= most:
        return most
    return int(length_m) if length_m > 0.0 else 0


@jit
def sample_curvature(curvature, profile, draws):
    """Fill `curvature` [M] with straights and bends; `draws` are uniform numbers in [0, 1), six per bend."""
    curvature[:] = 0.0
    rows = curvature.shape[0]
    row = whole_rows(profile.lead_in_m, rows)
    heading, last_sense, bend = 0.0, 0.0, 0
    while row < rows - 1 and 6 * bend + 6 <= draws.shape[0]:
        u = draws[6 * bend : 6 * bend + 6]
        bend += 1
        radius = profile.minimum_radius_m * (profile.maximum_radius_m / profile.minimum_radius_m) ** u[0]
        sense = 1.0 if u[1] < 0.5 else -1.0
        if abs(heading) > 0.5:
            sense = -1.0 if heading > 0.0 else 1.0
        straight = profile.minimum_straight_m + u[2] * (profile.maximum_straight_m - profile.minimum_straight_m)
        if sense == last_sense:
            straight = max(straight, 1.5 * radius)
        elif last_sense != 0.0 and u[3] < profile.s_curve_probability:
            straight = 0.0
        ramp = clothoid_length_m(radius, profile.design_speed_mps, u[4])
        shortest_arc = MINIMUM_ARC_S * profile.design_speed_mps
        room = (MAXIMUM_HEADING_RAD - sense * heading) * radius - ramp  # arc length that keeps the heading in bounds
        arc = np.floor(max(min(shortest_arc * (1.0 + 3.0 * u[5] * u[5]), room), 0.0))
        if arc < shortest_arc - 1.0:  # no room for a proper bend this way: turn back instead
            sense, arc = -sense, np.ceil(shortest_arc)
            straight = max(straight, 1.5 * radius) if sense == last_sense else straight
        heading += sense * (arc + ramp) / radius
        start, ramp_rows, arc_rows = row + whole_rows(straight, rows), whole_rows(ramp, rows), whole_rows(arc, rows)
        row = write_bend(curvature, start, sense / radius, ramp_rows, arc_rows)
        last_sense = sense


@jit
def integrate_axis(road):
    """Integrate the curvature table from the origin along +x: exact heading, Simpson's rule for x and y."""
    h = SPACING_M
    road[0]["x"] = road[0]["y"] = road[0]["heading"] = 0.0
    road[0]["tangent_x"], road[0]["tangent_y"] = 1.0, 0.0
    for i in range(road.shape[0] - 1):
        here, ahead = road[i], road[i + 1]
        k0, k1, a0 = here["curvature"], ahead["curvature"], here["heading"]
        middle, a1 = a0 + h * (3.0 * k0 + k1) / 8.0, a0 + h * (k0 + k1) / 2.0
        tx, ty = np.cos(a1), np.sin(a1)
        ahead["heading"], ahead["tangent_x"], ahead["tangent_y"] = a1, tx, ty
        ahead["x"] = here["x"] + h / 6.0 * (here["tangent_x"] + 4.0 * np.cos(middle) + tx)
        ahead["y"] = here["y"] + h / 6.0 * (here["tangent_y"] + 4.0 * np.sin(middle) + ty)


@jit
def lay_out(road, profile, draws, mirror):
    """Sample a road into the tables of `road`; `mirror` = -1 gives the same road with left and right exchanged."""
    sample_curvature(road["curvature"], profile, draws)
    for i in range(road.shape[0]):
        road[i]["curvature"] = road[i]["curvature"] * mirror
    integrate_axis(road)


@jit
def project(road, row, x, y):
    """Project a point onto the axis, walking from table row `row`; return (row, s [m], d [m] positive to the left)."""
    last = road.shape[0] - 2
    row = min(max(row, 0), last)
    a = (x - road[row]["x"]) * road[row]["tangent_x"] + (y - road[row]["y"]) * road[row]["tangent_y"]
    while a < 0.0 and row > 0:
        row -= 1
        a = (x - road[row]["x"]) * road[row]["tangent_x"] + (y - road[row]["y"]) * road[row]["tangent_y"]
    b = (x - road[row + 1]["x"]) * road[row + 1]["tangent_x"] + (y - road[row + 1]["y"]) * road[row + 1]["tangent_y"]
    while b >= 0.0 and row < last:
        row, a = row + 1, b
        b = (x - road[row + 1]["x"]) * road[row + 1]["tangent_x"] + (y - road[row + 1]["y"]) * road[row + 1][
            "tangent_y"
        ]
    t = a / (a - b)
    d0 = (y - road[row]["y"]) * road[row]["tangent_x"] - (x - road[row]["x"]) * road[row]["tangent_y"]
    d1 = (y - road[row + 1]["y"]) * road[row + 1]["tangent_x"] - (x - road[row + 1]["x"]) * road[row + 1]["tangent_y"]
    return row, (row + t) * SPACING_M, d0 + t * (d1 - d0)


@jit
def at(table, s_m):
    """Interpolate linearly in one of the road's tables, which is held constant beyond its ends."""
    position = min(max(s_m / SPACING_M, 0.0), table.shape[0] - 1.000001)
    row = min(max(int(position), 0), table.shape[0] - 2)  # whatever NaN has become
    return table[row] + (position - row) * (table[row + 1] - table[row])


@jit
def pose_beside(road, s_m, d_m):
    """Return the pose (x, y, heading) of the point `d_m` to the left of the axis at `s_m`."""
    heading = at(road["heading"], s_m)
    return at(road["x"], s_m) - d_m * np.sin(heading), at(road["y"], s_m) + d_m * np.cos(heading), heading


@jit
def poses_beside(road, s_m, d_m):
    """Return x, y and heading, each [N], of points `d_m` [N] to the left of the axis at `s_m` [N]."""
    x, y, heading = np.empty(s_m.shape[0]), np.empty(s_m.shape[0]), np.empty(s_m.shape[0])
    for k in range(s_m.shape[0]):
        x[k], y[k], heading[k] = pose_beside(road, s_m[k], d_m[k])
    return x, y, heading
