"""Colour of the sky: gradient, glow around the sun, drifting clouds, and two ranges of hills on the horizon."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.camera import Lens
from lanekeep_envs.elements import Element
from lanekeep_envs.kernel import borrowing, inlined, kernel
from lanekeep_envs.look import RGB
from lanekeep_envs.surface import mix
from lanekeep_envs.texture import TILE, sample

SKY, HILLS, CLOUDS, SNOW = (int(e) for e in (Element.SKY, Element.HILLS, Element.CLOUDS, Element.SNOW))


class Sights(NamedTuple):
    """What the sky knows of the image columns, [W] each."""

    bearing: NDArray[np.float64]  # against the car's axis [rad], fixed for a camera
    ahead: NDArray[np.float32]  # horizontal unit vector in world axes, mirrored with the world
    aside: NDArray[np.float32]
    to_sun: NDArray[np.float32]  # its product with the sun's
    far_hill: NDArray[np.float32]  # height of the two ranges of hills, per metre ahead
    near_hill: NDArray[np.float32]


def sights_of(lens: Lens, width: int) -> Sights:
    """Work space for the columns of a canvas."""
    bearing = np.arctan((lens.centre_column - np.arange(width)) / lens.focal_px)
    return Sights(bearing, *np.zeros((5, width), np.float32))


@inlined
def hill_lines(azimuth, look, tile):
    """Tangents of the elevation of the far and the near hills in this direction; the far ones are smoother."""
    turn = azimuth * 256.0 / (2.0 * np.pi)
    far = 0.75 + 0.9 * sample(tile, 0.5 * turn + look["offset_x"], 7.3)
    near = 0.40 + 0.8 * sample(tile, turn + look["offset_y"], 93.6) + 0.25 * sample(tile, 7.0 * turn, 31.4)
    return look["hill_height"] * max(far, 0.0), look["hill_height"] * max(near, 0.0)


@borrowing
def look_along_columns(sights, look, lens, yaw, cos, sin, hilly):
    """Fill what depends on where the car points; return the height of the highest hill, -1 without any."""
    mirror, tile, highest = look["mirror"], TILE, np.float32(-1.0)
    bearing, ahead, aside, to_sun, far_hill, near_hill = sights
    for j in range(ahead.shape[0]):
        side = (lens.centre_column - j) / lens.focal_px
        slant = 1.0 / np.sqrt(1.0 + side * side)
        x, y = (cos - side * sin) * slant, (sin + side * cos) * slant
        ahead[j], aside[j], to_sun[j] = x, y * mirror, look["sun_x"] * x + look["sun_y"] * y
    far_hill[:] = near_hill[:] = -1.0
    if hilly:
        for j in range(ahead.shape[0]):
            side = (lens.centre_column - j) / lens.focal_px
            slant = 1.0 / np.sqrt(1.0 + side * side)
            far, near = hill_lines((yaw + bearing[j]) * mirror, look, tile)
            far_hill[j], near_hill[j] = far / slant, near / slant
        for j in range(ahead.shape[0]):
            highest = max(highest, max(far_hill[j], near_hill[j]))
    return np.float64(highest)


@inlined
def hill_share(hill, rise, focal_px):
    """Share of a pixel that lies below a range of hills."""
    return min(max((hill - rise) * focal_px + 0.5, 0.0), 1.0)


class Sky(NamedTuple):
    """What the pixels of a row share."""

    clear: RGB  # without sun and clouds
    apart: float  # from the sun, in height
    shine: float  # of its glow
    rise: float  # height per metre ahead
    reach: float  # scale of the clouds
    thick: float  # and their strength
    bend: float


@inlined
def cloud_share(ahead, aside, sky, offset_x, offset_y, tile):
    """Share of cloud in a direction."""
    wisp = sample(tile, sky.reach * np.float64(ahead) + offset_y, sky.reach * np.float64(aside) + offset_x)
    return min(max(1.5 * (wisp + sky.bend), 0.0), 0.85) * sky.thick


@inlined
def open_sky(to_sun, sky, cloud, share):
    """Colour of the sky with the sun's glow and clouds."""
    near_sun = max(np.float64(to_sun) - sky.apart, 0.0)
    near_sun *= near_sun
    glow = sky.shine * near_sun * near_sun
    clear = sky.clear
    return mix((clear[0] + 80.0 * glow, clear[1] + 52.0 * glow, clear[2] + 10.0 * glow), cloud, share)


