"""The picture of one instant: a pure function of scene, pose, camera and the elements left visible.

Order: shadows on the ground, ground, sky, things from far to near, then what falls and what the lens does (weather.py,
marks.py, optics.py), exposure, sensor noise and rounding, at last what storing it as JPEG leaves (jpeg.py).  The road's axis
is brought into the car's frame once per picture; every ground pixel is projected on it by walking from its neighbour.  The
kernel is plain Python under `.py_func`, which the tests hold against the compiled one.
"""

import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.boxed import unboxed
from lanekeep_envs.compiled.decorators import float32_literals, jit, no_refcount, noalias
from lanekeep_envs.compiled.noise import TILE, hash32
from lanekeep_envs.dynamics.road import ROAD, SPACING_M
from lanekeep_envs.elements import BUILDING, CASTING, GONE, POST, Element
from lanekeep_envs.renderer.air.precipitation import RAIN as RAINDROPS
from lanekeep_envs.renderer.air.precipitation import SNOW as SNOWFLAKES
from lanekeep_envs.renderer.air.precipitation import beam_of, cells_of, let_fall, light_the_fog
from lanekeep_envs.renderer.air.sky import Sights, paint_sky, sights_of
from lanekeep_envs.renderer.camera import Camera, Lens, badly_mounted, fill_ground_rows, ground_rows, lens_of, mounted
from lanekeep_envs.renderer.ground.ground_pass import paint_ground
from lanekeep_envs.renderer.ground.scanline import PIECE, STRIP
from lanekeep_envs.renderer.lens.dashboard_lamp import light_lamp
from lanekeep_envs.renderer.lens.drops_and_dirt import Marks, dirty_lens, no_marks, wet_lens
from lanekeep_envs.renderer.lens.glare import glare_of_lamps, glare_of_sun
from lanekeep_envs.renderer.lens.jpeg import compress
from lanekeep_envs.renderer.lens.motion_blur import blur_motion, roll_picture
from lanekeep_envs.renderer.objects.plants import FOLIAGE, draw_plant
from lanekeep_envs.renderer.objects.posts import FARTHEST_M, NEAREST_M, cast_shadow, draw_post
from lanekeep_envs.renderer.objects.quad_raster import paint_face
from lanekeep_envs.renderer.objects.quad_setup import EASEL, STRETCH, set_light, shape_faces
from lanekeep_envs.renderer.objects.solids import cast_box_shadow, place_in_frame
from lanekeep_envs.renderer.objects.structures import add_car, add_structure, draw_lamps
from lanekeep_envs.sampling.roadside import element_of
from lanekeep_envs.sampling.traffic import OTHER_CAR, place_of

BEHIND_ROWS, AHEAD_ROWS = 8, 240  # of the road table, around the car
MOST_OBJECTS = 400  # drawn at once
MOST_CARS = 32
LEAST_CARS = 8  # per thread
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
NOISE, SHADOWS, CARS = (int(e) for e in (Element.NOISE, Element.SHADOWS, Element.CARS))
CAST = sum(1 << element for element in CASTING)
NO_CARS = np.zeros(0, OTHER_CAR)
FOG, RAIN, LAMP = int(Element.FOG), int(Element.RAIN), int(Element.LAMP)


