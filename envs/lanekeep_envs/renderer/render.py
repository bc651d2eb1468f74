"""One instant to one picture: the list of passes.

A picture is a pure function of scene, camera and the elements left visible.  The order: shadows on the ground, ground, sky,
objects from far to near, then what falls and what shutter and lens do, the lamp on the dashboard, exposure, sensor noise and
rounding, at last what storing it as JPEG leaves.  The kernels are plain Python under `.py_func`, which the tests hold
against the compiled ones.
"""

from lanekeep_envs.compiled.boxed import unboxed
from lanekeep_envs.compiled.decorators import jit
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.air.sky import paint_sky
from lanekeep_envs.renderer.camera import badly_mounted, fill_ground_rows
from lanekeep_envs.renderer.draw_list import list_cars, list_objects
from lanekeep_envs.renderer.ground.ground_pass import paint_ground
from lanekeep_envs.renderer.lens.dashboard_lamp import light_lamp
from lanekeep_envs.renderer.lens_pass import distort, distorted
from lanekeep_envs.renderer.object_pass import draw_objects
from lanekeep_envs.renderer.sensor import expose, store, write_aov_everywhere
from lanekeep_envs.renderer.shadow_pass import cast_shadows
from lanekeep_envs.renderer.view import RenderScene, place_camera

LAMP = int(Element.LAMP)


@jit
def render(pixels, buffers, aov, scene, lens, full):
    """Render a scene into `pixels` [H, 3 W], and the by-products into `aov`, unless that is empty.

    `full` is True, or None for the fine-day variant (view.py).
    """
    view = place_camera(buffers, scene, lens, full)
    listed = list_objects(buffers.draw_list, scene, view)
    if full is not None:
        listed = list_cars(buffers.draw_list, scene, view, listed)
    cast_shadows(buffers, aov, scene, view, listed)
    top = paint_ground(buffers, aov, scene, view, full)
    paint_sky(buffers, aov, scene, view, top)
    draw_objects(buffers, aov, scene, view, listed, full)
    picture, margin, appearance = buffers.colour, buffers.margin, scene.appearance
    if full is not None:
        if distorted(appearance, view):
            picture, margin = distort(buffers, aov, scene, view), 0
        if appearance["lamp"] > 0.0 and scene.visible >> LAMP & 1:
            light_lamp(picture, aov, margin, buffers.margin - margin, pixels.shape[1] // 3, scene.car, appearance)
    expose(pixels, picture[0], picture[1], picture[2], margin, appearance, scene.car["steps"], scene.visible)
    if aov.contributors.size > 0:
        write_aov_everywhere(aov, appearance, scene.visible)
    if full is not None:
        if appearance["jpeg"] > 0.0:
            store(pixels, aov, buffers.margin, appearance)
        if badly_mounted(appearance):
            fill_ground_rows(buffers.rows, lens)  # where the next picture looks for them


@jit
def render_cars(pixels, work, scenes, full):
    """Render the view of every car into pixels [N, H, 3 W]; `scenes` are the fields of `RenderScene`, each with N first.

    `work` are buffers, lens and empty by-products (compiled/boxed.py).
    """
    buffers, lens, aov = unboxed(work)
    cars, roads, objects, counts, appearances, traffic, visible = scenes
    for i in range(cars.shape[0]):
        scene = RenderScene(cars[i], roads[i], objects[i], counts[i], appearances[i], traffic[i], visible[i])
        render(pixels[i], buffers, aov, scene, lens, full)
