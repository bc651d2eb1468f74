"""What the road is made of: colours, joints and seams of asphalt, concrete and cobbles."""

import numpy as np

from lanekeep_envs.condition import fade, look_up_uniform, part_of, pattern, place_of, pulse_share, uniform
from lanekeep_envs.ground_row import columns_near
from lanekeep_envs.kernel import borrowing, inlined
from lanekeep_envs.lines import add, distance_from_line, fill_line
from lanekeep_envs.look import RGB
from lanekeep_envs.surface import Materials, overlap
from lanekeep_envs.texture import TILE, first_of, look_up, place, sample

CONCRETE, COBBLES = 1, 2  # of look.SURFACES
SEAM_M, JOINT_M, STONE_M = 23.0, 5.0, (0.16, 0.20)


@borrowing
def cover_with_joints(share, patches, paved, condition):
    """Tar in the joints of concrete, every few metres."""
    s, sided, wide, long = patches.s, patches.sided, patches.wide, patches.long
    for j in range(share.shape[0]):
        across = pulse_share(s[j] + 0.5, long[j], 0.035, JOINT_M)
        beside = overlap(sided[j] - 0.15, 0.03, wide[j]) / wide[j]
        share[j] = paved[j] * max(across, beside) * min(2.0 * condition.seams, 1.0)


@borrowing
def cover_with_seams(share, strip, ends, lane, condition):
    """Tar: one line wanders along between the lanes, one beside a wheel track, and one crosses now and then."""
    sided, aside, slow, tile, distance = ends.sided, ends.aside, ends.slow, TILE, strip.hue
    wide, paved, offset = strip.patches.wide, strip.paved, condition.offset_y
    share[:] = 0.0
    for k in range(slow.shape[0]):
        x = ends.s[k] + offset
        slow[k] = sample(tile, 0.21 * x, 40.7) + 0.25 * fade(ends.long[k], 2.0) * sample(tile, 2.7 * x, 77.2)
    for middle, sway, width in ((0.30, 0.28, 0.055), (-0.5 * lane.lane_m, -0.6, 0.04)):
        for k in range(aside.shape[0]):
            aside[k] = sided[k] - middle - sway * slow[k]
        first, last = distance_from_line(distance, strip, ends, width)
        fill_line(distance[first:last], wide[first:last], width)
        add(share[first:last], distance[first:last])
    for k in range(aside.shape[0]):
        x = ends.s[k] + offset
        aside[k] = x - crossing_m(tile, np.floor(x * (1.0 / SEAM_M)))
    first, last = columns_near(aside, ends.long, 0.5, ends.piece)
    add_crossing(share[first:last], part_of(strip.patches, first, last), offset)
    for j in range(share.shape[0]):
        share[j] = paved[j] * min(share[j], 1.0) * condition.seams


@inlined
def crossing_m(tile, cell):
    """Where a seam crosses in this cell of the road."""
    return SEAM_M * (cell + 0.1 + 0.8 * uniform(tile, cell, 5.0))


@borrowing
def add_crossing(share, patches, offset):
    """Add a seam that crosses the road."""
    s, sided, long, tile = patches.s, patches.sided, patches.long, TILE
    for j in range(share.shape[0]):
        x = s[j] + offset
        cell = np.floor(x * (1.0 / SEAM_M))
        bent = x - crossing_m(tile, cell) - 0.18 * sample(tile, 1.3 * sided[j], 13.0 * cell)
        share[j] += overlap(bent, 0.07, long[j]) / long[j]


@borrowing
def cobble_light(out, patches, beside, stone, lane, slow, seams):
    """Light of rows of stones, each in its own grey, with dark joints; `slow` is 0 where textures were removed.

    `beside` and `stone` are work space.
    """
    s, wide, long = patches.s, patches.wide, patches.long
    joint_m, mean, deep = 0.028, 0.028 / STONE_M[1], 0.5 + 0.35 * seams
    pattern(out, patches, 1.1, 0.0, 1.7, 0.0, 4.0)
    if patches.shortest[0] < 3.0 * STONE_M[0]:
        lay_stones(beside, stone, patches)
        for j in range(out.shape[0]):
            sharp = fade(long[j], 2.0 * STONE_M[0])
            out[j] = 0.10 * out[j] + 0.45 * sharp * (stone[j] - 0.5)
            beside[j] = mean + sharp * (pulse_share(beside[j], wide[j], joint_m, STONE_M[1]) - mean)
    else:  # too far for single stones
        for j in range(out.shape[0]):
            out[j], beside[j] = 0.10 * out[j], mean
    for j in range(out.shape[0]):
        joint = max(pulse_share(s[j], long[j], joint_m, STONE_M[0]), beside[j])
        out[j] = 1.0 - deep * joint + slow * out[j]


@borrowing
def lay_stones(beside, stone, patches):
    """Fill the way along the course of stones, and a number between 0 and 1 for each stone."""
    s, sided, cells = patches.s, patches.sided, patches.cells
    for j in range(cells.shape[0]):
        cells[j] = place(7.0 * np.floor(s[j] * (1.0 / STONE_M[0])), 3.0)
    look_up(cells, patches.tile)
    for j in range(beside.shape[0]):
        course = np.floor(s[j] * (1.0 / STONE_M[0]))
        odd = course - 2.0 * np.floor(0.5 * course)
        beside[j] = sided[j] + 0.5 * STONE_M[1] * odd + 0.04 * first_of(cells[j])
    for j in range(cells.shape[0]):
        cells[j] = place_of(np.floor(s[j] * (1.0 / STONE_M[0])), np.floor(beside[j] * (1.0 / STONE_M[1])))
    look_up_uniform(stone, patches)


@borrowing
def joint_light(out, patches):
    """Light of concrete with shallow joints between its slabs, each of which has its own grey."""
    s, sided, wide, long, tile = patches.s, patches.sided, patches.wide, patches.long, TILE
    for j in range(out.shape[0]):
        joint = max(pulse_share(s[j] + 0.5, long[j], 0.02, JOINT_M), overlap(sided[j] - 0.15, 0.02, wide[j]) / wide[j])
        slab = uniform(tile, np.floor((s[j] + 0.5) * (1.0 / JOINT_M)), np.floor((sided[j] + 4.0) * 0.25)) - 0.5
        out[j] = 1.0 - 0.4 * joint + 0.09 * fade(long[j], 2.0 * JOINT_M) * slab


@inlined
def surface_colour(asphalt, kind):
    """Albedo of the road: pale concrete or grey stones, the darker the darker the asphalt would have been."""
    if kind == CONCRETE:
        return (74.0 + 0.72 * asphalt[0], 70.0 + 0.72 * asphalt[1], 60.0 + 0.72 * asphalt[2])
    if kind == COBBLES:
        return (10.0 + 1.1 * asphalt[0], 5.0 + 1.1 * asphalt[1], 1.0 + 1.1 * asphalt[2])
    return asphalt


def asphalt_for(colour: RGB, kind: int) -> RGB:
    """The way back: the asphalt whose place a road of this colour takes."""
    none, one = surface_colour((0.0, 0.0, 0.0), kind), surface_colour((1.0, 1.0, 1.0), kind)
    red, green, blue = ((c - low) / (high - low) for c, low, high in zip(colour, none, one, strict=True))
    return red, green, blue


@inlined
def pavement_of(materials, kind):
    """Materials with the colour of this kind of road."""
    return Materials(
        materials.grass,
        materials.field,
        materials.gravel,
        surface_colour(materials.asphalt, kind),
        materials.paint,
        materials.ambient,
        materials.sunlight,
        materials.horizon,
    )