class Canvas(NamedTuple):
    """Work space for one camera, reused from picture to picture.

    It is a little wider than the image, a whole number of pieces W: the image lies in the middle, `margin` px from the left.
    """

    colour: NDArray[np.float32]  # [3, H, W]
    shade: NDArray[np.float32]  # [H, W]
    rows: NDArray[np.void]  # [H] (camera.py)
    margin: int
    half: float  # of a piece's first pixel: its place between the two nodes [px]
    strip: NDArray[np.void]  # [1] (ground_row.py)
    sights: Sights  # (sky.py)
    axis: NDArray[np.void]  # the road in the car's frame, [BEHIND + AHEAD]
    order: NDArray[np.int64]  # [MOST_THINGS + MOST_CARS] what to draw, near to far; car k as -1 - k
    far: NDArray[np.float64]  # [the same] forward distance
    left: NDArray[np.float64]
    car_heading: NDArray[np.float64]  # [MOST_CARS, 2] of the other cars that are near, in the car's frame
    car_index: NDArray[np.int64]  # [MOST_CARS] which they are
    picture: NDArray[np.float32]  # colour without the margin, for air, lens and shutter
    # as large as the picture; it and `packed` lie where `colour` does: `distort` has done with each before it needs another
    spare: NDArray[np.float32]
    packed: NDArray[np.int64]  # the picture, and as much around it as shutter.py needs
    fallen: NDArray[np.int64]  # what falls (weather.py)
    beam: NDArray[np.float32]  # headlight on what falls in each column of the picture
    easel: NDArray[np.void]  # [1] (patch.py)
    tile: NDArray[np.int32]  # (texture.py) as memory, see `look_up`
    marks: Marks  # on the lens (marks.py)
    foliage: NDArray[np.void]  # [1] (plants.py)


class Aov(NamedTuple):
    """By-products of a picture, as wide as the canvas (interventions.py, `Frame`); empty where nobody asks for them.

    Empty and not None: each None would be another program to compile.
    """

    elements: NDArray[np.uint8]
    contributors: NDArray[np.uint64]
    depth_m: NDArray[np.float32]


NO_AOV = Aov(np.zeros((0, 0), np.uint8), np.zeros((0, 0), np.uint64), np.zeros((0, 0), np.float32))


