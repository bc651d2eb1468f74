"""Night and air: the light of the car's own headlights."""

import numpy as np

from lanekeep_envs.kernel import inlined

BEAM = (2.2, 0.11, 24.0)  # half width at the bumper [m] and its growth per metre ahead, reach [m]


@inlined
def headlight(forward, left):
    """Light of the dipped headlights on what stands `forward` m ahead and `left` m beside the car's axis, 0 to 1."""
    aside = left / (BEAM[0] + BEAM[1] * forward)
    far = forward / BEAM[2]
    return np.exp(-aside * aside) / (1.0 + far * far * far)
