"""What the road is made of: colours, joints and seams of asphalt, concrete and cobbles."""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.renderer.ground.conditions import SEAMS, blend, dim
from lanekeep_envs.renderer.ground.cross_section import Materials, fade, mix, overlap, pulse_share, rgb
from lanekeep_envs.renderer.ground.scanline import (
    coarse_noise,
    columns_near,
    noise,
    pattern,
    spread,
    uniform_noise,
)
from lanekeep_envs.sampling.appearance import RGB

CONCRETE, COBBLES = 1, 2  # of look.SURFACES
SEAM_M, JOINT_M, STONE_M = np.float32(23.0), np.float32(5.0), (np.float32(0.16), np.float32(0.20))


@no_refcount
@float32_literals
def lay_pavement(strip, row, shortest, lane, slow, materials, condition, first, last):
    """The road's pavement between two columns, wet or dry, and its seams; `slow` is 0 where textures were removed."""
    light, seams, paved = strip["coarse"], strip["cover"][SEAMS], strip["paved"]
    wet = 1.0 - 0.5 * condition.wet
    seams[:] = 0.0
    if condition.kind == COBBLES:
        cobble_light(light, strip, shortest, slow, condition, first, last)
        for j in range(first, last):
            seams[j] = paved[j] * condition.seams
    elif condition.kind == CONCRETE:
        slab_light(light, strip, condition, first, last)
    elif condition.wet > 0.0:
        light[first:last] = 1.0
    if condition.kind != 0 or condition.wet > 0.0:
        for j in range(first, last):
            light[j] *= wet
        dim(strip, light, first, last)
    if condition.seams > 0.0 and condition.kind != COBBLES:
        dark = mix(rgb(26.0, 25.0, 25.0), materials.asphalt, np.float32(0.15))
        if condition.kind == CONCRETE:
            lay_joints(strip, condition, first, last)
        else:
            lay_seams(strip, row, lane, condition, first, last)
        blend(strip, seams, dark, dark, None, first, last)


@inline_always
def cell_of(x, size):
    """The cell of this size that holds x: its number as far as the tile tells it from others, and where in it x is."""
    k = np.floor(x / size)
    return wrapped(k), np.float32(x - size * k)


@no_refcount
@float32_literals
def lay_joints(strip, condition, first, last):
    """Tar in the joints of concrete, every few metres."""
    s, sided, wide, long, paved = strip["s"], strip["sided"], strip["wide"], strip["long"], strip["paved"]
    share, (_, start) = strip["cover"][SEAMS], cell_of(condition.s0 + 0.5, JOINT_M)
    most = min(2.0 * condition.seams, 1.0)
    for j in range(first, last):
        across = pulse_share(s[j] + start, long[j], 0.035, JOINT_M)
        beside = overlap(sided[j] - 0.15, 0.03, wide[j]) / wide[j]
        share[j] = paved[j] * max(across, beside) * most


@no_refcount
@float32_literals
def lay_seams(strip, row, lane, condition, first, last):
    """Tar: one line wanders along between the lanes, one beside a wheel track, and one crosses now and then."""
    slow, sway, paved, sided, wide = strip["slow"], strip["hue"], strip["paved"], strip["sided"], strip["wide"]
    u, v, s, there, x = strip["u"], strip["v"], strip["node_s"], strip["node_there"], condition.s0 + condition.offset_y
    share, start, quick, beside = strip["cover"][SEAMS], wrapped(0.21 * x), wrapped(2.7 * x), 0.5 * lane.lane_m
    for k in range(row.nodes):
        u[k], v[k] = start + 0.21 * s[k], 40.7
        u[row.nodes + k], v[row.nodes + k] = quick + 2.7 * s[k], 77.2
    noise(slow, strip, np.uint64(0), row.nodes + row.nodes)
    for k in range(row.nodes):
        there[k] = slow[k] + 0.25 * fade(strip["node_long"][k], 2.0) * slow[row.nodes + k]
    spread(sway, there, strip, row, first, last)
    for j in range(first, last):
        one = overlap(sided[j] - 0.30 - 0.28 * sway[j], 0.055, wide[j])
        other = overlap(sided[j] + beside + 0.6 * sway[j], 0.04, wide[j])
        share[j] = (one + other) / wide[j]
    add_crossing(strip, row, x, first, last)
    for j in range(first, last):
        share[j] = paved[j] * min(share[j], 1.0) * condition.seams


