"""What stands beside the road, as records of `OBJECT` sorted along it: trees, bushes, delineator posts, hedges, guard
rails, signs and buildings.

Trees, bushes and posts are drawn first and from the generator of the episode; all the others come from one of their own,
so that a scenario without them keeps its pictures.  A hedge or rail is a chain of straight pieces that follow the road.
"""

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.decorators import jit
from lanekeep_envs.dynamics.road import SPACING_M, pose_beside, poses_beside
from lanekeep_envs.elements import (
    BROADLEAF,
    BUILDING,
    BUSH,
    CONIFER,
    ELEMENT_OF_KIND,
    HEDGE,
    POST,
    RAIL,
    SIGN,
    Element,
    Placement,
)
from lanekeep_envs.sampling.confounders import tie_to_bends
from lanekeep_envs.sampling.ranges import uniform
from lanekeep_envs.scenario.schema import Scenario

POST_HEIGHT_M, POST_WIDTH_M = 1.0, 0.12
HEDGE_PIECE_M, RAIL_PIECE_M = 8.0, 6.0
LEAST_RUN_M, LEAD_M = 40.0, 120.0  # of hedges or rails, and how far before the road the first run may begin
RAIL_HEIGHT_M = 0.75  # upper edge of the beam (RPS)
LIMIT, WARNING, PRIORITY, INFORMATION, DIRECTION = 0, 1, 2, 3, 4  # variants of a sign: round, triangle, diamond, ...
SIGN_SIZE_M = (0.6, 0.9, 0.6, 0.6, 1.3)  # width of each (VwV-StVO 39 to 43: size 2 on country roads)
SIGNS_BELOW = tuple(np.cumsum((0.3, 0.3, 0.2, 0.08, 0.12)).tolist())  # of a draw, up to each variant
AVENUE_SPACING_M = (10.0, 14.0)
AVENUE_M = (1.5, 2.5)  # from the edge of the asphalt
SETBACK_M = (8.0, 25.0)
NO_COLOUR = (-1.0, 0.0, 0.0)  # of a plant's leaves: they have that of the look

OBJECT = np.dtype(
    [
        ("s_m", np.float64),
        ("x", np.float64),
        ("y", np.float64),
        ("height_m", np.float64),
        ("radius_m", np.float64),  # half the greatest width
        ("tint", np.float64),  # 0.8 .. 1.2, brightness of the leaves
        # of a plant 0 .. 1, tells two of a kind apart; of a structure its heading [rad]; negated in a mirrored world
        ("twist", np.float64),
        ("kind", np.int64),
        ("length_m", np.float64),  # of a structure, along its heading
        ("leaf", np.float64, (3,)),  # colour of a plant's leaves, or NO_COLOUR of its own
        ("variant", np.int64),  # which sign (negative: its back), which kind of house
    ]
)
RECORD = np.dtype((np.void, OBJECT.itemsize))  # an OBJECT as bytes, which numpy copies ten times faster
ELEMENTS = np.array([ELEMENT_OF_KIND[kind] for kind in range(len(ELEMENT_OF_KIND))], np.int64)  # by kind

PLACEMENTS = [element.spec.placement for element in Element if element.spec.placement]


@jit
def element_of(kind):
    """Return the element that a roadside object of a kind belongs to."""
    return int(ELEMENTS[min(max(kind, 0), ELEMENTS.shape[0] - 1)])


