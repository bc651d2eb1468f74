"""What people put beside and on the road: hedges, guard rails, signs, buildings and cars, made of bodies and faces."""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.elements import BUILDING, HEDGE, RAIL, Element
from lanekeep_envs.renderer.air.precipitation import headlight
from lanekeep_envs.renderer.ground.cross_section import clip01, tinted
from lanekeep_envs.renderer.objects.fragments import CUT_M
from lanekeep_envs.renderer.objects.materials import (
    BARRIER,
    BOARD,
    FLANK,
    GLASS,
    LEAVES,
    METAL,
    NOSE,
    PLAIN,
    ROOF,
    TAIL,
    UNDER,
    WALL,
    Skin,
)
from lanekeep_envs.renderer.objects.posts import FARTHEST_M, NEAREST_M
from lanekeep_envs.renderer.objects.quad_setup import add_face, seen_at, triple
from lanekeep_envs.renderer.objects.solids import Body, add_body, end_face, level_face, point, shown_part, side_face
from lanekeep_envs.sampling.roadside import DIRECTION

HEDGES, RAILS, SIGNS = int(Element.HEDGES), int(Element.RAILS), int(Element.SIGNS)
BUILDINGS, CARS = int(Element.BUILDINGS), int(Element.CARS)


@no_refcount
def skin_of(element, kind, colour, second, number, own):
    """A skin whose pattern begins in the middle of its face."""
    return Skin(element, kind, colour, second, number, own, 0.0, 0.0, 1.0, 0.0)


@no_refcount
def add_structure(easel, obj, place, appearance, lens):
    """Add a hedge, rail, sign or building at `place`."""
    kind, half_long = obj["kind"], 0.5 * obj["length_m"]
    if place[0] + half_long + obj["radius_m"] < NEAREST_M or place[0] - half_long > FARTHEST_M:
        return
    low, high = shown_part(place, -half_long, half_long, obj["radius_m"] + 0.5)
    if kind == HEDGE and high - low > 0.05:
        add_hedge(easel, obj, place, low, high, appearance, lens)
    elif kind == RAIL and high - low > 0.05:
        add_rail(easel, obj, place, low, high)
    elif kind == BUILDING and high - low > half_long:
        add_building(easel, obj, place, lens)
    elif kind > RAIL and kind != BUILDING and place[0] > NEAREST_M:
        add_sign(easel, obj, place)


@no_refcount
def add_hedge(easel, obj, place, low, high, appearance, lens):
    """Add a piece of hedge from `low` to `high` along it."""
    tint, half, scale = 1.05 * obj["tint"], obj["radius_m"], lens.focal_px / max(place[0], CUT_M)
    coarse = clip01((scale - 3.0) / 12.0)
    colour = tint * appearance["leaf_r"], tint * appearance["leaf_g"], tint * appearance["leaf_b"]
    at = obj["s_m"] + low
    flank = Skin(HEDGES, LEAVES, colour, colour, 0, obj["tint"], at, 0.0, 1.0, coarse)
    end = Skin(HEDGES, LEAVES, colour, colour, 0, obj["tint"], at, half, easel["mirror"], coarse)
    body = Body(low, high, half, 0.0, obj["height_m"], 0.0, 0.0, 0.86 * half)
    add_body(easel, place, body, flank, (end, end), flank, lens)


@no_refcount
def add_rail(easel, obj, place, low, high):
    """Add a piece of guard rail; it has no end, the next piece goes on."""
    skin = Skin(RAILS, BARRIER, METAL, METAL, 0, 0.0, low, 0.0, 1.0, 0.0)
    rail = Body(low, high, 0.0, 0.0, obj["height_m"], 0.0, 0.0, 0.0)
    add_face(easel, side_face(place, rail, 1.0), skin, (0.0, 0.5, 0.0, 0.5))


@no_refcount
def add_sign(easel, obj, place):
    """Add a sign: its pole, then the board; at night the board throws the headlights back."""
    half, tall = obj["radius_m"], obj["height_m"]
    shape = obj["variant"] if obj["variant"] >= 0 else -1 - obj["variant"]
    board_tall = 0.5 * half if shape == DIRECTION else half
    pole = Body(-0.04, 0.04, 0.04, 0.0, tall - board_tall, 0.0, 0.0, 0.04)
    grey = skin_of(SIGNS, PLAIN, METAL, METAL, 0, 0.0)
    shine = 0.9 * easel["night"] * min(40.0 * headlight(place[0], place[1]), 1.0)
    board = skin_of(SIGNS, BOARD, METAL, METAL, obj["variant"], shine)
    front = Body(-0.06, -0.06, half, tall - 2.0 * board_tall, tall, 0.0, 0.0, half)
    still = (0.0, 0.0, 0.0, 0.0)
    if place[2] > 0.0:
        add_face(easel, end_face(place, pole, -1.0), grey, still)
        add_face(easel, end_face(place, front, -1.0), board, still)
    else:
        add_face(easel, end_face(place, pole, 1.0), grey, still)
        add_face(easel, end_face(place, front, 1.0), board, still)


