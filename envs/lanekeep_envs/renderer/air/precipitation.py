"""Precipitation: rain and snowfall, and the light of the headlights on them.

Drops and flakes are hashes of the frame and the episode's seed: each frame has its own.  One at distance X ahead, under the
slopes u to the left and h below the horizon, moves through the picture of a car at speed v by

    du/dt = (u v + wind) / X        dh/dt = (h v + fall) / X

so everything streams from a point above the vanishing point, rain from higher up than snow, and draws a streak as long as
the shutter is open.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, jit, no_refcount, noalias
from lanekeep_envs.compiled.noise import hash32
from lanekeep_envs.dynamics.vehicle import CONTROL_STEP_S
from lanekeep_envs.renderer.coverage import shifted
from lanekeep_envs.renderer.headlights import headlight

PER_RADIAN2 = 1000.0  # drops or flakes at strength 1 in a square of the picture that is as wide as it is far off
BATCH = 64  # drops at once
ROWS = 16  # of a streak that are drawn at once
DEPOSITS = 64 * ROWS  # amounts that are worked out before they are added: what was just written cannot be read at once
FINEST = 131072.0  # parts of an optical depth of 1 that a cell counts, unless that would be more than
MOST = 2097151.0  # all that its 21 bits hold
SPARE_PX = 0.01  # so much more than a streak's width is drawn, whatever was rounded
LIT_M = 2.5  # what falls is lit by the headlights as if it were so far ahead


class Falling(NamedTuple):
    """A kind of precipitation."""

    kind: int  # of its hashes
    fall_mps: float
    wind_mps: float  # at most
    size_m: float
    shutter_s: float
    nearest_m: float
    farthest_m: float
    cover: float  # of a drop wider than a pixel
    soft: float  # how much of its radius is edge
    grey: float  # in full light


RAIN = Falling(1, 8.0, 3.0, 0.007, 0.022, 1.2, 14.0, 0.50, 0.0, 255.0)
SNOW = Falling(2, 1.3, 2.0, 0.016, 0.003, 1.3, 14.0, 0.85, 1.2, 262.0)


@inline_always
def part(bits, shift):
    """Return one of the four bytes of a hash, 0 to 1."""
    return ((bits >> shift & 255) + 0.5) * (1.0 / 256.0)


@jit
def let_fall(colour, fallen, beam, strength, falling, car, appearance, lens):
    """Draw what falls over the picture [3, H, W]; `lens` is that of the picture.

    `fallen` are empty cells (`cells_of`), and are left empty: each is emptied soon after it was read, while it is cached.
    """
    size, centre = (colour.shape[1], colour.shape[2]), (lens.centre_row, lens.centre_column)
    many = strength * PER_RADIAN2 * (size[1] / lens.focal_px) * (size[0] / lens.focal_px)
    number, depth = int(np.ceil(many)), 0.0
    drops, streaks = np.empty((-(-number // BATCH), 6 * BATCH)), np.empty(11 * BATCH, np.float32)
    spans, places, amounts = np.empty(6 * BATCH, np.int32), np.empty(DEPOSITS, np.uint32), np.empty(DEPOSITS, np.int64)
    for n in range(drops.shape[0]):
        spread_drops(drops[n], n * BATCH, many, falling, car, appearance, size, lens)
        for k in range(min(number - n * BATCH, BATCH)):
            depth += drops[n, 5 * BATCH + k]
    # at high speed all streaks run through the point that the car drives to: there is room for all of them in one pixel
    unit = min(FINEST, (MOST - number) / max(depth, 1e-6))
    for n in range(drops.shape[0]):
        shape_streaks(streaks, spans, drops[n], unit, falling.soft, size, centre)
        count = min(number - n * BATCH, BATCH)
        add_streaks(fallen, streaks, spans, count, places, amounts.view(np.uint32), amounts)
    mix_falling(colour, fallen, np.float32(1.0 / unit), beam, falling.grey, appearance)


@jit
def cells_of(height, width):
    """Return how many cells `let_fall` needs to add up what falls in a picture of this size."""
    return (height + ROWS) * (width + 2) + (height + 2) * (width + ROWS)


@jit
def beam_of(lens, width):
    """Return the light of the headlights on what falls in each column of the picture, [W]."""
    beam = np.zeros(width, np.float32)
    for j in range(width):
        beam[j] = headlight(LIT_M, LIT_M * (lens.centre_column - j) / lens.focal_px)
    return beam


@no_refcount
def spread_drops(drops, first, many, falling, car, appearance, size, lens):
    """Fill drops [6 x BATCH]: places right of the centre and below it, ways to the right and down [px], radii, depths.

    `BATCH` at once, line by line in one array: so the compiler knows how far apart they lie, and takes eight at a time.
    """
    height, width = size
    speed, mirror, seed, focal_px = car["speed"], appearance["mirror"], appearance["noise_seed"], lens.focal_px
    wind = falling.wind_mps * (2.0 * part(hash32(falling.kind, 1, 2, seed), 8) - 1.0)
    horizon, frame, kind = lens.sin_pitch / lens.cos_pitch, car["steps"], falling.kind
    shutter_s = max(falling.shutter_s, CONTROL_STEP_S * appearance["motion_blur"])
    for k in range(BATCH):
        number = first + k
        bits, more = hash32(number, 16 + kind, frame, seed), hash32(number, 32 + kind, frame, seed)
        sided = 1.2 * (((bits & 65535) + 0.5) / 65536.0 - 0.5) * width / focal_px
        down = 1.2 * (((bits >> 16) + 0.5) / 65536.0 - 0.5) * height / focal_px
        near_per_m = part(more, 0) / falling.nearest_m + (1.0 - part(more, 0)) / falling.farthest_m
        size_px = falling.size_m * (0.6 + 0.8 * part(more, 8)) * near_per_m * focal_px
        way_px = shutter_s * near_per_m * focal_px
        right = -mirror * (sided * speed + wind) * way_px
        fall = ((down + horizon) * speed + falling.fall_mps * (0.8 + 0.4 * part(more, 16))) * way_px
        # what is narrower than a pixel covers a part of it, and what moves on covers each place for a part of the time
        spread = np.sqrt(size_px / (size_px + 0.25 * np.sqrt(right * right + fall * fall)))
        cover = falling.cover * min(size_px / 0.8, 1.0) * spread * min(many - number, 1.0)
        drops[k], drops[BATCH + k] = -mirror * sided * focal_px, down * focal_px
        drops[2 * BATCH + k], drops[3 * BATCH + k] = right, fall
        drops[4 * BATCH + k], drops[5 * BATCH + k] = max(0.5 * size_px, 0.4), optical_depth(cover)


@inline_always
def optical_depth(cover):
    """Return -log(1 - cover), up to 0.9, eight at a time: by the series of an eighth root's logarithm."""
    root = np.sqrt(np.sqrt(np.sqrt(1.0 - cover)))
    s = (1.0 - root) / (1.0 + root)
    z = s * s
    return 16.0 * s * (1.0 + z * (1.0 / 3.0 + z * (0.2 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z * (1.0 / 11.0))))))


