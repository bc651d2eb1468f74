"""A wiring on paper: layers in columns, from the features on the left to the motor neurons on the right.

Excitatory synapses are light, solid and end in an arrowhead; inhibitory ones are dark, dashed and end in a bar: no
colour is needed to tell them apart. All lengths are points (1/72 inch) and all artists are vectors. Each synapse is one
patch, whose gid ("excitatory-s3-7" from sensory neuron 3 to neuron 7, "inhibitory-9-0" from neuron 9 to neuron 0) is
also its id in a saved SVG.
matplotlib is imported by the first drawing only; it comes with `pip install 'lanekeep[draw]'`.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from lanekeep_policies.wiring.curves import Disc, curve
from lanekeep_policies.wiring.layout import Box, Column, Floats, columns, place
from lanekeep_policies.wiring.wiring import Wiring

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_IN: Final = 7.0  # a page with two columns of text
INK: Final = "#222222"
SHADES: Final = {"sensory": "white", "inter": "#ECECEC", "command": "#CFCFCF", "motor": "#222222"}


class Style(NamedTuple):
    name: str
    polarity: int
    colour: str
    dashes: tuple[float, float] | None  # on and off, in widths of the line; None: solid
    zorder: float


STYLES: Final = (
    Style("excitatory", +1, "#E8820C", None, 1.0),
    Style("inhibitory", -1, "#0B3C6F", (4.0, 2.0), 2.0),  # dashes over solid lines: both stay visible
)


class Synapse(NamedTuple):
    name: str
    polarity: int
    curve: Floats  # [4, 2]
    thin: bool


def draw(wiring: Wiring, ax: "Axes | None" = None) -> "Axes":
    """Draw the wiring into `ax`, which should have its final size, or into a new figure of a page's width.

    Returns the axes, one unit of which is a point; `draw(wiring).figure.savefig("wiring.pdf")` saves the new figure.
    Raises ImportError, with the way out, where matplotlib is missing.
    """
    _require_matplotlib()
    ax = _new_axes(wiring) if ax is None else ax
    box = _paper(ax)
    layers = columns(wiring, box)
    synapses = _synapses(wiring, _discs(wiring, layers, box))
    for style in STYLES:
        _draw_synapses(ax, [synapse for synapse in synapses if synapse.polarity == style.polarity], style)
    for layer in layers:
        _draw_neurons(ax, wiring, layer, box)
    _draw_counts(ax, wiring, layers, box)
    _draw_legend(ax, synapses)
    return ax


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError("A drawing needs matplotlib: pip install 'lanekeep[draw]'.") from None


def _new_axes(wiring: Wiring) -> "Axes":
    from matplotlib.figure import Figure

    largest = max(wiring.sensory, wiring.inter, wiring.command, wiring.motor)
    figure = Figure(figsize=(WIDTH_IN, min(max(1.0 + 0.13 * largest, 2.8), 9.0)))
    return figure.add_axes((0.0, 0.0, 1.0, 1.0))


def _paper(ax: "Axes") -> Box:
    """Let one unit of the axes be a point, and keep margins for what is written."""
    extent = ax.get_window_extent()
    width, height = np.array([extent.width, extent.height]) * 72.0 / ax.get_figure(root=True).dpi
    ax.set(xlim=(0.0, width), ylim=(0.0, height), aspect="equal")
    ax.set_axis_off()
    return Box(left=30.0, right=width - 30.0, bottom=38.0, top=height - 26.0)


def _discs(wiring: Wiring, layers: list[Column], box: Box) -> dict[int, Disc]:
    """By node: sensory neurons first."""
    return {
        int(node): Disc(float(x), float(y), layer.radius, k)
        for k, layer in enumerate(layers)
        for node, (x, y) in zip(layer.nodes, place(layer, box), strict=True)
    }


def _synapses(wiring: Wiring, discs: dict[int, Disc]) -> list[Synapse]:
    result = []
    for prefix, first, sources, targets, polarities in (
        ("s", 0, wiring.sensory_source, wiring.sensory_target, wiring.sensory_polarity),
        ("", wiring.sensory, wiring.source, wiring.target, wiring.polarity),
    ):
        for source, target, polarity in zip(sources, targets, polarities, strict=True):
            way = curve(discs[first + source], discs[wiring.sensory + target])
            result.append(Synapse(f"{prefix}{source}-{target}", int(polarity), way, bool(prefix)))
    return result


def _draw_synapses(ax: "Axes", synapses: list[Synapse], style: Style) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    codes = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    for synapse in synapses:
        width = 0.5 if synapse.thin else 0.9
        line = PathPatch(
            Path(synapse.curve, codes), fill=False, edgecolor=style.colour, linewidth=width, capstyle="butt"
        )
        line.set_linestyle((0.0, style.dashes) if style.dashes else "solid")
        line.set(gid=f"{style.name}-{synapse.name}", zorder=style.zorder)
        ax.add_patch(line)
    _draw_heads(ax, synapses, style)


def _draw_heads(ax: "Axes", synapses: list[Synapse], style: Style) -> None:
    from matplotlib.collections import PolyCollection

    heads = [head(synapse.curve, style.polarity, 2.4 if synapse.thin else 4.2) for synapse in synapses]
    ax.add_collection(
        PolyCollection(heads, facecolors=style.colour, edgecolors="none", zorder=style.zorder + 0.5), autolim=False
    )


def head(way: Floats, polarity: int, size: float) -> Floats:
    """[n, 2] corners of what a synapse ends in: a triangle `size` long, or a bar `size` wide."""
    along = way[3] - way[2]
    along = along / np.hypot(*along)
    across = np.array([-along[1], along[0]])
    if polarity > 0:
        return np.stack(
            [way[3], way[3] - size * along + 0.42 * size * across, way[3] - size * along - 0.42 * size * across]
        )
    back, half = way[3] - 0.3 * size * along, 0.6 * size * across
    return np.stack([way[3] + half, way[3] - half, back - half, back + half])


def _draw_neurons(ax: "Axes", wiring: Wiring, layer: Column, box: Box) -> None:
    from matplotlib.patches import Circle

    sensory = layer.name == "sensory"
    for node, (x, y) in zip(layer.nodes, place(layer, box), strict=True):
        number = int(node) if sensory else int(node) - wiring.sensory
        ax.add_patch(
            Circle((x, y), layer.radius, facecolor=SHADES[layer.name], edgecolor=INK, linewidth=0.7, zorder=4.0)
        )
        if sensory and layer.pitch >= 6.0:
            ax.text(x - layer.radius - 2.5, y, str(number), size=5.5, ha="right", va="center_baseline", color=INK)
        elif not sensory and layer.radius >= 5.0:
            colour = "white" if layer.name == "motor" else INK
            ax.text(x, y, str(number), size=6.5, ha="center", va="center_baseline", color=colour, zorder=5.0)
    ax.text(
        layer.x, box.top + 12.0, f"{len(layer.nodes)} {layer.name}", size=8.0, ha="center", va="baseline", color=INK
    )


def _draw_counts(ax: "Axes", wiring: Wiring, layers: list[Column], box: Box) -> None:
    pass


def _draw_legend(ax: "Axes", synapses: list[Synapse]) -> None:
    pass
