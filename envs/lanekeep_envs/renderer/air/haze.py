"""Haze: the share of air in front of something far away.  The land ends where the hills begin."""

from lanekeep_envs.compiled.decorators import jit

FAR_CLEAR, NEAR_CLEAR = 0.35, 0.60  # most that is seen of the two ranges of hills
HILLS_M = 1500.0  # visibility from which on they are seen so clearly


@jit
def hill_haze(far, visibility_m):
    """Return the share of air in front of the far or the near range of hills."""
    clear = FAR_CLEAR if far else NEAR_CLEAR
    return 1.0 - clear * min(visibility_m / HILLS_M, 1.0)
