"""Colour of the sky: gradient, glow around the sun, drifting clouds, and two ranges of hills on the horizon."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, jit, no_refcount, noalias
from lanekeep_envs.compiled.noise import look_up, place, value_between
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.air.haze import hill_haze
from lanekeep_envs.renderer.camera import Lens
from lanekeep_envs.renderer.coverage import mix, shifted, single, tinted
from lanekeep_envs.sampling.appearance import RGB

SKY, HILLS, CLOUDS, SNOW = (int(e) for e in (Element.SKY, Element.HILLS, Element.CLOUDS, Element.SNOW))
F32 = np.float32
RIDGE_PER_RAD = F32(40.743665)  # texels: 256 once around
FAR_RIDGE, NEAR_RIDGE = F32(0.75), F32(0.40)  # mean height of the two ranges, of that of the highest hills
GLOW = (F32(80.0), F32(52.0), F32(10.0))  # of the sky around the sun
THICKEST = F32(0.85)  # cover of a cloud


class SkyColumns(NamedTuple):
    """What the sky needs to know of the image columns, [W] each."""

    side: NDArray[np.float32]  # how far left they look per metre ahead: fixed for a camera, as are the next two
    slant: NDArray[np.float32]  # cosine of that angle
    bearing: NDArray[np.float32]  # that angle [rad]
    ahead: NDArray[np.float32]  # horizontal unit vector in world axes, mirrored with the world
    aside: NDArray[np.float32]
    to_sun: NDArray[np.float32]  # its product with the sun's
    far_hill: NDArray[np.float32]  # height of the two ranges of hills, per metre ahead
    near_hill: NDArray[np.float32]
    cells: NDArray[np.int32]  # [H, W] of the clouds in the noise tile


class Ridge(NamedTuple):
    """Texture of a range of hills: texels per radian, where in the tile it lies, and its height."""

    scale: np.float32
    offset: np.float32
    y: np.float32
    strength: np.float32


def sky_columns_of(lens: Lens, height: int, width: int) -> SkyColumns:
    """Allocate the work space for the columns of a picture."""
    side = (lens.centre_column - np.arange(width)) / lens.focal_px
    side, slant, bearing = np.array([side, 1.0 / np.sqrt(1.0 + side * side), np.arctan(side)], np.float32)
    ahead, aside, to_sun, far_hill, near_hill = np.zeros((5, width), np.float32)
    cells = np.zeros((height, width), np.int32)
    return SkyColumns(side, slant, bearing, ahead, aside, to_sun, far_hill, near_hill, cells)


@noalias
def look_along_columns(columns, sun, turn, mirror):
    """Fill in what depends on where the car points, `turn` = (cos, sin)."""
    side, slant, ahead, aside, to_sun = columns.side, columns.slant, columns.ahead, columns.aside, columns.to_sun
    for j in range(ahead.shape[0]):
        x, y = (turn[0] - side[j] * turn[1]) * slant[j], (turn[1] + side[j] * turn[0]) * slant[j]
        ahead[j], aside[j], to_sun[j] = x, y * mirror, sun[0] * x + sun[1] * y


@no_refcount
@float32_literals
def raise_hills(columns, appearance, yaw, tile):
    """Fill in the far and the near hills, of which the far ones are smoother; return the height of the highest."""
    far, near, cells, bearing, highest = columns.far_hill, columns.near_hill, columns.cells[0], columns.bearing, -1.0
    height, along = np.float32(appearance["hill_height"]), np.float32(appearance["mirror"]) * RIDGE_PER_RAD
    offset_x, offset_y = np.float32(appearance["offset_x"]), np.float32(appearance["offset_y"])
    far[:], near[:] = FAR_RIDGE, NEAR_RIDGE
    add_ridge(far, bearing, cells, yaw, Ridge(F32(0.5) * along, offset_x, F32(7.3), F32(0.9)), tile)
    add_ridge(near, bearing, cells, yaw, Ridge(along, offset_y, F32(93.6), F32(0.8)), tile)
    add_ridge(near, bearing, cells, yaw, Ridge(F32(7.0) * along, F32(0.0), F32(31.4), F32(0.25)), tile)
    for j in range(far.shape[0]):
        per_m = height / columns.slant[j]
        far[j], near[j] = per_m * max(far[j], 0.0), per_m * max(near[j], 0.0)
    for j in range(far.shape[0]):
        highest = max(highest, max(far[j], near[j]))
    return highest


@no_refcount
def add_ridge(hill, bearing, cells, yaw, ridge, tile):
    """Add texture to a range of hills."""
    place_ridge(cells, bearing, yaw, ridge)
    look_up(cells, tile)
    pile_ridge(hill, bearing, cells, yaw, ridge)


@noalias
def place_ridge(cells, bearing, yaw, ridge):
    """Fill in where in the tile a ridge lies."""
    for j in range(cells.shape[0]):
        cells[j] = place(np.floor((yaw + bearing[j]) * ridge.scale + ridge.offset), np.floor(ridge.y))


@noalias
def pile_ridge(hill, bearing, cells, yaw, ridge):
    """Add a ridge to a range of hills, from the entries of the tile."""
    for j in range(cells.shape[0]):
        x = (yaw + bearing[j]) * ridge.scale + ridge.offset
        hill[j] += ridge.strength * value_between(cells[j], x - np.floor(x), ridge.y - np.floor(ridge.y))


@inline_always
@float32_literals
def hill_share(hill, rise, focal_px):
    """Return the share of a pixel that lies below a range of hills."""
    return min(max((hill - rise) * focal_px + 0.5, 0.0), 1.0)


class Sky(NamedTuple):
    """What the sky's pixels of a row share, in single precision."""

    clear: RGB  # without sun and clouds
    apart: np.float32  # from the sun, in height
    shine: np.float32  # of its glow
    rise: np.float32  # height per metre ahead
    reach: np.float32  # scale of the clouds
    thick: np.float32  # strength of the clouds
    bend: np.float32  # what the tile is raised by: the more, the more of it is cloud
    offset_x: np.float32
    offset_y: np.float32
    focal_px: np.float32


