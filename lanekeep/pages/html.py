"""The pieces that sections of the page are put together from."""

from base64 import b64encode
from html import escape

import numpy as np
from numpy.typing import NDArray

from lanekeep.pages.png import png

U8 = NDArray[np.uint8]
Span = tuple[float, float, float]  # a number and the ends of its interval


def picture(pixels: U8) -> str:
    """A picture [H, W, C] as the source of an <img>."""
    return f"data:image/png;base64,{b64encode(png(pixels)).decode()}"


def section(title: str, about: str, body: str) -> str:
    """A heading, what it is about, and what is shown."""
    return f"<section><h2>{escape(title)}</h2><p class=about>{escape(about)}</p>{body}</section>"


def wide(kind: str, head: str, body: str) -> str:
    """A table that may be wider than the window."""
    return f"<div class=wide><table class={kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def spanned(form: str, value: Span) -> str:
    """A number and, small, its interval."""
    middle, low, high = (form.format(v) for v in value)
    return f"{middle} <small>[{low}, {high}]</small>"
