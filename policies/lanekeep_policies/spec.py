"""What a driver is made of, as its checkpoint keeps it: `[driver]` in driver.toml."""

from typing import Annotated

import msgspec

Size = Annotated[int, msgspec.Meta(ge=0)]
Actions = Annotated[int, msgspec.Meta(ge=1, le=256)]
Positive = Annotated[float, msgspec.Meta(gt=0.0)]


class DriverSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a driver is made of, and the observations and actions it was made for."""

    core: str
    camera_height: Size  # 0 x 0 for a driver that reads numbers
    camera_width: Size
    curvature_limit_per_m: Positive  # the path curvature of action 1; 1 in a world without curvatures
    dt_s: Positive = 0.05
    wiring_seed: int = 20190120
    numbers: Size = 0  # D, how many numbers it reads; 0 for a driver that sees frames
    actions: Actions = 1
    learned_start: bool = False  # whether the state of a driver that has seen nothing is learned, not zero
    env_id: str = ""  # gymnasium's name of the world it was made for, if that is not this project's