@inline_always
@float32_literals
def cloud_share(four, ahead, aside, sky):
    """Return the share of cloud in a direction, from an entry of the tile."""
    x, y = sky.reach * ahead + sky.offset_y, sky.reach * aside + sky.offset_x
    return min(max(1.5 * (value_between(four, x - np.floor(x), y - np.floor(y)) + sky.bend), 0.0), THICKEST) * sky.thick


@inline_always
@float32_literals
def open_sky(to_sun, sky, cloud, share):
    """Return the colour of the sky with the sun's glow and clouds."""
    near_sun = max(to_sun - sky.apart, 0.0)
    near_sun *= near_sun
    glow = sky.shine * near_sun * near_sun
    clear = sky.clear
    return mix((clear[0] + GLOW[0] * glow, clear[1] + GLOW[1] * glow, clear[2] + GLOW[2] * glow), cloud, share)


@inline_always
def sky_of_row(i, appearance, lens, cloudy):
    """Return the sky in an image row."""
    w = (i - lens.centre_row) / lens.focal_px
    rise = -(lens.sin_pitch + w * lens.cos_pitch) / (lens.cos_pitch - w * lens.sin_pitch)
    up = min(max(rise, 0.0) / 0.45, 1.0)
    return Sky(
        single(mix(appearance["horizon"], appearance["zenith"], np.sqrt(up))),
        np.float32(1.6 * (appearance["sun_z"] - rise) * (appearance["sun_z"] - rise)),
        np.float32(appearance["glow"] * (1.0 - 0.5 * up)),
        np.float32(rise),
        np.float32(9.0 / (max(rise, 0.0) + 0.12)),
        np.float32(min(max(rise, 0.0) / 0.05, 1.0) if cloudy else 0.0),
        np.float32(appearance["cloudiness"] - 0.55),
        np.float32(appearance["offset_x"]),
        np.float32(appearance["offset_y"]),
        np.float32(lens.focal_px),
    )


@noalias
def place_clouds(columns, rows, appearance, lens):
    """Fill in where in the tile the clouds lie."""
    cells, ahead, aside = columns.cells, columns.ahead, columns.aside
    for i in range(rows):
        sky = sky_of_row(i, appearance, lens, True)
        for j in range(ahead.shape[0]):
            x, y = sky.reach * ahead[j] + sky.offset_y, sky.reach * aside[j] + sky.offset_x
            cells[i, j] = place(np.floor(x), np.floor(y))


