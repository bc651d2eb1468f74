"""Night and air: the light of the car's own headlights, and what falls through it.

Drops and flakes are hashes of the frame and the episode's seed: each frame has its own.  One at distance X ahead, under the
slopes u to the left and h below the horizon, moves through the picture of a car at speed v by

    du/dt = (u v + wind) / X        dh/dt = (h v + fall) / X

so everything streams from a point above the vanishing point, rain from higher up than snow, and draws a streak as long as
the shutter is open.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.kernel import inlined, kernel
from lanekeep_envs.texture import hash32

BEAM = (2.2, 0.11, 24.0)  # half width at the bumper [m] and its growth per metre ahead, reach [m]
PER_RADIAN2 = 1000.0  # drops or flakes at strength 1 in a square of the picture that is as wide as it is far off
CONTROL_STEP_S = 0.05
PART = 8  # pixels that are drawn at once
LIT_M = 2.5  # what falls is lit by the headlights as if it were so far ahead


class Falling(NamedTuple):
    """A kind of what falls."""

    kind: int
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


@inlined
def headlight(forward, left):
    """Light of the dipped headlights on what stands `forward` m ahead and `left` m beside the car's axis, 0 to 1."""
    aside = left / (BEAM[0] + BEAM[1] * forward)
    far = forward / BEAM[2]
    return np.exp(-aside * aside) / (1.0 + far * far * far)


@inlined
def part(bits, shift):
    """One of the four bytes of a hash, 0 to 1."""
    return ((bits >> shift & 255) + 0.5) * (1.0 / 256.0)


