"""Colour of the sky: gradient, glow around the sun, drifting clouds, and two ranges of hills on the horizon."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, jit, no_refcount, noalias
from lanekeep_envs.compiled.noise import look_up, place, value_between
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.camera import Lens
from lanekeep_envs.renderer.coverage import single
from lanekeep_envs.renderer.ground.cross_section import mix
from lanekeep_envs.sampling.appearance import RGB

SKY, HILLS, CLOUDS, SNOW = (int(e) for e in (Element.SKY, Element.HILLS, Element.CLOUDS, Element.SNOW))


class Sights(NamedTuple):
    """What the sky knows of the image columns, [W] each."""

    side: NDArray[np.float32]  # fixed for a camera: how far left they look per metre ahead,
    slant: NDArray[np.float32]  # the cosine of that angle,
    bearing: NDArray[np.float32]  # and the angle itself [rad]
    ahead: NDArray[np.float32]  # horizontal unit vector in world axes, mirrored with the world
    aside: NDArray[np.float32]
    to_sun: NDArray[np.float32]  # its product with the sun's
    far_hill: NDArray[np.float32]  # height of the two ranges of hills, per metre ahead
    near_hill: NDArray[np.float32]
    cells: NDArray[np.int32]  # [H, W] of the clouds in the tile (texture.py)


def sights_of(lens: Lens, height: int, width: int) -> Sights:
    """Work space for the columns of a canvas."""
    side = (lens.centre_column - np.arange(width)) / lens.focal_px
    side, slant, bearing = np.array([side, 1.0 / np.sqrt(1.0 + side * side), np.arctan(side)], np.float32)
    ahead, aside, to_sun, far_hill, near_hill = np.zeros((5, width), np.float32)
    cells = np.zeros((height, width), np.int32)
    return Sights(side, slant, bearing, ahead, aside, to_sun, far_hill, near_hill, cells)


@noalias
def look_along_columns(side, slant, ahead, aside, to_sun, sun, turn, mirror):
    """Fill what depends on where the car points, `turn` = (cos, sin)."""
    for j in range(ahead.shape[0]):
        x, y = (turn[0] - side[j] * turn[1]) * slant[j], (turn[1] + side[j] * turn[0]) * slant[j]
        ahead[j], aside[j], to_sun[j] = x, y * mirror, sun[0] * x + sun[1] * y


@no_refcount
@float32_literals
def raise_hills(sights, height, offset_x, offset_y, mirror, yaw, tile):
    """Fill in the far and the near hills, of which the far ones are smoother; return the height of the highest."""
    far, near, cells, bearing, highest = sights.far_hill, sights.near_hill, sights.cells[0], sights.bearing, -1.0
    along = mirror * 40.743665  # texels per radian
    far[:], near[:] = 0.75, 0.40
    add_ridge(far, bearing, cells, yaw, 0.5 * along, offset_x, 7.3, 0.9, tile)
    add_ridge(near, bearing, cells, yaw, along, offset_y, 93.6, 0.8, tile)
    add_ridge(near, bearing, cells, yaw, 7.0 * along, 0.0, 31.4, 0.25, tile)
    for j in range(far.shape[0]):
        per_m = height / sights.slant[j]
        far[j], near[j] = per_m * max(far[j], 0.0), per_m * max(near[j], 0.0)
    for j in range(far.shape[0]):
        highest = max(highest, max(far[j], near[j]))
    return highest


@no_refcount
def add_ridge(hill, bearing, cells, yaw, scale, offset, y, strength, tile):
    """Add texture to a range of hills."""
    place_ridge(cells, bearing, yaw, scale, offset, y)
    look_up(cells, tile)
    pile_ridge(hill, bearing, cells, yaw, scale, offset, y, strength)


@noalias
def place_ridge(cells, bearing, yaw, scale, offset, y):
    """Where in the tile that is."""
    for j in range(cells.shape[0]):
        cells[j] = place(np.floor((yaw + bearing[j]) * scale + offset), np.floor(y))


@noalias
def pile_ridge(hill, bearing, cells, yaw, scale, offset, y, strength):
    """Add it, from the entries of the tile."""
    for j in range(cells.shape[0]):
        x = (yaw + bearing[j]) * scale + offset
        hill[j] += strength * value_between(cells[j], x - np.floor(x), y - np.floor(y))


@inline_always
@float32_literals
def hill_share(hill, rise, focal_px):
    """Share of a pixel that lies below a range of hills."""
    return min(max((hill - rise) * focal_px + 0.5, 0.0), 1.0)


class Sky(NamedTuple):
    """What the pixels of a row share, in single precision."""

    clear: RGB  # without sun and clouds
    apart: np.float32  # from the sun, in height
    shine: np.float32  # of its glow
    rise: np.float32  # height per metre ahead
    reach: np.float32  # scale of the clouds
    thick: np.float32  # and their strength
    bend: np.float32
    offset_x: np.float32
    offset_y: np.float32
    focal_px: np.float32


@inline_always
@float32_literals
def cloud_share(four, ahead, aside, sky):
    """Share of cloud in a direction, from an entry of the tile."""
    x, y = sky.reach * ahead + sky.offset_y, sky.reach * aside + sky.offset_x
    return min(max(1.5 * (value_between(four, x - np.floor(x), y - np.floor(y)) + sky.bend), 0.0), 0.85) * sky.thick


@inline_always
@float32_literals
def open_sky(to_sun, sky, cloud, share):
    """Colour of the sky with the sun's glow and clouds."""
    near_sun = max(to_sun - sky.apart, 0.0)
    near_sun *= near_sun
    glow = sky.shine * near_sun * near_sun
    clear = sky.clear
    return mix((clear[0] + 80.0 * glow, clear[1] + 52.0 * glow, clear[2] + 10.0 * glow), cloud, share)


