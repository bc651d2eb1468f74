"""Flat faces in space and their painting: what hedges, guard rails, signs, buildings and cars are made of.

A face is a trapezoid with a point, two unit vectors (`along` its lower edge, u, and up its `rise`, v) and two extents.  A
pixel's ray meets its plane at one (u, v), which is where its skin is asked for a colour (skins.py); how much of the pixel
it covers is the overlap with the image of its four edges.  The pixels of a face are done in patches, one step after the
other for all of them: where they lie, what is to be seen there, in which light, and at last the mixing with the picture.

The car's frame: x forward, y left, z up from the ground.  Everything is symmetric: a world with left and right exchanged
gives the exchanged numbers.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.kernel import inlined, kernel
from lanekeep_envs.look import RGB
from lanekeep_envs.skins import COLUMN, COVER, FAR, FORWARD, LOWER, OWN, PATCH, ROW, UPPER, B, Cloth, G, R, U, V, dress
from lanekeep_envs.surface import clip01
from lanekeep_envs.things import mark
from lanekeep_envs.weather import BEAM

CUT_M = 1.0  # what is nearer than this is not drawn: no face may reach behind the camera
REACH_PX = 12.0  # at most: how far a face reaches beyond its corners


class Face(NamedTuple):
    """A trapezoid in space; the upper edge is shorter by `slant_0` at u = 0 and `slant_1` at the other end."""

    corner: RGB  # x, y, z of (0, 0)
    along: RGB
    rise: RGB
    wide: float
    tall: float
    slant_0: float
    slant_1: float


class Light(NamedTuple):
    """Light and air in the car's frame."""

    ambient: RGB
    sunlight: RGB
    horizon: RGB
    sun: RGB  # towards it: forward, left, up
    visibility_m: float
    night: float
    mirror: float


class Plane(NamedTuple):
    """How the pixels of the image lie on the plane of a face; its triples are (constant, per p, per q).

    A pixel's ray meets the plane `near / far` along it, and there u and v are that times `u` and `v`, less `u_0` and `v_0`.
    """

    near: float
    far: RGB
    u: RGB
    v: RGB
    u_0: float
    v_0: float


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
    size = gap(a, b)
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


@inlined
def cut(chord, edge, p):
    """The part of a chord (low, high) of row p that lies inside an edge."""
    low, high = chord
    rest = edge[1] * p + edge[2]
    if edge[0] > 1e-9:
        low = max(low, -rest / edge[0])
    elif edge[0] < -1e-9:
        high = min(high, -rest / edge[0])
    elif rest < 0.0:
        high = -1e9
    return low, high


@kernel
def winding(corners):
    """Which way round the corners lie in the image, 1 or -1; 0 if they lie on a line."""
    a, b, c, d = corners
    area = (b[0] - a[0]) * (d[1] - a[1]) - (b[1] - a[1]) * (d[0] - a[0])
    area += (b[0] - c[0]) * (d[1] - c[1]) * -1.0 + (b[1] - c[1]) * (d[0] - c[0])
    return np.sign(area)


@kernel
def outside(corners, width, lens):
    """Whether a face reaches behind the camera, or lies beside the image."""
    a, b, c, d = corners
    left, right = min(min(a[0], b[0]), min(c[0], d[0])), max(max(a[0], b[0]), max(c[0], d[0]))
    beside = max(left - (width - lens.centre_column), -lens.centre_column - right)
    return min(min(a[2], b[2]), min(c[2], d[2])) < 0.05 or beside > REACH_PX


@kernel
def chord_of(edges, p):
    """(low, high) columns q between the edges in row p."""
    return cut(cut(cut(cut((-1e9, 1e9), edges[0], p), edges[1], p), edges[2], p), edges[3], p)


@inlined
def ray(vector, lens):
    """A vector's product with the ray through pixel (q, p), as (constant, per p, per q)."""
    return (
        vector[0] * lens.cos_pitch - vector[2] * lens.sin_pitch,
        -(vector[0] * lens.sin_pitch + vector[2] * lens.cos_pitch) / lens.focal_px,
        -vector[1] / lens.focal_px,
    )


@kernel
def plane_of(face, n, near, lens):
    """Plane of a face with normal `n`, away from the camera, `near` from it."""
    t, r, o, up = face.along, face.rise, face.corner, face.corner[2] - lens.height_m
    u_0, v_0 = o[0] * t[0] + o[1] * t[1] + up * t[2], o[0] * r[0] + o[1] * r[1] + up * r[2]
    return Plane(near, ray(n, lens), ray(t, lens), ray(r, lens), u_0, v_0)


