"""Figures drawn by matplotlib: the colours of two groups, and the file."""

import io
from typing import Any

COLOURS = ("#0072b2", "#d55e00")  # Okabe and Ito's blue and vermilion


def as_png(canvas: Any) -> bytes:
    """A matplotlib figure as a .png file."""
    file = io.BytesIO()
    canvas.savefig(file, format="png")
    return file.getvalue()
