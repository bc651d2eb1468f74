"""What JPEG leaves of a picture: blocks of 8x8 pixels, their cosine transforms rounded to multiples of a step.

The steps are those of ITU-T T.81, tables K.1 (luma) and K.2 (chroma), times 3 x strength; colours are those of JFIF
(BT.601), chroma at full resolution.  Beyond its edge a picture goes on with its last pixel.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, jit, no_refcount, noalias

BLOCK = 8
STRIP = 256  # columns of a row of blocks that are worked on at once; known when compiled, and so is where the lines lie
PLANE = BLOCK * STRIP
FINEST = 1e-6  # no step is so small that its inverse is none
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


@jit
def compress(pixels, bits, strength, mirror):
    """Do to the picture [H, 3 W] what storing it would; `bits` [H, W] of a block mix, unless there are none.

    A mirrored world has its blocks from the right edge on, so that they are the mirrored ones.
    """
    planes, spare = np.empty(3 * PLANE, np.float32), np.empty(PLANE, np.float32)
    steps, limits = np.empty((2, 2 * PLANE), np.float32), np.empty((2, BLOCK), np.float32)
    work = planes, planes.view(np.int32), spare, steps, limits, limits.view(np.int32)
    compress_strips(pixels, bits, strength, mirror, work)


@no_refcount
def compress_strips(pixels, bits, strength, mirror, work):
    """Compress the picture strip by strip.

    Work space are planes [3 x PLANE], spare [PLANE], steps [2, 2 x PLANE] and limits [2, BLOCK], the planes and the limits
    also as the bits of their floats.
    """
    height, width, luma, chroma = pixels.shape[0], pixels.shape[1] // 3, LUMA, CHROMA
    planes, planes_as_bits, spare, steps, limits, limits_as_bits = work
    wide = BLOCK * -(-width // BLOCK)
    start = wide - width if mirror < 0.0 else 0
    for left in range(-start, wide - start, STRIP):
        columns = min(wide - start - left, STRIP)
        lay_steps(steps[0], limits[0], luma, COARSEST * strength, columns // BLOCK)
        lay_steps(steps[1], limits[1], chroma, COARSEST * strength, columns // BLOCK)
        first, last = max(left, 0), min(left + columns, width)
        for top in range(0, height, BLOCK):
            for y in range(BLOCK):
                line = pixels[min(top + y, height - 1), 3 * first : 3 * last]
                split(planes[STRIP * y :], line, first - left, last - first, columns)
            for c in range(3):
                kind, plane, as_bits = min(c, 1), planes[PLANE * c :], planes_as_bits[PLANE * c :]
                coarsen(plane, as_bits, spare, steps[kind], limits_as_bits[kind], columns)
            for y in range(min(BLOCK, height - top)):
                join(pixels[top + y, 3 * first : 3 * last], planes[STRIP * y + first - left :], last - first)
    if bits.size > 0:
        for i in range(0, height, BLOCK):
            for left in range(-start, wide - start, BLOCK):
                mix_block(bits[i : i + BLOCK, max(left, 0) : left + BLOCK])


@no_refcount
def lay_steps(steps, limits, table, scale, blocks):
    """Fill steps [2 x PLANE] with what coefficients are multiples of and its inverse, as `coarsen` has these, for a row
    of blocks; and limits [BLOCK]: a line of pixels' vertical transforms below it has no coefficient that would be left.
    """
    for y in range(BLOCK):
        least = np.float32(scale * table[y, 0])
        for x in range(BLOCK):
            step, at = np.float32(max(scale * table[y, x], FINEST)), STRIP * x + blocks * y
            per_step, least = np.float32(1.0) / step, min(least, step)
            for b in range(blocks):
                steps[at + b], steps[PLANE + at + b] = step, per_step
        limits[y] = least * np.float32(0.999 * 0.5 / np.sqrt(BLOCK))


@noalias
def split(planes, line, start, width, columns):
    """Fill in luma and chroma of a line of pixels, from column `start` on; beside them, its first and last ones."""
    out = planes[start:]
    for j in range(width):
        r, g, b = np.float32(line[3 * j]), np.float32(line[3 * j + 1]), np.float32(line[3 * j + 2])
        out[j] = np.float32(0.299) * r + np.float32(0.587) * g + np.float32(0.114) * b - np.float32(128.0)
        out[PLANE + j] = np.float32(0.5) * b - np.float32(0.168736) * r - np.float32(0.331264) * g
        out[2 * PLANE + j] = np.float32(0.5) * r - np.float32(0.418688) * g - np.float32(0.081312) * b
    for c in range(0, 3 * PLANE, PLANE):
        for j in range(start):
            planes[c + j] = planes[c + start]
        for j in range(start + width, columns):
            planes[c + j] = planes[c + start + width - 1]


@noalias
def join(line, planes, width):
    """Turn luma and chroma back into a line of pixels."""
    dark, bright = np.float32(0.0), np.float32(255.0)
    for j in range(width):
        grey, blue, red = planes[j] + np.float32(128.5), planes[PLANE + j], planes[2 * PLANE + j]
        g = grey - np.float32(0.344136) * blue - np.float32(0.714136) * red
        line[3 * j] = np.int32(min(max(grey + np.float32(1.402) * red, dark), bright))
        line[3 * j + 1] = np.int32(min(max(g, dark), bright))
        line[3 * j + 2] = np.int32(min(max(grey + np.float32(1.772) * blue, dark), bright))


@no_refcount
def coarsen(plane, plane_bits, spare, steps, limits, columns):
    """Round the cosine transforms of the blocks side by side in a plane to multiples of `steps`.

    Of the lines' vertical transforms the last ones, below `limits` (both as the bits of floats, which have the same order),
    would leave nothing.  In `spare` what has the same place across in its block lies together, line after line.
    """
    blocks, live = columns // BLOCK, BLOCK
    transform(plane, columns)
    while live > 0 and greatest(plane_bits[STRIP * (live - 1) :], columns) < limits[live - 1]:
        live -= 1
        plane[STRIP * live : STRIP * live + columns] = np.float32(0.0)
    if live > 0:
        for y in range(live):
            gather(spare[blocks * y :], plane[STRIP * y :], blocks)
        round_transform(spare, steps, blocks * live)
        for y in range(live):
            scatter(plane[STRIP * y :], spare[blocks * y :], blocks)
    transform_back(plane, columns)


@no_refcount
def greatest(bits, count):
    """Return the greatest magnitude of floats, from and as their bits."""
    most = np.int32(0)
    for j in range(count):
        most = max(most, bits[j] & np.int32(0x7FFFFFFF))
    return most


@noalias
def gather(spare, line, blocks):
    """Bring together the numbers that have the same place in their blocks."""
    for b in range(blocks):
        for x in range(BLOCK):
            spare[STRIP * x + b] = line[BLOCK * b + x]


@noalias
def scatter(line, spare, blocks):
    """Put the numbers that `gather` brought together back into their blocks."""
    for b in range(blocks):
        for x in range(BLOCK):
            line[BLOCK * b + x] = spare[STRIP * x + b]


@inline_always
def weighed(weights, n, a, b, c, d):
    """Return a weighted sum of four numbers."""
    return weights[n, 0] * a + weights[n, 1] * b + weights[n, 2] * c + weights[n, 3] * d


@no_refcount
def transform(lines, columns):
    """Cosine-transform lines [BLOCK x STRIP] from line to line, in place."""
    even, odd = EVEN, ODD
    for j in range(columns):
        a, b, c, d = lines[j], lines[STRIP + j], lines[2 * STRIP + j], lines[3 * STRIP + j]
        h, g, f, e = lines[7 * STRIP + j], lines[6 * STRIP + j], lines[5 * STRIP + j], lines[4 * STRIP + j]
        p, q, r, s = a + h, b + g, c + f, d + e
        lines[j], lines[2 * STRIP + j] = weighed(even, 0, p, q, r, s), weighed(even, 1, p, q, r, s)
        lines[4 * STRIP + j], lines[6 * STRIP + j] = weighed(even, 2, p, q, r, s), weighed(even, 3, p, q, r, s)
        p, q, r, s = a - h, b - g, c - f, d - e
        lines[STRIP + j], lines[3 * STRIP + j] = weighed(odd, 0, p, q, r, s), weighed(odd, 1, p, q, r, s)
        lines[5 * STRIP + j], lines[7 * STRIP + j] = weighed(odd, 2, p, q, r, s), weighed(odd, 3, p, q, r, s)


@no_refcount
def round_transform(lines, steps, columns):
    """Transform lines, round them to multiples of `steps`, and transform them back."""
    transform(lines, columns)
    for y in range(BLOCK):
        for j in range(columns):
            at = STRIP * y + j
            lines[at] = np.rint(lines[at] * steps[PLANE + at]) * steps[at]
    transform_back(lines, columns)


@no_refcount
def transform_back(lines, columns):
    """Transform back lines [BLOCK x STRIP] from line to line, in place."""
    even, odd = EVEN_BACK, ODD_BACK
    for j in range(columns):
        a, b, c, d = lines[j], lines[2 * STRIP + j], lines[4 * STRIP + j], lines[6 * STRIP + j]
        e, f, g, h = lines[STRIP + j], lines[3 * STRIP + j], lines[5 * STRIP + j], lines[7 * STRIP + j]
        p, q = weighed(even, 0, a, b, c, d), weighed(odd, 0, e, f, g, h)
        lines[j], lines[7 * STRIP + j] = p + q, p - q
        p, q = weighed(even, 1, a, b, c, d), weighed(odd, 1, e, f, g, h)
        lines[STRIP + j], lines[6 * STRIP + j] = p + q, p - q
        p, q = weighed(even, 2, a, b, c, d), weighed(odd, 2, e, f, g, h)
        lines[2 * STRIP + j], lines[5 * STRIP + j] = p + q, p - q
        p, q = weighed(even, 3, a, b, c, d), weighed(odd, 3, e, f, g, h)
        lines[3 * STRIP + j], lines[4 * STRIP + j] = p + q, p - q


@no_refcount
def mix_block(bits):
    """Give every pixel of a block the bits of all."""
    every = np.uint64(0)
    for i in range(bits.shape[0]):
        for j in range(bits.shape[1]):
            every |= bits[i, j]
    bits[:] = every
