"""The other cars: body and cabin, and the light of their lamps."""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.coverage import clip01, vector_of
from lanekeep_envs.renderer.objects.fragments import CUT_M
from lanekeep_envs.renderer.objects.materials import FLANK, GLASS, NOSE, PLAIN, TAIL, UNDER, centred_material
from lanekeep_envs.renderer.objects.quad_setup import add_quad, project
from lanekeep_envs.renderer.objects.solids import NO_GROWTH, Solid, add_solid, level_quad, point
from lanekeep_envs.renderer.view import FARTHEST_M, NEAREST_M

CARS = int(Element.CARS)
COLOURS = (  # of paint, and up to which tint
    (0.22, (34.0, 35.0, 38.0)),
    (0.42, (150.0, 153.0, 158.0)),
    (0.60, (226.0, 227.0, 226.0)),
    (0.72, (44.0, 66.0, 112.0)),
    (0.84, (150.0, 30.0, 32.0)),
    (0.94, (92.0, 96.0, 100.0)),
    (np.inf, (58.0, 84.0, 66.0)),
)
REACH_M = 2.2  # of a car before and behind its middle
LAMP_END_M, LAMP_ASIDE_M, LAMP_HEIGHT_M = 2.15, 0.66, 0.66


class Glow(NamedTuple):
    """A lamp in the picture."""

    q: float  # place, from the middle of the image
    p: float
    halo: float  # radius [px]; 0 for none
    strength: float
    per_halo: float  # one over the squares of halo and core
    per_core: float


@no_refcount
def colour_of_car(tint):
    """Colour of a car's paint from a number between 0 and 1."""
    for below, colour in COLOURS:
        if tint < below:
            return colour
    return COLOURS[0][1]


@no_refcount
def add_car(quads, vehicle, pose, appearance, lens):
    """Add a car: the dark below it, body and cabin."""
    if pose.x - REACH_M < NEAREST_M or pose.x > FARTHEST_M:
        return
    colour, night = colour_of_car(vehicle["tint"]), appearance["night"]
    lamps, tails = (255.0, 250.0, 232.0), (214.0, 26.0, 24.0)
    body = Solid(-2.15, 2.15, 0.88, 0.0, 0.86, 0.0, 0.0, 0.86)
    cabin = Solid(-1.95, 0.95, 0.82, 0.84, 1.46, 0.42, 0.80, 0.64)
    if vehicle["van"]:
        cabin = Solid(-2.12, 1.35, 0.85, 0.84, 1.96, 0.08, 0.62, 0.78)
    paint = centred_material(CARS, PLAIN, colour, colour, 0, 0.0)
    under = level_quad(pose, Solid(-2.4, 2.4, 1.1, 0.0, 0.0, 0.0, 0.0, 1.1), 0.0)
    add_quad(quads, under, centred_material(CARS, UNDER, (14.0, 14.0, 15.0), colour, 0, 0.0), NO_GROWTH)
    ends = (
        centred_material(CARS, NOSE, colour, lamps, 0, 0.25 + 0.75 * night),
        centred_material(CARS, TAIL, colour, tails, 0, 0.15 + 0.65 * night),
    )
    flank = centred_material(CARS, FLANK, colour, colour, 0, 0.0)
    add_solid(quads, pose, body, flank, ends, paint, lens)
    horizon = vector_of(appearance["horizon"])
    glass = centred_material(CARS, GLASS, colour, horizon, 1, 0.0)
    screen = centred_material(CARS, GLASS, colour, horizon, 0, 0.0)
    add_solid(quads, pose, cabin, glass, (screen, screen), paint, lens)


