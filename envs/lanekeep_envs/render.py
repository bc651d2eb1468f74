"""The picture of one instant: a pure function of scene, pose, camera and the elements left visible.

Order: shadows on the ground, ground, sky, things from far to near, then exposure, sensor noise and rounding.  The road's
axis is brought into the car's frame once per picture; every ground pixel is projected on it by walking from its
neighbour.  The kernel is plain Python under `.py_func`, which the tests hold against the compiled one.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.camera import Camera, Lens, ground_distance_m, lens_of
from lanekeep_envs.ground import ground_albedo, slow_texture
from lanekeep_envs.interventions import EVERYTHING, Element, Frame
from lanekeep_envs.kernel import kernel
from lanekeep_envs.road import ROAD, project
from lanekeep_envs.scenery import POST
from lanekeep_envs.sky import hill_haze, paint_sky
from lanekeep_envs.texture import TILE, hash32
from lanekeep_envs.things import FARTHEST_M, NEAREST_M, cast_shadow, draw_plant, draw_post, element_of

BEHIND_ROWS, AHEAD_ROWS = 8, 240  # of the road table, around the car
MOST_THINGS = 192  # drawn at once
NOISE, SHADOWS, TREES = int(Element.NOISE), int(Element.SHADOWS), int(Element.TREES)


class Canvas(NamedTuple):
    """Work space for one camera, reused from picture to picture."""

    colour: NDArray[np.float32]  # [H, W, 3]
    shade: NDArray[np.float32]  # [H, W]
    axis: NDArray[np.void]  # the axis in the car's frame, [BEHIND + AHEAD]
    columns: NDArray[np.float64]  # [6, W] what sky and ground know of each column
    order: NDArray[np.int64]  # [MOST_THINGS] what to draw, far to near
    far: NDArray[np.float64]  # [MOST_THINGS] forward distance
    left: NDArray[np.float64]  # [MOST_THINGS]


def make_canvas(camera: Camera) -> Canvas:
    """Allocate the work space of one camera."""
    size = (camera.height_px, camera.width_px)
    axis = np.zeros(BEHIND_ROWS + AHEAD_ROWS, ROAD)
    most = np.zeros(MOST_THINGS)
    return Canvas(
        np.zeros((*size, 3), np.float32),
        np.zeros(size, np.float32),
        axis,
        np.zeros((6, camera.width_px)),
        np.zeros(MOST_THINGS, np.int64),
        most,
        most.copy(),
    )


@kernel
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


@kernel
def find_things(canvas, things, count, s_m, x, y, cos, sin, visible):
    """List what stands around the car, far to near; return how many."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if things[middle]["s_m"] < s_m - 60.0:
            low = middle + 1
        else:
            high = middle
    found = 0
    for k in range(low, min(count, low + MOST_THINGS)):  # what is hidden counts too: no removal makes room for others
        if things[k]["s_m"] > s_m + FARTHEST_M:
            break
        if not visible >> element_of(things[k]["kind"]) & 1:
            continue
        dx, dy = things[k]["x"] - x, things[k]["y"] - y
        forward, left = cos * dx + sin * dy, cos * dy - sin * dx
        place = found
        while place > 0 and canvas.far[place - 1] < forward:
            canvas.far[place], canvas.left[place] = canvas.far[place - 1], canvas.left[place - 1]
            canvas.order[place] = canvas.order[place - 1]
            place -= 1
        canvas.far[place], canvas.left[place], canvas.order[place] = forward, left, k
        found += 1
    return found


@kernel
def paint_shadows(canvas, things, found, look, lens, tile, cos, sin):
    """Fill `canvas.shade` with the share of each pixel that the sun does not reach."""
    canvas.shade[:] = 0.0
    sun_x, sun_y = look["sun_x"], look["sun_y"]
    flat = np.sqrt(sun_x * sun_x + sun_y * sun_y)
    if look["sunshine"] <= 0.0 or flat < 1e-6:
        return
    reach = min(flat / look["sun_z"], 6.0)
    away_x = -(cos * sun_x + sin * sun_y) / flat
    away_y = -(cos * sun_y - sin * sun_x) / flat
    for k in range(found):
        thing = things[canvas.order[k]]
        if thing["kind"] != POST:
            cast_shadow(canvas.shade, thing, canvas.far[k], canvas.left[k], away_x, away_y, reach, look, lens, tile)


