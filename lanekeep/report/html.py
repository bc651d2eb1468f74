"""The pieces that sections of the page are put together from."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from lanekeep.picture import png
from lanekeep.report.charts import bar
from lanekeep.report.contents import COLOURS

U8 = NDArray[np.uint8]
Span = tuple[float, float, float]  # a number and the ends of its interval


def picture(pixels: U8) -> str:
    """A picture [H, W, C] as the source of an <img>."""
    return f"data:image/png;base64,{b64encode(png(pixels)).decode()}"


def section(title: str, about: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2><p class=about>{escape(about)}</p>{body}</section>"


def wide(kind: str, head: str, body: str) -> str:
    """A table that may be wider than the window."""
    return f"<div class=wide><table class={kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def spanned(form: str, value: Span) -> str:
    middle, low, high = (form.format(v) for v in value)
    return f"{middle} <small>[{low}, {high}]</small>"


def bar_table(names: Sequence[str], kinds: Sequence[tuple[str, str, float, Sequence[tuple[Span, Span]]]]) -> str:
    """A row for each name, a column for each kind: its title, how its numbers are written, the end of its scale, and the
    spans of both drivers for each row."""
    head = "".join(f"<th>{title}</th>" for title, *_ in kinds)
    rows = []
    for k, name in enumerate(names):
        cells = "".join(
            "<td>"
            + "".join(
                f"{bar(*span, end, colour)}<small>{form.format(span[0])}</small>"
                for span, colour in zip(spans[k], COLOURS, strict=True)
            )
            + "</td>"
            for _, form, end, spans in kinds
        )
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return wide("effects", f"<th>mean |effect| of</th>{head}", "".join(rows))
