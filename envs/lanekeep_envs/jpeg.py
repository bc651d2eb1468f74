"""What JPEG leaves of a picture: blocks of 8x8 pixels, their cosine transforms rounded to multiples of a step.

The steps are those of ITU-T T.81, tables K.1 (luma) and K.2 (chroma), times 3 x strength; colours are those of JFIF
(BT.601), chroma at full resolution.  Beyond its edge a picture goes on with its last pixel.
"""

import numpy as np

from lanekeep_envs.kernel import kernel

BLOCK = 8
COARSEST = 3.0  # times the standard's steps, at strength 1
LUMA = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float64,
)
CHROMA = np.full((BLOCK, BLOCK), 99.0)
CHROMA[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
_ORDER = np.arange(BLOCK)
COSINES = np.sqrt(2.0 / BLOCK) * np.cos(np.pi / BLOCK * (_ORDER[None, :] + 0.5) * _ORDER[:, None])  # orthonormal
COSINES[0] /= np.sqrt(2.0)


@kernel
def transform(to, block, spare):
    """`to` @ `block` @ `to`.T in place; the order of the sums is the same on every machine."""
    for i in range(BLOCK):
        for j in range(BLOCK):
            spare[i, j] = 0.0
            for k in range(BLOCK):
                spare[i, j] += to[i, k] * block[k, j]
    for i in range(BLOCK):
        for j in range(BLOCK):
            block[i, j] = 0.0
            for k in range(BLOCK):
                block[i, j] += spare[i, k] * to[j, k]


@kernel
def coarsen(block, spare, forth, back, steps, scale):
    """Round the cosine transform of a block to multiples of `scale` x `steps`."""
    transform(forth, block, spare)
    for i in range(BLOCK):
        for j in range(BLOCK):
            step = scale * steps[i, j]
            block[i, j] = np.rint(block[i, j] / step) * step
    transform(back, block, spare)


@kernel
def compress(pixels, bits, strength, mirror):
    """Do to the picture [H, 3 W] what storing it would; `bits` [H, W] of a block mix, unless that is None.

    A mirrored world is read from the other side, so that its blocks are the mirrored ones.
    """
    height, width, scale = pixels.shape[0], pixels.shape[1] // 3, COARSEST * strength
    luma, chroma, forth, back = LUMA, CHROMA, COSINES, np.ascontiguousarray(COSINES.T)
    block, spare = np.zeros((3, BLOCK, BLOCK)), np.zeros((BLOCK, BLOCK))
    first, turn = (width - 1, -1) if mirror < 0.0 else (0, 1)
    for top in range(0, height, BLOCK):
        for start in range(0, width, BLOCK):
            for y in range(BLOCK):
                i = min(top + y, height - 1)
                for x in range(BLOCK):
                    j = 3 * (first + turn * min(start + x, width - 1))
                    r, g, b = np.float64(pixels[i, j]), np.float64(pixels[i, j + 1]), np.float64(pixels[i, j + 2])
                    block[0, y, x] = 0.299 * r + 0.587 * g + 0.114 * b - 128.0
                    block[1, y, x] = -0.168736 * r - 0.331264 * g + 0.5 * b
                    block[2, y, x] = 0.5 * r - 0.418688 * g - 0.081312 * b
            coarsen(block[0], spare, forth, back, luma, scale)
            coarsen(block[1], spare, forth, back, chroma, scale)
            coarsen(block[2], spare, forth, back, chroma, scale)
            for y in range(min(BLOCK, height - top)):
                for x in range(min(BLOCK, width - start)):
                    i, j = top + y, 3 * (first + turn * (start + x))
                    luminance, blue, red = block[0, y, x] + 128.5, block[1, y, x], block[2, y, x]
                    pixels[i, j] = np.int32(min(max(luminance + 1.402 * red, 0.0), 255.0))
                    pixels[i, j + 1] = np.int32(min(max(luminance - 0.344136 * blue - 0.714136 * red, 0.0), 255.0))
                    pixels[i, j + 2] = np.int32(min(max(luminance + 1.772 * blue, 0.0), 255.0))
            if bits is not None:
                mix_block(bits, top, start, first, turn)


@kernel
def mix_block(bits, top, start, first, turn):
    """Give every pixel of a block the bits of all."""
    height, width, every = bits.shape[0], bits.shape[1], np.int64(0)
    for i in range(top, min(top + BLOCK, height)):
        for j in range(start, min(start + BLOCK, width)):
            every |= np.int64(bits[i, first + turn * j])
    for i in range(top, min(top + BLOCK, height)):
        for j in range(start, min(start + BLOCK, width)):
            bits[i, first + turn * j] = every