def plant(road: NDArray[np.void], scenario: Scenario, generator: np.random.Generator) -> NDArray[np.void]:
    """Draw the objects along one road, sorted by arc length."""
    scenery, lane = scenario.scenery, scenario.lane
    length = (road.shape[0] - 1) * SPACING_M
    per_km = [uniform(pair, generator.random()) for pair in (scenery.trees_per_km, scenery.bushes_per_km)]
    trees, bushes = (round(density * length / 1000.0) for density in per_km)
    pairs = int(length / scenery.post_spacing_m)
    objects = np.zeros(trees + bushes + 2 * pairs, OBJECT)
    draws, conifers = generator.random((trees + bushes, 6)), generator.random() * 0.7
    edge = lane.lane_width_m + lane.edge_strip_m
    grow(objects, road, draws, trees, conifers, scenery.nearest_tree_m, lane.shoulder_m + 1.2, edge)
    set_posts(objects[trees + bushes :], road, scenery.post_spacing_m, edge + 0.5)
    tie_to_bends(objects[:trees], road, scenario.confounder.trees_outside_bends, generator.spawn(1)[0])
    parts = [objects, *build(road, scenario, generator.spawn(1)[0])]
    objects = np.concatenate([part.view(RECORD) for part in parts]).view(OBJECT)
    objects["leaf"] = NO_COLOUR
    return objects.take(np.argsort(objects["s_m"], kind="stable"))


def build(road: NDArray[np.void], scenario: Scenario, generator: np.random.Generator) -> list[NDArray[np.void]]:
    """Draw the avenue and the structures along one road; every kind has a generator of its own."""
    scenery, edge = scenario.scenery, scenario.lane.lane_width_m + scenario.lane.edge_strip_m
    length, verge = (road.shape[0] - 1) * SPACING_M, edge + scenario.lane.shoulder_m
    for_trees, for_hedges, for_rails, for_signs, for_houses = generator.spawn(5)
    signs, sign_draws = counted(length, scenery.signs_per_km, 5, for_signs)
    houses, house_draws = counted(length, scenery.buildings_per_km, 8, for_houses)
    set_signs(signs, road, sign_draws, length, edge + 1.0)
    set_buildings(houses, road, house_draws, length, edge)
    return [
        avenue(road, length, scenery.avenue, edge, for_trees),
        chain(road, HEDGE, HEDGE_PIECE_M, uniform(scenery.hedges, for_hedges.random()), verge + 0.8, for_hedges),
        chain(road, RAIL, RAIL_PIECE_M, uniform(scenery.rails, for_rails.random()), edge + 0.9, for_rails),
        signs,
        houses,
        *(scatter(road, place, getattr(scenery, place.key), generator.spawn(1)[0]) for place in PLACEMENTS),
    ]


def counted(
    length_m: float, per_km: tuple[float, float], numbers: int, generator: np.random.Generator
) -> tuple[NDArray[np.void], NDArray[np.float64]]:
    """Return objects [N] to be filled in, of which there are so many per kilometre, and uniform draws [N, numbers]."""
    objects = np.zeros(round(uniform(per_km, generator.random()) * length_m / 1000.0), OBJECT)
    return objects, generator.random((len(objects), numbers))


def scatter(
    road: NDArray[np.void], place: Placement, per_km: tuple[float, float], generator: np.random.Generator
) -> NDArray[np.void]:
    """Place objects of one kind anywhere along the road."""
    length_m = (road.shape[0] - 1) * SPACING_M
    objects, draws = counted(length_m, per_km, 4, generator)
    u = draws.reshape(4, -1)
    aside_m = place.aside_m[0] + (place.aside_m[1] - place.aside_m[0]) * u[2]
    objects["s_m"], objects["kind"], objects["tint"] = length_m * u[0], place.kind, 0.9 + 0.2 * u[3]
    objects["x"], objects["y"], heading = poses_beside(road, objects["s_m"], np.where(u[1] < 0.5, 1.0, -1.0) * aside_m)
    objects["twist"] = heading + (0.5 * np.pi if place.across else 0.0)
    objects["length_m"], objects["radius_m"], objects["height_m"] = place.length_m, 0.5 * place.width_m, place.height_m
    return objects


