"""The faces of some things, as numbers of one array: what is needed to paint them is worked out for eight of them at once.

A face's numbers are first what it is: three of its corner, three along its lower edge and so on.  `shape_faces` adds how it
lies in the image.  All are in one array, number by number, so that a loop over the faces is vectorised.

The car's frame: x forward, y left, z up from the ground.  Everything is symmetric: a world with left and right exchanged
gives the exchanged numbers.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.renderer.objects.fragments import MOST_ROWS, NUMBERS, PATCH
from lanekeep_envs.sampling.appearance import RGB

REACH_PX = 12.0  # at most: how far a face reaches beyond its corners
STRETCH = 8  # things whose faces are on the easel at once
FACES = 11 * STRETCH  # at most: a car has 9, seen from above
# where the numbers of all faces lie: first what is given, then, from ROWS on, what is worked out of that
(
    CORNER,
    ALONG,
    RISE,
    EXTENT,
    SLANT,
    GROW,
    SKIN,
    ROWS,
    REACH,
    NEAR,
    FAR,
    ON_U,
    ON_V,
    ON_PX,
    LIGHT,
    EDGES,
    BOUNDS,
    FACE_NUMBERS,
) = (FACES * int(n) for n in np.cumsum((0, 3, 3, 3, 2, 2, 4, 14, 2, 2, 3, 3, 3, 3, 3, 3, 12, 16)))

EASEL = np.dtype(  # what the painter of faces has at hand; one record, since it is handed on often
    [
        ("ambient", np.float64, 3),  # light and air in the car's frame
        ("sunlight", np.float64, 3),
        ("horizon", np.float64, 3),
        ("sun", np.float64, 3),  # towards it: forward, left, up
        ("visibility_m", np.float64),
        ("night", np.float64),
        ("mirror", np.float64),
        ("count", np.int64),  # of the faces
        ("faces", np.float64, FACE_NUMBERS),
        ("upto", np.int64, STRETCH),  # of each thing the face after its last
        ("numbers", np.float32, NUMBERS),  # the patch
        ("cells", np.uint32, PATCH),  # places in the tile (texture.py), then its entries
        ("line", np.uint64, PATCH),  # of its runs (`add_run`) the image row; unsigned: no index is asked for its sign
        ("start", np.uint64, PATCH),  # the first column that is mixed with the picture
        ("at", np.uint64, PATCH),  # where among the numbers its cover is
        ("whole", np.uint64, PATCH),
        ("begin", np.int32, PATCH),  # which part of it counts
        ("end", np.int32, PATCH),
        ("first", np.int32, MOST_ROWS),  # columns of a face in its rows: the first, and one past the last
        ("last", np.int32, MOST_ROWS),
    ]
)


class Face(NamedTuple):
    """A trapezoid in space; the upper edge is shorter by `slant_0` at u = 0 and `slant_1` at the other end."""

    corner: RGB  # x, y, z of (0, 0)
    along: RGB
    rise: RGB
    wide: float
    tall: float
    slant_0: float
    slant_1: float


@no_refcount
def set_light(easel, appearance, cos, sin):
    """Write light and air of a `LOOK` for a car that points along (cos, sin)."""
    ambient, sunlight, horizon, sun = easel["ambient"], easel["sunlight"], easel["horizon"], easel["sun"]
    ambient[0], ambient[1], ambient[2] = appearance["ambient_r"], appearance["ambient_g"], appearance["ambient_b"]
    sunlight[0], sunlight[1], sunlight[2] = appearance["sunlight_r"], appearance["sunlight_g"], appearance["sunlight_b"]
    horizon[0], horizon[1], horizon[2] = appearance["horizon_r"], appearance["horizon_g"], appearance["horizon_b"]
    sun_x, sun_y = appearance["sun_x"], appearance["sun_y"]
    sun[0], sun[1], sun[2] = cos * sun_x + sin * sun_y, cos * sun_y - sin * sun_x, appearance["sun_z"]
    easel["visibility_m"], easel["night"], easel["mirror"] = (
        appearance["visibility_m"],
        appearance["night"],
        appearance["mirror"],
    )


@inline_always
def cross(a, b):
    """Vector product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@inline_always
def edge_of(a, b, size, turn, grow):
    """(constant, per p, per q) of the distance in pixels inside the edge from a to b, each (q, p, depth), plus a half."""
    dq, dp = b[0] - a[0], b[1] - a[1]
    per = turn / size if size >= 1e-6 else 0.0
    out = 0.5 + grow if size >= 1e-6 else 1e3
    return per * (dp * a[0] - dq * a[1]) + out, per * dq, -per * dp


