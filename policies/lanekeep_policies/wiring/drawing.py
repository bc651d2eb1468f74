"""A wiring on paper: layers in columns, from the features on the left to the motor neurons on the right.

All lengths are points (1/72 inch) and all artists are vectors. A neuron and the line of a synapse are patches whose gid
names them, in a saved SVG as well: "neuron-s3" is sensory neuron 3 and "excitatory-s3-7" leads from it to "neuron-7".
A neuron without a number was too small for it.

An excitatory synapse is light, solid, with an arrowhead; an inhibitory one is dark, dashed, with a bar. The two differ in
lightness, dashes and heads, so that neither print without colours nor colour-blind eyes confuse them: orange and blue are
far apart for all kinds of colour blindness. The dark dashes lie on the light lines: both stay visible where they cross.

matplotlib is imported by the first drawing only.
"""

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from lanekeep_policies.wiring.layout import LANE, Box, Column, Disc, Floats, columns, curve, jumps, place, straight
from lanekeep_policies.wiring.wiring import Wiring

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

WIDTH_IN: Final = 7.0  # a page with two columns of text
INK: Final = "#222222"
SHADES: Final = {"sensory": "white", "inter": "#ECECEC", "command": "#CFCFCF", "motor": "#222222"}


class Stroke(NamedTuple):
    """How synapses of a polarity look."""

    name: str
    polarity: int
    colour: str
    dashes: tuple[float, float] | None  # on and off, in widths of the line; None: solid
    zorder: float

    def patches(self, way: Floats, width: float) -> "list[Patch]":
        """The line along the Bezier curve `way` [4, 2], `width` points wide, and its head."""
        from matplotlib.patches import PathPatch, Polygon
        from matplotlib.path import Path

        path = Path(way, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
        line = PathPatch(path, fill=False, edgecolor=self.colour, linewidth=width, capstyle="butt", zorder=self.zorder)
        line.set_linestyle((0.0, self.dashes) if self.dashes else "solid")
        corners = head(way, self.polarity, 1.3 + 3.2 * width)
        ending = Polygon(corners, facecolor=self.colour, edgecolor="none", zorder=self.zorder + 0.5)
        return [line, ending]


STROKES: Final = (
    Stroke("excitatory", +1, "#E8820C", None, 1.0),
    Stroke("inhibitory", -1, "#0B3C6F", (4.0, 2.0), 2.0),
)


class Synapse(NamedTuple):
    name: str
    polarity: int
    way: Floats  # [4, 2] a Bezier curve
    source: int  # column
    target: int


def draw(wiring: Wiring, ax: "Axes | None" = None) -> "Axes":
    """Draw the wiring into `ax`, which should have its final size, or into a new figure of a page's width.

    Returns the axes, one unit of which is a point; `draw(wiring).figure.savefig("wiring.pdf")` saves the new figure.
    Raises ImportError, with the way out, where matplotlib is missing.
    """
    ax = _new_axes(wiring) if ax is None else ax
    box = _paper(ax, wiring)
    layers = columns(wiring, box)
    synapses = _synapses(wiring, layers, box)
    _draw_synapses(ax, synapses)
    for layer in layers:
        _draw_neurons(ax, wiring, layer, box)
    _draw_counts(ax, synapses, layers)
    _draw_legend(ax, synapses)
    return ax


def _new_axes(wiring: Wiring) -> "Axes":
    from matplotlib.figure import Figure

    height = 1.05 + max(0.13 * wiring.sensory, 0.28 * max(wiring.inter, wiring.command, wiring.motor))
    height += 2.0 * LANE / 72.0 if jumps(wiring) else 0.0
    figure = Figure(figsize=(WIDTH_IN, min(max(height, 2.4), 9.0)))
    return figure.add_axes((0.0, 0.0, 1.0, 1.0))


def _paper(ax: "Axes", wiring: Wiring) -> Box:
    """Let one unit of the axes be a point, and leave margins for what is written and for ways around the neurons."""
    extent = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    width, height = 72.0 * extent.width, 72.0 * extent.height
    ax.set(xlim=(0.0, width), ylim=(0.0, height), aspect="equal")
    ax.set_axis_off()
    lane = LANE if jumps(wiring) else 0.0
    return Box(30.0, width - 30.0, 48.0 + lane, height - 24.0 - lane)


def _synapses(wiring: Wiring, layers: list[Column], box: Box) -> list[Synapse]:
    discs = {
        int(node): Disc(float(x), float(y), layer.radius, layer.pitch - 2.0 * layer.radius, k)
        for k, layer in enumerate(layers)
        for node, (x, y) in zip(layer.nodes, place(layer, box), strict=True)
    }
    sources = np.concatenate([wiring.sensory_source, wiring.sensory + wiring.source])
    targets = wiring.sensory + np.concatenate([wiring.sensory_target, wiring.target])
    polarities = np.concatenate([wiring.sensory_polarity, wiring.polarity])
    ways = _ways([(discs[source], discs[target]) for source, target in zip(sources, targets, strict=True)], layers, box)
    result = []
    for source, target, polarity, way in zip(sources, targets, polarities, ways, strict=True):
        start = f"s{source}" if source < wiring.sensory else f"{source - wiring.sensory}"
        name = f"{start}-{target - wiring.sensory}"
        result.append(Synapse(name, int(polarity), way, discs[source].column, discs[target].column))
    return result


def _ways(ends: list[tuple[Disc, Disc]], layers: list[Column], box: Box) -> list[Floats]:
    """One for each pair of source and target; those that arrive at one neuron from the column before share its rim."""
    ways: dict[int, Floats] = {}
    arriving: dict[Disc, list[int]] = {}
    for k, (source, target) in enumerate(ends):
        if target.column == source.column + 1:
            arriving.setdefault(target, []).append(k)
        else:
            ways[k] = curve(source, target, layers, box)
    for target, group in arriving.items():
        sources = [ends[k][0] for k in group]
        ways |= dict(zip(group, straight(sources, target, 2.0 if target.column == 1 else 3.2), strict=True))
    return [ways[k] for k in range(len(ends))]


def _draw_synapses(ax: "Axes", synapses: list[Synapse]) -> None:
    strokes = {stroke.polarity: stroke for stroke in STROKES}
    sensory = sum(synapse.source == 0 for synapse in synapses)
    # the more there are, the thinner
    thin = 0.5 * np.clip(np.sqrt(300.0 / max(sensory, 1)), 0.5, 1.0)
    thick = 0.85 * np.clip(np.sqrt(100.0 / max(len(synapses) - sensory, 1)), 0.5, 1.0)
    for synapse in synapses:
        stroke = strokes[synapse.polarity]
        line, ending = stroke.patches(synapse.way, float(thin if synapse.source == 0 else thick))
        line.set_gid(f"{stroke.name}-{synapse.name}")
        ax.add_patch(line)
        ax.add_patch(ending)


def _draw_neurons(ax: "Axes", wiring: Wiring, layer: Column, box: Box) -> None:
    from matplotlib.patches import Circle

    sensory, shade = layer.name == "sensory", SHADES[layer.name]
    colour = "white" if layer.name == "motor" else INK
    for node, (x, y) in zip(layer.nodes, place(layer, box), strict=True):
        number = f"{node}" if sensory else f"{node - wiring.sensory}"
        circle = Circle((x, y), layer.radius, facecolor=shade, edgecolor=INK, linewidth=0.7, zorder=4.0)
        circle.set_gid(f"neuron-s{number}" if sensory else f"neuron-{number}")
        ax.add_patch(circle)
        if sensory and layer.pitch >= 6.0:
            ax.text(x - layer.radius - 2.5, y, number, size=5.5, ha="right", va="center_baseline", color=colour)
        elif not sensory and layer.radius >= 5.0:
            ax.text(x, y, number, size=6.5, ha="center", va="center_baseline", color=colour, zorder=5.0)
    _, height = ax.transData.inverted().transform(ax.transAxes.transform((0.0, 1.0)))
    ax.text(layer.x, height - 13.0, f"{len(layer.nodes)} {layer.name}", size=8.0, ha="center", color=INK)


def _draw_counts(ax: "Axes", synapses: list[Synapse], layers: list[Column]) -> None:
    """How many synapses there are: under each gap and column, and in a line of their own those that jump or lead back."""
    roomy = min(right.x - left.x for left, right in pairwise(layers)) > 96.0
    others = []
    for (source, target), count in sorted(Counter((synapse.source, synapse.target) for synapse in synapses).items()):
        if 0 <= target - source <= 1:
            among, between = (" recurrent", " synapses" if count > 1 else " synapse") if roomy else (" rec.", "")
            x = (layers[source].x + layers[target].x) / 2.0
            ax.text(x, 30.0, f"{count}{among if source == target else between}", size=7.0, ha="center", color=INK)
        else:
            others.append(f"{count} from {layers[source].name} to {layers[target].name}")
    if others:
        middle = (layers[0].x + layers[-1].x) / 2.0
        ax.text(middle, 20.5, "and " + ", ".join(others), size=7.0, ha="center", color=INK)


def _draw_legend(ax: "Axes", synapses: list[Synapse]) -> None:
    """A line of either kind with the number of synapses, centred at the bottom."""
    middle = float(np.mean(ax.get_xlim()))
    for stroke, x in zip(STROKES, (middle - 108.0, middle + 18.0), strict=True):
        count = sum(synapse.polarity == stroke.polarity for synapse in synapses)
        way = np.stack([np.linspace(x, x + 24.0, 4), np.full(4, 9.5)], axis=1)
        for patch in stroke.patches(way, 0.85):
            ax.add_patch(patch)
        ax.text(x + 29.0, 7.0, f"{count} {stroke.name}", size=8.0, color=INK)


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