def avenue(
    road: NDArray[np.void],
    length_m: float,
    strength: tuple[float, float],
    edge_m: float,
    generator: np.random.Generator,
) -> NDArray[np.void]:
    """Draw broadleaf trees in two rows close to the asphalt; the strength is the share of places that are not empty."""
    full, spacing, aside = (uniform(p, generator.random()) for p in (strength, AVENUE_SPACING_M, AVENUE_M))
    tall = 9.0 + 5.0 * generator.random()
    draws = generator.random((2 * int(length_m / spacing), 5))
    trees = np.zeros(np.count_nonzero(draws[:, 4] < full), OBJECT)
    set_avenue(trees, road, draws, full, spacing, edge_m + aside, tall)
    return trees


def chain(
    road: NDArray[np.void], kind: int, piece_m: float, share: float, d_m: float, generator: np.random.Generator
) -> NDArray[np.void]:
    """Draw hedges or rails on both sides: runs of straight pieces that follow the road, with gaps that leave `share`."""
    last = (road.shape[0] - 1) * SPACING_M - piece_m
    runs = 2 + int((last + LEAD_M) / LEAST_RUN_M)  # on one side, at most
    pieces = np.empty((4, 2 * (runs + 1 + int(last / piece_m))))
    found = string_pieces(pieces, generator.random(2 * (1 + 4 * runs)), piece_m, share, d_m, last)
    start, tall, tint, aside = pieces[:, :found]
    objects = np.zeros(found, OBJECT)
    x0, y0, _ = poses_beside(road, start, aside)
    x1, y1, _ = poses_beside(road, start + piece_m, aside)
    objects["s_m"], objects["x"], objects["y"] = start + 0.5 * piece_m, 0.5 * (x0 + x1), 0.5 * (y0 + y1)
    objects["twist"], objects["length_m"] = np.arctan2(y1 - y0, x1 - x0), np.hypot(x1 - x0, y1 - y0)
    objects["kind"], objects["tint"] = kind, tint
    objects["height_m"], objects["radius_m"] = (tall, 0.5) if kind == HEDGE else (RAIL_HEIGHT_M, 0.05)
    return objects


