"""The ground of a fine day: asphalt with markings, shoulder and land.  The pixels of a piece are land, road or both."""

from lanekeep_envs.elements import Element
from lanekeep_envs.ground_row import between, land_at, piece_of, road_at
from lanekeep_envs.kernel import inlined, kernel
from lanekeep_envs.surface import lit, markings, mix, paved_share
from lanekeep_envs.texture import TILE

CENTRE, LEFT, RIGHT = int(Element.CENTRE_MARKING), int(Element.LEFT_MARKING), int(Element.RIGHT_MARKING)
ROAD, TERRAIN, TEXTURE, SHADOWS = int(Element.ROAD), int(Element.TERRAIN), int(Element.TEXTURE), int(Element.SHADOWS)


@inlined
def marked(albedo, piece, b, lane, materials):
    """Lay the markings over an albedo."""
    shares = markings(between(piece, 0, b), between(piece, 1, b), between(piece, 2, b), between(piece, 3, b), lane)
    return mix(albedo, materials.paint, shares[0] + (shares[1] + shares[2]))


@kernel
def paint_row(canvas, i, row, centre, grain, lane, materials, mirror, near):
    """Paint image row i; `near` is None where the nearest texel will do.

    Three loops, not one with branches, and a length that the compiler does not know: so they are vectorised.
    """
    red, green, blue, shade = canvas.colour[0, i], canvas.colour[1, i], canvas.colour[2, i], canvas.shade[i]
    nodes, width, half, tile, per_width = canvas.nodes, row.piece, canvas.half, TILE, 1.0 / row.piece
    for k in range(red.shape[0] // width):
        piece, first = piece_of(nodes, k), width * k
        nearest, farthest = min(abs(nodes[1, k]), abs(nodes[1, k + 1])), max(abs(nodes[1, k]), abs(nodes[1, k + 1]))
        reach = 0.5 * max(nodes[2, k], nodes[2, k + 1])
        if nodes[1, k] * nodes[1, k + 1] > 0.0 and nearest - lane.outside_m > reach:
            for m in range(width):
                j, b = first + m, (m + half) * per_width
                albedo = land_at(piece, b, (centre - j) * row.per_px, row, grain, lane, materials, tile, near)
                red[j], green[j], blue[j] = lit(albedo, 1.0 - shade[j], row.haze, materials)
        elif farthest - lane.edge_m < -reach:
            for m in range(width):
                j, b = first + m, (m + half) * per_width
                albedo = road_at(piece, b, grain, lane, materials, mirror, tile, near)
                albedo = marked(albedo, piece, b, lane, materials)
                red[j], green[j], blue[j] = lit(albedo, 1.0 - shade[j], row.haze, materials)
        else:
            for m in range(width):
                j, b = first + m, (m + half) * per_width
                albedo = land_at(piece, b, (centre - j) * row.per_px, row, grain, lane, materials, tile, near)
                road = road_at(piece, b, grain, lane, materials, mirror, tile, near)
                albedo = mix(albedo, road, paved_share(between(piece, 1, b), between(piece, 2, b), lane))
                albedo = marked(albedo, piece, b, lane, materials)
                red[j], green[j], blue[j] = lit(albedo, 1.0 - shade[j], row.haze, materials)


@kernel
def note_row(by, i, shade, nodes, row, half, grain, lane):
    """Write what row i shows into the by-products."""
    for j in range(shade.shape[0]):
        piece, b = piece_of(nodes, j // row.piece), (j % row.piece + half) * (1.0 / row.piece)
        s, d, wide = between(piece, 0, b), between(piece, 1, b), between(piece, 2, b)
        paved = paved_share(d, wide, lane)
        shares = markings(s, d, wide, between(piece, 3, b), lane)
        element, bits = TERRAIN if paved < 0.5 else ROAD, 0
        bits |= 1 << TERRAIN if paved < 1.0 else 0
        bits |= 1 << ROAD if paved > 0.0 else 0
        bits |= 1 << TEXTURE if grain.slow > 0.0 else 0
        for n in range(3):
            share, line = shares[n], (CENTRE, LEFT, RIGHT)[n]
            if share > 0.0:
                bits |= 1 << line
            if share >= 0.4:
                element = line
        if shade[j] > 0.0:
            bits |= 1 << SHADOWS
            if shade[j] > 0.5 and element <= ROAD:
                element = SHADOWS
        by.elements[i, j], by.depth_m[i, j] = element, row.forward
        by.contributors[i, j] |= bits