def make_canvas(camera: Camera) -> tuple[Canvas, Lens]:
    """Allocate the work space of one camera; the lens is the camera's, moved to the canvas."""
    pieces = -(-camera.width_px // PIECE)
    height, width, spare = camera.height_px, PIECE * pieces, PIECE * pieces - camera.width_px
    lens = lens_of(camera)
    lens = lens._replace(centre_column=lens.centre_column + spare // 2)
    around = 2 * (height // 4)  # what a streak may reach beyond the picture (shutter.py)
    packed = (height + around, camera.width_px + around)
    memory = np.zeros(max(8 * packed[0] * packed[1], 12 * height * width), np.uint8)

    def shared(shape: tuple[int, ...], kind: type) -> NDArray[Any]:
        return np.ndarray(shape, kind, memory)

    canvas = Canvas(
        shared((3, height, width), np.float32),
        np.zeros((height, width), np.float32),
        ground_rows(camera),
        spare // 2,
        1.0 if spare % 2 else 0.5,
        np.zeros(1, STRIP),
        sights_of(lens, height, width),
        np.zeros(BEHIND_ROWS + AHEAD_ROWS, ROAD),
        np.zeros(MOST_OBJECTS + MOST_CARS, np.int64),
        np.zeros(MOST_OBJECTS + MOST_CARS),
        np.zeros(MOST_OBJECTS + MOST_CARS),
        np.zeros((MOST_CARS, 2)),
        np.zeros(MOST_CARS, np.int64),
        np.zeros((3, height, camera.width_px), np.float32),
        shared((3, height, camera.width_px), np.float32),
        shared(packed, np.int64),
        np.zeros(cells_of(height, camera.width_px), np.int64),
        beam_of(lens_of(camera), camera.width_px),
        np.zeros(1, EASEL),
        TILE,
        no_marks(height, camera.width_px, lens.focal_px),
        np.zeros(1, FOLIAGE),
    )
    return canvas, lens


@no_refcount
def axis_in_car_frame(axis, road, first, x, y, cos, sin):
    """Fill `axis` with the road from table row `first` on, seen from the car; straight on beyond the table's end."""
    last = road.shape[0] - 1
    for k in range(axis.shape[0]):
        row = min(first + k, last)
        beyond = float(first + k - row)
        tx, ty = road[row]["tangent_x"], road[row]["tangent_y"]
        dx, dy = road[row]["x"] + beyond * tx - x, road[row]["y"] + beyond * ty - y
        axis[k]["x"], axis[k]["y"] = cos * dx + sin * dy, cos * dy - sin * dx
        axis[k]["tangent_x"], axis[k]["tangent_y"] = cos * tx + sin * ty, cos * ty - sin * tx
        axis[k]["tone"] = road[row]["tone"]


@no_refcount
def list_one(canvas, found, forward, left, index):
    """Put one into the list, near to far; of two at one distance the later comes before."""
    place = found
    while place > 0 and canvas.far[place - 1] >= forward:
        canvas.far[place], canvas.left[place] = canvas.far[place - 1], canvas.left[place - 1]
        canvas.order[place] = canvas.order[place - 1]
        place -= 1
    canvas.far[place], canvas.left[place], canvas.order[place] = forward, left, index
    return found + 1


@no_refcount
def find_objects(canvas, objects, count, s_m, x, y, cos, sin, visible):
    """List what stands around the car, near to far, which is nearly the order of `things`; return how many."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if objects[middle]["s_m"] < s_m - 60.0:
            low = middle + 1
        else:
            high = middle
    found = 0
    for k in range(low, min(count, low + MOST_OBJECTS)):  # what is hidden counts too: no removal makes room for others
        if objects[k]["s_m"] > s_m + FARTHEST_M:
            break
        if objects[k]["kind"] == GONE or not visible >> element_of(objects[k]["kind"]) & 1:
            continue
        dx, dy = objects[k]["x"] - x, objects[k]["y"] - y
        found = list_one(canvas, found, cos * dx + sin * dy, cos * dy - sin * dx, k)
    return found


@no_refcount
def find_cars(canvas, found, traffic, car, road, appearance, cos, sin):
    """Add the other cars that are near to the list; return its length."""
    near, last = 0, (road.shape[0] - 1) * SPACING_M
    for k in range(traffic.shape[0]):
        if traffic[k]["lane"] == 0 or near == MOST_CARS:
            continue
        s, x, y, ahead_x, ahead_y = place_of(
            traffic[k], car["steps"], car["distance_m"], road, appearance["lane_m"] * appearance["mirror"]
        )
        if not (0.0 < s < last and -60.0 < s - car["distance_m"] < FARTHEST_M):
            continue
        dx, dy = x - car["x"], y - car["y"]
        canvas.car_heading[near, 0] = cos * ahead_x + sin * ahead_y
        canvas.car_heading[near, 1] = cos * ahead_y - sin * ahead_x
        canvas.car_index[near] = k
        found = list_one(canvas, found, cos * dx + sin * dy, cos * dy - sin * dx, -1 - near)
        near += 1
    return found


@no_refcount
def place_of_car(canvas, k):
    """(x, y, heading's x and y) of the car that stands k-th in the list."""
    heading = canvas.car_heading[-1 - canvas.order[k]]
    return canvas.far[k], canvas.left[k], heading[0], heading[1]


@no_refcount
def paint_shadows(canvas, objects, found, appearance, lens, cos, sin, casting):
    """Fill `canvas.shade` with the share of each pixel that elements of the mask `casting` keep the sun from.

    Return whether there are any.
    """
    canvas.shade[:] = 0.0
    sun_x, sun_y = appearance["sun_x"], appearance["sun_y"]
    flat, some = np.sqrt(sun_x * sun_x + sun_y * sun_y), False
    if appearance["sunshine"] <= 0.0 or flat < 1e-6:
        return some
    reach = min(flat / appearance["sun_z"], 6.0)
    away_x = -(cos * sun_x + sin * sun_y) / flat
    away_y = -(cos * sun_y - sin * sun_x) / flat
    for k in range(found):
        if canvas.order[k] < 0:
            if casting >> CARS & 1:
                some = True
                cast_box_shadow(
                    canvas.shade, canvas.rows, place_of_car(canvas, k), 2.1, 0.86, 1.3, away_x, away_y, reach, lens
                )
            continue
        obj = objects[canvas.order[k]]
        if not casting >> element_of(obj["kind"]) & 1:
            continue
        some = True
        if obj["kind"] < POST:
            cast_shadow(
                canvas.shade, canvas.rows, obj, canvas.far[k], canvas.left[k], away_x, away_y, reach, appearance, lens
            )
        else:
            tall = obj["height_m"] + (0.4 * obj["radius_m"] if obj["kind"] == BUILDING else 0.0)  # half its roof
            place = place_in_frame(obj, canvas.far[k], canvas.left[k], cos, sin)
            cast_box_shadow(
                canvas.shade, canvas.rows, place, 0.5 * obj["length_m"], obj["radius_m"], tall, away_x, away_y,
                reach, lens,
            )  # fmt: skip
    return some


@no_refcount
def note_shadows(aov, shade, element):
    """Note whose shadow it is: without the trees, there would be none of theirs."""
    for i in range(shade.shape[0]):
        for j in range(shade.shape[1]):
            if shade[i, j] > 0.0:
                aov.contributors[i, j] |= 1 << element


@no_refcount
def put_on_easel(canvas, objects, k, traffic, appearance, lens, cos, sin):
    """Put the faces of the listed structures and cars on the easel, from the k-th on, as many as come from one `STRETCH`."""
    easel = canvas.easel[0]
    easel["count"] = 0
    for n in range(min(STRETCH, k + 1)):
        index = canvas.order[k - n]
        if index < 0:
            add_car(easel, traffic[canvas.car_index[-1 - index]], place_of_car(canvas, k - n), lens)
        elif objects[index]["kind"] > POST:
            place = place_in_frame(objects[index], canvas.far[k - n], canvas.left[k - n], cos, sin)
            add_structure(easel, objects[index], place, appearance, lens)
        easel["upto"][n] = easel["count"]
    shape_faces(easel, canvas.colour.shape[1], canvas.colour.shape[2], lens)


@no_refcount
def paint_faces(canvas, aov, k, n, lens):
    """Paint the faces of the k-th in the list, the n-th of those on the easel."""
    easel = canvas.easel[0]
    for face in range(easel["upto"][n - 1] if n > 0 else 0, easel["upto"][n]):
        paint_face(canvas.colour, aov, easel, canvas.tile, face, lens)
    if canvas.order[k] < 0:
        draw_lamps(canvas.colour, aov, easel, place_of_car(canvas, k), lens)


@no_refcount
def paint_objects(canvas, aov, objects, found, traffic, appearance, lens, cos, sin, rich):
    """Paint the listed things and cars over ground and sky, from far to near; plants and posts only if `rich` is None."""
    sun_x, sun_y = appearance["sun_x"], appearance["sun_y"]
    light, leaves = (cos * sun_y - sin * sun_x, cos * sun_x + sin * sun_y, appearance["sun_z"]), canvas.foliage[0]
    if rich is not None:
        set_light(canvas.easel[0], appearance, cos, sin)
    for n in range(found):
        k = found - 1 - n
        forward, left = canvas.far[k], canvas.left[k]
        if rich is not None:
            if n % STRETCH == 0:
                put_on_easel(canvas, objects, k, traffic, appearance, lens, cos, sin)
            if canvas.order[k] < 0 or objects[canvas.order[k]]["kind"] > POST:
                paint_faces(canvas, aov, k, n % STRETCH, lens)
                continue
        obj = objects[canvas.order[k]]
        if not NEAREST_M < forward < FARTHEST_M:
            continue
        haze = 1.0 - np.exp(-forward / appearance["visibility_m"])
        if obj["kind"] == POST:
            draw_post(canvas.colour, aov, obj, forward, left, appearance, lens, haze)
        else:
            draw_plant(
                canvas.colour, aov, canvas.tile, leaves, obj, forward, left, appearance, lens, haze, light
            )  # fmt: skip


@noalias
@float32_literals
def expose(pixels, red, green, blue, margin, appearance, frame, visible):
    """Exposure, sensor noise and rounding to bytes [H, 3 W]; the noise is a hash of (pixel, frame, seed)."""
    width = pixels.shape[1] // 3
    noise = (
        appearance["noise_grey"] / 73.9 if visible >> NOISE & 1 else 0.0
    )  # 73.9: standard deviation of a uniform byte
    gain, noise, seed = np.float32(appearance["exposure"]), np.float32(noise), appearance["noise_seed"]
    first, step = (width - 1, -1) if appearance["mirror"] < 0.0 else (0, 1)
    for i in range(pixels.shape[0]):
        line = pixels[i]
        for j in range(width):
            bits, at = hash32(i, first + step * j, frame, seed), np.uint64(margin) + np.uint64(j)
            r = gain * red[i, at] + noise * (np.float32(np.int32(bits & 255)) - 127.5)
            g = gain * green[i, at] + noise * (np.float32(np.int32(bits >> 8 & 255)) - 127.5)
            b = gain * blue[i, at] + noise * (np.float32(np.int32(bits >> 16 & 255)) - 127.5)
            line[3 * j] = np.int32(min(max(r + 0.5, 0.0), 255.0))
            line[3 * j + 1] = np.int32(min(max(g + 0.5, 0.0), 255.0))
            line[3 * j + 2] = np.int32(min(max(b + 0.5, 0.0), 255.0))


@no_refcount
def distorted(appearance):
    """Whether anything falls or the lens does anything to the picture."""
    falling = appearance["rain"] + appearance["snowfall"] + appearance["night"] * appearance["fog"]
    return falling + appearance["drops"] + appearance["dirt"] + appearance["glare"] + appearance["motion_blur"] > 0.0


@jit
def distort(canvas, aov, car, appearance, lens, cos, sin, roll):
    """Return the picture without the canvas's margin, after what air, lens and shutter do to it."""
    picture, margin, width = canvas.picture, canvas.margin, canvas.picture.shape[2]
    here = Lens(
        lens.focal_px, lens.centre_row, lens.centre_column - margin, lens.height_m, lens.cos_pitch, lens.sin_pitch
    )
    bits = aov.contributors[:, margin : margin + width]
    copy_columns(picture, canvas.colour, margin)
    if appearance["night"] * appearance["fog"] > 0.0:
        light_the_fog(picture, appearance, here)
    if appearance["motion_blur"] > 0.0:
        blur_motion(picture, canvas.packed, bits, car, appearance, here)
    if appearance["rain"] > 0.0:
        let_fall(picture, canvas.fallen, canvas.beam, appearance["rain"], RAINDROPS, car, appearance, here)
    if appearance["snowfall"] > 0.0:
        let_fall(picture, canvas.fallen, canvas.beam, appearance["snowfall"], SNOWFLAKES, car, appearance, here)
    if roll != 0.0:
        roll_picture(canvas.spare, picture, bits, roll, here)
        picture = canvas.spare
    if appearance["drops"] > 0.0:
        wet_lens(picture, bits, canvas.marks, appearance, here)
    if appearance["dirt"] > 0.0:
        dirty_lens(picture, bits, canvas.marks, appearance, here)
    if appearance["glare"] > 0.0:
        glare_of_sun(picture, bits, appearance, here, cos, sin)
        if appearance["night"] > 0.0:
            glare_of_lamps(picture, bits, appearance, here)
    return picture


@noalias
def copy_columns(to, colour, start):
    """Copy columns of a picture [3, H, W], from `start` on."""
    for c in range(3):
        for i in range(to.shape[1]):
            line, out = colour[c, i, start:], to[c, i]
            for j in range(out.shape[0]):
                out[j] = line[j]


@jit
def note_everywhere(aov, appearance, visible):
    """Note what has a share in every pixel."""
    bits = 1 << NOISE if appearance["noise_grey"] > 0.0 and visible >> NOISE & 1 else 0
    bits |= 1 << FOG if appearance["fog"] > 0.0 else 0
    bits |= 1 << RAIN if appearance["rain"] > 0.0 or appearance["snowfall"] > 0.0 else 0
    if bits != 0:
        for i in range(aov.contributors.shape[0]):
            for j in range(aov.contributors.shape[1]):
                aov.contributors[i, j] |= bits


@jit
def cast_shadows(canvas, aov, objects, found, appearance, lens, cos, sin, visible):
    """Fill `canvas.shade`, and note whose shadows they are."""
    if visible >> SHADOWS & 1:
        if aov.contributors.size > 0:
            for element in CASTING:
                if paint_shadows(canvas, objects, found, appearance, lens, cos, sin, 1 << element):
                    note_shadows(aov, canvas.shade, element)
        paint_shadows(canvas, objects, found, appearance, lens, cos, sin, CAST)
    else:
        canvas.shade[:] = 0.0


@jit
def render(pixels, aov, canvas, car, road, objects, count, appearance, traffic, lens, visible, rich):
    """Render what `car` sees into `pixels` [H, 3 W], and the by-products into `by`, unless that is empty.

    If `rich` is None there is only what a fine day has, and nothing else needs to be compiled.
    """
    x, y, yaw = car["x"], car["y"], car["yaw"]
    seen, roll, moved = lens, 0.0, False
    if rich is not None:
        moved = badly_mounted(appearance)
        if moved:
            seen, turn, roll = mounted(lens, car, appearance)
            yaw += turn
            fill_ground_rows(canvas.rows, seen)
    cos, sin = np.cos(yaw), np.sin(yaw)
    first = max(car["row"] - BEHIND_ROWS, 0)
    axis_in_car_frame(canvas.axis, road, first, x, y, cos, sin)
    found = find_objects(canvas, objects, count, car["distance_m"], x, y, cos, sin, visible)
    if rich is not None:
        if visible >> CARS & 1:
            found = find_cars(canvas, found, traffic, car, road, appearance, cos, sin)
    cast_shadows(canvas, aov, objects, found, appearance, seen, cos, sin, visible)
    s0 = np.float64(first)
    top = paint_ground(canvas, aov, BEHIND_ROWS, s0, appearance, seen, x, y, cos, sin, visible, rich)
    paint_sky(canvas.colour, aov, top, canvas.sights, canvas.tile, appearance, seen, yaw, cos, sin, visible)
    paint_objects(canvas, aov, objects, found, traffic, appearance, seen, cos, sin, rich)
    picture, margin = canvas.colour, canvas.margin
    if rich is not None:
        if roll != 0.0 or distorted(appearance):
            picture, margin = distort(canvas, aov, car, appearance, seen, cos, sin, roll), 0
        if appearance["lamp"] > 0.0 and visible >> LAMP & 1:
            light_lamp(picture, aov, margin, canvas.margin - margin, pixels.shape[1] // 3, car, appearance)
    expose(pixels, picture[0], picture[1], picture[2], margin, appearance, car["steps"], visible)
    if aov.contributors.size > 0:
        note_everywhere(aov, appearance, visible)
    if rich is not None:
        if appearance["jpeg"] > 0.0:
            store(pixels, aov, canvas.margin, appearance)
        if moved:
            fill_ground_rows(canvas.rows, lens)


@jit
def store(pixels, aov, margin, appearance):
    """Do to the picture what storing it as JPEG would."""
    bits = aov.contributors[:, margin : margin + pixels.shape[1] // 3]
    compress(pixels, bits, appearance["jpeg"], appearance["mirror"])


@jit
def render_cars(pixels, work, cars, roads, objects, counts, appearances, traffic, visible, rich):
    """Render the view of every car into pixels [N, H, 3 W]; `visible` [N] masks the elements.

    `work` are canvas, lens and empty by-products (keep.py).
    """
    canvas, lens, aov = unboxed(work)
    for i in range(cars.shape[0]):
        render(
            pixels[i], aov, canvas, cars[i], roads[i], objects[i], counts[i], appearances[i], traffic[i], lens,
            visible[i], rich,
        )  # fmt: skip