@kernel
def project_row(axis, row, forward, per_px, lens, columns, look, tile, s_first, x, y, cos, sin):
    """Fill columns[0:6] with s, d, the road's tangent, field and stain under every pixel of an image row.

    Return the table row where it begins.

    Only every eighth point or so is projected; in between, over a metre or two at most, s and d are as good as linear.
    The points lie symmetrically about the middle of the image, so that a mirrored world gives the mirrored numbers.
    """
    width = columns.shape[1]
    pieces = (width + 6) // 8
    pitch = (width - 1) / pieces
    per_pitch = 1.0 / pitch
    left = lens.centre_column * per_px
    row, s0, d0 = project(axis, row, forward, left)
    start, tx0, ty0, j = row, axis[row]["tangent_x"], axis[row]["tangent_y"], 0
    field0, stain0 = slow_texture(
        s_first + s0, d0, x + cos * forward - sin * left, y + sin * forward + cos * left, look, tile
    )
    for piece in range(pieces):
        left = (lens.centre_column - (piece + 1) * pitch) * per_px
        row, s1, d1 = project(axis, row, forward, left)
        tx1, ty1 = axis[row]["tangent_x"], axis[row]["tangent_y"]
        wx, wy = x + cos * forward - sin * left, y + sin * forward + cos * left
        field1, stain1 = slow_texture(s_first + s1, d1, wx, wy, look, tile)
        while j < width and (j <= (piece + 1) * pitch or piece == pieces - 1):
            b = j * per_pitch - piece
            a = 1.0 - b
            columns[0, j], columns[1, j] = a * s0 + b * s1, a * d0 + b * d1
            columns[2, j], columns[3, j] = a * tx0 + b * tx1, a * ty0 + b * ty1
            columns[4, j], columns[5, j] = a * field0 + b * field1, a * stain0 + b * stain1
            j += 1
        s0, d0, tx0, ty0, field0, stain0 = s1, d1, tx1, ty1, field1, stain1
    return start


@kernel
def paint_ground(canvas, by, look, lens, tile, s0, x, y, cos, sin, visible):
    """Paint every row below the horizon, from the bottom up; return the first painted row."""
    colour, axis = canvas.colour, canvas.axis
    height, width = colour.shape[0], colour.shape[1]
    start = BEHIND_ROWS
    land_haze = hill_haze(False, look["visibility_m"])  # the land ends where the hills begin
    i = height - 1
    while i >= 0:
        forward = ground_distance_m(i, lens)
        if forward > 4000.0:
            break
        deep = min(ground_distance_m(i - 0.5, lens), 1e4) - ground_distance_m(i + 0.5, lens)
        per_px = (forward * lens.cos_pitch + lens.height_m * lens.sin_pitch) / lens.focal_px
        per_forward = 1.0 / forward
        haze = min(1.0 - np.exp(-forward / look["visibility_m"]), land_haze)
        start = project_row(axis, start, forward, per_px, lens, canvas.columns, look, tile, s0, x, y, cos, sin)
        for j in range(width):
            left = (lens.centre_column - j) * per_px
            s, d = canvas.columns[0, j], canvas.columns[1, j]
            tx, ty = canvas.columns[2, j], canvas.columns[3, j]
            lean = left * per_forward
            wide = abs(tx) * per_px + abs(tx * lean - ty) * deep
            long = abs(ty) * per_px + abs(tx + ty * lean) * deep
            wx, wy = x + cos * forward - sin * left, y + sin * forward + cos * left
            r, g, b, element, bits = ground_albedo(
                wx, wy, s0 + s, d, wide, long, canvas.columns[4, j], canvas.columns[5, j], look, tile, visible
            )
            sunny = 1.0 - canvas.shade[i, j]
            r *= look["ambient_r"] + sunny * look["sunlight_r"]
            g *= look["ambient_g"] + sunny * look["sunlight_g"]
            b *= look["ambient_b"] + sunny * look["sunlight_b"]
            colour[i, j, 0] = r + haze * (look["horizon_r"] - r)
            colour[i, j, 1] = g + haze * (look["horizon_g"] - g)
            colour[i, j, 2] = b + haze * (look["horizon_b"] - b)
            if by is not None:
                if sunny < 1.0:
                    bits |= 1 << SHADOWS
                    element = SHADOWS if sunny < 0.5 and element <= 2 else element
                by.elements[i, j], by.contributors[i, j], by.depth_m[i, j] = element, bits, forward
        i -= 1
    return i + 1