@no_refcount
@float32_literals
def add_crossing(strip, row, x, first, last):
    """Add a seam that crosses the road, one in each cell of `SEAM_M`; the axis begins at `x` among them."""
    cell, start = cell_of(x, SEAM_M)
    s, sided, long, u, v, node_s, there = (
        strip["s"], strip["sided"], strip["long"], strip["u"], strip["v"], strip["node_s"], strip["node_there"],
    )  # fmt: skip
    share, aside, cell_at, bent = strip["cover"][SEAMS], strip["node_aside"], strip["fine"], strip["hue"]
    for k in range(row.nodes):
        u[k], v[k] = cell + np.floor((node_s[k] + start) * (1.0 / SEAM_M)), 5.0
    uniform_noise(there, strip, np.uint64(0), row.nodes)
    for k in range(row.nodes):
        aside[k] = node_s[k] + start - SEAM_M * (u[k] - cell + 0.1 + 0.8 * there[k])
    begin, end = columns_near(aside, strip["node_long"], np.float32(0.0), np.float32(0.5), row)
    begin, end = max(begin, first), min(end, last)
    if begin >= end:
        return
    for j in range(begin, end):
        u[j], v[j] = cell + np.floor((s[j] + start) * (1.0 / SEAM_M)), 5.0
    uniform_noise(cell_at, strip, begin, end)
    for j in range(begin, end):
        cell_at[j] = SEAM_M * (u[j] - cell + 0.1 + 0.8 * cell_at[j])
        u[j], v[j] = 1.3 * sided[j], 13.0 * u[j]
    noise(bent, strip, begin, end)
    for j in range(begin, end):
        share[j] += overlap(s[j] + start - cell_at[j] - 0.18 * bent[j], 0.07, long[j]) / long[j]


@no_refcount
@float32_literals
def cobble_light(out, strip, shortest, slow, condition, first, last):
    """Light of rows of stones, each in its own grey, with dark joints; `slow` is 0 where textures were removed."""
    s, wide, long, beside, stone = strip["s"], strip["wide"], strip["long"], strip["hue"], strip["fine"]
    joint_m, mean, deep = 0.028, 0.028 / STONE_M[1], 0.5 + 0.35 * condition.seams
    start = wrapped(condition.s0 / 0.16)
    pattern(out, strip, 1.1, wrapped(1.1 * condition.s0), 1.7, np.float32(0.0), 4.0, shortest, first, last)
    if shortest < 3.0 * STONE_M[0]:
        lay_stones(beside, stone, strip, start, first, last)
        for j in range(first, last):
            sharp = fade(long[j], 2.0 * STONE_M[0])
            out[j] = 0.10 * out[j] + 0.45 * sharp * (stone[j] - 0.5)
            beside[j] = mean + sharp * (pulse_share(beside[j], wide[j], joint_m, STONE_M[1]) - mean)
    else:  # too far for single stones
        for j in range(first, last):
            out[j], beside[j] = 0.10 * out[j], mean
    for j in range(first, last):
        joint = max(pulse_share(s[j] + STONE_M[0] * start, long[j], joint_m, STONE_M[0]), beside[j])
        out[j] = 1.0 - deep * joint + slow * out[j]


@no_refcount
@float32_literals
def lay_stones(beside, stone, strip, start, first, last):
    """Fill the way along the course of stones, and a number between 0 and 1 for each stone; `start` is in courses."""
    s, sided, u, v = strip["s"], strip["sided"], strip["u"], strip["v"]
    for j in range(first, last):
        u[j], v[j] = 7.0 * np.floor(s[j] * (1.0 / STONE_M[0]) + start), 3.0
    coarse_noise(beside, strip, first, last)
    for j in range(first, last):
        episode = np.floor(s[j] * (1.0 / STONE_M[0]) + start)
        odd = episode - 2.0 * np.floor(0.5 * episode)
        beside[j] = sided[j] + 0.5 * STONE_M[1] * odd + 0.04 * beside[j]
        u[j], v[j] = episode, np.floor(beside[j] * (1.0 / STONE_M[1]))
    uniform_noise(stone, strip, first, last)


@no_refcount
@float32_literals
def slab_light(out, strip, condition, first, last):
    """Light of concrete with shallow joints between its slabs, each of which has its own grey."""
    s, sided, wide, long, u, v = strip["s"], strip["sided"], strip["wide"], strip["long"], strip["u"], strip["v"]
    (cell, start), grey = cell_of(condition.s0 + 0.5, JOINT_M), strip["fine"]
    for j in range(first, last):
        u[j], v[j] = cell + np.floor((s[j] + start) * (1.0 / JOINT_M)), np.floor((sided[j] + 4.0) * 0.25)
    uniform_noise(grey, strip, first, last)
    for j in range(first, last):
        across = pulse_share(s[j] + start, long[j], 0.02, JOINT_M)
        joint = max(across, overlap(sided[j] - 0.15, 0.02, wide[j]) / wide[j])
        out[j] = 1.0 - 0.4 * joint + 0.09 * fade(long[j], 2.0 * JOINT_M) * (grey[j] - 0.5)


@inline_always
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


@inline_always
def pavement_of(materials, kind):
    """Materials with the colour of this kind of road."""
    colour = surface_colour(materials.asphalt, kind)
    return Materials(
        materials.grass,
        materials.field,
        materials.gravel,
        rgb(colour[0], colour[1], colour[2]),
        materials.paint,
        materials.ambient,
        materials.sunlight,
        materials.horizon,
    )
