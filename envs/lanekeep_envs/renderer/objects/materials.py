"""What faces show: the colour of a patch of pixels whose places (u, v) on a face are known.

What most pixels show is in single precision throughout, the rest as exact as a number in the text makes it.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.compiled.noise import TILE, TILE_SIZE, hash32, place, sample, texel, value_between
from lanekeep_envs.renderer.ground.cross_section import clip, clip01, mix, tinted
from lanekeep_envs.renderer.objects.fragments import (
    COVER,
    HALF,
    LOWER,
    ONE,
    OWN,
    PANES,
    PATCH,
    UPPER,
    ZERO,
    B,
    G,
    R,
    U,
    V,
    apart,
    pulse,
    ripple,
    single,
    within,
)
from lanekeep_envs.sampling.appearance import RGB
from lanekeep_envs.sampling.roadside import INFORMATION, LIMIT, PRIORITY, WARNING

PLAIN, LEAVES, BARRIER, WALL, ROOF, FLANK, NOSE, TAIL, GLASS, BOARD, UNDER = range(11)  # skins
METAL, DARK, WHITE = (158.0, 162.0, 166.0), (24.0, 25.0, 28.0), (236.0, 236.0, 232.0)
RED, YELLOW, BLUE, BLACK = (196.0, 28.0, 34.0), (240.0, 190.0, 20.0), (28.0, 78.0, 168.0), (20.0, 20.0, 20.0)
PANE = (44.0, 50.0, 58.0)
BEAM_M = 0.31  # how tall the beam of a guard rail is


class Skin(NamedTuple):
    """What a face shows."""

    element: int  # of the face
    kind: int
    colour: RGB
    second: RGB
    number: int
    own: float  # light that it sends out or throws back, as a share of its albedo
    at: float  # place in its pattern of the point u = `middle`; `side` is the way it runs from there
    middle: float
    side: float
    coarse: float  # strength of texture and outline


class Cloth(NamedTuple):
    """A face as its skin sees it: its extents, how many pixels a metre has, and how far leaves reach over its edge."""

    wide: float
    tall: float
    px_u: float
    px_v: float
    ragged: float  # [px]
    upright: bool


@inline_always
def dress(easel, tile, many, skin, cloth):
    """Write the albedo of a patch, the light of its own (0 so far), and take what its skin leaves open from its cover."""
    kind, numbers = skin.kind, easel["numbers"]
    if kind == LEAVES:
        show_leaves(easel, tile, many, skin, cloth)
    elif kind == BARRIER:
        show_barrier(numbers, many, skin, cloth)
    elif kind == WALL:
        show_wall(numbers, many, skin, cloth)
    elif kind == ROOF:
        show_roof(numbers, many, skin, cloth)
    elif kind == FLANK:
        show_flank(numbers, many, skin, cloth)
    elif kind in (NOSE, TAIL):
        show_end(numbers, many, skin, cloth)
    elif kind == GLASS:
        show_glass(numbers, many, skin, cloth)
    elif kind == BOARD:
        show_board(numbers, many, skin, cloth)
    else:
        show_plain(numbers, many, skin, cloth)


@inline_always
def shift_of(skin, cloth):
    """How far the middle of a face is from the point where its pattern is `skin.at`."""
    return 0.5 * cloth.wide - skin.middle


@inline_always
def put(patch, k, albedo):
    """Write the albedo of pixel k."""
    patch[R + k], patch[G + k], patch[B + k] = albedo[0], albedo[1], albedo[2]


@no_refcount
def show_plain(patch, many, skin, cloth):
    """One colour; below a car its shadow, which is dark in the middle."""
    fades, albedo = skin.kind == UNDER, single(skin.colour)
    for k in range(min(many, PATCH)):
        if fades:
            aside, ahead = 2.0 * abs(patch[U + k] / cloth.wide), 2.0 * abs(patch[V + k] / cloth.tall)
            patch[COVER + k] *= 0.75 * clip01(2.2 * (1.0 - aside)) * clip01(3.0 * (1.0 - ahead))
        put(patch, k, albedo)


@inline_always
def leaf_place(numbers, k, start, per_u, shift, tall, upright):
    """(texels along, height) of a pixel among leaves; on top of a hedge the pattern goes on from its upper edge."""
    v = numbers[V + k]
    return start + per_u * (numbers[U + k] + shift), v if upright else tall + abs(v)


@no_refcount
def show_leaves(easel, tile, many, skin, cloth):
    """Leaves, which make the upper edge ragged if they are near."""
    numbers, cells, colour, near = easel["numbers"], easel["cells"], single(skin.colour), skin.coarse > 0.0
    texels = 11.0 if near else 2.3  # per metre
    start = texels * skin.at
    along, per_u = np.float32(start - TILE_SIZE * np.floor(start / TILE_SIZE)), np.float32(texels * skin.side)
    tall, per_v, seed = single((cloth.tall, texels, 40.0 * skin.own if near else 0.0))
    shift, upright = np.float32(shift_of(skin, cloth)), cloth.upright
    for k in range(min(many, PATCH)):
        x, h = leaf_place(numbers, k, along, per_u, shift, tall, upright)
        cells[k] = place(np.floor(x), np.floor(per_v * h + seed))
    for k in range(min(many, PATCH)):
        cells[k] = tile[cells[k]]
    dark, rise, per_tall = single((0.62, 0.38, 1.0 / cloth.tall))
    if near:
        coarse, ragged, rough_light = single((skin.coarse, cloth.ragged, 0.55))
        for k in range(min(many, PATCH)):
            x, h = leaf_place(numbers, k, along, per_u, shift, tall, upright)
            y = per_v * h + seed
            rough = coarse * value_between(cells[k], x - np.floor(x), y - np.floor(y))
            upper = clip(numbers[UPPER + k] + ragged * (rough - HALF))
            numbers[COVER + k] *= max(numbers[LOWER + k] + upper - ONE, ZERO)
            put(numbers, k, tinted(dark + rise * min(h * per_tall, ONE) + rough_light * rough, colour))
    else:
        tuft, grey = np.float32(0.14 / 127.0), np.float32(128.0)
        for k in range(min(many, PATCH)):
            _, h = leaf_place(numbers, k, along, per_u, shift, tall, upright)
            light = tuft * (np.float32(np.int32(cells[k] & 255)) - grey)
            put(numbers, k, tinted(dark + rise * min(h * per_tall, ONE) + light, colour))


@no_refcount
def show_barrier(patch, many, skin, cloth):
    """A guard rail: its waved beam, and the legs below it."""
    colour, sharp = single(skin.colour), clip01(2.0 - 6.0 / (BEAM_M * cloth.px_v))
    bottom, px_u, px_v = single((cloth.tall - BEAM_M, cloth.px_u, cloth.px_v))
    at, thick, apart_m = single((skin.at + 0.5 * cloth.wide, 0.06, 2.0))
    back, depth, per_wave = single((0.86, 0.26 * sharp, 2.0 / BEAM_M))
    leg = np.float32(0.7)
    for k in range(min(many, PATCH)):
        s, v = at + patch[U + k], patch[V + k] - bottom
        beam = within(-v, ZERO, px_v)
        wave = back - depth * ripple(v * per_wave)
        patch[COVER + k] *= max(beam, pulse(apart(s, apart_m), thick, px_u))
        put(patch, k, tinted(leg + beam * (wave - leg), colour))


@no_refcount
def show_wall(patch, many, skin, cloth):
    """A plastered wall with windows and shutters, some of them lit; or boards without any (number 0)."""
    tile, sharp, shift = TILE, 0.10 * clip01(2.0 - 8.0 / cloth.px_u), shift_of(skin, cloth)
    for k in range(min(many, PATCH)):
        s, v = skin.at + skin.side * (patch[U + k] + shift), patch[V + k]
        stain = 1.0 + 0.07 * texel(tile, 0.9 * s, 0.9 * v) - 0.12 * clip01(1.0 - 1.5 * v)
        boards = sharp * ripple(2.0 * s) if skin.number == 0 else 0.0
        put(patch, k, tinted(stain + boards, skin.colour))
    if skin.number != 0:
        show_windows(patch, many, skin, cloth)
        if skin.own > 0.0:
            light_windows(patch, many, skin, cloth)


@no_refcount
def show_windows(patch, many, skin, cloth):
    """Windows in a wall, dark, and, where they are lit, their share of glass (in PANES)."""
    glows, shift, half = 1.0 if skin.own > 0.0 else 0.0, shift_of(skin, cloth), 0.5 * cloth.wide - 0.5
    for k in range(min(many, PATCH)):
        u, v = patch[U + k], patch[V + k]
        across, up = apart(skin.at + skin.side * (u + shift), 2.6), apart(v, 2.8) + 0.05
        room = clip01((half + u) * cloth.px_u) * clip01((half - u) * cloth.px_u)  # no window on a corner
        high = room * pulse(up, 0.72, cloth.px_v)
        glass = room * pulse(across, 0.50, cloth.px_u) * pulse(up, 0.62, cloth.px_v)
        plaster = (patch[R + k], patch[G + k], patch[B + k])
        albedo = mix(plaster, skin.second, high * pulse(abs(across) - 0.86, 0.25, cloth.px_u))
        albedo = mix(albedo, WHITE, high * pulse(across, 0.60, cloth.px_u))
        patch[PANES + k] = glows * glass
        put(patch, k, mix(albedo, PANE, glass))


@no_refcount
def light_windows(patch, many, skin, cloth):
    """Light in some of the windows."""
    shift = shift_of(skin, cloth)
    for k in range(min(many, PATCH)):
        s, v = skin.at + skin.side * (patch[U + k] + shift), patch[V + k]
        column, floor = np.int64(np.floor(s * (1.0 / 2.6))), np.int64(np.floor(v * (1.0 / 2.8)))
        lit = skin.own * patch[PANES + k] if hash32(column, floor, skin.number, 7) % 5 < 2 else 0.0
        patch[OWN + k] += lit
        patch[R + k] += lit * (255.0 - PANE[0])
        patch[G + k] += lit * (196.0 - PANE[1])
        patch[B + k] += lit * (110.0 - PANE[2])


@no_refcount
def show_roof(patch, many, skin, cloth):
    """Rows of tiles."""
    tile, sharp, half = TILE, 0.10 * clip01(2.0 - 12.0 / cloth.px_v), 0.5 * cloth.wide
    for k in range(min(many, PATCH)):
        s, v = patch[U + k] + half, patch[V + k]
        stain = 0.95 + sharp * ripple(v * (1.0 / 0.35)) + 0.15 * sample(tile, 1.5 * s, 3.0 * v)
        put(patch, k, tinted(stain, skin.colour))


@no_refcount
def show_flank(patch, many, skin, cloth):
    """The side of a car: paint, wheels in their arches and air between them."""
    px = 2.0 / (1.0 / cloth.px_u + 1.0 / cloth.px_v)
    for k in range(min(many, PATCH)):
        v = patch[V + k]
        along, up = abs(patch[U + k]) - 1.28, v - 0.32
        hub = np.sqrt(along * along + up * up)
        wheel, above = within(hub, 0.32, px), within(-v, -0.20, px)
        albedo = tinted(0.82 + 0.25 * v - 0.12 * pulse(v - 0.30, 0.06, px), skin.colour)
        metal = mix(DARK, (122.0, 124.0, 128.0), within(hub, 0.19, px))
        patch[COVER + k] *= above * (1.0 - wheel) + wheel
        put(patch, k, mix(metal, albedo, above * within(-hub, -0.37, px)))


@no_refcount
def show_end(patch, many, skin, cloth):
    """Front or rear of a car: lamps, number plate, grille or bumper."""
    px_u, px_v = cloth.px_u, cloth.px_v
    wide, at, tall = (0.42, 0.60, 0.09) if skin.kind == NOSE else (2.0, 0.34, 0.12)
    for k in range(min(many, PATCH)):
        aside, v = abs(patch[U + k]), patch[V + k]
        body = within(-v, -0.24, px_v)
        wheel = pulse(aside - 0.72, 0.11, px_u) * within(v, 0.30, px_v)
        lamp = pulse(aside - 0.66, 0.16, px_u) * pulse(v - 0.66, 0.09, px_v)
        dark = 0.8 * within(aside, wide, px_u) * pulse(v - at, tall, px_v)
        albedo = mix(tinted(0.82 + 0.25 * v, skin.colour), DARK, dark)
        albedo = mix(albedo, WHITE, within(aside, 0.26, px_u) * pulse(v - 0.44, 0.06, px_v))
        patch[COVER + k] *= max(body, wheel)
        patch[OWN + k] += skin.own * lamp
        put(patch, k, mix(mix(DARK, albedo, body), skin.second, lamp))


@no_refcount
def show_glass(patch, many, skin, cloth):
    """The windows of a car; with a pillar in the middle if the skin's number is 1."""
    for k in range(min(many, PATCH)):
        u, v = patch[U + k], patch[V + k]
        middle = pulse(u - 0.02 * cloth.wide, 0.05, cloth.px_u) * skin.number
        pane = mix((30.0, 36.0, 42.0), skin.second, 0.15 + v * (0.35 / cloth.tall))
        put(patch, k, mix(pane, skin.colour, max(pulse(v - cloth.tall, 0.07, cloth.px_v), middle)))