@no_refcount
def shape_streaks(streaks, spans, drops, unit, soft, size, centre):
    """Turn drops into streaks [11 x BATCH] and where these lie among the cells, spans [6 x BATCH].

    `size` is that of the picture, rows and columns, and `centre` its centre.

    A streak is an ellipse, longer than the drop by its way.  What runs more down than aside (`v` down, `u` to the right) is
    drawn row by row, else (`level`) column by column: a few pixels of each.
    """
    height, width = size
    centre_row, centre_column = centre
    for k in range(BATCH):
        right, below, way_right, way_down = drops[k], drops[BATCH + k], drops[2 * BATCH + k], drops[3 * BATCH + k]
        radius, depth = drops[4 * BATCH + k], unit * drops[5 * BATCH + k]
        level = abs(way_right) > abs(way_down)
        u, way_u, centre_u = (below, way_down, centre_row) if level else (right, way_right, centre_column)
        v, way_v, centre_v = (right, way_right, centre_column) if level else (below, way_down, centre_row)
        across, along = (height, width) if level else (width, height)
        way = np.sqrt(way_u * way_u + way_v * way_v)
        moves, per_way = way > 1e-6, 1.0 / max(way, 1e-6)
        a, b = way_u * per_way if moves else 0.0, way_v * per_way if moves else 1.0
        long, wide = 1.0 / ((0.5 * way + radius) * (0.5 * way + radius)), 1.0 / (radius * radius)
        uu, uv = a * a * long + b * b * wide, a * b * (long - wide)
        steep, edge_px = 0.5 * radius, 1.0 + soft * radius
        steep, lean, narrow = steep / edge_px, uv / uu, long * wide / uu
        reach, half = np.sqrt((1.0 + 0.5 / steep) / narrow), np.sqrt((1.0 + 0.5 / steep) / uu) + SPARE_PX
        threes = min(np.floor(half * (2.0 / 3.0)) + 1.0, np.floor(across / 3.0))
        # rows in which the streak is beside the picture are left out
        sure, middle = lean if abs(lean) > 1e-9 else 1e-9, centre_u + u
        enter, leave = (middle + half + 1.0) / sure, (middle - half - across - 1.0) / sure
        first, last = centre_v + v + max(-reach, min(enter, leave)), centre_v + v + min(reach, max(enter, leave))
        spans[k], spans[BATCH + k] = np.ceil(min(max(first, 0.0), along)), np.floor(max(min(last + 1.0, along), 0.0))
        spans[2 * BATCH + k] = threes
        spans[3 * BATCH + k] = (height + ROWS) * (width + 2) + 2 * (width + ROWS) if level else 2
        spans[4 * BATCH + k], spans[5 * BATCH + k] = 1 if level else width + 2, width + ROWS if level else 1
        streaks[k], streaks[BATCH + k], streaks[2 * BATCH + k], streaks[3 * BATCH + k] = centre_u, centre_v, u, v
        streaks[4 * BATCH + k], streaks[5 * BATCH + k], streaks[6 * BATCH + k] = half, lean, across - 3.0 * threes
        streaks[7 * BATCH + k], streaks[8 * BATCH + k] = depth * steep * narrow, depth * steep * uu
        streaks[9 * BATCH + k], streaks[10 * BATCH + k] = depth * (0.5 + steep) + 0.5, depth + 0.5