@kernel
def let_fall(colour, strength, falling, car, look, lens):
    """Draw what falls over the picture [3, H, W]; `lens` is that of the picture."""
    height, width = colour.shape[1], colour.shape[2]
    frame, seed, focal_px = car["steps"], look["noise_seed"], lens.focal_px
    many = strength * PER_RADIAN2 * (width / focal_px) * (height / focal_px)
    wind = falling.wind_mps * (2.0 * part(hash32(falling.kind, 1, 2, seed), 8) - 1.0)
    horizon = lens.sin_pitch / lens.cos_pitch
    shutter_s = max(falling.shutter_s, CONTROL_STEP_S * look["motion_blur"])
    upright = np.zeros((height + 1, PART * -(-width // PART)), np.float32)
    level = np.zeros((width + 1, PART * -(-height // PART)), np.float32)
    for k in range(int(np.ceil(many))):
        bits, more = hash32(k, 16 + falling.kind, frame, seed), hash32(k, 32 + falling.kind, frame, seed)
        sided = 1.2 * (((bits & 65535) + 0.5) / 65536.0 - 0.5) * width / focal_px
        down = 1.2 * (((bits >> 16) + 0.5) / 65536.0 - 0.5) * height / focal_px
        near_per_m = part(more, 0) / falling.nearest_m + (1.0 - part(more, 0)) / falling.farthest_m
        size_px = falling.size_m * (0.6 + 0.8 * part(more, 8)) * near_per_m * focal_px
        way_px = shutter_s * near_per_m * focal_px
        right = -look["mirror"] * (sided * car["speed"] + wind) * way_px
        fall = ((down + horizon) * car["speed"] + falling.fall_mps * (0.8 + 0.4 * part(more, 16))) * way_px
        radius_px, column, row = max(0.5 * size_px, 0.4), -look["mirror"] * sided * focal_px, down * focal_px
        # what is narrower than a pixel covers a part of it, and what moves on covers each place for a part of the time
        spread = np.sqrt(size_px / (size_px + 0.25 * np.sqrt(right * right + fall * fall)))
        cover = falling.cover * min(size_px / 0.8, 1.0) * spread * min(many - k, 1.0)
        depth, edge_px = np.float32(-np.log(1.0 - cover)), 1.0 + falling.soft * radius_px
        if abs(right) > abs(fall):
            draw_streak(
                level, lens.centre_row, lens.centre_column, row, column, fall, right, radius_px, edge_px, depth
            )  # fmt: skip
        else:
            draw_streak(
                upright, lens.centre_column, lens.centre_row, column, row, right, fall, radius_px, edge_px, depth
            )  # fmt: skip
    mix_falling(colour, upright, np.ascontiguousarray(level.T), falling.grey, look, lens)


@kernel
def draw_streak(plane, centre_u, centre_v, u, v, way_u, way_v, radius_px, edge_px, depth):
    """Add the optical depth of a streak to a plane [V + 1, U]: an ellipse around (u, v) from the centre, longer by its way.

    It runs more along v than along u: a few pixels of each row, whole parts of the plane's width.
    """
    way = np.sqrt(way_u * way_u + way_v * way_v)
    a, b = (way_u / way, way_v / way) if way > 1e-6 else (0.0, 1.0)
    long, wide = 1.0 / ((0.5 * way + radius_px) * (0.5 * way + radius_px)), 1.0 / (radius_px * radius_px)
    uu, vv, uv = a * a * long + b * b * wide, b * b * long + a * a * wide, a * b * (long - wide)
    steep = 0.5 * radius_px / edge_px
    reach, lean, half = np.sqrt((1.0 + 0.5 / steep) / (vv - uv * uv / uu)), uv / uu, np.sqrt((1.0 + 0.5 / steep) / uu)
    pixels = min(PART * (int((2.0 * half + 2.0 + abs(lean)) / PART) + 1), plane.shape[1])
    first, last = int(np.ceil(centre_v + v - reach)), int(np.floor(centre_v + v + reach))
    add_rows(
        plane, max(first, 0), min(last + 1, plane.shape[0] - 1), pixels, np.float32(centre_u), np.float32(centre_v),
        np.float32(u), np.float32(v), np.float32(half + max(lean, 0.0)), np.float32(lean), np.float32(0.5 + steep),
        np.float32(steep * vv), np.float32(2.0 * steep * uv), np.float32(steep * uu), depth,
    )  # fmt: skip


@kernel
def add_rows(plane, first, last, pixels, centre_u, centre_v, u, v, half, lean, level, v2, uv2, u2, depth):
    """Add `depth` times level - v2 v^2 - uv2 u v - u2 u^2, where that is between 0 and 1, to some rows.

    In single precision, two rows at once: only so much work in a loop is vectorised for so few pixels.
    """
    dark, full, farthest = np.float32(0.0), np.float32(1.0), np.float32(plane.shape[1] - pixels)
    for n in range(first, last, 2):
        y, z = (np.float32(n) - centre_v) - v, (np.float32(n + 1) - centre_v) - v
        here, there, slope, next_slope = level - v2 * y * y, level - v2 * z * z, uv2 * y, uv2 * z
        start = min(max(np.ceil((centre_u + u - half) - lean * y), dark), farthest)
        place, off = np.int64(start), centre_u - start
        one, two = plane[n, place : place + pixels], plane[n + 1, place : place + pixels]
        for m in range(one.shape[0]):
            x = (np.float32(m) - off) - u
            one[m] += depth * min(max(here - (slope + u2 * x) * x, dark), full)
            two[m] += depth * min(max(there - (next_slope + u2 * x) * x, dark), full)


@kernel
def mix_falling(colour, upright, level, grey, look, lens):
    """Lay what fell over the picture: ice and water are paler than the light of the sky, and shine in the headlights."""
    middle, one, night = look["ambient_g"] + 0.5 * look["sunlight_g"], np.float32(1.0), look["night"]
    red, blue = look["ambient_r"] + 0.5 * look["sunlight_r"], look["ambient_b"] + 0.5 * look["sunlight_b"]
    beam = np.zeros(colour.shape[2], np.float32)
    for j in range(beam.shape[0]):
        aside = LIT_M * (lens.centre_column - j) / lens.focal_px
        beam[j] = night * headlight(LIT_M, aside) if night > 0.0 else 0.0
    for i in range(colour.shape[1]):
        for j in range(colour.shape[2]):
            depth = upright[i, j] + level[i, j]
            upright[i, j] = one / (one + depth * (one + depth * (np.float32(0.5) + depth * np.float32(1.0 / 6.0))))
    for c in range(3):
        pale, lamp = np.float32(0.5 * grey * ((red, middle, blue)[c] + middle)), np.float32(grey * (0.5, 0.5, 0.45)[c])
        for i in range(colour.shape[1]):
            line, clear = colour[c, i], upright[i]
            for j in range(line.shape[0]):
                light = pale + lamp * beam[j]
                line[j] = light + clear[j] * (line[j] - light)


@kernel
def light_the_fog(colour, look, lens):
    """Add what fog at night throws back of the headlights: a wide glow just below the horizon."""
    strength, horizon = np.float32(46.0 * look["night"] * look["fog"]), lens.sin_pitch / lens.cos_pitch
    wide, blue = 1.0 + 5.0 * ((lens.centre_column - np.arange(colour.shape[2])) / lens.focal_px) ** 2, np.float32(0.94)
    wide = wide.astype(np.float32)
    for i in range(colour.shape[1]):
        down = (i - lens.centre_row) / lens.focal_px + horizon - 0.06
        high = np.float32((90.0 if down < 0.0 else 12.0) * down * down)  # dipped: little light goes up
        lines = colour[0, i], colour[1, i], colour[2, i]
        for j in range(colour.shape[2]):
            light = strength / (wide[j] + high)
            lines[0][j] += light
            lines[1][j] += light
            lines[2][j] += blue * light
