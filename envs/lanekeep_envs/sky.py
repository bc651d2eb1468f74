"""Colour of the sky: gradient, glow around the sun, drifting clouds, and two ranges of hills on the horizon."""

import numpy as np

from lanekeep_envs.interventions import Element
from lanekeep_envs.kernel import inlined, kernel
from lanekeep_envs.texture import TILE, sample

SKY, HILLS, CLOUDS = int(Element.SKY), int(Element.HILLS), int(Element.CLOUDS)

SIGHT = np.dtype(  # what the sky knows of one image column
    [
        ("bearing", np.float64),  # against the car's axis [rad], fixed for a camera
        ("ahead", np.float64),  # horizontal unit vector in world axes, mirrored with the world
        ("aside", np.float64),
        ("to_sun", np.float64),  # its product with the sun's
        ("slant", np.float64),  # cosine of the bearing
        ("far_hill", np.float64),  # tangent of the elevation of the two ranges of hills
        ("near_hill", np.float64),
    ]
)


@inlined
def hill_lines(azimuth, look, tile):
    """Tangents of the elevation of the far and the near hills in this direction; the far ones are smoother."""
    turn = azimuth * 256.0 / (2.0 * np.pi)
    far = 0.75 + 0.9 * sample(tile, 0.5 * turn + look["offset_x"], 7.3)
    near = 0.40 + 0.8 * sample(tile, turn + look["offset_y"], 93.6) + 0.25 * sample(tile, 7.0 * turn, 31.4)
    return look["hill_height"] * max(far, 0.0), look["hill_height"] * max(near, 0.0)


@kernel
def look_along_columns(sights, look, lens, yaw, cos, sin, hilly):
    """Fill what depends on where the car points; without hills the land ends at the horizon."""
    mirror, tile = look["mirror"], TILE
    for j in range(sights.shape[0]):
        sight, side = sights[j], (lens.centre_column - j) / lens.focal_px
        slant = 1.0 / np.sqrt(1.0 + side * side)
        ahead, aside = (cos - side * sin) * slant, (sin + side * cos) * slant
        sight["slant"], sight["ahead"], sight["aside"] = slant, ahead, aside * mirror
        sight["to_sun"] = look["sun_x"] * ahead + look["sun_y"] * aside
        sight["far_hill"] = sight["near_hill"] = -1.0
        if hilly:
            sight["far_hill"], sight["near_hill"] = hill_lines((yaw + sight["bearing"]) * mirror, look, tile)


@inlined
def cloud_share(ahead, aside, reach, thick, bend, offset_x, offset_y, tile):
    """Share of cloud in a direction: `reach` m of noise per unit vector, `thick` 0 at the horizon."""
    wisp = sample(tile, reach * ahead + offset_y, reach * aside + offset_x)
    return min(max(1.5 * (wisp + bend), 0.0), 0.85) * thick


@inlined
def hill_share(tangent, rise, slant, focal_px):
    """Share of a pixel that lies below a range of hills."""
    return min(max((tangent - rise * slant) * focal_px / slant + 0.5, 0.0), 1.0)


@kernel
def paint_sky(colour, by, rows, sights, look, lens, yaw, cos, sin, visible):
    """Paint the first `rows` rows of `colour` [3, H, W]; `sights` [W] is work space."""
    look_along_columns(sights, look, lens, yaw, cos, sin, visible >> HILLS & 1)
    bend, glare, height = look["cloudiness"] - 0.55, look["glow"], look["sun_z"]
    offset_x, offset_y, tile = look["offset_x"], look["offset_y"], TILE
    cloud_r, cloud_g, cloud_b = look["cloud_r"], look["cloud_g"], look["cloud_b"]
    far_r, far_g, far_b = hill_colour(look, True)
    near_r, near_g, near_b = hill_colour(look, False)
    for i in range(rows):
        red, green, blue = colour[0, i], colour[1, i], colour[2, i]
        w = (i - lens.centre_row) / lens.focal_px
        rise = -(lens.sin_pitch + w * lens.cos_pitch) / (lens.cos_pitch - w * lens.sin_pitch)
        up = min(max(rise, 0.0) / 0.45, 1.0)
        fade = np.sqrt(up)
        clear_r = look["horizon_r"] + fade * (look["zenith_r"] - look["horizon_r"])
        clear_g = look["horizon_g"] + fade * (look["zenith_g"] - look["horizon_g"])
        clear_b = look["horizon_b"] + fade * (look["zenith_b"] - look["horizon_b"])
        apart = 1.6 * (height - rise) * (height - rise)
        shine = glare * (1.0 - 0.5 * up)
        reach, thick = 9.0 / (max(rise, 0.0) + 0.12), min(max(rise, 0.0) / 0.05, 1.0)
        if not visible >> CLOUDS & 1:
            thick = 0.0
        for j in range(red.shape[0]):
            sight = sights[j]
            near_sun = max(sight["to_sun"] - apart, 0.0)
            near_sun *= near_sun
            glow = shine * near_sun * near_sun
            r, g, b = clear_r + 80.0 * glow, clear_g + 52.0 * glow, clear_b + 10.0 * glow
            cloud = cloud_share(sight["ahead"], sight["aside"], reach, thick, bend, offset_x, offset_y, tile)
            r, g, b = r + cloud * (cloud_r - r), g + cloud * (cloud_g - g), b + cloud * (cloud_b - b)
            far = hill_share(sight["far_hill"], rise, sight["slant"], lens.focal_px)
            r, g, b = r + far * (far_r - r), g + far * (far_g - g), b + far * (far_b - b)
            near = hill_share(sight["near_hill"], rise, sight["slant"], lens.focal_px)
            red[j], green[j], blue[j] = r + near * (near_r - r), g + near * (near_g - g), b + near * (near_b - b)
        if by is not None:
            for j in range(red.shape[0]):
                sight = sights[j]
                element, bits = SKY, 1 << SKY
                cloud = cloud_share(sight["ahead"], sight["aside"], reach, thick, bend, offset_x, offset_y, tile)
                far = hill_share(sight["far_hill"], rise, sight["slant"], lens.focal_px)
                hill = max(far, hill_share(sight["near_hill"], rise, sight["slant"], lens.focal_px))
                bits |= 1 << CLOUDS if cloud > 0.0 else 0
                bits |= 1 << HILLS if hill > 0.0 else 0
                element = CLOUDS if cloud >= 0.5 else SKY
                element = HILLS if hill >= 0.5 else element
                by.elements[i, j], by.contributors[i, j], by.depth_m[i, j] = element, bits, np.inf


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