@no_refcount
def add_streaks(fallen, streaks, spans, count, places, halves, amounts):
    """Add level - vv v^2 - uu (u + lean v)^2, where that is between nothing and the drop's depth, to the cells.

    A cell holds what begins there, three pixels in 21 bits each, in whole numbers: their sums are exact in any order.
    `ROWS` rows at once; `places` and `amounts` are work space, `halves` are those of the amounts.
    """
    one, two, filled = np.float32(1.0), np.float32(2.0), 0
    for k in range(count):
        first, last, threes = spans[k], spans[BATCH + k], spans[2 * BATCH + k]
        origin, step, aside = spans[3 * BATCH + k], spans[4 * BATCH + k], spans[5 * BATCH + k]
        centre_u, centre_v, u, v = streaks[k], streaks[BATCH + k], streaks[2 * BATCH + k], streaks[3 * BATCH + k]
        left, lean, farthest = centre_u - streaks[4 * BATCH + k], streaks[5 * BATCH + k], streaks[6 * BATCH + k]
        vv, uu = streaks[7 * BATCH + k], streaks[8 * BATCH + k]
        level, full = streaks[9 * BATCH + k], streaks[10 * BATCH + k]
        for n in range(first, last, ROWS):
            row, base = np.float32(n) - centre_v, np.int32(origin + n * step)
            for three in range(threes):
                some, pair = places[filled : filled + ROWS], halves[2 * filled : 2 * (filled + ROWS)]
                for m in range(ROWS):
                    y = (row + np.float32(m)) - v
                    middle, here = u - lean * y, level - vv * y * y
                    start = min(max(np.ceil(left + middle), np.float32(0.0)), farthest) + np.float32(3 * three)
                    place = start - centre_u
                    a = depth_at(place - middle, here, uu, full)
                    b = depth_at((place + one) - middle, here, uu, full)
                    c = depth_at((place + two) - middle, here, uu, full)
                    pair[2 * m], pair[2 * m + 1] = np.uint32(a | b << 21), np.uint32(b >> 11 | c << 10)
                    some[m] = base + np.int32(np.int32(m) * step) + np.int32(np.int32(start) * aside)
                filled += min(last - n, ROWS)
                if filled + ROWS > DEPOSITS:
                    deposit(fallen, places, amounts, filled)
                    filled = 0
    deposit(fallen, places, amounts, filled)


