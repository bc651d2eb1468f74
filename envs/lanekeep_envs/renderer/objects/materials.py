"""Materials: the albedo of fragments whose places (u, v) on a quad are known, and what they leave open of its cover.

What most pixels show is in single precision throughout, the rest as exact as a number in the text makes it.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.compiled.noise import TILE, TILE_SIZE, hash32, look_up, place, sample, texel, value_between
from lanekeep_envs.renderer.coverage import (
    HALF,
    ONE,
    ZERO,
    apart,
    clip,
    clip01,
    mix,
    pulse,
    ripple,
    single,
    tinted,
    within,
)
from lanekeep_envs.renderer.objects.fragments import COVER, EMISSION, FRAGMENTS, LOWER, PANES, UPPER, B, G, R, U, V
from lanekeep_envs.renderer.objects.signs import WHITE, sign_at
from lanekeep_envs.sampling.appearance import RGB

PLAIN, LEAVES, BARRIER, WALL, ROOF, FLANK, NOSE, TAIL, GLASS, BOARD, UNDER = range(11)  # kinds
METAL, DARK, PANE = (158.0, 162.0, 166.0), (24.0, 25.0, 28.0), (44.0, 50.0, 58.0)
BEAM_M = 0.31  # how tall the beam of a guard rail is


class Material(NamedTuple):
    """What a quad shows."""

    element: int
    kind: int
    colour: RGB
    second: RGB
    number: int
    emission: float  # light that it sends out or throws back, as a share of its albedo
    at: float  # place in its pattern of the point u = `middle`; `side` is the way it runs from there
    middle: float
    side: float
    coarse: float  # strength of texture and outline


@no_refcount
def centred_material(element, kind, colour, second, number, emission):
    """A material whose pattern begins in the middle of its quad."""
    return Material(element, kind, colour, second, number, emission, 0.0, 0.0, 1.0, 0.0)


class QuadSize(NamedTuple):
    """Extents of a quad, how many pixels a metre of it has, and how far leaves reach over its edge."""

    wide: float
    tall: float
    px_u: float
    px_v: float
    ragged: float  # [px]
    upright: bool


@inline_always
def shade(quads, tile, count, material, size):
    """Write the albedo of the fragments, add the light that they emit, and take what they leave open from their cover."""
    kind, numbers = material.kind, quads["numbers"]
    if kind == LEAVES:
        shade_leaves(quads, tile, count, material, size)
    elif kind == BARRIER:
        shade_barrier(numbers, count, material, size)
    elif kind == WALL:
        shade_wall(numbers, count, material, size)
    elif kind == ROOF:
        shade_roof(numbers, count, material, size)
    elif kind == FLANK:
        shade_flank(numbers, count, material, size)
    elif kind in (NOSE, TAIL):
        shade_end(numbers, count, material, size)
    elif kind == GLASS:
        shade_glass(numbers, count, material, size)
    elif kind == BOARD:
        shade_sign(numbers, count, material, size)
    else:
        shade_plain(numbers, count, material, size)


@inline_always
def shift_of(material, size):
    """How far the middle of a quad is from the point where its pattern is at `material.at`."""
    return 0.5 * size.wide - material.middle


@inline_always
def store_albedo(numbers, k, albedo):
    """Write the albedo of fragment k."""
    numbers[R + k], numbers[G + k], numbers[B + k] = albedo[0], albedo[1], albedo[2]


@no_refcount
def shade_plain(numbers, count, material, size):
    """One colour; below a car its shadow, which is dark in the middle."""
    fades, albedo = material.kind == UNDER, single(material.colour)
    for k in range(min(count, FRAGMENTS)):
        if fades:
            aside, ahead = 2.0 * abs(numbers[U + k] / size.wide), 2.0 * abs(numbers[V + k] / size.tall)
            numbers[COVER + k] *= 0.75 * clip01(2.2 * (1.0 - aside)) * clip01(3.0 * (1.0 - ahead))
        store_albedo(numbers, k, albedo)


@inline_always
def leaf_place(numbers, k, start, per_u, shift, tall, upright):
    """(texels along, height) of a fragment among leaves; on top of a hedge the pattern goes on from its upper edge."""
    v = numbers[V + k]
    return start + per_u * (numbers[U + k] + shift), v if upright else tall + abs(v)


@no_refcount
def shade_leaves(quads, tile, count, material, size):
    """Leaves, which make the upper edge ragged if they are near."""
    numbers, cells, colour, near = quads["numbers"], quads["cells"], single(material.colour), material.coarse > 0.0
    texels = 11.0 if near else 2.3  # per metre
    start = texels * material.at
    along, per_u = np.float32(start - TILE_SIZE * np.floor(start / TILE_SIZE)), np.float32(texels * material.side)
    tall, per_v, seed = single((size.tall, texels, 40.0 * material.emission if near else 0.0))
    shift, upright = np.float32(shift_of(material, size)), size.upright
    for k in range(min(count, FRAGMENTS)):
        x, h = leaf_place(numbers, k, along, per_u, shift, tall, upright)
        cells[k] = place(np.floor(x), np.floor(per_v * h + seed))
    look_up(cells[: min(count, FRAGMENTS)], tile)
    dark, rise, per_tall = single((0.62, 0.38, 1.0 / size.tall))
    if near:
        coarse, ragged, rough_light = single((material.coarse, size.ragged, 0.55))
        for k in range(min(count, FRAGMENTS)):
            x, h = leaf_place(numbers, k, along, per_u, shift, tall, upright)
            y = per_v * h + seed
            rough = coarse * value_between(cells[k], x - np.floor(x), y - np.floor(y))
            upper = clip(numbers[UPPER + k] + ragged * (rough - HALF))
            numbers[COVER + k] *= max(numbers[LOWER + k] + upper - ONE, ZERO)
            store_albedo(numbers, k, tinted(dark + rise * min(h * per_tall, ONE) + rough_light * rough, colour))
    else:
        tuft, grey = np.float32(0.14 / 127.0), np.float32(128.0)
        for k in range(min(count, FRAGMENTS)):
            _, h = leaf_place(numbers, k, along, per_u, shift, tall, upright)
            light = tuft * (np.float32(np.int32(cells[k] & 255)) - grey)
            store_albedo(numbers, k, tinted(dark + rise * min(h * per_tall, ONE) + light, colour))


@no_refcount
def shade_barrier(numbers, count, material, size):
    """A guard rail: its waved beam, and the legs below it."""
    colour, sharp = single(material.colour), clip01(2.0 - 6.0 / (BEAM_M * size.px_v))
    bottom, px_u, px_v = single((size.tall - BEAM_M, size.px_u, size.px_v))
    at, thick, apart_m = single((material.at + 0.5 * size.wide, 0.06, 2.0))
    back, depth, per_wave = single((0.86, 0.26 * sharp, 2.0 / BEAM_M))
    leg = np.float32(0.7)
    for k in range(min(count, FRAGMENTS)):
        s, v = at + numbers[U + k], numbers[V + k] - bottom
        beam = within(-v, ZERO, px_v)
        wave = back - depth * ripple(v * per_wave)
        numbers[COVER + k] *= max(beam, pulse(apart(s, apart_m), thick, px_u))
        store_albedo(numbers, k, tinted(leg + beam * (wave - leg), colour))


@no_refcount
def shade_wall(numbers, count, material, size):
    """A plastered wall with windows and shutters, some of them lit; or boards without any (number 0)."""
    tile, sharp, shift = TILE, 0.10 * clip01(2.0 - 8.0 / size.px_u), shift_of(material, size)
    for k in range(min(count, FRAGMENTS)):
        s, v = material.at + material.side * (numbers[U + k] + shift), numbers[V + k]
        stain = 1.0 + 0.07 * texel(tile, 0.9 * s, 0.9 * v) - 0.12 * clip01(1.0 - 1.5 * v)
        boards = sharp * ripple(2.0 * s) if material.number == 0 else 0.0
        store_albedo(numbers, k, tinted(stain + boards, material.colour))
    if material.number != 0:
        shade_windows(numbers, count, material, size)
        if material.emission > 0.0:
            light_windows(numbers, count, material, size)


@no_refcount
def shade_windows(numbers, count, material, size):
    """Windows in a wall, dark, and, where they are lit, their share of glass (in PANES)."""
    glows, shift, half = 1.0 if material.emission > 0.0 else 0.0, shift_of(material, size), 0.5 * size.wide - 0.5
    for k in range(min(count, FRAGMENTS)):
        u, v = numbers[U + k], numbers[V + k]
        across, up = apart(material.at + material.side * (u + shift), 2.6), apart(v, 2.8) + 0.05
        room = clip01((half + u) * size.px_u) * clip01((half - u) * size.px_u)  # no window on a corner
        high = room * pulse(up, 0.72, size.px_v)
        glass = room * pulse(across, 0.50, size.px_u) * pulse(up, 0.62, size.px_v)
        plaster = (numbers[R + k], numbers[G + k], numbers[B + k])
        albedo = mix(plaster, material.second, high * pulse(abs(across) - 0.86, 0.25, size.px_u))
        albedo = mix(albedo, WHITE, high * pulse(across, 0.60, size.px_u))
        numbers[PANES + k] = glows * glass
        store_albedo(numbers, k, mix(albedo, PANE, glass))


@no_refcount
def light_windows(numbers, count, material, size):
    """Light in some of the windows."""
    shift = shift_of(material, size)
    for k in range(min(count, FRAGMENTS)):
        s, v = material.at + material.side * (numbers[U + k] + shift), numbers[V + k]
        column, floor = np.int64(np.floor(s * (1.0 / 2.6))), np.int64(np.floor(v * (1.0 / 2.8)))
        lit = material.emission * numbers[PANES + k] if hash32(column, floor, material.number, 7) % 5 < 2 else 0.0
        numbers[EMISSION + k] += lit
        numbers[R + k] += lit * (255.0 - PANE[0])
        numbers[G + k] += lit * (196.0 - PANE[1])
        numbers[B + k] += lit * (110.0 - PANE[2])


@no_refcount
def shade_roof(numbers, count, material, size):
    """Rows of tiles."""
    tile, sharp, half = TILE, 0.10 * clip01(2.0 - 12.0 / size.px_v), 0.5 * size.wide
    for k in range(min(count, FRAGMENTS)):
        s, v = numbers[U + k] + half, numbers[V + k]
        stain = 0.95 + sharp * ripple(v * (1.0 / 0.35)) + 0.15 * sample(tile, 1.5 * s, 3.0 * v)
        store_albedo(numbers, k, tinted(stain, material.colour))


@no_refcount
def shade_flank(numbers, count, material, size):
    """The side of a car: paint, wheels in their arches and air between them."""
    px = 2.0 / (1.0 / size.px_u + 1.0 / size.px_v)
    for k in range(min(count, FRAGMENTS)):
        v = numbers[V + k]
        along, up = abs(numbers[U + k]) - 1.28, v - 0.32
        hub = np.sqrt(along * along + up * up)
        wheel, above = within(hub, 0.32, px), within(-v, -0.20, px)
        albedo = tinted(0.82 + 0.25 * v - 0.12 * pulse(v - 0.30, 0.06, px), material.colour)
        metal = mix(DARK, (122.0, 124.0, 128.0), within(hub, 0.19, px))
        numbers[COVER + k] *= above * (1.0 - wheel) + wheel
        store_albedo(numbers, k, mix(metal, albedo, above * within(-hub, -0.37, px)))


@no_refcount
def shade_end(numbers, count, material, size):
    """Front or rear of a car: lamps, number plate, grille or bumper."""
    px_u, px_v = size.px_u, size.px_v
    wide, at, tall = (0.42, 0.60, 0.09) if material.kind == NOSE else (2.0, 0.34, 0.12)
    for k in range(min(count, FRAGMENTS)):
        aside, v = abs(numbers[U + k]), numbers[V + k]
        body = within(-v, -0.24, px_v)
        wheel = pulse(aside - 0.72, 0.11, px_u) * within(v, 0.30, px_v)
        lamp = pulse(aside - 0.66, 0.16, px_u) * pulse(v - 0.66, 0.09, px_v)
        dark = 0.8 * within(aside, wide, px_u) * pulse(v - at, tall, px_v)
        albedo = mix(tinted(0.82 + 0.25 * v, material.colour), DARK, dark)
        albedo = mix(albedo, WHITE, within(aside, 0.26, px_u) * pulse(v - 0.44, 0.06, px_v))
        numbers[COVER + k] *= max(body, wheel)
        numbers[EMISSION + k] += material.emission * lamp
        store_albedo(numbers, k, mix(mix(DARK, albedo, body), material.second, lamp))


@no_refcount
def shade_glass(numbers, count, material, size):
    """The windows of a car; with a pillar in the middle if the material's number is 1."""
    for k in range(min(count, FRAGMENTS)):
        u, v = numbers[U + k], numbers[V + k]
        middle = pulse(u - 0.02 * size.wide, 0.05, size.px_u) * material.number
        pane = mix((30.0, 36.0, 42.0), material.second, 0.15 + v * (0.35 / size.tall))
        store_albedo(numbers, k, mix(pane, material.colour, max(pulse(v - size.tall, 0.07, size.px_v), middle)))


@no_refcount
def shade_sign(numbers, count, material, size):
    """A sign, in colour or from behind."""
    px = 0.5 * size.px_u * size.wide
    for k in range(min(count, FRAGMENTS)):
        u, v = numbers[U + k] * (2.0 / size.wide), numbers[V + k] * (2.0 / size.tall) - 1.0
        cover, sheet = sign_at(material.number if material.number >= 0 else -1 - material.number, u, v, px)
        numbers[COVER + k] *= cover
        numbers[EMISSION + k] += material.emission if material.number >= 0 else 0.0
        store_albedo(numbers, k, sheet if material.number >= 0 else METAL)
