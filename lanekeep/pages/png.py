"""Pictures of the page: an array as a .png file, and what an intervention did to an instant.

A PNG file (W3C, third edition) is a list of chunks; its pixels are rows, each predicted from its neighbours by one of five
filters (section 9) and then deflated.  The filter of a row is the one whose remainders, as signed bytes, are the smallest
in sum, which is what the standard advises.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> grey, grey and alpha, RGB, RGBA
AMPLIFIED = 4  # times that a difference is shown as
SHARE, REST = (255, 140, 0, 150), (12, 14, 18, 150)  # RGBA over the pixels of an element, and over all others


def png(pixels: U8) -> bytes:
    """Picture [H, W, C] of 1 to 4 channels as a file."""
    height, width, channels = pixels.shape
    header = struct.pack(">2I5B", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0)
    deflate = zlib.compressobj(6, strategy=zlib.Z_FILTERED)
    data = deflate.compress(filtered(pixels)) + deflate.flush()
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def filtered(pixels: U8) -> bytes:
    """Rows of remainders, each after the number of its filter."""
    height, width, channels = pixels.shape
    padded = np.zeros((height + 1, width + 1, channels), np.int16)
    padded[1:, 1:] = pixels
    here, left, above, corner = padded[1:, 1:], padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    to_left, to_above, to_corner = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
    nearest = np.where(to_above <= to_corner, above, corner)
    nearest = np.where((to_left <= to_above) & (to_left <= to_corner), left, nearest)
    guesses = (np.int16(0), left, above, (left + above) // 2, nearest)
    rests = np.stack([(here - guess).astype(np.uint8).reshape(height, -1) for guess in guesses])
    best = np.abs(rests.view(np.int8).astype(np.int16)).sum(-1).argmin(0)
    rows = np.empty((height, 1 + width * channels), np.uint8)
    rows[:, 0], rows[:, 1:] = best, rests[best, np.arange(height)]
    return rows.tobytes()


def difference(whole: U8, without: U8) -> U8:
    """How far two pictures are apart, amplified; black where they are the same."""
    apart = np.abs(whole.astype(np.int16) - without)
    amplified: U8 = np.minimum(AMPLIFIED * apart, 255).astype(np.uint8)
    return amplified


def overlay(share: NDArray[np.bool_]) -> U8:
    """A layer [H, W, 4] over a picture: bright where an element has a share in it, dark elsewhere."""
    layer: U8 = np.where(share[..., None], SHARE, REST).astype(np.uint8)
    return layer
