"""The privileged expert: preview and feedback on the true state of the road.

Command (path curvature), with e the lateral offset, psi the heading error, v the speed and tau the time until the
steering acts:

    kappa = kappa_lane(v tau ahead) - e'/l^2 - 2 zeta psi/l        e' = e + v psi tau

On a straight, with x the way driven, d^2 e/dx^2 = kappa - kappa_lane: e returns to the middle of the lane as a damped
oscillation in x, over the same length l at every speed.  A frame shows offset, heading and bend but not the speed; so an
answer that hardly depends on speed is one that a driver can learn.  Two things must depend on it all the same, neither
between 42 and 80 km/h.  Faster, where l would be less way than the steering needs, l is `response_s` of travel.  Slower, the
nose of a car that follows its bend points out of it by about the bend times the way from centre of gravity to rear axle
(Rajamani, section 2.2: no slip); psi is taken without that.  Positive is to the left throughout (ISO 8855).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Expert:
    """Gains of the expert; `preview_m` are the distances at which curvature is known."""

    preview_m: tuple[float, ...] = (2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 40.0)
    delay_s: float = 0.22  # pure delay and lag of the steering, and half a control step
    length_m: float = 12.0
    damping: float = 0.95
    response_s: float = 0.54
    nose_m: float = 1.3  # rear axle to centre of gravity, less a little slip
    slow_mps: float = 11.5  # below it the nose counts, fully from `crawl_mps` down
    crawl_mps: float = 7.5

    def curvature(
        self,
        lateral_offset_m: F64,
        heading_error_rad: F64,
        speed_mps: F64,
        curvature_per_m: F64,
        curvature_preview_per_m: F64,
    ) -> F64:
        """Path curvature [1/m] for N cars: arrays [N], the preview [N, K]."""
        speed = np.maximum(speed_mps, 1.0)
        ahead = speed * self.delay_s
        distances = np.array((0.0, *self.preview_m))
        known = np.concatenate([curvature_per_m[:, None], curvature_preview_per_m], axis=1)
        cars, k = np.arange(len(ahead)), np.searchsorted(distances[1:-1], ahead, side="right")
        slope = (known[cars, k + 1] - known[cars, k]) / (distances[k + 1] - distances[k])
        lane: F64 = known[cars, k] + slope * (np.minimum(ahead, distances[-1]) - distances[k])
        length = np.maximum(self.length_m, self.response_s * speed)
        slow = np.clip((self.slow_mps - speed) / (self.slow_mps - self.crawl_mps), 0.0, 1.0)
        heading = heading_error_rad + slow * self.nose_m * curvature_per_m
        offset = lateral_offset_m + ahead * heading
        answer: F64 = lane - offset / length**2 - 2.0 * self.damping / length * heading
        return answer
