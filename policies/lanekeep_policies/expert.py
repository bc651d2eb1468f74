"""The privileged expert: preview and feedback on the true state of the road.

Command (path curvature), with e the lateral offset, psi the heading error, v the speed and tau the time until the
steering acts:

    kappa = kappa_lane(v tau ahead) - omega^2/v^2 e' - 2 zeta omega/v psi        e' = e + v psi tau

On a straight e'' = v^2 (kappa - kappa_lane), so that e obeys e'' + 2 zeta omega e' + omega^2 e = 0: the same damped
return to the middle of the lane at every speed.  Positive is to the left throughout (ISO 8855).
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
    frequency_radps: float = 1.8
    damping: float = 0.95

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
        lane = np.array([np.interp(x, distances, row) for x, row in zip(ahead, known, strict=True)])
        offset = lateral_offset_m + ahead * heading_error_rad
        return (
            lane
            - (self.frequency_radps / speed) ** 2 * offset
            - 2.0 * self.damping * self.frequency_radps / speed * heading_error_rad
        )