@inline_always
def sky_of_row(i, appearance, lens, cloudy):
    """The sky in an image row."""
    w = (i - lens.centre_row) / lens.focal_px
    rise = -(lens.sin_pitch + w * lens.cos_pitch) / (lens.cos_pitch - w * lens.sin_pitch)
    up = min(max(rise, 0.0) / 0.45, 1.0)
    horizon = (appearance["horizon_r"], appearance["horizon_g"], appearance["horizon_b"])
    zenith = (appearance["zenith_r"], appearance["zenith_g"], appearance["zenith_b"])
    return Sky(
        single(mix(horizon, zenith, np.sqrt(up))),
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
def place_clouds(cells, rows, ahead, aside, appearance, lens):
    """Fill in where in the tile the clouds lie."""
    for i in range(rows):
        sky = sky_of_row(i, appearance, lens, True)
        for j in range(ahead.shape[0]):
            x, y = sky.reach * ahead[j] + sky.offset_y, sky.reach * aside[j] + sky.offset_x
            cells[i, j] = place(np.floor(x), np.floor(y))


@noalias
def paint_open_sky(red, green, blue, cells, rows, ahead, aside, to_sun, appearance, lens, cloudy):
    """Paint sun and clouds, from the entries of the tile."""
    cloud = single((appearance["cloud_r"], appearance["cloud_g"], appearance["cloud_b"]))
    for i in range(rows):
        sky = sky_of_row(i, appearance, lens, cloudy)
        for j in range(ahead.shape[0]):
            share = cloud_share(cells[i, j], ahead[j], aside[j], sky)
            red[i, j], green[i, j], blue[i, j] = open_sky(to_sun[j], sky, cloud, share)


@noalias
def paint_hills(red, green, blue, rows, far_hill, near_hill, highest, appearance, lens):
    """Paint hills over it."""
    far_colour, near_colour = single(hill_colour(appearance, True)), single(hill_colour(appearance, False))
    for i in range(rows):
        sky = sky_of_row(i, appearance, lens, False)
        if (highest - sky.rise) * sky.focal_px + np.float32(0.5) > np.float32(0.0):
            for j in range(far_hill.shape[0]):
                far, near = (
                    hill_share(far_hill[j], sky.rise, sky.focal_px),
                    hill_share(near_hill[j], sky.rise, sky.focal_px),
                )
                behind = mix((red[i, j], green[i, j], blue[i, j]), far_colour, far)
                red[i, j], green[i, j], blue[i, j] = mix(behind, near_colour, near)


@no_refcount
def note_sky(aov, rows, sights, appearance, lens, cloudy):
    """Write what is there into the by-products."""
    hill_bits = 1 << HILLS | (1 << SNOW if appearance["snow"] > 0.0 else 0)
    for i in range(rows):
        sky = sky_of_row(i, appearance, lens, cloudy)
        for j in range(sights.ahead.shape[0]):
            share = cloud_share(sights.cells[i, j], sights.ahead[j], sights.aside[j], sky)
            hill = hill_share(max(sights.far_hill[j], sights.near_hill[j]), sky.rise, sky.focal_px)
            bits = 1 << SKY | (1 << CLOUDS if share > 0.0 else 0) | (hill_bits if hill > 0.0 else 0)
            element = CLOUDS if share >= 0.5 else SKY
            aov.elements[i, j] = HILLS if hill >= 0.5 else element
            aov.contributors[i, j], aov.depth_m[i, j] = bits, np.inf


@no_refcount
def paint_sky(buffers, aov, scene, view, rows):
    """Paint the first `rows` rows of the picture."""
    colour, sights, tile, appearance, visible = (
        buffers.colour, buffers.sky_columns, buffers.tile, scene.appearance, scene.visible,
    )  # fmt: skip
    lens, yaw, cos, sin = view.lens, view.yaw, view.cos, view.sin
    side, slant, bearing, ahead, aside, to_sun, far_hill, near_hill, cells = sights
    red, green, blue, cloudy = colour[0], colour[1], colour[2], visible >> CLOUDS & 1
    sun, turn = (np.float32(appearance["sun_x"]), np.float32(appearance["sun_y"])), (np.float32(cos), np.float32(sin))
    look_along_columns(side, slant, ahead, aside, to_sun, sun, turn, np.float32(appearance["mirror"]))
    highest = np.float32(-1.0)
    if visible >> HILLS & 1:
        highest = raise_hills(
            sights, np.float32(appearance["hill_height"]), np.float32(appearance["offset_x"]),
            np.float32(appearance["offset_y"]),
            np.float32(appearance["mirror"]), np.float32(yaw), tile,
        )  # fmt: skip
    else:
        far_hill[:] = near_hill[:] = -1.0
    place_clouds(cells, rows, ahead, aside, appearance, lens)
    for i in range(rows):
        look_up(cells[i], tile)
    paint_open_sky(red, green, blue, cells, rows, ahead, aside, to_sun, appearance, lens, cloudy)
    paint_hills(red, green, blue, rows, far_hill, near_hill, highest, appearance, lens)
    if aov.contributors.size > 0:
        note_sky(aov, rows, sights, appearance, lens, cloudy)


@jit
def hill_colour(appearance, far):
    """Colour of a range of hills in light and air."""
    haze = hill_haze(far, appearance["visibility_m"])
    dim = (appearance["ambient_g"] + appearance["sunlight_g"]) * (1.0 - haze)
    return (
        appearance["hill_r"] * dim + haze * appearance["horizon_r"],
        appearance["hill_g"] * dim + haze * appearance["horizon_g"],
        appearance["hill_b"] * dim + haze * appearance["horizon_b"],
    )


@jit
def hill_haze(far, visibility_m):
    """Share of air in front of a range of hills."""
    clear = 0.35 if far else 0.60
    return 1.0 - clear * min(visibility_m / 1500.0, 1.0)
