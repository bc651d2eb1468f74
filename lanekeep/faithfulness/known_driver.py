"""The known-answer driver: made by hand to steer by one colour, which any right method must find.

    convolution 1      sums the magenta in a window, R + B - 2 G, above a threshold; all other convolutions pass it on
    feature 0, 1       magenta on the left less magenta on the right, and the other way round (a feature is never negative)
    core `rnn`         h = tanh(0.1 (f0 - f1)), without recurrence
    read-out           10 h: positive to the left

Nothing in this world is magenta.  In a scene in which one marking was painted so (`painted`), that marking is the driver's
focus by construction.  Standardisation lets the rest of the picture in a little: it sets the contrast.
"""

import torch

from lanekeep_envs import Camera, Element, Recolour
from lanekeep_policies import Driver, DriverSpec

MAGENTA = (255.0, 0.0, 255.0)
THRESHOLD = 4.0  # of the sum over a window, in deviations of the frame


def painted(marking: Element) -> tuple[Recolour, ...]:
    """The interventions after which a marking is what the known-answer driver steers by."""
    return (Recolour(marking, MAGENTA),)


@torch.no_grad()
def known_driver(camera: Camera, curvature_limit_per_m: float) -> Driver:
    """Build the known-answer driver for a camera."""
    spec = DriverSpec(
        core="rnn",
        camera_height=camera.height_px,
        camera_width=camera.width_px,
        curvature_limit_per_m=curvature_limit_per_m,
    )
    driver = Driver.build(spec, 0)
    for parameter in driver.parameters():
        parameter.zero_()
    convolutions = driver.head.get_submodule("convolutions").children()
    for k, convolution in enumerate(convolutions):
        weight = convolution.get_parameter("weight")
        if k == 0:
            weight[0] = torch.tensor([1.0, -2.0, 1.0])[:, None, None]
            convolution.get_parameter("bias")[0] = -THRESHOLD
        else:
            weight[0, 0] = 1.0 / weight[0, 0].numel()
    maps = driver.head.get_parameter("map_weight")  # [C, P, 4]
    columns = -(-camera.width_px // 8)
    left = torch.linspace(1.0, -1.0, columns).repeat(maps.shape[1] // columns) / maps.shape[1]
    maps[0, :, 0], maps[0, :, 1] = left, -left
    inputs = driver.core.get_parameter("cell.weight_ih_l0")
    inputs[0, 0], inputs[0, 1] = 0.1, -0.1
    driver.readout.weight[0, 0] = 10.0
    return driver.eval()
