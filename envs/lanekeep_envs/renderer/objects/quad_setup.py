"""Quads in space, and how they lie in the image: worked out for eight of them at once.

A quad is a trapezoid with a corner, two unit vectors (`along` its lower edge, u, and up its `rise`, v) and two extents.
`set_up_quads` adds how it lies in the image.  A number of all quads lies together, so that loops over them are vectorised.

Everything is symmetric: a world with left and right exchanged gives the exchanged numbers.
"""

from typing import NamedTuple

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.renderer.coverage import shifted, vector_of
from lanekeep_envs.renderer.objects.fragments import FRAGMENTS, NUMBERS, read_vector
from lanekeep_envs.sampling.appearance import RGB

REACH_PX = 12.0  # at most: how far a quad reaches beyond its corners
OBJECTS_AT_ONCE = 8  # whose quads are in the buffer
MOST_ROWS = 4096 + 8  # of a camera, and of the last eight
QUADS = 11 * OBJECTS_AT_ONCE  # at most: a car has 9, seen from above

QUAD_BUFFER = np.dtype(  # quads, and a batch of fragments; one record, since it is handed on often
    [
        ("count", np.int64),  # of the quads
        ("corner", np.float64, (3, QUADS)),  # what a quad is: the fields of `Quad` and of its `Material`
        ("along", np.float64, (3, QUADS)),
        ("rise", np.float64, (3, QUADS)),
        ("extent", np.float64, (2, QUADS)),
        ("slant", np.float64, (2, QUADS)),
        ("grow", np.float64, (4, QUADS)),  # pixels that it reaches beyond its edges: lower, far u, upper, u = 0
        ("material", np.float64, (14, QUADS)),
        ("rows", np.float64, (2, QUADS)),  # how it lies in the image: rows, the first and one past the last
        ("reach", np.float64, (2, QUADS)),  # leftmost and rightmost column, from the middle
        ("near", np.float64, (3, QUADS)),  # of its plane: distance from the camera, and u and v there
        ("far", np.float64, (3, QUADS)),  # forms (constant, per p, per q), see `interpolate`
        ("on_u", np.float64, (3, QUADS)),
        ("on_v", np.float64, (3, QUADS)),
        ("on_px", np.float64, (3, QUADS)),  # pixels per metre of u and v, and how far leaves reach over its edge
        ("light", np.float64, (3, QUADS)),
        ("edges", np.float64, (4, 3, QUADS)),  # forms
        ("bounds", np.float64, (4, 4, QUADS)),  # of each edge (lowest column, per p, highest column, per p)
        ("upto", np.int64, OBJECTS_AT_ONCE),  # of each object the quad after its last
        ("numbers", np.float32, NUMBERS),  # of a batch of fragments (fragments.py)
        ("cells", np.uint32, FRAGMENTS),  # their places in the noise tile (compiled/noise.py), then its entries
        # their spans (`add_span`): image rows; unsigned, as the next three: no index is asked for its sign
        ("line", np.uint64, FRAGMENTS),
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
    n, extent, slant = quads["count"] & 0xFFFF, quads["extent"], quads["slant"]  # not negative, which indices ask for
    if n == QUADS:
        return
    quads["count"] = n + 1
    write_vector(quads["corner"], n, quad.corner)
    write_vector(quads["along"], n, quad.along)
    write_vector(quads["rise"], n, quad.rise)
    extent[0, n], extent[1, n], slant[0, n], slant[1, n] = quad.wide, quad.tall, quad.slant_0, quad.slant_1
    write_vector(quads["grow"], n, grow)
    quads["grow"][3, n] = grow[3]
    table = quads["material"]
    write_vector(table, n, (float(material.element), float(material.kind), float(material.number)))
    write_vector(table[3:], n, material.colour)
    write_vector(table[6:], n, material.second)
    write_vector(table[9:], n, (material.emission, material.at, material.middle))
    table[12, n], table[13, n] = material.side, material.coarse


@inline_always
def write_vector(table, n, three):
    """Write the numbers of quad n into a table [3, QUADS]."""
    table[0, n], table[1, n], table[2, n] = three[0], three[1], three[2]


@no_refcount
def set_up_quads(quads, height, width, appearance, view):
    """Work out how the quads in the buffer lie in the image, eight at once."""
    lens, sun = view.lens, (view.sun_ahead, view.sun_left, appearance["sun_z"])
    ambient, sunlight = vector_of(appearance["ambient"]), vector_of(appearance["sunlight"])
    left_end, right_end = -lens.centre_column, width - lens.centre_column
    for n in range(min((quads["count"] + 7) & -8, QUADS)):
        corner, along = read_vector(quads["corner"], n), read_vector(quads["along"], n)
        rise, grow, last_grow = read_vector(quads["rise"], n), read_vector(quads["grow"], n), quads["grow"][3, n]
        # those beyond the last quad, up to eight, are not to divide by zero
        wide, tall = max(quads["extent"][0, n], 1e-9), max(quads["extent"][1, n], 1e-9)
        base = (corner[0], corner[1], corner[2] - lens.height_m)
        top = shifted(base, tall, rise)
        a, b = project(base, lens), project(shifted(base, wide, along), lens)
        c = project(shifted(top, wide - quads["slant"][1, n], along), lens)
        d = project(shifted(top, quads["slant"][0, n], along), lens)
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
        ragged = min(0.10 * px_v, 8.0) * quads["material"][13, n] * rise[2]
        add_edge(quads, 0, n, edge_of(a, b, ab, turn, grow[0]))
        add_edge(quads, 1, n, edge_of(b, c, bc, turn, grow[1]))
        add_edge(quads, 2, n, edge_of(c, d, cd, turn, grow[2] + 0.5 * ragged))
        add_edge(quads, 3, n, edge_of(d, a, da, turn, last_grow))
        write_vector(quads["on_px"], n, (max(px_u, 1e-3), max(px_v, 1e-3), ragged))
        write_vector(quads["near"], n, (near, dot(base, along), dot(base, rise)))
        write_vector(quads["far"], n, ray(normal, lens))
        write_vector(quads["on_u"], n, ray(along, lens))
        write_vector(quads["on_v"], n, ray(rise, lens))
        write_vector(quads["light"], n, light_on(normal, ambient, sunlight, sun))
        # where two edges meet at a small angle, as in a roof at the height of the eye, they alone would let it reach far
        reach = 1.0 + max(max(grow[0], grow[1]), max(grow[2], last_grow)) + ragged
        quads["reach"][0, n], quads["reach"][1, n] = left - reach, right + reach
        first = lens.centre_row + min(min(a[1], b[1]), min(c[1], d[1])) - 2.0 - ragged
        last = lens.centre_row + max(max(a[1], b[1]), max(c[1], d[1])) + 3.0
        quads["rows"][0, n] = min(max(first, 0.0), height) if shown else 0.0
        quads["rows"][1, n] = min(max(last, 0.0), height) if shown else 0.0


@no_refcount
def side_of(quad, lens):
    """Volume of the quad's vectors and the one from the camera: positive where along x rise points away from the camera."""
    n, c = cross(quad.along, quad.rise), quad.corner
    return dot(n, (c[0], c[1], c[2] - lens.height_m))


@inline_always
def add_edge(quads, k, n, edge):
    """Write the k-th edge, and (lowest column, per p, highest column, per p) in row p = 0 of what lies inside it."""
    bounds = quads["bounds"][k]
    write_vector(quads["edges"][k], n, edge)
    per = -1.0 / edge[2] if abs(edge[2]) > 1e-9 else 0.0
    column, per_row = per * edge[0], per * edge[1]
    bounds[0, n], bounds[1, n] = column if per < 0.0 else -1e9, per_row if per < 0.0 else 0.0
    bounds[2, n], bounds[3, n] = column if per > 0.0 else 1e9, per_row if per > 0.0 else 0.0


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
