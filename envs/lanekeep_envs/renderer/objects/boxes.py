"""Objects made of boxes: a kind whose file in this folder is a table of them, named by its row in elements.py (`boxes`).

A box is a row (rear, front, half, bottom, top, rear_slant, front_slant, red, green, blue).  Its extents are shares of the
object's own: `rear`, `front` and the slants, by which its top is shorter, of the length along the object's heading; `half`
of half the width; `bottom` and `top` of the height.  The colour is that of its surface in daylight, 0 to 255.
"""

from importlib import import_module

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, no_refcount
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.coverage import tinted
from lanekeep_envs.renderer.draw_list import Pose
from lanekeep_envs.renderer.objects.materials import PLAIN, centred_material
from lanekeep_envs.renderer.objects.quad_setup import add_quad
from lanekeep_envs.renderer.objects.shadows import ShadowBox, cast_box_shadow
from lanekeep_envs.renderer.objects.solids import NO_GROWTH, Solid, add_solid, level_quad, point, shown_part
from lanekeep_envs.sampling.roadside import element_of

TABLE = np.array(  # [boxes, 1 + 10] the kind, then the box
    [
        (kind, *box)
        for element in Element
        if element.spec.boxes
        for kind in element.spec.kinds
        for box in import_module(f"{__package__}.{element.spec.boxes}").BOXES
    ],
    np.float64,
).reshape(-1, 11)
KINDS = tuple(kind for element in Element if element.spec.boxes for kind in element.spec.kinds)
UNDERSIDE = 0.6  # how bright it is beside the rest of a box


@inline_always
def is_made_of_boxes(kind):
    """Whether objects of a kind are."""
    return kind in KINDS


@no_refcount
def solid_of(n, obj):
    """The n-th box of the table, as large as the object makes it."""
    box, long, half = TABLE[n], obj["length_m"], TABLE[n, 3] * obj["radius_m"]
    bottom, top = box[4] * obj["height_m"], box[5] * obj["height_m"]
    return Solid(box[1] * long, box[2] * long, half, bottom, top, box[6] * long, box[7] * long, half)


@no_refcount
def add_boxes(quads, obj, pose, lens):
    """Add the boxes of an object, as far as they lie ahead of the camera."""
    for n in range(TABLE.shape[0]):
        if TABLE[n, 0] != obj["kind"]:
            continue
        solid = solid_of(n, obj)
        rear, front = shown_part(pose, solid.rear, solid.front, solid.half)
        if front - rear < 0.05:
            continue
        cut = Solid(rear, front, *solid[2:])
        colour = tinted(obj["tint"], (TABLE[n, 8], TABLE[n, 9], TABLE[n, 10]))
        material = centred_material(element_of(obj["kind"]), PLAIN, colour, colour, 0, 0.0)
        add_solid(quads, pose, cut, material, (material, material), material, lens)
        if solid.bottom > lens.height_m:
            dark = tinted(UNDERSIDE, colour)
            below = centred_material(element_of(obj["kind"]), PLAIN, dark, dark, 0, 0.0)
            add_quad(quads, level_quad(pose, cut, solid.bottom), below, NO_GROWTH)


@no_refcount
def cast_shadows_of_boxes(shade, rows, obj, pose, sun, lens):
    """Darken `shade` where the boxes of an object keep the sun off the ground; a shadow of what hangs high falls far off."""
    for n in range(TABLE.shape[0]):
        if TABLE[n, 0] != obj["kind"]:
            continue
        solid = solid_of(n, obj)
        far, (x, y, _) = solid.bottom * sun.per_height, point(pose, 0.5 * (solid.rear + solid.front), 0.0, 0.0)
        above = Pose(x + far * sun.away_x, y + far * sun.away_y, pose.ahead_x, pose.ahead_y)
        box = ShadowBox(0.5 * (solid.front - solid.rear), solid.half, solid.top - solid.bottom)
        cast_box_shadow(shade, rows, above, box, sun, lens)
