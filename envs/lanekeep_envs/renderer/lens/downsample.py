"""A downsampled picture: what a drop shows of the picture, and what of it is bright enough for a halo.

It is the mean over squares: one every `cell` px, of 2 `cell` + 1 px, from the top and from the centre column (N // 2) to
both sides.
"""

import numpy as np

from lanekeep_envs.compiled.decorators import inline_always, jit, no_refcount, noalias

CELLS = 18  # to the height of the downsampled picture


@jit
def downsampled(colour, cell, above):
    """Return means [3, M, N] of what is brighter than `above` over the squares of a picture [3, H, W].

    Sums are of whole numbers: exact in any order.
    """
    height, width = colour.shape[1], colour.shape[2]
    rows, squares = -(-(height - 1) // cell) + 1, 2 * -(-(width - 1) // (2 * cell)) + 1
    means, shares = np.zeros((3, rows, squares), np.float32), np.zeros(squares, np.float32)
    parts = np.empty((2, rows + 2, 3 * width + 8 * cell), np.uint32)  # the colours with nothing around each
    clear_around(parts[0], -(-height // cell), width, cell)
    clear_around(parts[1], -(-height // cell), width, cell)
    work = np.zeros((3, 3 * width + 10 * cell + 1), np.uint32)
    for n in range(squares):
        first, last = square_at(n - squares // 2, cell, width)
        shares[n] = 1.0 / (16.0 * (last + 1 - first))
    sum_lines(parts[0], parts[1], colour, cell, np.float32(above))
    sum_squares(means, parts[0], parts[1], work, shares, height, width, cell)
    return means


@no_refcount
def clear_around(parts, many, width, cell):
    """Write zeros around the colours in rows 1 to `many`."""
    for m in range(parts.shape[0]):
        line = parts[m]
        if 1 <= m <= many:
            for c in range(4):
                around = line[c * (width + 2 * cell) : c * (width + 2 * cell) + 2 * cell]
                for j in range(around.shape[0]):
                    around[j] = 0
        else:
            for j in range(line.shape[0]):
                line[j] = 0


@noalias
def sum_lines(parts, starts, colour, cell, dark):
    """Sum up each `cell` lines of the picture, in 16ths: one part after another from row 1 on, and its first line alone."""
    width, unit, none = colour.shape[2], np.float32(16.0), np.float32(0.0)
    for top in range(0, colour.shape[1], cell):
        for c in range(3):
            at, line = c * width + 2 * (c + 1) * cell, colour[c, top]
            whole, start = parts[top // cell + 1, at : at + width], starts[top // cell + 1, at : at + width]
            for j in range(line.shape[0]):
                start[j] = whole[j] = np.uint32(np.rint(unit * max(line[j] - dark, none)))
            for i in range(top + 1, min(top + cell, colour.shape[1])):
                line = colour[c, i]
                for j in range(line.shape[0]):
                    whole[j] += np.uint32(np.rint(unit * max(line[j] - dark, none)))


@no_refcount
def sum_squares(means, parts, starts, work, shares, height, width, cell):
    """Fill the downsampled picture row by row."""
    pixels, squares = 2 * cell + 1 - (width - 1) % 2, means.shape[2]
    first = -(-(width - 1 - 2 * cell) // 2) - cell * (squares // 2) + 2 * cell
    for m in range(means.shape[1]):
        above, here, below, line = parts[m], parts[m + 1], starts[m + 2], work[0]
        some = np.uint32(0)
        for j in range(above.shape[0]):
            line[j] = above[j] + here[j] + below[j]
            some |= line[j]
        if some == 0:
            continue
        windows(work, above.shape[0], pixels)
        share = np.float32(1.0 / (min((m + 1) * cell, height - 1) + 1 - max((m - 1) * cell, 0)))
        for c in range(3):
            row, at = means[c, m], first + c * (width + 2 * cell)
            for n in range(row.shape[0]):
                row[n] = np.float32(work[2, np.uint64(at + cell * n)]) * (share * shares[n])


@no_refcount
def windows(work, length, pixels):
    """Fill `work[2]` with sums of `pixels` neighbours from each of the first `length` of `work[0]` on.

    They are put together of sums of 1, 2, 4, ... neighbours.
    """
    line, spare, total, size, at = work[0], work[1], work[2, :length], 1, 0
    while at < pixels:
        if pixels & size:
            moved = line[at : at + length]
            for j in range(length):
                total[j] = moved[j] + (total[j] if at > 0 else np.uint32(0))
            at += size
        if at < pixels:
            moved = line[size : size + length]
            for j in range(length):
                spare[j] = line[j] + moved[j]
            line, spare, size = spare, line, 2 * size


@inline_always
def square_at(n, cell, width):
    """Return the first and the last column of the n-th square to the right of the middle one."""
    middle = (width - 1) + 2 * cell * n  # twice the column
    return max(-(-(middle - 2 * cell) // 2), 0), min((middle + 2 * cell) // 2, width - 1)


@jit
def downsampled_bits(bits, cell):
    """Return the bits [M, N] of all pixels of each square."""
    height, width = bits.shape
    rows, half = -(-(height - 1) // cell) + 1, -(-(width - 1) // (2 * cell))
    found = np.zeros((rows, 2 * half + 1), np.uint64)
    for m in range(rows):
        for n in range(2 * half + 1):
            first, last = square_at(n - half, cell, width)
            for i in range(max((m - 1) * cell, 0), min((m + 1) * cell, height - 1) + 1):
                for j in range(first, last + 1):
                    found[m, n] |= bits[i, j]
    return found
