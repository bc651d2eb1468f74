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
EVEN, ODD = COSINES[::2, :4].astype(np.float32), COSINES[1::2, :4].astype(np.float32)  # the rest follows by symmetry
EVEN_BACK, ODD_BACK = np.ascontiguousarray(EVEN.T), np.ascontiguousarray(ODD.T)


@kernel
def fold(one, other, total, difference):
    """Sums and differences."""
    for j in range(one.shape[0]):
        total[j], difference[j] = one[j] + other[j], one[j] - other[j]


@kernel
def weigh(out, a, b, c, d, weights):
    """Weighted sum of four lines."""
    e, f, g, h = weights[0], weights[1], weights[2], weights[3]
    for j in range(out.shape[0]):
        out[j] = e * a[j] + f * b[j] + g * c[j] + h * d[j]


@kernel
def transform(lines, half, even, odd):
    """Cosine transform of lines [8, L] along the first axis, in place; `half` is as much work space."""
    for n in range(4):
        fold(lines[n], lines[7 - n], half[n], half[4 + n])
    for n in range(4):
        weigh(lines[2 * n], half[0], half[1], half[2], half[3], even[n])
        weigh(lines[2 * n + 1], half[4], half[5], half[6], half[7], odd[n])


@kernel
def transform_back(lines, half, even, odd):
    """The inverse, in place; `even` and `odd` are transposed."""
    for n in range(4):
        weigh(half[n], lines[0], lines[2], lines[4], lines[6], even[n])
        weigh(half[4 + n], lines[1], lines[3], lines[5], lines[7], odd[n])
    for n in range(4):
        fold(half[n], half[4 + n], lines[n], lines[7 - n])


@kernel
def coarsen(lines, spare, half, steps, scale):
    """Round the cosine transforms of the blocks side by side in lines [8, 8 B] to multiples of `scale` x `steps`.

    In `spare` [8, 8, B] what has the same place across in its block lies together.
    """
    blocks, even, odd, even_back, odd_back = spare.shape[2], EVEN, ODD, EVEN_BACK, ODD_BACK
    transform(lines, half, even, odd)
    for y in range(BLOCK):
        for x in range(BLOCK):
            for b in range(blocks):
                spare[x, y, b] = lines[y, BLOCK * b + x]
    flat = spare.reshape(BLOCK, BLOCK * blocks)
    transform(flat, half, even, odd)
    for x in range(BLOCK):
        for y in range(BLOCK):
            step = np.float32(scale * steps[y, x])
            per_step, some = np.float32(1.0) / step, spare[x, y]
            for b in range(blocks):
                some[b] = np.rint(some[b] * per_step) * step
    transform_back(flat, half, even_back, odd_back)
    for y in range(BLOCK):
        for x in range(BLOCK):
            for b in range(blocks):
                lines[y, BLOCK * b + x] = spare[x, y, b]
    transform_back(lines, half, even_back, odd_back)


@kernel
def compress(pixels, bits, strength, mirror):
    """Do to the picture [H, 3 W] what storing it would; `bits` [H, W] of a block mix, unless there are none.

    A mirrored world has its blocks from the right edge on, so that they are the mirrored ones.
    """
    height, width = pixels.shape[0], pixels.shape[1] // 3
    blocks, rows, luma, chroma = -(-width // BLOCK), -(-height // BLOCK), LUMA, CHROMA
    wide = BLOCK * blocks
    start = wide - width if mirror < 0.0 else 0
    lines, half = np.zeros((3, BLOCK, rows * wide), np.float32), np.zeros((BLOCK, rows * wide), np.float32)
    spare = np.zeros((BLOCK, BLOCK, rows * blocks), np.float32)
    for i in range(BLOCK * rows):
        first, y = i // BLOCK * wide, i % BLOCK
        part = slice(first, first + wide)
        split(lines[0, y, part], lines[1, y, part], lines[2, y, part], pixels[min(i, height - 1)], start)
    for c in range(3):
        coarsen(lines[c], spare, half, luma if c == 0 else chroma, COARSEST * strength)
    for i in range(height):
        first, y = i // BLOCK * wide + start, i % BLOCK
        join(pixels[i], lines[0, y, first:], lines[1, y, first:], lines[2, y, first:])
    if bits.size > 0:
        for m in range(rows):
            for n in range(blocks):
                left = BLOCK * n - start
                mix_block(bits[BLOCK * m : BLOCK * m + BLOCK, max(left, 0) : left + BLOCK])


@kernel
def split(luma, blue, red, line, start):
    """Luma and chroma of a row of pixels, from column `start` on; before and after them, its first and last ones."""
    width = line.shape[0] // 3
    for j in range(width):
        r, g, b = np.float32(line[3 * j]), np.float32(line[3 * j + 1]), np.float32(line[3 * j + 2])
        luma[start + j] = np.float32(0.299) * r + np.float32(0.587) * g + np.float32(0.114) * b - np.float32(128.0)
        blue[start + j] = np.float32(0.5) * b - np.float32(0.168736) * r - np.float32(0.331264) * g
        red[start + j] = np.float32(0.5) * r - np.float32(0.418688) * g - np.float32(0.081312) * b
    for plane in (luma, blue, red):
        plane[:start], plane[start + width :] = plane[start], plane[start + width - 1]


@kernel
def join(line, luma, blue, red):
    """The way back."""
    dark, bright = np.float32(0.0), np.float32(255.0)
    for j in range(line.shape[0] // 3):
        grey = luma[j] + np.float32(128.5)
        g = grey - np.float32(0.344136) * blue[j] - np.float32(0.714136) * red[j]
        line[3 * j] = np.int32(min(max(grey + np.float32(1.402) * red[j], dark), bright))
        line[3 * j + 1] = np.int32(min(max(g, dark), bright))
        line[3 * j + 2] = np.int32(min(max(grey + np.float32(1.772) * blue[j], dark), bright))


@kernel
def mix_block(bits):
    """Give every pixel of a block the bits of all."""
    every = np.uint32(0)
    for i in range(bits.shape[0]):
        for j in range(bits.shape[1]):
            every |= bits[i, j]
    bits[:] = every
