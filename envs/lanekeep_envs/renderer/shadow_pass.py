"""The shadows of objects and other cars on the ground: the share of each pixel of ground that the sun does not reach."""

import numpy as np

from lanekeep_envs.compiled.decorators import jit, no_refcount
from lanekeep_envs.elements import BUILDING, CASTING, POST, Element
from lanekeep_envs.renderer.draw_list import pose_of
from lanekeep_envs.renderer.objects.boxes import cast_shadows_of_boxes, is_made_of_boxes
from lanekeep_envs.renderer.objects.shadows import ShadowBox, Sunlight, cast_box_shadow, cast_plant_shadow
from lanekeep_envs.sampling.roadside import element_of

SHADOWS, CARS = int(Element.SHADOWS), int(Element.CARS)
CAST = sum(1 << element for element in CASTING)
CAR = ShadowBox(2.1, 0.86, 1.3)  # its shadow is that of one box, cabin and all


@jit
def cast_shadows(buffers, aov, scene, view, listed):
    """Fill `buffers.shade`, and write into the by-products whose shadows they are."""
    if scene.visible >> SHADOWS & 1:
        if aov.contributors.size > 0:
            for element in CASTING:
                if shade_ground(buffers, scene, view, listed, 1 << element):
                    write_aov_shadows(aov, buffers.shade, element)
        shade_ground(buffers, scene, view, listed, CAST)
    else:
        buffers.shade[:] = 0.0


@no_refcount
def shade_ground(buffers, scene, view, listed, casting):
    """Fill `buffers.shade` with the share of each pixel that elements of the mask `casting` keep the sun from.

    Return whether there are any.
    """
    draws, shade, appearance = buffers.draw_list, buffers.shade, scene.appearance
    shade[:] = 0.0
    sun_x, sun_y = appearance["sun_x"], appearance["sun_y"]
    flat, some = np.sqrt(sun_x * sun_x + sun_y * sun_y), False
    if appearance["sunshine"] <= 0.0 or flat < 1e-6:
        return some
    sun = Sunlight(-view.sun_ahead / flat, -view.sun_left / flat, min(flat / appearance["sun_z"], 6.0))
    for k in range(listed):
        obj, pose = scene.objects[max(draws.order[k], 0)], pose_of(draws, k)
        if not casting >> (CARS if draws.order[k] < 0 else element_of(obj["kind"])) & 1:
            continue
        some = True
        if draws.order[k] < 0:
            cast_box_shadow(shade, buffers.rows, pose, CAR, sun, view.lens)
        elif obj["kind"] < POST:
            cast_plant_shadow(shade, buffers.rows, obj, pose, sun, appearance["mirror"], view.lens)
        elif is_made_of_boxes(obj["kind"]):
            cast_shadows_of_boxes(shade, buffers.rows, obj, pose, sun, view.lens)
        else:
            tall = obj["height_m"] + (0.4 * obj["radius_m"] if obj["kind"] == BUILDING else 0.0)  # half its roof
            box = ShadowBox(0.5 * obj["length_m"], obj["radius_m"], tall)
            cast_box_shadow(shade, buffers.rows, pose, box, sun, view.lens)
    return some


@no_refcount
def write_aov_shadows(aov, shade, element):
    """Write whose shadow it is: without the trees, there would be none of theirs."""
    for i in range(shade.shape[0]):
        for j in range(shade.shape[1]):
            if shade[i, j] > 0.0:
                aov.contributors[i, j] |= 1 << element
