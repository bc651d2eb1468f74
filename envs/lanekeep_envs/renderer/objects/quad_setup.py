"""Quads in space, and how they lie in the image: worked out for eight of them at once.

A quad is a trapezoid with a corner, two unit vectors (`along` its lower edge, u, and up its `rise`, v) and two extents.  Its
numbers are first what it is: three of its corner, three along its lower edge and so on.  `set_up_quads` adds how it lies in
the image.  The numbers of all quads lie in one array, number by number, so that a loop over the quads is vectorised.

Everything is symmetric: a world with left and right exchanged gives the exchanged numbers.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.renderer.objects.fragments import FRAGMENTS, NUMBERS
from lanekeep_envs.sampling.appearance import RGB

REACH_PX = 12.0  # at most: how far a quad reaches beyond its corners
OBJECTS_AT_ONCE = 8  # whose quads are in the buffer
MOST_ROWS = 4096 + 8  # of a camera, and of the last eight
QUADS = 11 * OBJECTS_AT_ONCE  # at most: a car has 9, seen from above
# where the numbers of all quads begin: first what is given, then, from ROWS on, what is worked out of that
(
    CORNER,
    ALONG,
    RISE,
    EXTENT,
    SLANT,
    GROW,
    MATERIAL,
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
    QUAD_NUMBERS,
) = (QUADS * int(n) for n in np.cumsum((0, 3, 3, 3, 2, 2, 4, 14, 2, 2, 3, 3, 3, 3, 3, 3, 12, 16)))

QUAD_BUFFER = np.dtype(  # quads, their light, and a batch of fragments; one record, since it is handed on often
    [
        ("ambient", np.float64, 3),  # light and air
        ("sunlight", np.float64, 3),
        ("horizon", np.float64, 3),
        ("sun", np.float64, 3),  # unit vector towards it: forward, left, up
        ("visibility_m", np.float64),
        ("night", np.float64),
        ("mirror", np.float64),
        ("count", np.int64),  # of the quads
        ("setup", np.float64, QUAD_NUMBERS),
        ("upto", np.int64, OBJECTS_AT_ONCE),  # of each object the quad after its last
        ("numbers", np.float32, NUMBERS),  # of a batch of fragments (fragments.py)
        ("cells", np.uint32, FRAGMENTS),  # their places in the noise tile (compiled/noise.py), then its entries
        (
            "line",
            np.uint64,
            FRAGMENTS,
        ),  # image rows of their spans (`add_span`); unsigned: no index is asked for its sign
        ("start", np.uint64, FRAGMENTS),  # the first column that is mixed with the picture
        ("at", np.uint64, FRAGMENTS),  # where among the numbers its cover begins
        ("whole", np.uint64, FRAGMENTS),
        ("begin", np.int32, FRAGMENTS),  # which pixels of it count
        ("end", np.int32, FRAGMENTS),
        ("first", np.int32, MOST_ROWS),  # columns of a quad in its rows: the first, and one past the last
        ("last", np.int32, MOST_ROWS),
    ]
)


class Quad(NamedTuple):
    """A trapezoid in space; the upper edge is shorter by `slant_0` at u = 0 and `slant_1` at the other end."""

    corner: RGB  # x, y, z of (0, 0)
    along: RGB
    rise: RGB
    wide: float
    tall: float
    slant_0: float
    slant_1: float


@no_refcount
def set_light(quads, appearance, view):
    """Write the light and air of an appearance, seen from the car."""
    ambient, sunlight, horizon, sun = quads["ambient"], quads["sunlight"], quads["horizon"], quads["sun"]
    ambient[0], ambient[1], ambient[2] = appearance["ambient_r"], appearance["ambient_g"], appearance["ambient_b"]
    sunlight[0], sunlight[1], sunlight[2] = appearance["sunlight_r"], appearance["sunlight_g"], appearance["sunlight_b"]
    horizon[0], horizon[1], horizon[2] = appearance["horizon_r"], appearance["horizon_g"], appearance["horizon_b"]
    sun[0], sun[1], sun[2] = view.sun_ahead, view.sun_left, appearance["sun_z"]
    quads["visibility_m"], quads["night"] = appearance["visibility_m"], appearance["night"]
    quads["mirror"] = appearance["mirror"]


@inline_always
def dot(a, b):
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


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
def project(point, lens):
    """(q, p, depth) of a point: column and row from the middle of the image, where left and right are alike."""
    x, y, z = point
    depth = x * lens.cos_pitch - z * lens.sin_pitch
    scale = lens.focal_px / max(depth, 1e-3)
    return -y * scale, -(x * lens.sin_pitch + z * lens.cos_pitch) * scale, depth


@no_refcount
def add_quad(quads, quad, material, grow):
    """Put a quad into the buffer; `grow` is how many pixels it reaches beyond its edges: lower, far u, upper, u = 0."""
    n, f = quads["count"] & 0xFFFF, quads["setup"]  # not negative, which every index below would ask for
    if n == QUADS:
        return
    quads["count"] = n + 1
    write_vector(f, CORNER, n, quad.corner)
    write_vector(f, ALONG, n, quad.along)
    write_vector(f, RISE, n, quad.rise)
    f[EXTENT + n], f[EXTENT + QUADS + n] = quad.wide, quad.tall
    f[SLANT + n], f[SLANT + QUADS + n] = quad.slant_0, quad.slant_1
    write_vector(f, GROW, n, grow)
    f[GROW + 3 * QUADS + n] = grow[3]
    write_vector(f, MATERIAL, n, (float(material.element), float(material.kind), float(material.number)))
    write_vector(f, MATERIAL + 3 * QUADS, n, material.colour)
    write_vector(f, MATERIAL + 6 * QUADS, n, material.second)
    write_vector(f, MATERIAL + 9 * QUADS, n, (material.emission, material.at, material.middle))
    f[MATERIAL + 12 * QUADS + n], f[MATERIAL + 13 * QUADS + n] = material.side, material.coarse


@inline_always
def write_vector(setup, at, n, three):
    """Write three numbers of quad n."""
    setup[at + n], setup[at + QUADS + n], setup[at + 2 * QUADS + n] = three[0], three[1], three[2]


@inline_always
def read_vector(setup, at, n):
    """Read three numbers of quad n."""
    return setup[at + n], setup[at + QUADS + n], setup[at + 2 * QUADS + n]


@inline_always
def shifted(a, share, b):
    """a + by b."""
    return a[0] + share * b[0], a[1] + share * b[1], a[2] + share * b[2]


@no_refcount
def set_up_quads(quads, height, width, lens):
    """Work out how the quads in the buffer lie in the image, eight at once."""
    f = quads["setup"]
    ambient, sunlight, sun = vector_of(quads["ambient"]), vector_of(quads["sunlight"]), vector_of(quads["sun"])
    left_end, right_end = -lens.centre_column, width - lens.centre_column
    for n in range(min((quads["count"] + 7) & -8, QUADS)):
        corner, along, rise = read_vector(f, CORNER, n), read_vector(f, ALONG, n), read_vector(f, RISE, n)
        grow, last_grow = read_vector(f, GROW, n), f[GROW + 3 * QUADS + n]
        # those beyond the last quad, up to eight, are not to divide by zero
        wide, tall = max(f[EXTENT + n], 1e-9), max(f[EXTENT + QUADS + n], 1e-9)
        base = (corner[0], corner[1], corner[2] - lens.height_m)
        top = shifted(base, tall, rise)
        a, b = project(base, lens), project(shifted(base, wide, along), lens)
        c = project(shifted(top, wide - f[SLANT + QUADS + n], along), lens)
        d = project(shifted(top, f[SLANT + n], along), lens)
        normal = cross(along, rise)
        near = dot(normal, base)
        turn, away = winding(a, b, c, d), 1.0 if near > 0.0 else -1.0
        normal, near = (away * normal[0], away * normal[1], away * normal[2]), away * near
        left, right = min(min(a[0], b[0]), min(c[0], d[0])), max(max(a[0], b[0]), max(c[0], d[0]))
        beside = max(left - right_end, left_end - right)
        nearest = min(min(a[2], b[2]), min(c[2], d[2]))
        # what is edge-on, or reaches behind the camera, or lies beside the image has no rows
        shown = (near >= 1e-9) & (turn != 0.0) & (nearest >= 0.05) & (beside <= REACH_PX)
        ab, bc, cd, da = gap(a, b), gap(b, c), gap(c, d), gap(d, a)
        px_u, px_v = 0.5 * (ab + cd) / wide, 0.5 * (da + bc) / tall
        ragged = min(0.10 * px_v, 8.0) * f[MATERIAL + 13 * QUADS + n] * rise[2]
        add_edge(f, EDGES, BOUNDS, n, edge_of(a, b, ab, turn, grow[0]))
        add_edge(f, EDGES + 3 * QUADS, BOUNDS + 4 * QUADS, n, edge_of(b, c, bc, turn, grow[1]))
        add_edge(f, EDGES + 6 * QUADS, BOUNDS + 8 * QUADS, n, edge_of(c, d, cd, turn, grow[2] + 0.5 * ragged))
        add_edge(f, EDGES + 9 * QUADS, BOUNDS + 12 * QUADS, n, edge_of(d, a, da, turn, last_grow))
        write_vector(f, ON_PX, n, (max(px_u, 1e-3), max(px_v, 1e-3), ragged))
        write_vector(f, NEAR, n, (near, dot(base, along), dot(base, rise)))
        write_vector(f, FAR, n, ray(normal, lens))
        write_vector(f, ON_U, n, ray(along, lens))
        write_vector(f, ON_V, n, ray(rise, lens))
        write_vector(f, LIGHT, n, light_on(normal, ambient, sunlight, sun))
        # where two edges meet at a small angle, as in a roof at the height of the eye, they alone would let it reach far
        reach = 1.0 + max(max(grow[0], grow[1]), max(grow[2], last_grow)) + ragged
        f[REACH + n], f[REACH + QUADS + n] = left - reach, right + reach
        first = lens.centre_row + min(min(a[1], b[1]), min(c[1], d[1])) - 2.0 - ragged
        last = lens.centre_row + max(max(a[1], b[1]), max(c[1], d[1])) + 3.0
        f[ROWS + n] = min(max(first, 0.0), height) if shown else 0.0
        f[ROWS + QUADS + n] = min(max(last, 0.0), height) if shown else 0.0


@inline_always
def vector_of(numbers):
    """Three numbers of a record."""
    return numbers[0], numbers[1], numbers[2]


@no_refcount
def side_of(quad, lens):
    """Volume of the quad's vectors and the one from the camera: positive where along x rise points away from the camera."""
    n, c = cross(quad.along, quad.rise), quad.corner
    return dot(n, (c[0], c[1], c[2] - lens.height_m))


@inline_always
def add_edge(setup, at, bounds, n, edge):
    """Write an edge, and (lowest column, per p, highest column, per p) in row p = 0 of what lies inside it."""
    write_vector(setup, at, n, edge)
    per = -1.0 / edge[2] if abs(edge[2]) > 1e-9 else 0.0
    column, per_row = per * edge[0], per * edge[1]
    setup[bounds + n], setup[bounds + QUADS + n] = column if per < 0.0 else -1e9, per_row if per < 0.0 else 0.0
    setup[bounds + 2 * QUADS + n] = column if per > 0.0 else 1e9
    setup[bounds + 3 * QUADS + n] = per_row if per > 0.0 else 0.0


@inline_always
def winding(a, b, c, d):
    """Which way round the corners lie in the image: 1 or -1, or 0 if they lie on a line."""
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
    """Light of sun and sky on a quad whose normal away from the camera is `n`."""
    lit = 1.5 * max(0.08 - dot(n, sun), 0.08)
    dim = 0.80 - 0.20 * n[2]  # of the sky's light; what looks up sees more of it
    return (
        dim * ambient[0] + lit * sunlight[0],
        dim * ambient[1] + lit * sunlight[1],
        dim * ambient[2] + lit * sunlight[2],
    )
