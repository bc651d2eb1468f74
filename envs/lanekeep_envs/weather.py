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
    for k in range(int(np.ceil(many))):
        bits, more = hash32(k, 16 + falling.kind, frame, seed), hash32(k, 32 + falling.kind, frame, seed)
        sided = 1.2 * (((bits & 65535) + 0.5) / 65536.0 - 0.5) * width / focal_px
        down = 1.2 * (((bits >> 16) + 0.5) / 65536.0 - 0.5) * height / focal_px
        near_per_m = part(more, 0) / falling.nearest_m + (1.0 - part(more, 0)) / falling.farthest_m
        size_px = falling.size_m * (0.6 + 0.8 * part(more, 8)) * near_per_m * focal_px
        way_px = shutter_s * near_per_m * focal_px
        across = look["mirror"] * (sided * car["speed"] + wind) * way_px
        along = ((down + horizon) * car["speed"] + falling.fall_mps * (0.8 + 0.4 * part(more, 16))) * way_px
        lamp = look["night"] * headlight(1.0 / near_per_m, sided / near_per_m)
        radius_px = max(0.5 * size_px, 0.4)
        # what is narrower than a pixel covers a part of it, and what moves on covers each place for a part of the time
        spread = np.sqrt(size_px / (size_px + 0.25 * np.hypot(across, along)))
        cover = falling.cover * min(size_px / 0.8, 1.0) * spread * min(many - k, 1.0)
        draw_streak(
            colour, look["mirror"] * sided * focal_px, lens.centre_row + down * focal_px, across, along, radius_px,
            1.0 + falling.soft * radius_px, cover, falling.grey, lamp, look, lens.centre_column,
        )  # fmt: skip


@kernel
def draw_streak(colour, left, row, across, along, radius_px, edge_px, cover, grey, lamp, look, centre):
    """Mix a streak into the picture, its middle `left` px beside the centre column and in `row`."""
    middle = look["ambient_g"] + 0.5 * look["sunlight_g"]  # ice and water are paler than the light of the sky
    red = grey * (0.5 * (look["ambient_r"] + 0.5 * look["sunlight_r"] + middle) + 0.5 * lamp)
    green = grey * (middle + 0.5 * lamp)
    blue = grey * (0.5 * (look["ambient_b"] + 0.5 * look["sunlight_b"] + middle) + 0.45 * lamp)
    per_way = 1.0 / max(across * across + along * along, 1e-9)
    wide, high = 0.5 * abs(across) + radius_px + edge_px + 1.0, 0.5 * abs(along) + radius_px + edge_px + 1.0
    height, width = colour.shape[1], colour.shape[2]
    for i in range(max(int(row - high), 0), min(int(row + high) + 2, height)):
        for j in range(max(int(centre - left - wide), 0), min(int(centre - left + wide) + 2, width)):
            x, y = (centre - j) - left, i - row
            at = min(max((x * across + y * along) * per_way, -0.5), 0.5)
            dx, dy = x - at * across, y - at * along
            share = cover * min(max((radius_px - np.sqrt(dx * dx + dy * dy)) / edge_px + 0.5, 0.0), 1.0)
            colour[0, i, j] += share * (red - np.float64(colour[0, i, j]))
            colour[1, i, j] += share * (green - np.float64(colour[1, i, j]))
            colour[2, i, j] += share * (blue - np.float64(colour[2, i, j]))


@kernel
def light_the_fog(colour, look, lens):
    """Add what fog at night throws back of the headlights: a wide glow just below the horizon."""
    strength, horizon = 46.0 * look["night"] * look["fog"], lens.sin_pitch / lens.cos_pitch
    for i in range(colour.shape[1]):
        down = (i - lens.centre_row) / lens.focal_px + horizon - 0.06
        high = 90.0 if down < 0.0 else 12.0  # dipped: little light goes up
        for j in range(colour.shape[2]):
            left = (lens.centre_column - j) / lens.focal_px
            light = strength / (1.0 + 5.0 * left * left + high * down * down)
            colour[0, i, j] += light
            colour[1, i, j] += light
            colour[2, i, j] += 0.94 * light