@jit
def set_avenue(trees, road, draws, full, spacing_m, d_m, tall):
    """Fill in the trees of an avenue from uniform `draws` [N, 5], one for each place on either side, near `d_m`."""
    found = 0
    for k in range(draws.shape[0]):
        u = draws[k]
        if u[4] < full:
            tree, d = trees[found], d_m + 0.2 * (u[1] - 0.5)
            tree["s_m"] = (k // 2 + 0.5 + 0.15 * (u[0] - 0.5)) * spacing_m
            tree["x"], tree["y"], _ = pose_beside(road, tree["s_m"], -d if k % 2 == 0 else d)
            tree["height_m"] = tall * (0.88 + 0.24 * u[2])
            tree["radius_m"], tree["kind"] = 0.30 * tree["height_m"], BROADLEAF
            tree["tint"], tree["twist"] = 0.85 + 0.3 * u[2], u[3]
            found += 1


@jit
def string_pieces(pieces, draws, piece_m, share, d_m, last_m):
    """Fill in start, height, tint and place beside the road of pieces [4, N] from uniform `draws`; return how many."""
    found, drawn = 0, 0
    for side in (-1.0, 1.0):
        s = 0.0
        if share < 1.0:
            s, drawn = -LEAD_M * draws[drawn], drawn + 1
        while share > 0.0 and s < last_m and drawn + 4 <= draws.shape[0]:
            u, drawn = draws[drawn : drawn + 4], drawn + 4
            run = piece_m * np.rint((LEAST_RUN_M + 100.0 * u[0]) / piece_m)
            step = (s + piece_m) - s
            for k in range(int(np.ceil(((s + run) - s) / piece_m))):  # as np.arange(s, s + run, piece_m)
                start = s + k * step
                if 0.0 <= start < last_m and found < pieces.shape[1]:
                    pieces[0, found], pieces[1, found] = start, 1.0 + 0.8 * u[1]
                    pieces[2, found], pieces[3, found] = 0.9 + 0.2 * u[2], side * d_m
                    found += 1
            s += run + (LEAST_RUN_M + 100.0 * u[3]) * (1.0 - share) / share
    return found


@jit
def set_signs(objects, road, draws, length_m, d_m):
    """Fill in signs on poles, four of five on the right and to be read by the driver; the others are seen from behind."""
    for k in range(objects.shape[0]):
        obj, u, variant = objects[k], draws[k], LIMIT
        while variant < DIRECTION and u[1] >= SIGNS_BELOW[variant]:
            variant += 1
        ours, radius = u[0] < 0.8, 0.5 * SIGN_SIZE_M[variant]
        obj["s_m"], obj["kind"], obj["variant"] = u[2] * length_m, SIGN, variant if ours else -1 - variant
        d = d_m + radius + 0.5 * u[3]
        obj["x"], obj["y"], obj["twist"] = pose_beside(road, obj["s_m"], -d if ours else d)
        obj["height_m"], obj["radius_m"], obj["tint"] = 1.9 + 2.0 * radius + 0.3 * u[4], radius, 1.0


@jit
def set_buildings(objects, road, draws, length_m, edge_m):
    """Fill in houses and barns along the road, turned to it or across."""
    for k in range(objects.shape[0]):
        obj, u = objects[k], draws[k]
        long, half = 9.0 + 7.0 * u[0], 3.6 + 1.6 * u[1]
        across = u[2] < 0.3
        d = edge_m + SETBACK_M[0] + (SETBACK_M[1] - SETBACK_M[0]) * u[3] ** 1.5 + (0.5 * long if across else half)
        obj["s_m"], obj["kind"], obj["variant"] = u[4] * length_m, BUILDING, int(6.0 * u[5])
        obj["x"], obj["y"], heading = pose_beside(road, obj["s_m"], -d if u[6] < 0.5 else d)
        obj["twist"] = heading + (0.5 * np.pi if across else 0.0) + 0.2 * (u[7] - 0.5)
        obj["height_m"] = 3.0 if u[1] < 0.4 else 5.8  # of the walls: one storey or two
        obj["length_m"], obj["radius_m"], obj["tint"] = long, half, 0.85 + 0.3 * u[0]


@jit
def grow(objects, road, draws, trees, conifers, nearest_tree_m, nearest_bush_m, edge_m):
    """Fill in trees and bushes from uniform `draws` [N, 6]: the first `trees` are trees, `conifers` is their share."""
    for k in range(draws.shape[0]):
        u, obj = draws[k], objects[k]
        if k < trees:
            kind, slender = (CONIFER, 0.20) if u[3] < conifers else (BROADLEAF, 0.32)
            tall, distance = 7.0 + 9.0 * u[4], nearest_tree_m + 38.0 * u[1] ** 2.2
        else:
            kind, slender = BUSH, 0.75
            tall, distance = 0.8 + 1.8 * u[4], nearest_bush_m + 14.0 * u[1] * u[1]
        radius = tall * slender * (0.8 + 0.4 * u[5])
        d = edge_m + max(distance, 0.6 * radius + 1.0)  # the crown stays clear of the carriageway
        obj["s_m"] = u[2] * (road.shape[0] - 1) * SPACING_M
        obj["x"], obj["y"], _ = pose_beside(road, obj["s_m"], -d if u[0] < 0.5 else d)
        obj["height_m"], obj["radius_m"], obj["kind"] = tall, radius, kind
        obj["tint"], obj["twist"] = 0.8 + 0.4 * u[1], u[5]


@jit
def set_posts(objects, road, spacing_m, d_m):
    """Fill in delineators in pairs, `d_m` beside the axis."""
    for k in range(objects.shape[0]):
        obj = objects[k]
        obj["s_m"] = (k // 2 + 0.5) * spacing_m
        obj["x"], obj["y"], _ = pose_beside(road, obj["s_m"], -d_m if k % 2 == 0 else d_m)
        obj["height_m"], obj["radius_m"] = POST_HEIGHT_M, 0.5 * POST_WIDTH_M
        obj["tint"], obj["kind"] = 1.0, POST
