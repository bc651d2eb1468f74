"""Flat faces in space and their painting: what hedges, guard rails, signs, buildings and cars are made of.

A face is a trapezoid with a point, two unit vectors (`along` its lower edge, u, and up its `rise`, v) and two extents.  A
pixel's ray meets its plane at one (u, v), which is where its skin is asked for a colour (skins.py); how much of the pixel
it covers is the overlap with the image of its four edges.  The pixels of a face are done in patches (patch.py).

The car's frame: x forward, y left, z up from the ground.  Everything is symmetric: a world with left and right exchanged
gives the exchanged numbers.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.kernel import borrowing, inlined
from lanekeep_envs.look import RGB
from lanekeep_envs.patch import LANES, PATCH, Seen, add_run, illuminate, lay, locate, note_patch, single, whole_of
from lanekeep_envs.skins import Cloth, dress

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


@borrowing
def set_light(easel, look, cos, sin):
    """Write light and air of a `LOOK` for a car that points along (cos, sin)."""
    ambient, sunlight, horizon, sun = easel["ambient"], easel["sunlight"], easel["horizon"], easel["sun"]
    ambient[0], ambient[1], ambient[2] = look["ambient_r"], look["ambient_g"], look["ambient_b"]
    sunlight[0], sunlight[1], sunlight[2] = look["sunlight_r"], look["sunlight_g"], look["sunlight_b"]
    horizon[0], horizon[1], horizon[2] = look["horizon_r"], look["horizon_g"], look["horizon_b"]
    sun_x, sun_y = look["sun_x"], look["sun_y"]
    sun[0], sun[1], sun[2] = cos * sun_x + sin * sun_y, cos * sun_y - sin * sun_x, look["sun_z"]
    easel["visibility_m"], easel["night"], easel["mirror"] = look["visibility_m"], look["night"], look["mirror"]


@inlined
def cross(a, b):
    """Vector product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@inlined
def edge_of(a, b, size, turn, grow):
    """(constant, per p, per q) of the distance in pixels inside the edge from a to b, each (q, p, depth), plus a half."""
    dq, dp = b[0] - a[0], b[1] - a[1]
    per = turn / size if size >= 1e-6 else 0.0
    out = 0.5 + grow if size >= 1e-6 else 1e3
    return per * (dp * a[0] - dq * a[1]) + out, per * dq, -per * dp


@inlined
def gap(a, b):
    """Pixels between two points of the image."""
    dq, dp = b[0] - a[0], b[1] - a[1]
    return np.sqrt(dq * dq + dp * dp)


@inlined
def seen_at(x, y, z, lens):
    """(q, p, depth) of a point: column and row from the middle of the image, where left and right are alike."""
    depth = x * lens.cos_pitch - z * lens.sin_pitch
    scale = lens.focal_px / max(depth, 1e-3)
    return -y * scale, -(x * lens.sin_pitch + z * lens.cos_pitch) * scale, depth


@borrowing
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


@borrowing
def turned(face, lens):
    """Volume that tells to which side of the face the camera is: positive where along x rise points away from it."""
    n, c = cross(face.along, face.rise), face.corner
    return n[0] * c[0] + n[1] * c[1] + n[2] * (c[2] - lens.height_m)


@inlined
def bound_of(edge):
    """(lowest column, per p, highest column, per p) in row p = 0 of what lies inside an edge."""
    per = -1.0 / edge[2] if abs(edge[2]) > 1e-9 else 0.0
    column, per_row = per * edge[0], per * edge[1]
    return (
        column if per < 0.0 else -1e9, per_row if per < 0.0 else 0.0,
        column if per > 0.0 else 1e9, per_row if per > 0.0 else 0.0,
    )  # fmt: skip


@borrowing
def winding(corners):
    """Which way round the corners lie in the image, 1 or -1; 0 if they lie on a line."""
    a, b, c, d = corners
    area = (b[0] - a[0]) * (d[1] - a[1]) - (b[1] - a[1]) * (d[0] - a[0])
    area += (b[0] - c[0]) * (d[1] - c[1]) * -1.0 + (b[1] - c[1]) * (d[0] - c[0])
    return np.sign(area)


@borrowing
def outside(corners, width, lens):
    """Whether a face reaches behind the camera, or lies beside the image."""
    a, b, c, d = corners
    left, right = min(min(a[0], b[0]), min(c[0], d[0])), max(max(a[0], b[0]), max(c[0], d[0]))
    beside = max(left - (width - lens.centre_column), -lens.centre_column - right)
    return min(min(a[2], b[2]), min(c[2], d[2])) < 0.05 or beside > REACH_PX