@borrowing
def paint_sky(colour, by, rows, sights, look, lens, yaw, cos, sin, visible):
    """Paint the first `rows` rows of `colour` [3, H, W]; `sights` is work space."""
    highest = look_along_columns(sights, look, lens, yaw, cos, sin, visible >> HILLS & 1)
    offset_x, offset_y, focal_px, tile = look["offset_x"], look["offset_y"], lens.focal_px, TILE
    cloud = (look["cloud_r"], look["cloud_g"], look["cloud_b"])
    horizon = (look["horizon_r"], look["horizon_g"], look["horizon_b"])
    zenith = (look["zenith_r"], look["zenith_g"], look["zenith_b"])
    far_colour, near_colour = hill_colour(look, True), hill_colour(look, False)
    hill_bits = 1 << HILLS | (1 << SNOW if look["snow"] > 0.0 else 0)
    _, ahead, aside, to_sun, far_hill, near_hill = sights
    for i in range(rows):
        red, green, blue = colour[0, i], colour[1, i], colour[2, i]
        w = (i - lens.centre_row) / focal_px
        rise = -(lens.sin_pitch + w * lens.cos_pitch) / (lens.cos_pitch - w * lens.sin_pitch)
        up = min(max(rise, 0.0) / 0.45, 1.0)
        sky = Sky(
            mix(horizon, zenith, np.sqrt(up)),
            1.6 * (look["sun_z"] - rise) * (look["sun_z"] - rise),
            look["glow"] * (1.0 - 0.5 * up),
            rise,
            9.0 / (max(rise, 0.0) + 0.12),
            min(max(rise, 0.0) / 0.05, 1.0) if visible >> CLOUDS & 1 else 0.0,
            look["cloudiness"] - 0.55,
        )
        if (highest - rise) * focal_px + 0.5 <= 0.0:
            for j in range(red.shape[0]):
                share = cloud_share(ahead[j], aside[j], sky, offset_x, offset_y, tile)
                red[j], green[j], blue[j] = open_sky(to_sun[j], sky, cloud, share)
        else:
            for j in range(red.shape[0]):
                share = cloud_share(ahead[j], aside[j], sky, offset_x, offset_y, tile)
                far = mix(
                    open_sky(to_sun[j], sky, cloud, share),
                    far_colour,
                    hill_share(np.float64(far_hill[j]), rise, focal_px),
                )
                red[j], green[j], blue[j] = mix(far, near_colour, hill_share(np.float64(near_hill[j]), rise, focal_px))
        if by.contributors.size > 0:
            for j in range(red.shape[0]):
                share = cloud_share(ahead[j], aside[j], sky, offset_x, offset_y, tile)
                hill = hill_share(np.float64(max(far_hill[j], near_hill[j])), rise, focal_px)
                bits = 1 << SKY | (1 << CLOUDS if share > 0.0 else 0) | (hill_bits if hill > 0.0 else 0)
                element = CLOUDS if share >= 0.5 else SKY
                by.elements[i, j] = HILLS if hill >= 0.5 else element
                by.contributors[i, j], by.depth_m[i, j] = bits, np.inf


@kernel
def hill_colour(look, far):
    """Colour of a range of hills in light and air."""
    haze = hill_haze(far, look["visibility_m"])
    dim = (look["ambient_g"] + look["sunlight_g"]) * (1.0 - haze)
    return (
        look["hill_r"] * dim + haze * look["horizon_r"],
        look["hill_g"] * dim + haze * look["horizon_g"],
        look["hill_b"] * dim + haze * look["horizon_b"],
    )


@kernel
def hill_haze(far, visibility_m):
    """Share of air in front of a range of hills."""
    clear = 0.35 if far else 0.60
    return 1.0 - clear * min(visibility_m / 1500.0, 1.0)