@kernel
def paint_face(canvas, by, patch, face, skin, light, lens, grow):
    """Paint a face; `grow` is how many pixels it reaches beyond its edges: lower, far u, upper, u = 0."""
    height, width = canvas.shape[1], canvas.shape[2]
    corners = corners_of(face, lens)
    n, near, turn = cross(face.along, face.rise), turned(face, lens), winding(corners)
    if abs(near) < 1e-9 or turn == 0.0 or outside(corners, width, lens):
        return
    if near < 0.0:
        n, near = (-n[0], -n[1], -n[2]), -near
    a, b, c, d = corners
    px_u = 0.5 * (gap(a, b) + gap(d, c)) / face.wide
    px_v = 0.5 * (gap(a, d) + gap(b, c)) / face.tall
    ragged = min(0.10 * px_v, 8.0) * skin.coarse * face.rise[2]
    edges = (
        edge_of(a, b, turn, grow[0]), edge_of(b, c, turn, grow[1]),
        edge_of(c, d, turn, grow[2] + 0.5 * ragged), edge_of(d, a, turn, grow[3]),
    )  # fmt: skip
    cloth = Cloth(face.wide, face.tall, max(px_u, 1e-3), max(px_v, 1e-3), ragged, face.rise[2] > 0.0)
    plane, base, many = plane_of(face, n, near, lens), light_on(n, light), 0
    # where two edges meet at a small angle, as in a roof at the height of the eye, they alone would let it reach far beyond
    reach = 1.0 + max(max(grow[0], grow[1]), max(grow[2], grow[3])) + ragged
    leftmost = min(min(a[0], b[0]), min(c[0], d[0])) - reach
    rightmost = max(max(a[0], b[0]), max(c[0], d[0])) + reach
    first_row = lens.centre_row + min(min(a[1], b[1]), min(c[1], d[1])) - 2.0 - ragged
    last_row = lens.centre_row + max(max(a[1], b[1]), max(c[1], d[1])) + 3.0
    for i in range(int(min(max(first_row, 0.0), height)), int(min(max(last_row, 0.0), height))):
        low, high = chord_of(edges, i - lens.centre_row)
        low, high = max(low, leftmost), min(high, rightmost)
        if low > high:
            continue
        first = int(min(max(np.ceil(lens.centre_column + low), 0.0), width))
        last = int(min(max(np.floor(lens.centre_column + high) + 1.0, 0.0), width))
        while first < last:
            until = min(last, first + PATCH - many)
            for j in range(until - first):
                patch.numbers[ROW + many + j], patch.numbers[COLUMN + many + j] = i, first + j
            many, first = many + until - first, until
            if many == PATCH:
                paint_patch(canvas, by, patch, many, plane, edges, skin, cloth, base, light, lens)
                many = 0
    if many > 0:
        paint_patch(canvas, by, patch, many, plane, edges, skin, cloth, base, light, lens)


@kernel
def light_on(n, light):
    """Light of sun and sky on a face whose normal away from the camera is `n`."""
    lit = 1.5 * max(0.08 - (n[0] * light.sun[0] + n[1] * light.sun[1] + n[2] * light.sun[2]), 0.08)
    dim = 0.80 - 0.20 * n[2]  # of the sky's light; what looks up sees more of it
    return (
        dim * light.ambient[0] + lit * light.sunlight[0],
        dim * light.ambient[1] + lit * light.sunlight[1],
        dim * light.ambient[2] + lit * light.sunlight[2],
    )


@kernel
def paint_patch(canvas, by, patch, many, plane, edges, skin, cloth, base, light, lens):
    """Paint the listed pixels of a face."""
    numbers = patch.numbers
    whole = (many + 7) // 8 * 8  # so that the loops over them have no remainder to do one by one
    for k in range(many, whole):
        numbers[ROW + k], numbers[COLUMN + k] = numbers[ROW + many - 1], numbers[COLUMN + many - 1]
    locate(numbers, whole, plane, edges, cloth, lens)
    dress(numbers, whole, skin, cloth)
    if light.night > 0.0:
        shine(numbers, whole, light.night, lens)
    expose_to(numbers, patch.ink, whole, base, light)
    lay(canvas, numbers, patch.ink, many)
    if by.contributors.size > 0:
        note_patch(by, numbers, patch.ink, many, skin.element)


