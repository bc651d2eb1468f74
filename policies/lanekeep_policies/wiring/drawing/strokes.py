"""How a synapse looks on paper: excitatory light, solid, with an arrowhead; inhibitory dark, dashed, with a bar.

The two differ in lightness, dashes and heads, so that neither print without colours nor colour-blind eyes confuse them:
orange and blue are far apart for all kinds of colour blindness. The dark dashes lie on the light lines: both stay
visible where they cross.
"""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from lanekeep_policies.wiring.drawing.layout import Floats

if TYPE_CHECKING:
    from matplotlib.patches import Patch


class Stroke(NamedTuple):
    name: str
    polarity: int
    colour: str
    dashes: tuple[float, float] | None  # on and off, in widths of the line; None: solid
    zorder: float

    def patches(self, way: Floats, width: float, **properties: Any) -> "list[Patch]":
        """The line along the Bezier curve `way` [4, 2], `width` points wide, and its head."""
        from matplotlib.patches import PathPatch, Polygon
        from matplotlib.path import Path

        path = Path(way, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
        line = PathPatch(path, fill=False, edgecolor=self.colour, linewidth=width, capstyle="butt", zorder=self.zorder)
        line.set_linestyle((0.0, self.dashes) if self.dashes else "solid")
        corners = head(way, self.polarity, 1.3 + 3.2 * width)
        ending = Polygon(corners, facecolor=self.colour, edgecolor="none", zorder=self.zorder + 0.5)
        for patch in (line, ending):
            patch.set(**properties)
        return [line, ending]


STROKES: Final = (
    Stroke("excitatory", +1, "#E8820C", None, 1.0),
    Stroke("inhibitory", -1, "#0B3C6F", (4.0, 2.0), 2.0),
)


def head(way: Floats, polarity: int, size: float) -> Floats:
    """[n, 2] corners of what a synapse ends in: a triangle `size` long, or a bar as wide."""
    end, along = way[3], way[3] - way[2]
    along = along / np.hypot(*along)
    across = np.array([-along[1], along[0]])
    if polarity > 0:
        foot = end - size * along
        return np.stack([end, foot + 0.42 * size * across, foot - 0.42 * size * across])
    back, half = end - 0.28 * size * along, 0.55 * size * across
    return np.stack([end + half, end - half, back - half, back + half])