@inlined
def find_spans(easel, first_row, rows, edges, leftmost, rightmost, width, lens):
    """Find the columns between the edges in some rows: in a few more than asked for, a multiple of eight."""
    a, b, c, d = bound_of(edges[0]), bound_of(edges[1]), bound_of(edges[2]), bound_of(edges[3])
    firsts, lasts, centre, above = easel["first"], easel["last"], lens.centre_column, first_row - lens.centre_row
    for k in range((rows + 7) // 8 * 8):
        p = above + k
        low = max(max(a[0] + a[1] * p, b[0] + b[1] * p), max(c[0] + c[1] * p, d[0] + d[1] * p))
        high = min(min(a[2] + a[3] * p, b[2] + b[3] * p), min(c[2] + c[3] * p, d[2] + d[3] * p))
        firsts[k] = int(min(max(np.ceil(centre + max(low, leftmost)), 0.0), width))
        lasts[k] = int(min(max(np.floor(centre + min(high, rightmost)) + 1.0, 0.0), width))


@inlined
def ray(vector, lens):
    """A vector's product with the ray through pixel (q, p), as (constant, per p, per q)."""
    per_px = 1.0 / lens.focal_px
    return (
        vector[0] * lens.cos_pitch - vector[2] * lens.sin_pitch,
        -(vector[0] * lens.sin_pitch + vector[2] * lens.cos_pitch) * per_px,
        -vector[1] * per_px,
    )


@inlined
def seen_by(face, far, near, edges, lens):
    """How the pixels lie on a face, `near` from the camera."""
    t, r, o, up = face.along, face.rise, face.corner, face.corner[2] - lens.height_m
    u_0, v_0 = o[0] * t[0] + o[1] * t[1] + up * t[2], o[0] * r[0] + o[1] * r[1] + up * r[2]
    return Seen(
        near, u_0, v_0, single(far), single(ray(t, lens)), single(ray(r, lens)),
        single(edges[0]), single(edges[1]), single(edges[2]), single(edges[3]),
    )  # fmt: skip


@borrowing
def paint_face(canvas, by, easel, tile, face, skin, lens, grow):
    """Paint a face; `grow` is how many pixels it reaches beyond its edges: lower, far u, upper, u = 0."""
    height, width = canvas.shape[1], canvas.shape[2]
    corners = corners_of(face, lens)
    n, near, turn = cross(face.along, face.rise), turned(face, lens), winding(corners)
    if abs(near) < 1e-9 or turn == 0.0 or outside(corners, width, lens):
        return
    away = 1.0 if near > 0.0 else -1.0
    n, near = (away * n[0], away * n[1], away * n[2]), away * near
    a, b, c, d = corners
    ab, bc, cd, da = gap(a, b), gap(b, c), gap(c, d), gap(d, a)
    px_u, px_v = 0.5 * (ab + cd) / face.wide, 0.5 * (da + bc) / face.tall
    ragged = min(0.10 * px_v, 8.0) * skin.coarse * face.rise[2]
    edges = (
        edge_of(a, b, ab, turn, grow[0]), edge_of(b, c, bc, turn, grow[1]),
        edge_of(c, d, cd, turn, grow[2] + 0.5 * ragged), edge_of(d, a, da, turn, grow[3]),
    )  # fmt: skip
    cloth = Cloth(face.wide, face.tall, max(px_u, 1e-3), max(px_v, 1e-3), ragged, face.rise[2] > 0.0)
    far, base, horizon = ray(n, lens), light_on(n, easel), easel["horizon"]
    seen = seen_by(face, far, near, edges, lens)
    # where two edges meet at a small angle, as in a roof at the height of the eye, they alone would let it reach far beyond
    reach = 1.0 + max(max(grow[0], grow[1]), max(grow[2], grow[3])) + ragged
    leftmost = min(min(a[0], b[0]), min(c[0], d[0])) - reach
    rightmost = max(max(a[0], b[0]), max(c[0], d[0])) + reach
    first_row = lens.centre_row + min(min(a[1], b[1]), min(c[1], d[1])) - 2.0 - ragged
    last_row = lens.centre_row + max(max(a[1], b[1]), max(c[1], d[1])) + 3.0
    top, end = int(min(max(first_row, 0.0), height)), int(min(max(last_row, 0.0), height))
    find_spans(easel, top, end - top, edges, leftmost, rightmost, float(width), lens)
    row, firsts, lasts = top, easel["first"], easel["last"]
    while row < end:
        many, runs = 0, 0
        while row < end:
            first, last = firsts[np.uint64(row - top)], lasts[np.uint64(row - top)]
            if first < last:
                count = min(last - first, (PATCH - many) & -LANES)
                if count > 0:
                    add_run(easel, runs, many, row, first, count, width, lens)
                    many, runs = many + count, runs + 1
                if count < last - first:  # the patch is full
                    firsts[np.uint64(row - top)] = first + count
                    break
            row += 1
        if many == 0:
            return
        whole, numbers = whole_of(many), easel["numbers"]
        locate(numbers, whole, seen, cloth, skin.coarse, easel["night"], easel["visibility_m"], lens)
        dress(easel, tile, whole, skin, cloth)
        illuminate(numbers, whole, base, horizon)
        lay(canvas, easel, runs)
        if by.contributors.size > 0:
            note_patch(by, easel, runs, near, far, skin.element, lens)


@inlined
def light_on(n, easel):
    """Light of sun and sky on a face whose normal away from the camera is `n`."""
    ambient, sunlight, sun = easel["ambient"], easel["sunlight"], easel["sun"]
    lit = 1.5 * max(0.08 - (n[0] * sun[0] + n[1] * sun[1] + n[2] * sun[2]), 0.08)
    dim = 0.80 - 0.20 * n[2]  # of the sky's light; what looks up sees more of it
    return (
        dim * ambient[0] + lit * sunlight[0],
        dim * ambient[1] + lit * sunlight[1],
        dim * ambient[2] + lit * sunlight[2],
    )
