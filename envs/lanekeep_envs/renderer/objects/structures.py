"""What people put beside the road: hedges, guard rails, signs and buildings, made of solids and quads."""

from lanekeep_envs.compiled.decorators import no_refcount
from lanekeep_envs.elements import BUILDING, HEDGE, RAIL, SIGN, Element
from lanekeep_envs.renderer.coverage import clip01, tinted
from lanekeep_envs.renderer.headlights import headlight
from lanekeep_envs.renderer.objects.boxes import add_boxes, is_made_of_boxes
from lanekeep_envs.renderer.objects.fragments import CUT_M
from lanekeep_envs.renderer.objects.materials import (
    BARRIER,
    BOARD,
    LEAVES,
    METAL,
    PLAIN,
    ROOF,
    WALL,
    Material,
    centred_material,
)
from lanekeep_envs.renderer.objects.quad_setup import add_quad
from lanekeep_envs.renderer.objects.solids import NO_GROWTH, Solid, add_solid, end_quad, shown_part, side_quad
from lanekeep_envs.renderer.view import FARTHEST_M, NEAREST_M
from lanekeep_envs.sampling.roadside import DIRECTION

HEDGES, RAILS, SIGNS = int(Element.HEDGES), int(Element.RAILS), int(Element.SIGNS)
BUILDINGS = int(Element.BUILDINGS)
HOUSES = (  # walls, shutters and roof of each kind of building; the first is a barn
    ((112.0, 84.0, 60.0), (90.0, 64.0, 44.0), (104.0, 92.0, 84.0)),
    ((226.0, 220.0, 206.0), (70.0, 96.0, 66.0), (150.0, 74.0, 52.0)),
    ((222.0, 198.0, 146.0), (110.0, 70.0, 48.0), (132.0, 62.0, 46.0)),
    ((160.0, 84.0, 62.0), (230.0, 228.0, 222.0), (88.0, 84.0, 86.0)),
    ((232.0, 232.0, 230.0), (72.0, 92.0, 120.0), (82.0, 84.0, 90.0)),
    ((206.0, 168.0, 136.0), (88.0, 104.0, 78.0), (158.0, 86.0, 60.0)),
)


@no_refcount
def add_structure(quads, obj, pose, appearance, lens):
    """Add a hedge, rail, sign, building, or what is made of boxes."""
    kind, half_long = obj["kind"], 0.5 * obj["length_m"]
    if pose.x + half_long + obj["radius_m"] < NEAREST_M or pose.x - half_long > FARTHEST_M:
        return
    low, high = shown_part(pose, -half_long, half_long, obj["radius_m"] + 0.5)
    if kind == HEDGE and high - low > 0.05:
        add_hedge(quads, obj, pose, low, high, appearance, lens)
    elif kind == RAIL and high - low > 0.05:
        add_rail(quads, obj, pose, low, high)
    elif kind == BUILDING and high - low > half_long:
        add_building(quads, obj, pose, appearance, lens)
    elif kind == SIGN and pose.x > NEAREST_M:
        add_sign(quads, obj, pose, appearance)
    elif is_made_of_boxes(kind):
        add_boxes(quads, obj, pose, lens)


@no_refcount
def add_hedge(quads, obj, pose, low, high, appearance, lens):
    """Add a piece of hedge from `low` to `high` along it."""
    half, at, scale = obj["radius_m"], obj["s_m"] + low, lens.focal_px / max(pose.x, CUT_M)
    colour, coarse = tinted(1.05 * obj["tint"], appearance["leaf"]), clip01((scale - 3.0) / 12.0)
    flank = Material(HEDGES, LEAVES, colour, colour, 0, obj["tint"], at, 0.0, 1.0, coarse)
    end = Material(HEDGES, LEAVES, colour, colour, 0, obj["tint"], at, half, appearance["mirror"], coarse)
    solid = Solid(low, high, half, 0.0, obj["height_m"], 0.0, 0.0, 0.86 * half)
    add_solid(quads, pose, solid, flank, (end, end), flank, lens)


@no_refcount
def add_rail(quads, obj, pose, low, high):
    """Add a piece of guard rail; it has no end, the next piece goes on."""
    material = Material(RAILS, BARRIER, METAL, METAL, 0, 0.0, low, 0.0, 1.0, 0.0)
    rail = Solid(low, high, 0.0, 0.0, obj["height_m"], 0.0, 0.0, 0.0)
    add_quad(quads, side_quad(pose, rail, 1.0), material, (0.0, 0.5, 0.0, 0.5))


@no_refcount
def add_sign(quads, obj, pose, appearance):
    """Add a sign: its pole, then the board; at night the board throws the headlights back."""
    half, tall = obj["radius_m"], obj["height_m"]
    shape = obj["variant"] if obj["variant"] >= 0 else -1 - obj["variant"]
    board_tall = 0.5 * half if shape == DIRECTION else half
    pole = Solid(-0.04, 0.04, 0.04, 0.0, tall - board_tall, 0.0, 0.0, 0.04)
    grey = centred_material(SIGNS, PLAIN, METAL, METAL, 0, 0.0)
    shine = 0.9 * appearance["night"] * min(40.0 * headlight(pose.x, pose.y), 1.0)
    board = centred_material(SIGNS, BOARD, METAL, METAL, obj["variant"], shine)
    front = Solid(-0.06, -0.06, half, tall - 2.0 * board_tall, tall, 0.0, 0.0, half)
    end = -1.0 if pose.ahead_x > 0.0 else 1.0  # the one that is turned to the camera
    add_quad(quads, end_quad(pose, pole, end), grey, NO_GROWTH)
    add_quad(quads, end_quad(pose, front, end), board, NO_GROWTH)


@no_refcount
def add_building(quads, obj, pose, appearance, lens):
    """Add a house: walls, then a gable roof that reaches over them."""
    walls, shutters, tiles = HOUSES[min(max(obj["variant"], 0), len(HOUSES) - 1)]
    half, tall, half_long = obj["radius_m"], obj["height_m"], 0.5 * obj["length_m"]
    walls, tiles = tinted(obj["tint"], walls), tinted(obj["tint"], tiles)
    number, night = 0 if obj["variant"] == 0 else int(obj["s_m"]) + 1, appearance["night"]
    flank = Material(BUILDINGS, WALL, walls, shutters, number, night, 0.0, half_long, 1.0, 0.0)
    end = Material(BUILDINGS, WALL, walls, shutters, number, night, 0.0, half, appearance["mirror"], 0.0)
    solid = Solid(-half_long, half_long, half, 0.0, tall, 0.0, 0.0, half)
    add_solid(quads, pose, solid, flank, (end, end), flank, lens)
    eaves, gable = 0.45, centred_material(BUILDINGS, PLAIN, walls, walls, 0, 0.0)
    roofing = centred_material(BUILDINGS, ROOF, tiles, tiles, 0, 0.0)
    roof = Solid(-half_long - 0.3, half_long + 0.3, half + eaves, tall - 0.25, tall + 0.8 * half, 0.0, 0.0, 0.0)
    add_solid(quads, pose, roof, roofing, (gable, gable), roofing, lens)