@kernel
def paint_things(canvas, by, things, found, look, lens, tile, cos, sin):
    """Paint the listed things over ground and sky."""
    sun_x, sun_y = look["sun_x"], look["sun_y"]
    light = (cos * sun_y - sin * sun_x, cos * sun_x + sin * sun_y, look["sun_z"])
    for k in range(found):
        forward, left = canvas.far[k], canvas.left[k]
        if not NEAREST_M < forward < FARTHEST_M:
            continue
        thing = things[canvas.order[k]]
        haze = 1.0 - np.exp(-forward / look["visibility_m"])
        if thing["kind"] == POST:
            draw_post(canvas.colour, by, thing, forward, left, look, lens, haze)
        else:
            draw_plant(canvas.colour, by, thing, forward, left, look, lens, tile, haze, light)


@kernel
def expose(image, colour, look, frame, visible):
    """Exposure, sensor noise and rounding to bytes; the noise is a hash of (pixel, frame, seed)."""
    width = image.shape[1]
    noise = look["noise_grey"] / 73.9 if visible >> NOISE & 1 else 0.0  # 73.9: standard deviation of a uniform byte
    gain, seed, mirrored = look["exposure"], look["noise_seed"], look["mirror"] < 0.0
    for i in range(image.shape[0]):
        for j in range(width):
            bits = hash32(i, width - 1 - j if mirrored else j, frame, seed)
            r = gain * colour[i, j, 0] + noise * ((bits & 255) - 127.5)
            g = gain * colour[i, j, 1] + noise * ((bits >> 8 & 255) - 127.5)
            b = gain * colour[i, j, 2] + noise * ((bits >> 16 & 255) - 127.5)
            image[i, j, 0] = int(min(max(r + 0.5, 0.0), 255.0))
            image[i, j, 1] = int(min(max(g + 0.5, 0.0), 255.0))
            image[i, j, 2] = int(min(max(b + 0.5, 0.0), 255.0))


@kernel
def render(image, by, canvas, car, road, things, count, look, lens, tile, visible):
    """Render what `car` sees into `image` [H, W, 3], and the by-products into `by`, unless that is None."""
    x, y, yaw = car["x"], car["y"], car["yaw"]
    cos, sin = np.cos(yaw), np.sin(yaw)
    first = max(car["row"] - BEHIND_ROWS, 0)
    axis_in_car_frame(canvas.axis, road, first, x, y, cos, sin)
    found = find_things(canvas, things, count, car["distance_m"], x, y, cos, sin, visible)
    if visible >> SHADOWS & 1:
        paint_shadows(canvas, things, found, look, lens, tile, cos, sin)
    else:
        canvas.shade[:] = 0.0
    top = paint_ground(canvas, by, look, lens, tile, float(first), x, y, cos, sin, visible)
    paint_sky(canvas.colour, by, top, canvas.columns, look, lens, tile, yaw, visible)
    paint_things(canvas, by, things, found, look, lens, tile, cos, sin)
    expose(image, canvas.colour, look, car["steps"], visible)
    if by is not None:  # noqa: SIM102  alone in its `if`, or numba does not prune the branch
        if look["noise_grey"] > 0.0 and visible >> NOISE & 1:
            for i in range(image.shape[0]):
                for j in range(image.shape[1]):
                    by.contributors[i, j] |= 1 << NOISE


@kernel
def render_cars(images, canvas, cars, roads, things, counts, looks, lens, tile):
    """Render the view of every car into images [N, H, W, 3]."""
    for i in range(cars.shape[0]):
        render(images[i], None, canvas, cars[i], roads[i], things[i], counts[i], looks[i], lens, tile, EVERYTHING)


class Renderer:
    """A camera with its work space."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self._lens: Lens = lens_of(camera)
        self._canvas = make_canvas(camera)

    def images(self, cars: Any, roads: Any, things: Any, counts: Any, looks: Any) -> NDArray[np.uint8]:
        """Return what N cars see, [N, H, W, 3]."""
        images = np.empty((len(cars), self.camera.height_px, self.camera.width_px, 3), np.uint8)
        render_cars(images, self._canvas, cars, roads, things, counts, looks, self._lens, TILE)
        return images

    def frame(self, car: Any, road: Any, things: Any, count: int, look: Any, visible: int = EVERYTHING) -> Frame:
        """Return what one car sees, with the by-products; `visible` masks the elements."""
        size = (self.camera.height_px, self.camera.width_px)
        frame = Frame(
            np.empty((*size, 3), np.uint8),
            np.zeros(size, np.uint8),
            np.zeros(size, np.uint16),
            np.zeros(size, np.float32),
        )
        render(frame.image, frame, self._canvas, car, road, things, count, look, self._lens, TILE, visible)
        return frame