@no_refcount
def draw_lamps(picture, aov, pose, appearance, lens):
    """Paint the lamps of a car that are turned to the camera."""
    if pose.x - REACH_M < NEAREST_M or pose.x > FARTHEST_M:
        return
    night = appearance["night"]
    faces_us = -(pose.x * pose.ahead_x + pose.y * pose.ahead_y) / np.sqrt(pose.x * pose.x + pose.y * pose.y)
    front = faces_us > 0.0
    end = LAMP_END_M if front else -LAMP_END_M
    left, right = point(pose, end, LAMP_ASIDE_M, LAMP_HEIGHT_M), point(pose, end, -LAMP_ASIDE_M, LAMP_HEIGHT_M)
    strength = (0.10 + 0.9 * night) * faces_us if front else -0.7 * night * faces_us
    if strength > 0.0:
        colour = (255.0, 244.0, 214.0) if front else (220.0, 24.0, 18.0)
        size_m, visibility_m = 0.35 if front else 0.22, appearance["visibility_m"]
        one = glow_of(left, size_m, strength, visibility_m, lens)
        other = glow_of(right, size_m, strength, visibility_m, lens)
        draw_glows(picture, aov, one, other, colour, lens)


@no_refcount
def glow_of(at, size_m, strength, visibility_m, lens):
    """How one of the lamps looks: a bright core and a faint halo, the same at every size of the image."""
    q, p, depth = project((at[0], at[1], at[2] - lens.height_m), lens)
    if depth < CUT_M:
        return Glow(0.0, 0.0, 0.0, 0.0, 1.0, 1.0)
    scale = lens.focal_px / depth
    core, halo = max(0.35 * size_m * scale, 0.75), 0.030 * lens.focal_px + size_m * scale
    return Glow(q, p, halo, strength * np.exp(-at[0] / visibility_m), 1.0 / (halo * halo), 1.0 / (core * core))


@inline_always
def glow_at(glow, dq, dp):
    """Light of a lamp in the pixel (dq, dp) away from its middle."""
    square = dq * dq + dp * dp
    ring, wide = clip01(1.0 - square * glow.per_halo), square * glow.per_core
    return glow.strength * ring * ring * (0.16 + 1.1 / (1.0 + wide * wide))


@no_refcount
def draw_glows(picture, aov, a, b, colour, lens):
    """Add the light of a pair of lamps; of both at once, so that it does not depend on which of them is which."""
    reach, height, width = max(a.halo, b.halo), picture.shape[1], picture.shape[2]
    if reach == 0.0:
        return
    low, high = min(a.p, b.p) - reach + lens.centre_row, max(a.p, b.p) + reach + lens.centre_row
    near, far = min(a.q, b.q) - reach + lens.centre_column, max(a.q, b.q) + reach + lens.centre_column
    first, last = int(min(max(np.floor(near), 0.0), width)), int(max(min(far + 2.0, width), 0.0))
    first, last = first // 8 * 8, (last + 7) // 8 * 8  # a row is a multiple: none to do one by one
    start = first - lens.centre_column
    for i in range(int(max(np.floor(low), 0.0)), int(min(max(high + 2.0, 0.0), height))):
        red, green, blue = picture[0, i, first:last], picture[1, i, first:last], picture[2, i, first:last]
        row = i - lens.centre_row
        for j in range(red.shape[0]):
            bright = glow_at(a, (start + j) - a.q, row - a.p) + glow_at(b, (start + j) - b.q, row - b.p)
            red[j] += bright * colour[0]
            green[j] += bright * colour[1]
            blue[j] += bright * colour[2]
        if aov.contributors.size > 0:
            write_aov_glow(aov, i, first, last, start - a.q, (row - a.p) * (row - a.p), a.per_halo)
            write_aov_glow(aov, i, first, last, start - b.q, (row - b.p) * (row - b.p), b.per_halo)


@no_refcount
def write_aov_glow(aov, i, first, last, start, square, per_halo):
    """Write a lamp into those pixels of a row that its halo reaches; the first of the row is `start` from its middle."""
    for j in range(last - first):
        if 1.0 - ((start + j) * (start + j) + square) * per_halo > 0.0:
            aov.contributors[i, first + j] |= 1 << CARS