@no_refcount
def house_colours(variant):
    """(walls, shutters, roof) of a kind of building; 0 is a barn."""
    if variant == 0:
        return (112.0, 84.0, 60.0), (90.0, 64.0, 44.0), (104.0, 92.0, 84.0)
    if variant == 1:
        return (226.0, 220.0, 206.0), (70.0, 96.0, 66.0), (150.0, 74.0, 52.0)
    if variant == 2:
        return (222.0, 198.0, 146.0), (110.0, 70.0, 48.0), (132.0, 62.0, 46.0)
    if variant == 3:
        return (160.0, 84.0, 62.0), (230.0, 228.0, 222.0), (88.0, 84.0, 86.0)
    if variant == 4:
        return (232.0, 232.0, 230.0), (72.0, 92.0, 120.0), (82.0, 84.0, 90.0)
    return (206.0, 168.0, 136.0), (88.0, 104.0, 78.0), (158.0, 86.0, 60.0)


@no_refcount
def add_building(easel, obj, place, lens):
    """Add a house: walls, then a gable roof that reaches over them."""
    walls, shutters, tiles = house_colours(obj["variant"])
    half, tall, half_long = obj["radius_m"], obj["height_m"], 0.5 * obj["length_m"]
    walls, tiles = tinted(obj["tint"], walls), tinted(obj["tint"], tiles)
    number = 0 if obj["variant"] == 0 else int(obj["s_m"]) + 1
    flank = Skin(BUILDINGS, WALL, walls, shutters, number, easel["night"], 0.0, half_long, 1.0, 0.0)
    end = Skin(BUILDINGS, WALL, walls, shutters, number, easel["night"], 0.0, half, easel["mirror"], 0.0)
    body = Body(-half_long, half_long, half, 0.0, tall, 0.0, 0.0, half)
    add_body(easel, place, body, flank, (end, end), flank, lens)
    eaves, gable = 0.45, skin_of(BUILDINGS, PLAIN, walls, walls, 0, 0.0)
    roofing = skin_of(BUILDINGS, ROOF, tiles, tiles, 0, 0.0)
    roof = Body(-half_long - 0.3, half_long + 0.3, half + eaves, tall - 0.25, tall + 0.8 * half, 0.0, 0.0, 0.0)
    add_body(easel, place, roof, roofing, (gable, gable), roofing, lens)


@no_refcount
def paint_of(tint):
    """Colour of a car from a number between 0 and 1."""
    if tint < 0.22:
        return 34.0, 35.0, 38.0
    if tint < 0.42:
        return 150.0, 153.0, 158.0
    if tint < 0.60:
        return 226.0, 227.0, 226.0
    if tint < 0.72:
        return 44.0, 66.0, 112.0
    if tint < 0.84:
        return 150.0, 30.0, 32.0
    return (92.0, 96.0, 100.0) if tint < 0.94 else (58.0, 84.0, 66.0)


@no_refcount
def add_car(easel, vehicle, place, lens):
    """Add a car: the dark below it, body and cabin."""
    if place[0] - 2.2 < NEAREST_M or place[0] > FARTHEST_M:
        return
    colour, night = paint_of(vehicle["tint"]), easel["night"]
    lamps, tails = (255.0, 250.0, 232.0), (214.0, 26.0, 24.0)
    body = Body(-2.15, 2.15, 0.88, 0.0, 0.86, 0.0, 0.0, 0.86)
    cabin = Body(-1.95, 0.95, 0.82, 0.84, 1.46, 0.42, 0.80, 0.64)
    if vehicle["van"]:
        cabin = Body(-2.12, 1.35, 0.85, 0.84, 1.96, 0.08, 0.62, 0.78)
    paint = skin_of(CARS, PLAIN, colour, colour, 0, 0.0)
    under = level_face(place, Body(-2.4, 2.4, 1.1, 0.0, 0.0, 0.0, 0.0, 1.1), 0.0)
    still = (0.0, 0.0, 0.0, 0.0)
    add_face(easel, under, skin_of(CARS, UNDER, (14.0, 14.0, 15.0), colour, 0, 0.0), still)
    ends = (
        skin_of(CARS, NOSE, colour, lamps, 0, 0.25 + 0.75 * night),
        skin_of(CARS, TAIL, colour, tails, 0, 0.15 + 0.65 * night),
    )
    flank = skin_of(CARS, FLANK, colour, colour, 0, 0.0)
    add_body(easel, place, body, flank, ends, paint, lens)
    horizon = triple(easel["horizon"])
    glass, screen = (
        skin_of(CARS, GLASS, colour, horizon, 1, 0.0),
        skin_of(CARS, GLASS, colour, horizon, 0, 0.0),
    )
    add_body(easel, place, cabin, glass, (screen, screen), paint, lens)