@noalias
def paint_open_sky(picture, rows, columns, appearance, lens, cloudy):
    """Paint sun and clouds, from the entries of the tile; `picture` are its three channels [H, W]."""
    red, green, blue = picture
    cells, ahead, aside, to_sun = columns.cells, columns.ahead, columns.aside, columns.to_sun
    cloud = single(appearance["cloud"])
    for i in range(rows):
        sky = sky_of_row(i, appearance, lens, cloudy)
        for j in range(ahead.shape[0]):
            share = cloud_share(cells[i, j], ahead[j], aside[j], sky)
            red[i, j], green[i, j], blue[i, j] = open_sky(to_sun[j], sky, cloud, share)


@noalias
def paint_hills(picture, rows, columns, highest, appearance, lens):
    """Paint hills over the sky; `picture` are its three channels [H, W]."""
    red, green, blue = picture
    far_hill, near_hill = columns.far_hill, columns.near_hill
    far_colour, near_colour = single(hill_colour(appearance, True)), single(hill_colour(appearance, False))
    for i in range(rows):
        sky = sky_of_row(i, appearance, lens, False)
        if (highest - sky.rise) * sky.focal_px + np.float32(0.5) > np.float32(0.0):
            for j in range(far_hill.shape[0]):
                far = hill_share(far_hill[j], sky.rise, sky.focal_px)
                near = hill_share(near_hill[j], sky.rise, sky.focal_px)
                behind = mix((red[i, j], green[i, j], blue[i, j]), far_colour, far)
                red[i, j], green[i, j], blue[i, j] = mix(behind, near_colour, near)


@no_refcount
def write_aov_sky(aov, rows, columns, appearance, lens, cloudy):
    """Write what the sky shows into the by-products."""
    hill_bits = 1 << HILLS | (1 << SNOW if appearance["snow"] > 0.0 else 0)
    for i in range(rows):
        sky = sky_of_row(i, appearance, lens, cloudy)
        for j in range(columns.ahead.shape[0]):
            share = cloud_share(columns.cells[i, j], columns.ahead[j], columns.aside[j], sky)
            hill = hill_share(max(columns.far_hill[j], columns.near_hill[j]), sky.rise, sky.focal_px)
            bits = 1 << SKY | (1 << CLOUDS if share > 0.0 else 0) | (hill_bits if hill > 0.0 else 0)
            element = CLOUDS if share >= 0.5 else SKY
            aov.elements[i, j] = HILLS if hill >= 0.5 else element
            aov.contributors[i, j], aov.depth_m[i, j] = bits, np.inf


@no_refcount
def paint_sky(buffers, aov, scene, view, rows):
    """Paint the first `rows` rows of the picture."""
    columns, colour, appearance, lens = buffers.sky_columns, buffers.colour, scene.appearance, view.lens
    picture, cloudy = (colour[0], colour[1], colour[2]), scene.visible >> CLOUDS & 1
    sun = np.float32(appearance["sun_x"]), np.float32(appearance["sun_y"])
    turn = np.float32(view.cos), np.float32(view.sin)
    look_along_columns(columns, sun, turn, np.float32(appearance["mirror"]))
    highest = np.float32(-1.0)
    if scene.visible >> HILLS & 1:
        highest = raise_hills(columns, appearance, np.float32(view.yaw), buffers.tile)
    else:
        columns.far_hill[:] = columns.near_hill[:] = -1.0
    place_clouds(columns, rows, appearance, lens)
    for i in range(rows):
        look_up(columns.cells[i], buffers.tile)
    paint_open_sky(picture, rows, columns, appearance, lens, cloudy)
    paint_hills(picture, rows, columns, highest, appearance, lens)
    if aov.contributors.size > 0:
        write_aov_sky(aov, rows, columns, appearance, lens, cloudy)


@jit
def hill_colour(appearance, far):
    """Return the colour of a range of hills in light and air."""
    haze = hill_haze(far, appearance["visibility_m"])
    dim = (appearance["ambient"][1] + appearance["sunlight"][1]) * (1.0 - haze)
    return shifted(tinted(dim, appearance["hill"]), haze, appearance["horizon"])
