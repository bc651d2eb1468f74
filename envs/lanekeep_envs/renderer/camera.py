"""Pinhole camera behind the windscreen.

A pixel (row, column) looks along (1, -u, -w) in the camera's own frame (x forward, y left, z up), with
u = (column - (W-1)/2)/f and w = (row - (H-1)/2)/f; the focal length is f = W/2 / tan(horizontal field of view / 2) pixels,
pixels are square.  The camera looks down by `pitch_deg`.  A row therefore meets the flat ground at one forward distance

    X = h (cos p - w sin p) / (sin p + w cos p)         and column u at        Y = -u h / (sin p + w cos p)

The defaults are those of a passenger car (openpilot mounts its camera at 1.22 m); `78x200` is the frame of the NCP paper
(Lechner et al. 2020), `66x200` that of PilotNet.

A real mounting is a little off, and a real body pitches and rolls: `mounted` is the lens of one instant.
"""

import re
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import jit

LENGTHS_AND_ANGLES = ("horizontal_fov_deg", "mount_height_m", "pitch_deg")
NUMBERS = (int, float, np.integer, np.floating)


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Size and mounting of the camera; raises ValueError for what cannot be a camera."""

    height_px: int = 48
    width_px: int = 160
    horizontal_fov_deg: float = 60.0
    mount_height_m: float = 1.3
    pitch_deg: float = 2.5  # downwards

    def __post_init__(self) -> None:
        for name, kind in (("height_px", int), ("width_px", int)) + tuple((n, float) for n in LENGTHS_AND_ANGLES):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer) if kind is int else NUMBERS):
                raise ValueError(f"{name} of a camera is {'a whole' if kind is int else 'a'} number, not {value!r}")
            object.__setattr__(self, name, kind(value))
        if not (8 <= self.height_px <= 4096 and 8 <= self.width_px <= 4096):
            raise ValueError(f"a camera has 8 to 4096 rows and columns, not {self.height_px}x{self.width_px}")
        if not 10.0 <= self.horizontal_fov_deg <= 150.0:
            raise ValueError(f"horizontal_fov_deg must be between 10 and 150, not {self.horizontal_fov_deg}")
        if not (0.2 <= self.mount_height_m <= 10.0 and -30.0 <= self.pitch_deg <= 60.0):
            raise ValueError(
                f"mount_height_m must be 0.2 to 10 and pitch_deg -30 to 60, not {self.mount_height_m}, {self.pitch_deg}"
            )

    @property
    def focal_length_px(self) -> float:
        """Focal length [px]."""
        return float(self.width_px / 2.0 / np.tan(np.deg2rad(self.horizontal_fov_deg) / 2.0))

    @property
    def size(self) -> str:
        """`HxW`, as on the command line."""
        return f"{self.height_px}x{self.width_px}"

    def resized(self, height_px: int, width_px: int) -> "Camera":
        """Return the same mounting and horizontal field of view with other pixels."""
        return replace(self, height_px=height_px, width_px=width_px)

    @staticmethod
    def parse(camera: "str | Camera | dict[str, Any]") -> "Camera":
        """Return a camera: written `"48x160"` (rows x columns), as the table of its fields, or already made."""
        if isinstance(camera, Camera):
            return camera
        if isinstance(camera, dict):
            if unknown := set(camera) - {field.name for field in fields(Camera)}:
                raise ValueError(f"a camera has no {', '.join(map(str, sorted(unknown)))}")
            return Camera(**camera)
        match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", str(camera))
        if match is None:
            raise ValueError(f"a camera is written ROWSxCOLUMNS, such as 48x160, not {camera!r}")
        return Camera(height_px=int(match[1]), width_px=int(match[2]))


class Lens(NamedTuple):
    """The camera as the kernels read it."""

    focal_px: float
    centre_row: float
    centre_column: float
    height_m: float
    cos_pitch: float
    sin_pitch: float


def lens_of(camera: Camera) -> Lens:
    """Numbers of the projection, computed once."""
    pitch = np.deg2rad(camera.pitch_deg)
    return Lens(
        camera.focal_length_px,
        (camera.height_px - 1) / 2.0,
        (camera.width_px - 1) / 2.0,
        float(camera.mount_height_m),
        float(np.cos(pitch)),
        float(np.sin(pitch)),
    )


@jit
def ground_distance_m(row, lens):
    """Forward distance X at which a (fractional) row meets the ground; infinite at and above the horizon."""
    w = (row - lens.centre_row) / lens.focal_px
    sink = lens.sin_pitch + w * lens.cos_pitch
    if sink <= 1e-9:
        return np.inf
    return lens.height_m * (lens.cos_pitch - w * lens.sin_pitch) / sink


GROUND_ROW = np.dtype(  # what an image row sees of the ground
    [
        ("forward_m", np.float64),  # distance ahead; infinite at and above the horizon
        ("per_px_m", np.float64),  # width of a pixel there
        ("deep_m", np.float64),  # way forward to the next row
    ]
)


@jit
def fill_ground_rows(rows, lens):
    """Fill a table [H] of `GROUND_ROW`."""
    for i in range(rows.shape[0]):
        forward = ground_distance_m(i, lens)
        rows[i]["forward_m"] = forward
        rows[i]["per_px_m"] = (forward * lens.cos_pitch + lens.height_m * lens.sin_pitch) / lens.focal_px
        rows[i]["deep_m"] = min(ground_distance_m(i - 0.5, lens), 1e4) - ground_distance_m(i + 0.5, lens)


def ground_rows(camera: Camera) -> NDArray[np.void]:
    """Table [H] of `GROUND_ROW`."""
    rows = np.zeros(camera.height_px, GROUND_ROW)
    fill_ground_rows(rows, lens_of(camera))
    return rows


@jit
def badly_mounted(appearance):
    """Whether camera or body are ever out of place."""
    return (
        appearance["height_error_m"] != 0.0
        or appearance["pitch_error_deg"] != 0.0
        or appearance["yaw_error_deg"] != 0.0
        or appearance["roll_error_deg"] != 0.0
        or appearance["sway"] > 0.0
    )


@jit
def sway_deg(car, appearance):
    """(pitch down, roll to the right) of the body: waves of the road at its place, and the lateral acceleration."""
    s, start = car["distance_m"], appearance["offset_x"]
    wave = 0.5 * np.sin(0.67 * s + start) + 0.3 * np.sin(0.37 * s + 2.0 * start) + 0.2 * np.sin(0.19 * s + 3.0 * start)
    roll = min(max(0.5 * car["lateral_acceleration_mps2"], -4.0), 4.0)
    return 0.7 * appearance["sway"] * wave, appearance["sway"] * roll


@jit
def mounted(lens, car, appearance):
    """(lens, yaw, roll) as the camera hangs at this instant; yaw to the left and roll to the right, in radians."""
    pitch, roll = sway_deg(car, appearance)
    pitch = np.arctan2(lens.sin_pitch, lens.cos_pitch) + (appearance["pitch_error_deg"] + pitch) * (np.pi / 180.0)
    height_m = max(lens.height_m + appearance["height_error_m"], 0.2)
    seen = Lens(lens.focal_px, lens.centre_row, lens.centre_column, height_m, np.cos(pitch), np.sin(pitch))
    return seen, appearance["yaw_error_deg"] * (np.pi / 180.0), (appearance["roll_error_deg"] + roll) * (np.pi / 180.0)


@jit
def pixel_of(forward_m, left_m, up_m, lens):
    """(row, column, pixels per metre) of a point in front of the car; `up_m` is measured from the ground."""
    z = up_m - lens.height_m
    depth = forward_m * lens.cos_pitch - z * lens.sin_pitch
    rise = forward_m * lens.sin_pitch + z * lens.cos_pitch
    scale = lens.focal_px / max(depth, 1e-3)
    return lens.centre_row - rise * scale, lens.centre_column - left_m * scale, scale
