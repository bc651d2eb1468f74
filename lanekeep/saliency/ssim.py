"""Structural similarity of two maps.

    SSIM = mean over windows of  (2 mu_a mu_b + c1)(2 s_ab + c2) / ((mu_a^2 + mu_b^2 + c1)(s_a^2 + s_b^2 + c2))

over windows of 7x7, each pixel alike, with the sample covariance; c1 = (0.01 R)^2, c2 = (0.03 R)^2, R the range of the data.
Wang et al., IEEE Trans. Image Processing 13 (2004); the settings are scikit-image's, which papers on liquid networks use.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

WINDOW = 7


def ssim(a: NDArray[np.floating], b: NDArray[np.floating], data_range: float) -> float:
    """Of two maps [H, W] whose numbers lie within `data_range` of each other; ValueError below 7x7."""
    if a.shape != b.shape or a.ndim != 2 or min(a.shape) < WINDOW or not data_range > 0.0:
        raise ValueError(f"SSIM compares two maps of at least {WINDOW}x{WINDOW}, not {a.shape} and {b.shape}")
    mean_a, mean_b = _mean(a), _mean(b)
    sample = WINDOW**2 / (WINDOW**2 - 1)
    var_a, var_b = sample * (_mean(a * a) - mean_a**2), sample * (_mean(b * b) - mean_b**2)
    both = sample * (_mean(a * b) - mean_a * mean_b)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    above = (2.0 * mean_a * mean_b + c1) * (2.0 * both + c2)
    return float((above / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean())


def _mean(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Of every window that lies within [H, W]."""
    windows = sliding_window_view(values.astype(np.float64), (WINDOW, WINDOW))
    means: NDArray[np.float64] = windows.mean((-2, -1))
    return means
