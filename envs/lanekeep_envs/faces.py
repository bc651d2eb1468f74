"""Flat faces in space and their painting: what hedges, guard rails, signs, buildings and cars are made of.

A face is a trapezoid with a point, two unit vectors (`along` its lower edge, u, and up its `rise`, v) and two extents.  A
pixel's ray meets its plane at one (u, v), which is where its `Skin` is asked for a colour; how much of the pixel it covers
is the overlap with the image of its four edges.

The car's frame: x forward, y left, z up from the ground.  Everything is symmetric: a world with left and right exchanged
gives the exchanged numbers.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.kernel import kernel
from lanekeep_envs.look import RGB
from lanekeep_envs.scenery import INFORMATION, LIMIT, PRIORITY, WARNING
from lanekeep_envs.surface import clip01, mix, tinted
from lanekeep_envs.texture import TILE, hash32, sample
from lanekeep_envs.things import mark
from lanekeep_envs.weather import headlight

CUT_M = 1.0  # what is nearer than this is not drawn: no face may reach behind the camera
PLAIN, LEAVES, BEAM, LEGS, WALL, ROOF, FLANK, NOSE, TAIL, GLASS, BOARD, UNDER = range(12)  # skins
METAL, DARK, WHITE = (158.0, 162.0, 166.0), (24.0, 25.0, 28.0), (236.0, 236.0, 232.0)
RED, YELLOW, BLUE, BLACK = (196.0, 28.0, 34.0), (240.0, 190.0, 20.0), (28.0, 78.0, 168.0), (20.0, 20.0, 20.0)


class Face(NamedTuple):
    """A trapezoid in space; the upper edge is shorter by `slant_0` at u = 0 and `slant_1` at the other end."""

    corner: RGB  # x, y, z of (0, 0)
    along: RGB
    rise: RGB
    wide: float
    tall: float
    slant_0: float
    slant_1: float


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


class Light(NamedTuple):
    """Light and air in the car's frame."""

    ambient: RGB
    sunlight: RGB
    horizon: RGB
    sun: RGB  # towards it: forward, left, up
    visibility_m: float
    night: float
    mirror: float


@kernel
def light_of(look, cos, sin):
    """Light of a `LOOK` for a car that points along (cos, sin)."""
    sun_x, sun_y = look["sun_x"], look["sun_y"]
    return Light(
        (look["ambient_r"], look["ambient_g"], look["ambient_b"]),
        (look["sunlight_r"], look["sunlight_g"], look["sunlight_b"]),
        (look["horizon_r"], look["horizon_g"], look["horizon_b"]),
        (cos * sun_x + sin * sun_y, cos * sun_y - sin * sun_x, look["sun_z"]),
        look["visibility_m"],
        look["night"],
        look["mirror"],
    )


