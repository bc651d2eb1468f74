"""The work space of one camera: arrays that are allocated once and reused from picture to picture."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep_envs.compiled.noise import TILE
from lanekeep_envs.dynamics.road import ROAD
from lanekeep_envs.renderer.air.precipitation import beam_of, cells_of
from lanekeep_envs.renderer.air.sky import SkyColumns, sky_columns_of
from lanekeep_envs.renderer.camera import Camera, Lens, ground_rows, lens_of
from lanekeep_envs.renderer.draw_list import DrawList, empty_draw_list
from lanekeep_envs.renderer.ground.conditions import LENGTHS
from lanekeep_envs.renderer.ground.scanline import SCANLINE, SEGMENT_PX
from lanekeep_envs.renderer.lens.drops_and_dirt import DropsAndDirt, no_drops_and_dirt
from lanekeep_envs.renderer.objects.foliage import FOLIAGE
from lanekeep_envs.renderer.objects.quad_setup import QUAD_BUFFER
from lanekeep_envs.renderer.view import AHEAD_ROWS, BEHIND_ROWS


class Buffers(NamedTuple):
    """Work space for one camera, reused from picture to picture.

    It is a little wider than the picture, a whole number of segments W: the picture lies in the middle, `margin` px from the
    left.
    """

    colour: NDArray[np.float32]  # [3, H, W]
    shade: NDArray[np.float32]  # [H, W] share of each pixel of ground that the sun does not reach
    rows: NDArray[np.void]  # [H] of GROUND_ROW (camera.py)
    margin: int
    half: float  # place of a segment's first pixel between the two knots at its ends [px]
    scanline: NDArray[np.void]  # [1] (ground/scanline.py)
    sky_columns: SkyColumns  # (air/sky.py)
    lengths: NDArray[np.float64]  # [4, 3, LENGTHS] of road (ground/conditions.py)
    axis: NDArray[np.void]  # [BEHIND_ROWS + AHEAD_ROWS] of ROAD, in the car's frame
    draw_list: DrawList  # (draw_list.py)
    picture: NDArray[np.float32]  # [3, H, w] colour without the margin, for air, shutter and lens
    # `spare` and `packed` lie in the memory of `colour`: `distort` has done with each before it needs another
    spare: NDArray[np.float32]  # [3, H, w]
    packed: NDArray[np.int64]  # the picture, and as much around it as a streak reaches (lens/motion_blur.py)
    fallen: NDArray[np.int64]  # rain and snow (air/precipitation.py)
    beam: NDArray[np.float32]  # [w] headlight on what falls in each column of the picture
    quads: NDArray[np.void]  # [1] (objects/quad_setup.py)
    tile: NDArray[np.int32]  # (compiled/noise.py) as memory, see `look_up`
    drops_and_dirt: DropsAndDirt  # (lens/drops_and_dirt.py)
    foliage: NDArray[np.void]  # [1] (objects/foliage.py)


def make_buffers(camera: Camera) -> tuple[Buffers, Lens]:
    """Allocate the work space of one camera, and return it with the camera's lens, moved by the margin."""
    segments = -(-camera.width_px // SEGMENT_PX)
    height, width, spare = camera.height_px, SEGMENT_PX * segments, SEGMENT_PX * segments - camera.width_px
    lens = lens_of(camera)
    lens = lens._replace(centre_column=lens.centre_column + spare // 2)
    around = 2 * (height // 4)  # what a streak may reach beyond the picture
    packed = (height + around, camera.width_px + around)
    memory = np.zeros(max(8 * packed[0] * packed[1], 12 * height * width), np.uint8)

    def shared(shape: tuple[int, ...], kind: type) -> NDArray[Any]:
        return np.ndarray(shape, kind, memory)

    buffers = Buffers(
        shared((3, height, width), np.float32),
        np.zeros((height, width), np.float32),
        ground_rows(camera),
        spare // 2,
        1.0 if spare % 2 else 0.5,
        np.zeros(1, SCANLINE),
        sky_columns_of(lens, height, width),
        np.zeros((4, 3, LENGTHS)),
        np.zeros(BEHIND_ROWS + AHEAD_ROWS, ROAD),
        empty_draw_list(),
        np.zeros((3, height, camera.width_px), np.float32),
        shared((3, height, camera.width_px), np.float32),
        shared(packed, np.int64),
        np.zeros(cells_of(height, camera.width_px), np.int64),
        beam_of(lens_of(camera), camera.width_px),
        np.zeros(1, QUAD_BUFFER),
        TILE,
        no_drops_and_dirt(height, camera.width_px, lens.focal_px),
        np.zeros(1, FOLIAGE),
    )
    return buffers, lens