@inline_always
def depth_at(x, here, uu, full):
    """Return the depth of a streak x pixels from its middle, rounded."""
    return np.int32(min(max(here - uu * x * x, np.float32(0.5)), full))


@no_refcount
def deposit(fallen, places, amounts, count):
    """Add the first `count` amounts to their cells, one by one."""
    for n in range(count):
        fallen[places[n]] += amounts[n]


@no_refcount
def mix_falling(colour, fallen, part_of_depth, beam, grey, appearance):
    """Lay what fell over the picture: ice and water are paler than the light of the sky, and shine in the headlights."""
    width, shining = colour.shape[2], grey * appearance["night"]
    r, g, b = shifted(appearance["ambient"], 0.5, appearance["sunlight"])
    pale = np.float32(0.5 * grey * (r + g)), np.float32(grey * g), np.float32(0.5 * grey * (b + g))
    lamps = np.float32(0.5 * shining), np.float32(0.45 * shining)
    for i in range(colour.shape[1]):
        upright, level = i * (width + 2), (colour.shape[1] + ROWS) * (width + 2) + i * (width + ROWS)
        row = colour[0, i], colour[1, i], colour[2, i]
        mix_row(row, fallen[upright:], fallen[level:], width + ROWS, part_of_depth, beam, pale, lamps)
        empty(fallen[upright : upright + width + 2])
        empty(fallen[level : level + width + ROWS])
    many = cells_of(colour.shape[1], width)
    empty(fallen[colour.shape[1] * (width + 2) : (colour.shape[1] + ROWS) * (width + 2)])
    empty(fallen[many - 2 * (width + ROWS) : many])


@no_refcount
def empty(cells):
    """Empty some cells for the next time."""
    for n in range(cells.shape[0]):
        cells[n] = 0


@noalias
def mix_row(row, upright, level, stride, part_of_depth, beam, pale, lamps):
    """Mix a row, three channels [W], with the light of what falls: what begins in a pixel, and one and two pixels before.

    `clear` is nearly exp(-depth).
    """
    red, green, blue = row
    mask, one = 0x1FFFFF, np.float32(1.0)
    middle, here, above, same = upright[1:], upright[2:], level[stride:], level[2 * stride :]
    for j in range(red.shape[0]):
        sums = (here[j] + same[j] & mask) + (middle[j] + above[j] >> 21 & mask) + (upright[j] + level[j] >> 42)
        depth = part_of_depth * np.float32(np.int32(sums))
        clear = one / (one + depth * (one + depth * (np.float32(0.5) + depth * np.float32(1.0 / 6.0))))
        r, g, b = pale[0] + lamps[0] * beam[j], pale[1] + lamps[0] * beam[j], pale[2] + lamps[1] * beam[j]
        red[j], green[j], blue[j] = r + clear * (red[j] - r), g + clear * (green[j] - g), b + clear * (blue[j] - b)
