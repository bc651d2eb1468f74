"""Pictures and matplotlib's figures as .png files, and pictures inside a page."""

import io
from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOURS = ("#0072b2", "#d55e00")  # of two groups in a figure: Okabe and Ito's blue and vermilion


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A picture [H, W, C] of 1 (grey), 3 (RGB) or 4 (RGBA) channels as a file; equal pixels give equal bytes."""
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, "PNG")
    return file.getvalue()


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """A picture [H, W, C] as the source of an <img>."""
    return f"data:image/png;base64,{b64encode(png(pixels)).decode()}"


def as_png(canvas: Any) -> bytes:
    """A matplotlib figure as a .png file."""
    file = io.BytesIO()
    canvas.savefig(file, format="png")
    return file.getvalue()
