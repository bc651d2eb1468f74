"""What is measured of drives over whole roads: departures, offsets, heading errors and jerk, with 95 % intervals.

Departures per km carry the exact Poisson interval (Garwood 1936), everything else a bootstrap over roads.  Lateral jerk
follows UN R79: the derivative of the lateral acceleration, averaged over 0.5 s; its 95th percentile is taken per road and
averaged over roads, in m/s^3.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep.driving.road_drives import RoadDrive
from lanekeep.intervals import clean, poisson_interval, ratio_of_sums, span_of
from lanekeep_envs import CONTROL_STEP_S

F64 = NDArray[np.float64]
JERK_WINDOW = 10  # steps


def lateral_jerk(one: RoadDrive) -> F64:
    """Lateral jerk [m/s^3] by 0.5 s differences, none of them across a place where the car was put back."""
    accelerations = np.split(one.traces["lateral_acceleration_mps2"], one.breaks)
    pieces = [(a[JERK_WINDOW:] - a[:-JERK_WINDOW]) / (JERK_WINDOW * CONTROL_STEP_S) for a in accelerations]
    return np.concatenate(pieces)


def measure(drives: Sequence[RoadDrive]) -> dict[str, Any]:
    """The numbers of an evaluation, with 95 % intervals."""
    km, departures = sum(d.km for d in drives), sum(d.departures for d in drives)
    steps = np.array([float(len(d.traces["lateral_offset_m"])) for d in drives])
    squares = {
        name: np.array([np.mean(d.traces[trace] ** 2) for d in drives])
        for name, trace in (("lateral_rms_m", "lateral_offset_m"), ("heading_rms_rad", "heading_error_rad"))
    }
    jerks = np.array([np.percentile(np.abs(lateral_jerk(d)), 95) for d in drives])
    result: dict[str, Any] = {
        "km": round(km, 3),
        "departures": departures,
        "departures_per_km": departures / km,
        "departures_per_km_ci95": poisson_interval(departures, km),
        "max_abs_lateral_m": max(float(np.abs(d.traces["lateral_offset_m"]).max()) for d in drives),
    }
    means = {"lateral_jerk_p95": ratio_of_sums(jerks * steps, steps)}
    means |= {name: np.sqrt(ratio_of_sums(values * steps, steps)) for name, values in squares.items()}
    for name, draws in means.items():
        result[name], *result[f"{name}_ci95"] = clean(span_of(draws))
    return result
