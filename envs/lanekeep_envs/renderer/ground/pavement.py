"""What the road is made of: joints and seams of asphalt, concrete slabs and cobbles."""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, inline_always, no_refcount
from lanekeep_envs.compiled.noise import wrapped
from lanekeep_envs.renderer.coverage import fade, mix, overlap, pulse_share
from lanekeep_envs.renderer.ground.conditions import SEAMS, blend, dim
from lanekeep_envs.renderer.ground.scanline import columns_near, interpolate_knots
from lanekeep_envs.renderer.ground.textures import nearest_noise, noise, pattern, uniform_noise
from lanekeep_envs.sampling.pavement import COBBLES, CONCRETE

F32 = np.float32
CROSSING_M, SLAB_M, STONE_M = F32(23.0), F32(5.0), (F32(0.16), F32(0.20))  # lengths of what repeats along the road
JOINT_M, SLAB_JOINT_M = F32(0.028), F32(0.02)  # widths between stones and between slabs
LANE_JOINT_M = F32(0.15)  # place of the joint between the lanes, left of the axis
TAR_M, BESIDE_TAR_M, CROSSING_TAR_M = F32(0.055), F32(0.04), F32(0.07)  # widths of the seams of asphalt
JOINT_TAR_M, LANE_TAR_M = F32(0.035), F32(0.03)  # widths of the seams of concrete
TAR_GREY = (F32(26.0), F32(25.0), F32(25.0))


@no_refcount
@float32_literals
def lay_pavement(scanline, row, shortest, slow, surface, appearance, first, last):
    """Lay the road's pavement between two columns, wet or dry, and its seams; `slow` is 0 where textures were removed."""
    light, seams, paved = scanline["coarse"], scanline["cover"][SEAMS], scanline["paved"]
    wet, strength, kind = np.float32(appearance["wet"]), np.float32(appearance["seams"]), appearance["surface_kind"]
    wetted = 1.0 - 0.5 * wet
    seams[:] = 0.0
    if kind == COBBLES:
        cobble_light(light, scanline, shortest, slow, surface.s0, strength, first, last)
        for j in range(first, last):
            seams[j] = paved[j] * strength
    elif kind == CONCRETE:
        slab_light(light, scanline, surface.s0, first, last)
    elif wet > 0.0:
        light[first:last] = 1.0
    if kind != 0 or wet > 0.0:
        for j in range(first, last):
            light[j] *= wetted
        dim(scanline, light, first, last)
    if strength > 0.0 and kind != COBBLES:
        dark = mix(TAR_GREY, surface.materials.asphalt, np.float32(0.15))
        if kind == CONCRETE:
            lay_joints(scanline, surface.s0, strength, first, last)
        else:
            start = surface.s0 + appearance["offset_y"]
            lay_seams(scanline, row, surface.lane, start, strength, first, last)
        blend(scanline, seams, dark, dark, None, first, last)


@inline_always
def cell_of(x, size):
    """Return the cell of this size that holds x: its number within the tile's period, and where in the cell x is."""
    k = np.floor(x / size)
    return wrapped(k), np.float32(x - size * k)


@no_refcount
@float32_literals
def lay_joints(scanline, s0, strength, first, last):
    """Lay tar in the joints of concrete, every few metres."""
    s, sided, wide, long = scanline["s"], scanline["sided"], scanline["wide"], scanline["long"]
    share, paved, (_, start) = scanline["cover"][SEAMS], scanline["paved"], cell_of(s0 + 0.5, SLAB_M)
    most = min(2.0 * strength, 1.0)
    for j in range(first, last):
        across = pulse_share(s[j] + start, long[j], JOINT_TAR_M, SLAB_M)
        beside = overlap(sided[j] - LANE_JOINT_M, LANE_TAR_M, wide[j]) / wide[j]
        share[j] = paved[j] * max(across, beside) * most


@no_refcount
@float32_literals
def lay_seams(scanline, row, lane, x, strength, first, last):
    """Lay tar: one line wanders along between the lanes, one beside a wheel track, and one crosses now and then.

    The axis begins at `x` in the pattern.
    """
    sway, paved, sided, wide = scanline["hue"], scanline["paved"], scanline["sided"], scanline["wide"]
    slow, u, v = scanline["slow"], scanline["u"], scanline["v"]
    s, there = scanline["knot_s"], scanline["knot_there"]
    share, start, quick, beside = scanline["cover"][SEAMS], wrapped(0.21 * x), wrapped(2.7 * x), 0.5 * lane.lane_m
    for k in range(row.knots):
        u[k], v[k] = start + 0.21 * s[k], 40.7
        u[row.knots + k], v[row.knots + k] = quick + 2.7 * s[k], 77.2
    noise(slow, scanline, np.uint64(0), row.knots + row.knots)
    for k in range(row.knots):
        there[k] = slow[k] + 0.25 * fade(scanline["knot_long"][k], 2.0) * slow[row.knots + k]
    interpolate_knots(sway, there, scanline, row, first, last)
    for j in range(first, last):
        one = overlap(sided[j] - 0.30 - 0.28 * sway[j], TAR_M, wide[j])
        other = overlap(sided[j] + beside + 0.6 * sway[j], BESIDE_TAR_M, wide[j])
        share[j] = (one + other) / wide[j]
    add_crossing(scanline, row, x, first, last)
    for j in range(first, last):
        share[j] = paved[j] * min(share[j], 1.0) * strength


