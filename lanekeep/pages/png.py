"""Pictures as .png files, and inside a page."""

import io
from base64 import b64encode

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A picture [H, W, C] of 1 (grey), 3 (RGB) or 4 (RGBA) channels as a file; equal pixels give equal bytes."""
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, "PNG")
    return file.getvalue()


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """A picture [H, W, C] as the source of an <img>."""
    return f"data:image/png;base64,{b64encode(png(pixels)).decode()}"