@kernel
def cross(a, b):
    """Vector product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@kernel
def edge_of(a, b, turn, grow):
    """(per q, per p, constant) of the distance in pixels inside the edge from a to b, each (q, p, depth), plus a half."""
    dq, dp = b[0] - a[0], b[1] - a[1]
    size = np.sqrt(dq * dq + dp * dp)
    if size < 1e-6:
        return 0.0, 0.0, 1e3
    return -turn * dp / size, turn * dq / size, turn * (dp * a[0] - dq * a[1]) / size + 0.5 + grow


@kernel
def gap(a, b):
    """Pixels between two points of the image."""
    dq, dp = b[0] - a[0], b[1] - a[1]
    return np.sqrt(dq * dq + dp * dp)


@kernel
def seen_at(x, y, z, lens):
    """(q, p, depth) of a point: column and row from the middle of the image, where left and right are alike."""
    depth = x * lens.cos_pitch - z * lens.sin_pitch
    scale = lens.focal_px / max(depth, 1e-3)
    return -y * scale, -(x * lens.sin_pitch + z * lens.cos_pitch) * scale, depth


@kernel
def corners_of(face, lens):
    """The four corners in the image, around the face."""
    c, t, r = face.corner, face.along, face.rise
    up = c[2] - lens.height_m
    x, y, z = c[0] + face.tall * r[0], c[1] + face.tall * r[1], up + face.tall * r[2]
    w, s, e = face.wide, face.slant_0, face.wide - face.slant_1
    return (
        seen_at(c[0], c[1], up, lens),
        seen_at(c[0] + w * t[0], c[1] + w * t[1], up + w * t[2], lens),
        seen_at(x + e * t[0], y + e * t[1], z + e * t[2], lens),
        seen_at(x + s * t[0], y + s * t[1], z + s * t[2], lens),
    )


@kernel
def turned(face, lens):
    """Volume that tells to which side of the face the camera is: positive where along x rise points away from it."""
    n, c = cross(face.along, face.rise), face.corner
    return n[0] * c[0] + n[1] * c[1] + n[2] * (c[2] - lens.height_m)


@kernel
def chord_of(edges, p):
    """(low, high) columns q between the edges in row p."""
    low, high = -1e9, 1e9
    for edge in edges:
        rest = edge[1] * p + edge[2]
        if edge[0] > 1e-9:
            low = max(low, -rest / edge[0])
        elif edge[0] < -1e-9:
            high = min(high, -rest / edge[0])
        elif rest < 0.0:
            high = -1e9
    return low, high


@kernel
def paint_face(canvas, by, face, skin, light, lens, grow):
    """Paint a face; `grow` is how many pixels it reaches beyond its edges: lower, far u, upper, u = 0."""
    height, width, tile = canvas.shape[1], canvas.shape[2], TILE
    a, b, c, d = corners_of(face, lens)
    area = (b[0] - a[0]) * (d[1] - a[1]) - (b[1] - a[1]) * (d[0] - a[0])
    area += (b[0] - c[0]) * (d[1] - c[1]) * -1.0 + (b[1] - c[1]) * (d[0] - c[0])
    n, near = cross(face.along, face.rise), turned(face, lens)
    if min(min(a[2], b[2]), min(c[2], d[2])) < 0.05 or abs(near) < 1e-9 or area == 0.0:
        return
    if near < 0.0:
        n, near = (-n[0], -n[1], -n[2]), -near
    turn = 1.0 if area > 0.0 else -1.0
    px_u = 0.5 * (gap(a, b) + gap(d, c)) / face.wide
    px_v = 0.5 * (gap(a, d) + gap(b, c)) / face.tall
    blur_u, blur_v = 1.0 / max(px_u, 1e-3), 1.0 / max(px_v, 1e-3)
    ragged = min(0.10 * px_v, 8.0) * skin.coarse * face.rise[2]
    edges = (
        edge_of(a, b, turn, grow[0]), edge_of(b, c, turn, grow[1]),
        edge_of(c, d, turn, grow[2] + 0.5 * ragged), edge_of(d, a, turn, grow[3]),
    )  # fmt: skip
    lit = 1.5 * max(0.08 - (n[0] * light.sun[0] + n[1] * light.sun[1] + n[2] * light.sun[2]), 0.08)
    dim = 0.80 - 0.20 * n[2]  # of the sky's light; what looks up sees more of it
    base = mix((0.0, 0.0, 0.0), light.ambient, dim)
    base = base[0] + lit * light.sunlight[0], base[1] + lit * light.sunlight[1], base[2] + lit * light.sunlight[2]
    t, r, o, up = face.along, face.rise, face.corner, face.corner[2] - lens.height_m
    first_row = lens.centre_row + min(min(a[1], b[1]), min(c[1], d[1])) - 2.0 - ragged
    last_row = lens.centre_row + max(max(a[1], b[1]), max(c[1], d[1])) + 3.0
    per_focal = 1.0 / lens.focal_px
    for i in range(int(min(max(first_row, 0.0), height)), int(min(max(last_row, 0.0), height))):
        p = i - lens.centre_row
        low, high = chord_of(edges, p)
        if low > high:
            continue
        dx = lens.cos_pitch - p * per_focal * lens.sin_pitch
        dz = -(lens.sin_pitch + p * per_focal * lens.cos_pitch)
        flat = n[0] * dx + n[2] * dz
        first = int(min(max(np.floor(lens.centre_column + low), 0.0), width))
        last = int(min(max(np.floor(lens.centre_column + high) + 2.0, 0.0), width))
        for j in range(first, last):
            q = j - lens.centre_column
            dy = -q * per_focal
            far = near / max(flat + n[1] * dy, 1e-6)
            x, y, z = far * dx - o[0], far * dy - o[1], far * dz - up
            u = min(max(x * t[0] + y * t[1] + z * t[2], 0.0), face.wide)
            v = min(max(x * r[0] + y * r[1] + z * r[2], 0.0), face.tall)
            alpha, albedo, own, rough = skin_at(skin, u, v, face, blur_u, blur_v, tile)
            e = edges[0][0] * q + edges[0][1] * p + edges[0][2], edges[1][0] * q + edges[1][1] * p + edges[1][2]
            f = edges[2][0] * q + edges[2][1] * p + edges[2][2], edges[3][0] * q + edges[3][1] * p + edges[3][2]
            up_share = max(clip01(e[0]) + clip01(f[0] + ragged * (rough - 0.5)) - 1.0, 0.0)
            cover = alpha * up_share * max(clip01(e[1]) + clip01(f[1]) - 1.0, 0.0)
            if cover <= 0.0:
                continue
            beam = own
            if light.night > 0.0:
                beam += light.night * beam_on(far * dx, far * dy, far * dz + lens.height_m)
            shown = (
                albedo[0] * (base[0] + beam), albedo[1] * (base[1] + 0.97 * beam), albedo[2] * (base[2] + 0.88 * beam),
            )  # fmt: skip
            forward = max(far * dx, CUT_M)
            shown = mix(shown, light.horizon, 1.0 - np.exp(-forward / light.visibility_m))
            canvas[0, i, j] += cover * (shown[0] - canvas[0, i, j])
            canvas[1, i, j] += cover * (shown[1] - canvas[1, i, j])
            canvas[2, i, j] += cover * (shown[2] - canvas[2, i, j])
            if by is not None:
                mark(by, i, j, skin.element, cover, forward)


@kernel
def beam_on(forward, left, up):
    """Light of the own dipped headlights on an upright surface: weaker above their cut-off."""
    above = max(up - 0.7, 0.0)
    return headlight(max(forward, 0.0), left) / (1.0 + 1.2 * above * above)


@kernel
def pulse(at, half, blur):
    """Share of a pixel `blur` wide covered by a strip of this half width, `at` from its middle."""
    return clip01((half - abs(at)) / blur + 0.5) * min(2.0 * half / blur, 1.0)


@kernel
def apart(at, period):
    """Distance from the middle of the period that holds `at`."""
    return at - period * (np.floor(at / period) + 0.5)


@kernel
def skin_at(skin, u, v, face, blur_u, blur_v, tile):
    """(alpha, albedo, own light, roughness) of a face at (u, v)."""
    s, kind = skin.at + skin.side * (u - skin.middle), skin.kind
    if kind == LEAVES:
        h = v if face.rise[2] > 0.0 else face.tall + abs(v - 0.5 * face.tall)
        rough = skin.coarse * sample(tile, 11.0 * s, 11.0 * h + 40.0 * skin.own)
        tuft = sample(tile, 2.3 * s, 2.3 * h)
        light = 0.62 + 0.38 * min(h / face.tall, 1.0) + 0.50 * rough + 0.14 * tuft
        return 1.0, tinted(light, skin.colour), 0.0, rough
    if kind == BEAM:
        wave = np.cos(4.0 * np.pi * v / face.tall) * clip01(2.0 - 6.0 * blur_v / face.tall)
        return 1.0, tinted(0.86 - 0.26 * wave, skin.colour), 0.0, 0.0
    if kind == LEGS:
        return pulse(apart(s, 2.0), 0.06, blur_u), tinted(0.7, skin.colour), 0.0, 0.0
    if kind == WALL:
        return wall_at(skin, s, u, v, face, blur_u, blur_v, tile)
    if kind == ROOF:
        tiles = 0.10 * np.cos(2.0 * np.pi * v / 0.35) * clip01(2.0 - 12.0 * blur_v)
        return 1.0, tinted(0.95 + tiles + 0.15 * sample(tile, 1.5 * s, 3.0 * v), skin.colour), 0.0, 0.0
    if kind == FLANK:
        return flank_at(skin, u, v, face, 0.5 * (blur_u + blur_v))
    if kind in (NOSE, TAIL):
        return end_at(skin, abs(u - 0.5 * face.wide), v, blur_u, blur_v)
    if kind == GLASS:
        pillar = max(pulse(v - face.tall, 0.07, blur_v), pulse(u - 0.52 * face.wide, 0.05, blur_u) * skin.number)
        pane = mix((30.0, 36.0, 42.0), skin.second, 0.15 + 0.35 * v / face.tall)
        return 1.0, mix(pane, skin.colour, pillar), 0.0, 0.0
    if kind == BOARD:
        return board_at(skin, 2.0 * u / face.wide - 1.0, 2.0 * v / face.tall - 1.0, 2.0 * blur_u / face.wide)
    if kind == UNDER:
        aside, ahead = 2.0 * abs(u / face.wide - 0.5), 2.0 * abs(v / face.tall - 0.5)
        return 0.75 * clip01(2.2 * (1.0 - aside)) * clip01(3.0 * (1.0 - ahead)), skin.colour, 0.0, 0.0
    return 1.0, skin.colour, skin.own, 0.0


@kernel
def wall_at(skin, s, u, v, face, blur_u, blur_v, tile):
    """A plastered wall with windows and shutters, some of them lit; or boards without any (number 0)."""
    stain = 1.0 + 0.07 * sample(tile, 0.9 * s, 0.9 * v) - 0.12 * clip01(1.0 - 1.5 * v)
    if skin.number == 0:
        boards = 0.10 * np.cos(2.0 * np.pi * s / 0.5) * clip01(2.0 - 8.0 * blur_u)
        return 1.0, tinted(stain + boards, skin.colour), 0.0, 0.0
    across, up = apart(s, 2.6), apart(v, 2.8) + 0.05
    room = clip01((u - 0.5) / blur_u) * clip01((face.wide - 0.5 - u) / blur_u)  # no window on a corner
    glass = room * pulse(across, 0.50, blur_u) * pulse(up, 0.62, blur_v)
    frame = room * pulse(across, 0.60, blur_u) * pulse(up, 0.72, blur_v)
    shut = room * pulse(abs(across) - 0.86, 0.25, blur_u) * pulse(up, 0.72, blur_v)
    column = int(np.floor(s / 2.6))
    lit = skin.own if hash32(column, int(np.floor(v / 2.8)), skin.number, 7) % 5 < 2 else 0.0
    albedo = mix(tinted(stain, skin.colour), skin.second, shut)
    albedo = mix(mix(albedo, WHITE, frame), mix((44.0, 50.0, 58.0), (255.0, 196.0, 110.0), lit), glass)
    return 1.0, albedo, lit * glass, 0.0


@kernel
def flank_at(skin, u, v, face, blur):
    """The side of a car: paint, wheels in their arches and air between them."""
    along, up = abs(u - 0.5 * face.wide) - 1.28, v - 0.32
    hub = np.sqrt(along * along + up * up)
    wheel = clip01((0.32 - hub) / blur + 0.5)
    paint = clip01((v - 0.20) / blur + 0.5) * clip01((hub - 0.37) / blur + 0.5)
    rim = clip01((0.19 - hub) / blur + 0.5)
    albedo = tinted(0.82 + 0.25 * v - 0.12 * pulse(v - 0.30, 0.06, blur), skin.colour)
    albedo = mix(mix(DARK, (122.0, 124.0, 128.0), rim), albedo, paint)
    return clip01((v - 0.20) / blur + 0.5) * (1.0 - wheel) + wheel, albedo, 0.0, 0.0


@kernel
def end_at(skin, aside, v, blur_u, blur_v):
    """Front or rear of a car, `aside` of its middle: lamps, number plate, grille or bumper."""
    body = clip01((v - 0.24) / blur_v + 0.5)
    wheel = pulse(aside - 0.72, 0.11, blur_u) * clip01((0.30 - v) / blur_v + 0.5)
    lamp = pulse(aside - 0.66, 0.16, blur_u) * pulse(v - 0.66, 0.09, blur_v)
    plate = clip01((0.26 - aside) / blur_u + 0.5) * pulse(v - 0.44, 0.06, blur_v)
    low = pulse(v - 0.34, 0.12, blur_v) if skin.kind == TAIL else 0.0
    grille = clip01((0.42 - aside) / blur_u + 0.5) * pulse(v - 0.60, 0.09, blur_v) if skin.kind == NOSE else 0.0
    albedo = mix(mix(tinted(0.82 + 0.25 * v, skin.colour), DARK, 0.8 * max(low, grille)), WHITE, plate)
    albedo = mix(mix(DARK, albedo, body), skin.second, lamp)
    return max(body, wheel), albedo, skin.own * lamp, 0.0


@kernel
def board_at(skin, u, v, blur):
    """A sign in (-1, 1) x (-1, 1); symmetric, so that its mirror image is a sign too."""
    shape = skin.number if skin.number >= 0 else -1 - skin.number
    side, inner = abs(u), 0.0
    if shape == LIMIT:  # red ring, two black zeros
        off = np.sqrt(u * u + v * v)
        zero = np.sqrt((side - 0.30) * (side - 0.30) * 2.6 + v * v)
        inside, rim = 1.0 - off, 0.74 - off
        colour, inner, ink = RED, 1.0, clip01((0.09 - abs(zero - 0.33)) / blur + 0.5)
    elif shape == WARNING:  # red triangle, exclamation mark
        inside = 0.58 - max(0.866 * side + 0.5 * (v + 0.16), -(v + 0.16))
        rim = inside - 0.20
        colour, inner = RED, 1.0
        ink = pulse(side, 0.08, blur) * max(pulse(v - 0.08, 0.24, blur), pulse(v + 0.38, 0.07, blur))
    elif shape == PRIORITY:  # white diamond, yellow inside
        inside = 0.7071 * (1.0 - side - abs(v))
        rim, colour, ink = inside - 0.20, WHITE, 0.0
    else:  # blue with a white field, or yellow with black letters
        inside = min(1.0 - side, 0.92 - abs(v))
        rim = inside - 0.10
        colour = BLUE if shape == INFORMATION else BLACK
        ink = pulse(side, 0.55, blur) * max(pulse(v - 0.35, 0.13, blur), pulse(v + 0.35, 0.13, blur))
    field = mix(YELLOW, WHITE, inner)
    if shape == INFORMATION:
        field = BLUE
    sheet = mix(colour, mix(field, WHITE if shape == INFORMATION else BLACK, ink), clip01(rim / blur + 0.5))
    cover = clip01(inside / blur + 0.5)
    if skin.number < 0:
        return cover, METAL, 0.0, 0.0
    return cover, sheet, skin.own, 0.0
