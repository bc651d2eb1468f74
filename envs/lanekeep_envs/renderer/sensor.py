"""The sensor: exposure, its noise, rounding to bytes, and what storing the picture as JPEG leaves of it."""

import numpy as np

from lanekeep_envs.compiled.decorators import float32_literals, jit, noalias
from lanekeep_envs.compiled.noise import hash32
from lanekeep_envs.elements import Element
from lanekeep_envs.renderer.lens.jpeg import compress

NOISE, FOG, RAIN = int(Element.NOISE), int(Element.FOG), int(Element.RAIN)


@noalias
@float32_literals
def expose(pixels, red, green, blue, margin, appearance, frame, visible):
    """Exposure, sensor noise and rounding to bytes [H, 3 W]; the noise is a hash of (pixel, frame, seed)."""
    width = pixels.shape[1] // 3
    # 73.9: standard deviation of a uniform byte
    noise = appearance["noise_grey"] / 73.9 if visible >> NOISE & 1 else 0.0
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


@jit
def write_aov_everywhere(aov, appearance, visible):
    """Write which elements have a share in every pixel."""
    bits = 1 << NOISE if appearance["noise_grey"] > 0.0 and visible >> NOISE & 1 else 0
    bits |= 1 << FOG if appearance["fog"] > 0.0 else 0
    bits |= 1 << RAIN if appearance["rain"] > 0.0 or appearance["snowfall"] > 0.0 else 0
    if bits != 0:
        for i in range(aov.contributors.shape[0]):
            for j in range(aov.contributors.shape[1]):
                aov.contributors[i, j] |= bits


@jit
def store(pixels, aov, margin, appearance):
    """Do to the picture [H, 3 W] what storing it as JPEG would."""
    bits = aov.contributors[:, margin : margin + pixels.shape[1] // 3]
    compress(pixels, bits, appearance["jpeg"], appearance["mirror"])