@no_refcount
@float32_literals
def add_crossing(scanline, row, x, first, last):
    """Add a seam that crosses the road, one in each cell of `CROSSING_M`; the axis begins at `x` among them."""
    cell, start = cell_of(x, CROSSING_M)
    s, sided, long, u, v = scanline["s"], scanline["sided"], scanline["long"], scanline["u"], scanline["v"]
    knot_s, there = scanline["knot_s"], scanline["knot_there"]
    share, aside, cell_at, bent = scanline["cover"][SEAMS], scanline["knot_aside"], scanline["fine"], scanline["hue"]
    for k in range(row.knots):
        u[k], v[k] = cell + np.floor((knot_s[k] + start) * (1.0 / CROSSING_M)), 5.0
    uniform_noise(there, scanline, np.uint64(0), row.knots)
    for k in range(row.knots):
        aside[k] = knot_s[k] + start - CROSSING_M * (u[k] - cell + 0.1 + 0.8 * there[k])
    begin, end = columns_near(aside, scanline["knot_long"], np.float32(0.0), np.float32(0.5), row)
    begin, end = max(begin, first), min(end, last)
    if begin >= end:
        return
    for j in range(begin, end):
        u[j], v[j] = cell + np.floor((s[j] + start) * (1.0 / CROSSING_M)), 5.0
    uniform_noise(cell_at, scanline, begin, end)
    for j in range(begin, end):
        cell_at[j] = CROSSING_M * (u[j] - cell + 0.1 + 0.8 * cell_at[j])
        u[j], v[j] = 1.3 * sided[j], 13.0 * u[j]
    noise(bent, scanline, begin, end)
    for j in range(begin, end):
        share[j] += overlap(s[j] + start - cell_at[j] - 0.18 * bent[j], CROSSING_TAR_M, long[j]) / long[j]


@no_refcount
@float32_literals
def cobble_light(out, scanline, shortest, slow, s0, seams, first, last):
    """Fill in the light of rows of stones, each in its own grey, with dark joints.

    `slow` is 0 where textures were removed, and `seams` is the strength of the joints.
    """
    s, wide, long, beside, stone = scanline["s"], scanline["wide"], scanline["long"], scanline["hue"], scanline["fine"]
    mean, deep = JOINT_M / STONE_M[1], 0.5 + 0.35 * seams
    start = wrapped(s0 / STONE_M[0])
    pattern(out, scanline, (1.1, 1.7), (wrapped(1.1 * s0), np.float32(0.0)), 4.0, shortest, first, last)
    if shortest < 3.0 * STONE_M[0]:
        lay_stones(beside, stone, scanline, start, first, last)
        for j in range(first, last):
            sharp = fade(long[j], 2.0 * STONE_M[0])
            out[j] = 0.10 * out[j] + 0.45 * sharp * (stone[j] - 0.5)
            beside[j] = mean + sharp * (pulse_share(beside[j], wide[j], JOINT_M, STONE_M[1]) - mean)
    else:  # too far for single stones
        for j in range(first, last):
            out[j], beside[j] = 0.10 * out[j], mean
    for j in range(first, last):
        joint = max(pulse_share(s[j] + STONE_M[0] * start, long[j], JOINT_M, STONE_M[0]), beside[j])
        out[j] = 1.0 - deep * joint + slow * out[j]


@no_refcount
@float32_literals
def lay_stones(beside, stone, scanline, start, first, last):
    """Fill in the way along the course of stones, and a number between 0 and 1 for each stone; `start` is in courses."""
    s, sided, u, v = scanline["s"], scanline["sided"], scanline["u"], scanline["v"]
    for j in range(first, last):
        u[j], v[j] = 7.0 * np.floor(s[j] * (1.0 / STONE_M[0]) + start), 3.0
    nearest_noise(beside, scanline, first, last)
    for j in range(first, last):
        course = np.floor(s[j] * (1.0 / STONE_M[0]) + start)
        odd = course - 2.0 * np.floor(0.5 * course)
        beside[j] = sided[j] + 0.5 * STONE_M[1] * odd + 0.04 * beside[j]
        u[j], v[j] = course, np.floor(beside[j] * (1.0 / STONE_M[1]))
    uniform_noise(stone, scanline, first, last)


@no_refcount
@float32_literals
def slab_light(out, scanline, s0, first, last):
    """Fill in the light of concrete with shallow joints between its slabs, each of which has its own grey."""
    s, sided, wide, long = scanline["s"], scanline["sided"], scanline["wide"], scanline["long"]
    u, v, grey, (cell, start) = scanline["u"], scanline["v"], scanline["fine"], cell_of(s0 + 0.5, SLAB_M)
    for j in range(first, last):
        u[j], v[j] = cell + np.floor((s[j] + start) * (1.0 / SLAB_M)), np.floor((sided[j] + 4.0) * 0.25)
    uniform_noise(grey, scanline, first, last)
    for j in range(first, last):
        across = pulse_share(s[j] + start, long[j], SLAB_JOINT_M, SLAB_M)
        joint = max(across, overlap(sided[j] - LANE_JOINT_M, SLAB_JOINT_M, wide[j]) / wide[j])
        out[j] = 1.0 - 0.4 * joint + 0.09 * fade(long[j], 2.0 * SLAB_M) * (grey[j] - 0.5)