@inline_always
def gap(a, b):
    """Pixels between two points of the image."""
    dq, dp = b[0] - a[0], b[1] - a[1]
    return np.sqrt(dq * dq + dp * dp)


@inline_always
def seen_at(point, lens):
    """(q, p, depth) of a point: column and row from the middle of the image, where left and right are alike."""
    x, y, z = point
    depth = x * lens.cos_pitch - z * lens.sin_pitch
    scale = lens.focal_px / max(depth, 1e-3)
    return -y * scale, -(x * lens.sin_pitch + z * lens.cos_pitch) * scale, depth


@no_refcount
def add_face(easel, face, skin, grow):
    """Put a face on the easel; `grow` is how many pixels it reaches beyond its edges: lower, far u, upper, u = 0."""
    n, f = easel["count"] & 0xFFFF, easel["faces"]  # not negative, which every index below would ask for
    if n == FACES:
        return
    easel["count"] = n + 1
    write(f, CORNER, n, face.corner)
    write(f, ALONG, n, face.along)
    write(f, RISE, n, face.rise)
    f[EXTENT + n], f[EXTENT + FACES + n] = face.wide, face.tall
    f[SLANT + n], f[SLANT + FACES + n] = face.slant_0, face.slant_1
    write(f, GROW, n, grow)
    write(f, GROW + FACES, n, grow[1:])
    write(f, SKIN, n, (float(skin.element), float(skin.kind), float(skin.number)))
    write(f, SKIN + 3 * FACES, n, skin.colour)
    write(f, SKIN + 6 * FACES, n, skin.second)
    write(f, SKIN + 9 * FACES, n, (skin.own, skin.at, skin.middle))
    f[SKIN + 12 * FACES + n], f[SKIN + 13 * FACES + n] = skin.side, skin.coarse


@inline_always
def write(faces, at, n, three):
    """Write three numbers of face n."""
    faces[at + n], faces[at + FACES + n], faces[at + 2 * FACES + n] = three[0], three[1], three[2]


@inline_always
def read(faces, at, n):
    """Read three numbers of face n."""
    return faces[at + n], faces[at + FACES + n], faces[at + 2 * FACES + n]


@inline_always
def shifted(a, share, b):
    """a + by b."""
    return a[0] + share * b[0], a[1] + share * b[1], a[2] + share * b[2]


@no_refcount
def shape_faces(easel, height, width, lens):
    """Work out how the faces on the easel lie in the image, eight at once."""
    f = easel["faces"]
    ambient, sunlight, sun = triple(easel["ambient"]), triple(easel["sunlight"]), triple(easel["sun"])
    left_end, right_end = -lens.centre_column, width - lens.centre_column
    for n in range(min((easel["count"] + 7) & -8, FACES)):
        corner, along, rise, grow = read(f, CORNER, n), read(f, ALONG, n), read(f, RISE, n), read(f, GROW, n)
        # those beyond the last face, up to eight, are not to divide by zero
        wide, tall, coarse = max(f[EXTENT + n], 1e-9), max(f[EXTENT + FACES + n], 1e-9), f[SKIN + 13 * FACES + n]
        last_grow = f[GROW + 3 * FACES + n]
        base = (corner[0], corner[1], corner[2] - lens.height_m)
        top = shifted(base, tall, rise)
        a, b = seen_at(base, lens), seen_at(shifted(base, wide, along), lens)
        c = seen_at(shifted(top, wide - f[SLANT + FACES + n], along), lens)
        d = seen_at(shifted(top, f[SLANT + n], along), lens)
        normal = cross(along, rise)
        near = normal[0] * base[0] + normal[1] * base[1] + normal[2] * base[2]
        turn, away = winding(a, b, c, d), 1.0 if near > 0.0 else -1.0
        normal, near = (away * normal[0], away * normal[1], away * normal[2]), away * near
        left, right = min(min(a[0], b[0]), min(c[0], d[0])), max(max(a[0], b[0]), max(c[0], d[0]))
        beside = max(left - right_end, left_end - right)
        nearest = min(min(a[2], b[2]), min(c[2], d[2]))
        # what is edge-on, or reaches behind the camera, or lies beside the image has no rows
        shown = (near >= 1e-9) & (turn != 0.0) & (nearest >= 0.05) & (beside <= REACH_PX)
        ab, bc, cd, da = gap(a, b), gap(b, c), gap(c, d), gap(d, a)
        px_u, px_v = 0.5 * (ab + cd) / wide, 0.5 * (da + bc) / tall
        ragged = min(0.10 * px_v, 8.0) * coarse * rise[2]
        add_edge(f, EDGES, BOUNDS, n, edge_of(a, b, ab, turn, grow[0]))
        add_edge(f, EDGES + 3 * FACES, BOUNDS + 4 * FACES, n, edge_of(b, c, bc, turn, grow[1]))
        add_edge(f, EDGES + 6 * FACES, BOUNDS + 8 * FACES, n, edge_of(c, d, cd, turn, grow[2] + 0.5 * ragged))
        add_edge(f, EDGES + 9 * FACES, BOUNDS + 12 * FACES, n, edge_of(d, a, da, turn, last_grow))
        write(f, ON_PX, n, (max(px_u, 1e-3), max(px_v, 1e-3), ragged))
        u_0 = base[0] * along[0] + base[1] * along[1] + base[2] * along[2]
        v_0 = base[0] * rise[0] + base[1] * rise[1] + base[2] * rise[2]
        write(f, NEAR, n, (near, u_0, v_0))
        write(f, FAR, n, ray(normal, lens))
        write(f, ON_U, n, ray(along, lens))
        write(f, ON_V, n, ray(rise, lens))
        write(f, LIGHT, n, light_on(normal, ambient, sunlight, sun))
        # where two edges meet at a small angle, as in a roof at the height of the eye, they alone would let it reach far
        reach = 1.0 + max(max(grow[0], grow[1]), max(grow[2], last_grow)) + ragged
        f[REACH + n], f[REACH + FACES + n] = left - reach, right + reach
        first = lens.centre_row + min(min(a[1], b[1]), min(c[1], d[1])) - 2.0 - ragged
        last = lens.centre_row + max(max(a[1], b[1]), max(c[1], d[1])) + 3.0
        f[ROWS + n] = min(max(first, 0.0), height) if shown else 0.0
        f[ROWS + FACES + n] = min(max(last, 0.0), height) if shown else 0.0


