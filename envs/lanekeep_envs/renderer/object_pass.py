"""The objects beside the road and the other cars, drawn over ground and sky from far to near."""

from lanekeep_envs.compiled.decorators import no_refcount
from lanekeep_envs.elements import POST
from lanekeep_envs.renderer.draw_list import pose_of
from lanekeep_envs.renderer.objects.cars import add_car, draw_lamps
from lanekeep_envs.renderer.objects.plants import draw_plant
from lanekeep_envs.renderer.objects.posts import draw_post
from lanekeep_envs.renderer.objects.quad_raster import draw_quad
from lanekeep_envs.renderer.objects.quad_setup import OBJECTS_AT_ONCE, set_up_quads
from lanekeep_envs.renderer.objects.structures import add_structure
from lanekeep_envs.renderer.view import FARTHEST_M, NEAREST_M


@no_refcount
def draw_objects(buffers, aov, scene, view, listed, full):
    """Draw the listed objects and cars; on a fine day (`full` is None) there are only plants and posts."""
    colour, draws, appearance = buffers.colour, buffers.draw_list, scene.appearance
    for n in range(listed):
        k = listed - 1 - n
        if full is not None:
            if n % OBJECTS_AT_ONCE == 0:
                fill_quads(buffers, scene, view, k)
            if draws.order[k] < 0 or scene.objects[draws.order[k]]["kind"] > POST:
                draw_quads(buffers, aov, k, n % OBJECTS_AT_ONCE, appearance, view.lens)
                continue
        obj, pose = scene.objects[draws.order[k]], pose_of(draws, k)
        if not NEAREST_M < pose.x < FARTHEST_M:
            continue
        if obj["kind"] == POST:
            draw_post(colour, aov, obj, pose, appearance, view.lens)
        else:
            draw_plant(colour, aov, buffers.foliage[0], buffers.tile, obj, pose, appearance, view)


@no_refcount
def fill_quads(buffers, scene, view, k):
    """Fill the quad buffer from `OBJECTS_AT_ONCE` of the list, of which the k-th is the farthest."""
    quads, draws, appearance = buffers.quads[0], buffers.draw_list, scene.appearance
    quads["count"] = 0
    for n in range(min(OBJECTS_AT_ONCE, k + 1)):
        index = draws.order[k - n]
        if index < 0:
            add_car(quads, scene.traffic[-1 - index], pose_of(draws, k - n), appearance, view.lens)
        elif scene.objects[index]["kind"] > POST:
            add_structure(quads, scene.objects[index], pose_of(draws, k - n), appearance, view.lens)
        quads["upto"][n] = quads["count"]
    set_up_quads(quads, buffers.colour.shape[1], buffers.colour.shape[2], appearance, view)


@no_refcount
def draw_quads(buffers, aov, k, n, appearance, lens):
    """Draw the quads of the k-th in the list, the n-th of those in the buffer."""
    quads = buffers.quads[0]
    for quad in range(quads["upto"][n - 1] if n > 0 else 0, quads["upto"][n]):
        draw_quad(buffers.colour, aov, quads, buffers.tile, quad, appearance, lens)
    if buffers.draw_list.order[k] < 0:
        draw_lamps(buffers.colour, aov, pose_of(buffers.draw_list, k), appearance, lens)