@kernel
def locate(patch, many, plane, edges, cloth, lens):
    """Fill in where the pixels lie on the face, and how far inside its edges."""
    lower, right, upper, left = edges
    ahead, ahead_p = lens.cos_pitch, -lens.sin_pitch / lens.focal_px
    for k in range(min(many, PATCH)):
        p, q = patch[ROW + k] - lens.centre_row, patch[COLUMN + k] - lens.centre_column
        far = plane.near / max(plane.far[0] + plane.far[1] * p + plane.far[2] * q, 1e-6)
        u = far * (plane.u[0] + plane.u[1] * p + plane.u[2] * q) - plane.u_0
        v = far * (plane.v[0] + plane.v[1] * p + plane.v[2] * q) - plane.v_0
        patch[FAR + k], patch[FORWARD + k], patch[OWN + k] = far, max(far * (ahead + ahead_p * p), CUT_M), 0.0
        patch[U + k], patch[V + k] = min(max(u, 0.0), cloth.wide), min(max(v, 0.0), cloth.tall)
        patch[LOWER + k] = clip01(lower[0] * q + lower[1] * p + lower[2])
        patch[UPPER + k] = upper[0] * q + upper[1] * p + upper[2]
        one, other = right[0] * q + right[1] * p + right[2], left[0] * q + left[1] * p + left[2]
        patch[COVER + k] = max(clip01(one) + clip01(other) - 1.0, 0.0)


@kernel
def shine(patch, many, night, lens):
    """Add the light of the own dipped headlights on what is upright, weaker above their cut-off.

    It is weather.headlight with a quotient for its exponential: exp(x) is nearly 1 + x + x^2/2 + x^3/6 + x^4/24.
    """
    sin, cos, per_focal = lens.sin_pitch, lens.cos_pitch, 1.0 / lens.focal_px
    for k in range(min(many, PATCH)):
        p, q = (patch[ROW + k] - lens.centre_row) * per_focal, (patch[COLUMN + k] - lens.centre_column) * per_focal
        far, forward = patch[FAR + k], patch[FORWARD + k]
        above, reach = max(lens.height_m - far * (sin + p * cos) - 0.7, 0.0), forward * (1.0 / BEAM[2])
        wide, left = BEAM[0] + BEAM[1] * forward, far * q
        n, d = left * left, wide * wide
        whole = d * d * d * d
        rest = n * (d * d * d + n * (d * d * 0.5 + n * (d * (1.0 / 6.0) + n * (1.0 / 24.0))))
        fall = (1.0 + reach * reach * reach) * (1.0 + 1.2 * above * above)
        patch[OWN + k] += night * whole / ((whole + rest) * fall)


@inlined
def fading(x):
    """Nearly exp(-x) for x >= 0, in steps that can be vectorised."""
    y = min(x * (1.0 / 16.0), 1.0)
    y = 1.0 - y * (1.0 - y * (0.5 - y * (1.0 / 6.0 - y * (1.0 / 24.0))))
    y = y * y
    y = y * y
    y = y * y
    return y * y


@kernel
def expose_to(patch, ink, many, base, light):
    """Turn albedo into colour in light and air, and edges into cover."""
    per_m = 1.0 / light.visibility_m
    for k in range(min(many, PATCH)):
        own, clear = patch[OWN + k], fading(patch[FORWARD + k] * per_m)
        r, g, b = base[0] + own, base[1] + 0.97 * own, base[2] + 0.88 * own
        ink[k] = light.horizon[0] + clear * (patch[R + k] * r - light.horizon[0])
        ink[PATCH + k] = light.horizon[1] + clear * (patch[G + k] * g - light.horizon[1])
        ink[2 * PATCH + k] = light.horizon[2] + clear * (patch[B + k] * b - light.horizon[2])
        ink[3 * PATCH + k] = patch[COVER + k] * max(patch[LOWER + k] + clip01(patch[UPPER + k]) - 1.0, 0.0)


@kernel
def lay(canvas, patch, ink, many):
    """Mix the patch with the picture; most of its rows are too short for a loop each."""
    red, green, blue = canvas[0], canvas[1], canvas[2]
    for k in range(many):
        i, j, cover = int(patch[ROW + k]), int(patch[COLUMN + k]), ink[3 * PATCH + k]
        red[i, j] += cover * (ink[k] - red[i, j])
        green[i, j] += cover * (ink[PATCH + k] - green[i, j])
        blue[i, j] += cover * (ink[2 * PATCH + k] - blue[i, j])


@kernel
def note_patch(by, patch, ink, many, element):
    """Write what a patch shows into the by-products."""
    for k in range(many):
        if ink[3 * PATCH + k] > 0.0:
            mark(by, int(patch[ROW + k]), int(patch[COLUMN + k]), element, ink[3 * PATCH + k], patch[FORWARD + k])
