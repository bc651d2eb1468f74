"""Everything between the scene and the sensor: what falls through the air, shutter and mounting, and the lens."""

from lanekeep_envs.compiled.decorators import jit, no_refcount, noalias
from lanekeep_envs.renderer.air.fog import light_the_fog
from lanekeep_envs.renderer.air.precipitation import RAIN, SNOW, let_fall
from lanekeep_envs.renderer.camera import Lens
from lanekeep_envs.renderer.lens.drops_and_dirt import dirty_lens, wet_lens
from lanekeep_envs.renderer.lens.glare import glare_of_lamps, glare_of_sun
from lanekeep_envs.renderer.lens.motion_blur import blur_motion
from lanekeep_envs.renderer.lens.roll import roll_picture


@no_refcount
def distorted(appearance, view):
    """Whether the picture is any other for what falls, the shutter, the mounting or the lens."""
    falling = appearance["rain"] + appearance["snowfall"] + appearance["night"] * appearance["fog"]
    lens = appearance["drops"] + appearance["dirt"] + appearance["glare"]
    return view.roll != 0.0 or falling + lens + appearance["motion_blur"] > 0.0


@jit
def distort(buffers, aov, scene, view):
    """Return the picture without the margin of the work space, after what air, shutter and lens do to it."""
    car, appearance, lens = scene.car, scene.appearance, view.lens
    picture, margin, width = buffers.picture, buffers.margin, buffers.picture.shape[2]
    here = Lens(
        lens.focal_px, lens.centre_row, lens.centre_column - margin, lens.height_m, lens.cos_pitch, lens.sin_pitch
    )
    bits = aov.contributors[:, margin : margin + width]
    copy_columns(picture, buffers.colour, margin)
    if appearance["night"] * appearance["fog"] > 0.0:
        light_the_fog(picture, appearance, here)
    if appearance["motion_blur"] > 0.0:
        blur_motion(picture, buffers.packed, bits, car, appearance, here)
    if appearance["rain"] > 0.0:
        let_fall(picture, buffers.fallen, buffers.beam, appearance["rain"], RAIN, car, appearance, here)
    if appearance["snowfall"] > 0.0:
        let_fall(picture, buffers.fallen, buffers.beam, appearance["snowfall"], SNOW, car, appearance, here)
    if view.roll != 0.0:
        roll_picture(buffers.spare, picture, bits, view.roll, here)
        picture = buffers.spare
    if appearance["drops"] > 0.0:
        wet_lens(picture, bits, buffers.drops_and_dirt, appearance, here)
    if appearance["dirt"] > 0.0:
        dirty_lens(picture, bits, buffers.drops_and_dirt, appearance, here)
    if appearance["glare"] > 0.0:
        glare_of_sun(picture, bits, appearance, here, view.sun_ahead, view.sun_left)
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
