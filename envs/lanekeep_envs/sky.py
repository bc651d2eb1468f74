"""Colour of the sky: gradient, glow around the sun, drifting clouds, and two ranges of hills on the horizon."""

import numpy as np

from lanekeep_envs.interventions import Element
from lanekeep_envs.kernel import kernel
from lanekeep_envs.texture import sample

SKY, HILLS, CLOUDS = int(Element.SKY), int(Element.HILLS), int(Element.CLOUDS)


@kernel
def hill_line(azimuth, look, tile, far):
    """Tangent of the elevation of the hills in this direction; the far range is smoother and a little higher."""
    turn = azimuth * 256.0 / (2.0 * np.pi)
    if far:
        return look["hill_height"] * max(0.75 + 0.9 * sample(tile, 0.5 * turn + look["offset_x"], 7.3), 0.0)
    wave = 0.8 * sample(tile, turn + look["offset_y"], 93.6) + 0.25 * sample(tile, 7.0 * turn, 31.4)
    return look["hill_height"] * max(0.40 + wave, 0.0)


@kernel
def paint_sky(colour, by, rows, columns, look, lens, tile, yaw, visible):
    """Paint the first `rows` rows of `colour` [H, W, 3]; `columns` [6, W] is work space."""
    look_along_columns(columns, look, lens, tile, yaw)
    cloudy, hilly = visible >> CLOUDS & 1, visible >> HILLS & 1
    bend, glare = look["cloudiness"] - 0.55, look["glow"]
    for i in range(rows):
        w = (i - lens.centre_row) / lens.focal_px
        rise = -(lens.sin_pitch + w * lens.cos_pitch) / (lens.cos_pitch - w * lens.sin_pitch)
        up = min(max(rise, 0.0) / 0.45, 1.0)
        fade = np.sqrt(up)
        red = look["horizon_r"] + fade * (look["zenith_r"] - look["horizon_r"])
        green = look["horizon_g"] + fade * (look["zenith_g"] - look["horizon_g"])
        blue = look["horizon_b"] + fade * (look["zenith_b"] - look["horizon_b"])
        height = look["sun_z"] - rise
        reach, thick = 9.0 / (max(rise, 0.0) + 0.12), min(max(rise, 0.0) / 0.05, 1.0)
        for j in range(colour.shape[1]):
            near_sun = max(columns[2, j] - 1.6 * height * height, 0.0)
            glow = glare * near_sun * near_sun * near_sun * near_sun * (1.0 - 0.5 * up)
            r, g, b = red + 80.0 * glow, green + 52.0 * glow, blue + 10.0 * glow
            element, bits = SKY, 1 << SKY
            if cloudy:
                wisp = sample(tile, reach * columns[0, j] + look["offset_y"], reach * columns[1, j] + look["offset_x"])
                cover = min(max(1.5 * (wisp + bend), 0.0), 0.85) * thick
                if cover > 0.0:
                    bits |= 1 << CLOUDS
                    element = CLOUDS if cover >= 0.5 else SKY
                    r += cover * (look["cloud_r"] - r)
                    g += cover * (look["cloud_g"] - g)
                    b += cover * (look["cloud_b"] - b)
            if hilly and rise * columns[3, j] < max(columns[4, j], columns[5, j]) + 0.05:
                r, g, b, cover = over_hills(r, g, b, rise * columns[3, j], columns, j, look, lens)
                if cover > 0.0:
                    bits |= 1 << HILLS
                    element = HILLS if cover >= 0.5 else element
            colour[i, j, 0], colour[i, j, 1], colour[i, j, 2] = r, g, b
            if by is not None:
                by.elements[i, j], by.contributors[i, j], by.depth_m[i, j] = element, bits, np.inf


@kernel
def look_along_columns(columns, look, lens, tile, yaw):
    """Per column: horizontal direction (2, unmirrored), its product with the sun's, 1/length, far and near hills."""
    for j in range(columns.shape[1]):
        side = (lens.centre_column - j) / lens.focal_px
        azimuth = yaw + np.arctan(side)
        ahead, aside = np.cos(azimuth), np.sin(azimuth)
        columns[0, j], columns[1, j] = ahead, aside * look["mirror"]
        columns[2, j] = look["sun_x"] * ahead + look["sun_y"] * aside
        columns[3, j] = 1.0 / np.sqrt(1.0 + side * side)
        columns[4, j] = hill_line(azimuth * look["mirror"], look, tile, True)
        columns[5, j] = hill_line(azimuth * look["mirror"], look, tile, False)


@kernel
def over_hills(r, g, b, rise, columns, j, look, lens):
    """Lay the two ranges of hills over a colour; also the largest share they cover."""
    most = 0.0
    for k in range(2):
        cover = min(max((columns[4 + k, j] - rise) * lens.focal_px / columns[3, j] + 0.5, 0.0), 1.0)
        if cover > 0.0:
            haze = hill_haze(k == 0, look["visibility_m"])
            dim = (look["ambient_g"] + look["sunlight_g"]) * (1.0 - haze)
            r += cover * (look["hill_r"] * dim + haze * look["horizon_r"] - r)
            g += cover * (look["hill_g"] * dim + haze * look["horizon_g"] - g)
            b += cover * (look["hill_b"] * dim + haze * look["horizon_b"] - b)
            most = max(most, cover)
    return r, g, b, most


@kernel
def hill_haze(far, visibility_m):
    """Share of air in front of a range of hills."""
    clear = 0.35 if far else 0.60
    return 1.0 - clear * min(visibility_m / 1500.0, 1.0)