@no_refcount
def draw_lamps(canvas, aov, easel, place, lens):
    """Paint the lamps of a car that are turned to the camera."""
    if place[0] - 2.2 < NEAREST_M or place[0] > FARTHEST_M:
        return
    night = easel["night"]
    faces_us = -(place[0] * place[2] + place[1] * place[3]) / np.sqrt(place[0] * place[0] + place[1] * place[1])
    front = faces_us > 0.0
    end = 2.15 if front else -2.15
    left, right = point(place, end, 0.66, 0.66), point(place, end, -0.66, 0.66)
    if front:
        draw_glows(
            canvas, aov, easel, left, right, (255.0, 244.0, 214.0), (0.10 + 0.9 * night) * faces_us, 0.35, lens
        )  # fmt: skip
    else:
        draw_glows(canvas, aov, easel, left, right, (220.0, 24.0, 18.0), -0.7 * night * faces_us, 0.22, lens)


class Glow(NamedTuple):
    """A lamp in the picture."""

    q: float  # place, from the middle of the image
    p: float
    halo: float  # radius [px]; 0 for none
    strength: float
    per_halo: float  # one over the squares of halo and core
    per_core: float


@no_refcount
def glow_of(easel, at, strength, size_m, lens):
    """How a lamp at `at` looks: a bright core and a faint halo, the same at every size of the image."""
    q, p, depth = seen_at((at[0], at[1], at[2] - lens.height_m), lens)
    if depth < CUT_M:
        return Glow(0.0, 0.0, 0.0, 0.0, 1.0, 1.0)
    scale = lens.focal_px / depth
    core, halo = max(0.35 * size_m * scale, 0.75), 0.030 * lens.focal_px + size_m * scale
    strength *= np.exp(-at[0] / easel["visibility_m"])
    return Glow(q, p, halo, strength, 1.0 / (halo * halo), 1.0 / (core * core))


@inline_always
def glow_at(glow, dq, dp):
    """Its light in a pixel so far from its middle."""
    square = dq * dq + dp * dp
    ring, wide = clip01(1.0 - square * glow.per_halo), square * glow.per_core
    return glow.strength * ring * ring * (0.16 + 1.1 / (1.0 + wide * wide))


@no_refcount
def draw_glows(canvas, aov, easel, left, right, colour, strength, size_m, lens):
    """Add the light of a pair of lamps; of both at once, so that it does not depend on which of them is which."""
    if strength <= 0.0:
        return
    a, b = glow_of(easel, left, strength, size_m, lens), glow_of(easel, right, strength, size_m, lens)
    reach, height, width = max(a.halo, b.halo), canvas.shape[1], canvas.shape[2]
    if reach == 0.0:
        return
    low, high = min(a.p, b.p) - reach + lens.centre_row, max(a.p, b.p) + reach + lens.centre_row
    near, far = min(a.q, b.q) - reach + lens.centre_column, max(a.q, b.q) + reach + lens.centre_column
    first, last = int(min(max(np.floor(near), 0.0), width)), int(max(min(far + 2.0, width), 0.0))
    first, last = first // 8 * 8, (last + 7) // 8 * 8  # a row is a multiple: none to do one by one
    start = first - lens.centre_column
    for i in range(int(max(np.floor(low), 0.0)), int(min(max(high + 2.0, 0.0), height))):
        red, green, blue = canvas[0, i, first:last], canvas[1, i, first:last], canvas[2, i, first:last]
        row = i - lens.centre_row
        for j in range(red.shape[0]):
            bright = glow_at(a, (start + j) - a.q, row - a.p) + glow_at(b, (start + j) - b.q, row - b.p)
            red[j] += bright * colour[0]
            green[j] += bright * colour[1]
            blue[j] += bright * colour[2]
        if aov.contributors.size > 0:
            note_glow(aov, i, first, last, start - a.q, (row - a.p) * (row - a.p), a.per_halo, CARS)
            note_glow(aov, i, first, last, start - b.q, (row - b.p) * (row - b.p), b.per_halo, CARS)


@no_refcount
def note_glow(aov, i, left, right, first, square, per_halo, element):
    """Note a lamp in the pixels of a row that its halo reaches, the first of them `first` from its middle."""
    for j in range(right - left):
        if 1.0 - ((first + j) * (first + j) + square) * per_halo > 0.0:
            aov.contributors[i, left + j] |= 1 << element