@inline_always
def triple(numbers):
    """Three numbers of a record."""
    return numbers[0], numbers[1], numbers[2]


@no_refcount
def turned(face, lens):
    """Volume that tells to which side of the face the camera is: positive where along x rise points away from it."""
    n, c = cross(face.along, face.rise), face.corner
    return n[0] * c[0] + n[1] * c[1] + n[2] * (c[2] - lens.height_m)


@inline_always
def add_edge(faces, at, bounds, n, edge):
    """Write an edge, and (lowest column, per p, highest column, per p) in row p = 0 of what lies inside it."""
    write(faces, at, n, edge)
    per = -1.0 / edge[2] if abs(edge[2]) > 1e-9 else 0.0
    column, per_row = per * edge[0], per * edge[1]
    faces[bounds + n], faces[bounds + FACES + n] = column if per < 0.0 else -1e9, per_row if per < 0.0 else 0.0
    faces[bounds + 2 * FACES + n] = column if per > 0.0 else 1e9
    faces[bounds + 3 * FACES + n] = per_row if per > 0.0 else 0.0


@inline_always
def winding(a, b, c, d):
    """Which way round the corners lie in the image, 1 or -1; 0 if they lie on a line."""
    area = (b[0] - a[0]) * (d[1] - a[1]) - (b[1] - a[1]) * (d[0] - a[0])
    area += (b[0] - c[0]) * (d[1] - c[1]) * -1.0 + (b[1] - c[1]) * (d[0] - c[0])
    return 1.0 if area > 0.0 else (-1.0 if area < 0.0 else 0.0)


@inline_always
def ray(vector, lens):
    """A vector's product with the ray through pixel (q, p), as (constant, per p, per q)."""
    per_px = 1.0 / lens.focal_px
    return (
        vector[0] * lens.cos_pitch - vector[2] * lens.sin_pitch,
        -(vector[0] * lens.sin_pitch + vector[2] * lens.cos_pitch) * per_px,
        -vector[1] * per_px,
    )


@inline_always
def light_on(n, ambient, sunlight, sun):
    """Light of sun and sky on a face whose normal away from the camera is `n`."""
    lit = 1.5 * max(0.08 - (n[0] * sun[0] + n[1] * sun[1] + n[2] * sun[2]), 0.08)
    dim = 0.80 - 0.20 * n[2]  # of the sky's light; what looks up sees more of it
    return (
        dim * ambient[0] + lit * sunlight[0],
        dim * ambient[1] + lit * sunlight[1],
        dim * ambient[2] + lit * sunlight[2],
    )
