"""What a driver is made of, as its checkpoint keeps it: `[driver]` in driver.toml."""

from typing import Annotated

import msgspec

Size = Annotated[int, msgspec.Meta(ge=0, le=4096)]
Numbers = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Actions = Annotated[int, msgspec.Meta(ge=1, le=256)]
Limit = Annotated[float, msgspec.Meta(gt=0.0, le=1000.0)]
Step = Annotated[float, msgspec.Meta(gt=0.0, le=1000.0)]
Name = Annotated[str, msgspec.Meta(max_length=200)]


class DriverSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a driver is made of, and the observations and actions it was made for."""

    core: Name
    camera_height: Size  # 0 x 0 for a driver that reads numbers
    camera_width: Size
    curvature_limit_per_m: Limit  # the path curvature of action 1; 1 in a world without curvatures
    dt_s: Step = 0.05
    wiring_seed: int = 20190120
    numbers: Numbers = 0  # D, how many numbers it reads; 0 for a driver that sees frames
    actions: Actions = 1
    learned_start: bool = False  # whether the state of a driver that has seen nothing is learned, not zero
    env_id: Name = ""  # gymnasium's name of the world it was made for, if that is not this project's