@no_refcount
def show_board(patch, many, skin, cloth):
    """A sign, in colour or from behind."""
    px = 0.5 * cloth.px_u * cloth.wide
    for k in range(min(many, PATCH)):
        u, v = patch[U + k] * (2.0 / cloth.wide), patch[V + k] * (2.0 / cloth.tall) - 1.0
        cover, sheet = board_at(skin.number if skin.number >= 0 else -1 - skin.number, u, v, px)
        patch[COVER + k] *= cover
        patch[OWN + k] += skin.own if skin.number >= 0 else 0.0
        put(patch, k, sheet if skin.number >= 0 else METAL)


@no_refcount
def board_at(shape, u, v, px):
    """(cover, albedo) of a sign in (-1, 1) x (-1, 1); symmetric, so that its mirror image is a sign too."""
    side, inner = abs(u), 0.0
    if shape == LIMIT:  # red ring, two black zeros
        off = np.sqrt(u * u + v * v)
        zero = np.sqrt((side - 0.30) * (side - 0.30) * 2.6 + v * v)
        inside, rim = 1.0 - off, 0.74 - off
        colour, inner, ink = RED, 1.0, within(abs(zero - 0.33), 0.09, px)
    elif shape == WARNING:  # red triangle, exclamation mark
        inside = 0.58 - max(0.866 * side + 0.5 * (v + 0.16), -(v + 0.16))
        rim = inside - 0.20
        colour, inner = RED, 1.0
        ink = pulse(side, 0.08, px) * max(pulse(v - 0.08, 0.24, px), pulse(v + 0.38, 0.07, px))
    elif shape == PRIORITY:  # white diamond, yellow inside
        inside = 0.7071 * (1.0 - side - abs(v))
        rim, colour, ink = inside - 0.20, WHITE, 0.0
    else:  # blue with a white field, or yellow with black letters
        inside = min(1.0 - side, 0.92 - abs(v))
        rim = inside - 0.10
        colour = BLUE if shape == INFORMATION else BLACK
        ink = pulse(side, 0.55, px) * max(pulse(v - 0.35, 0.13, px), pulse(v + 0.35, 0.13, px))
    field = mix(YELLOW, WHITE, inner)
    if shape == INFORMATION:
        field = BLUE
    sheet = mix(colour, mix(field, WHITE if shape == INFORMATION else BLACK, ink), clip01(rim * px + 0.5))
    return clip01(inside * px + 0.5), sheet
