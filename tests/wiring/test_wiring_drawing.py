"""The drawing shows the wiring, all of it and nothing else, and what is written or drawn stays readable."""

import io
import itertools
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch

from lanekeep_policies.wiring import (
    Fans,
    Wiring,
    auto_wiring,
    draw,
    fully_connected,
    ncp_wiring,
    ncps_wiring,
    random_wiring,
)
from lanekeep_policies.wiring.drawing import STROKES
from lanekeep_policies.wiring.layout import GAP, Floats, _spread, best_orders, crossings, joins, layers_of
from lanekeep_policies.wiring.wiring import Ints

matplotlib.use("Agg")

WIRINGS = {
    "paper": ncp_wiring(),
    "several motor neurons": ncps_wiring(16, 18, 12, 4, Fans(6, 4, 4, 6)),
    "auto": auto_wiring(8, 24, 3),
    "one of each": ncp_wiring(1, 1, 1, 1, Fans(1, 1, 1, 1)),
    "random": random_wiring(12, 10, 2, 0.7, seed=1),
    "full": fully_connected(8, 7, 2),
    "motor neurons only": fully_connected(3, 4, 4),
}


@pytest.fixture(scope="module", params=WIRINGS.values(), ids=WIRINGS.keys())
def wiring(request: pytest.FixtureRequest) -> Wiring:
    chosen = request.param
    assert isinstance(chosen, Wiring)
    return chosen


@pytest.fixture(scope="module")
def ax(wiring: Wiring) -> Axes:
    return draw(wiring)


def ways(ax: Axes) -> dict[str, PathPatch]:
    """By gid."""
    return {str(patch.get_gid()): patch for patch in ax.patches if isinstance(patch, PathPatch) and patch.get_gid()}


def circles(ax: Axes) -> dict[str, Circle]:
    """By gid without its first word: s3 or 7."""
    found = [patch for patch in ax.patches if isinstance(patch, Circle)]
    return {str(circle.get_gid()).removeprefix("neuron-"): circle for circle in found}


def test_every_synapse_is_drawn_once_with_its_polarity(wiring: Wiring, ax: Axes) -> None:
    sensory, between = np.zeros_like(wiring.sensory_adjacency), np.zeros_like(wiring.adjacency)
    polarities = {stroke.name: stroke.polarity for stroke in STROKES}
    assert len(ways(ax)) == wiring.synapses
    for gid in ways(ax):
        name, source, target = gid.split("-")
        matrix = sensory if source.startswith("s") else between
        matrix[int(source.removeprefix("s")), int(target)] += polarities[name]
    np.testing.assert_array_equal(sensory, wiring.sensory_adjacency)
    np.testing.assert_array_equal(between, wiring.adjacency)


def test_the_written_counts_are_the_wirings(wiring: Wiring, ax: Axes) -> None:
    written = [text.get_text() for text in ax.texts]
    polarity = np.r_[wiring.sensory_polarity, wiring.polarity]
    assert {f"{(polarity == 1).sum()} excitatory", f"{(polarity == -1).sum()} inhibitory"} <= set(written)
    layers = {"sensory": wiring.sensory, "inter": wiring.inter, "command": wiring.command, "motor": wiring.motor}
    assert {f"{size} {name}" for name, size in layers.items() if size} <= set(written)
    under = [text for text in written if any(word in text for word in ("synapse", "recurrent", " from "))]
    numbers = [int(word) for text in under for word in text.split() if word.isdigit()]
    assert sum(numbers) == wiring.synapses


def test_every_way_leads_from_rim_to_rim(wiring: Wiring, ax: Axes) -> None:
    neurons = circles(ax)
    assert set(neurons) == {f"s{k}" for k in range(wiring.sensory)} | {f"{k}" for k in range(wiring.neurons)}
    for gid, patch in ways(ax).items():
        points = np.asarray(patch.get_path().vertices)
        for name, point, gap in zip(gid.split("-")[1:], points[[0, 3]], (0.0, GAP), strict=True):
            distance = np.hypot(*(point - neurons[name].get_center()))
            assert distance == pytest.approx(neurons[name].get_radius() + gap)


def test_no_neuron_covers_another(ax: Axes) -> None:
    for one, other in itertools.combinations(circles(ax).values(), 2):
        distance = np.hypot(*np.subtract(one.get_center(), other.get_center()))
        assert distance > one.get_radius() + other.get_radius() + 1.0


def test_no_text_covers_another_or_leaves_the_page(ax: Axes) -> None:
    boxes = [text.get_window_extent() for text in ax.texts]
    page = ax.get_window_extent()
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_no_way_leaves_the_page(ax: Axes) -> None:
    corners = np.concatenate([bezier(patch) for patch in ways(ax).values()])
    assert (corners > 0.0).all()
    assert (corners < [ax.get_xlim()[1], ax.get_ylim()[1]]).all()


@pytest.mark.parametrize("name", ["random", "full"])
def test_a_way_over_a_column_touches_none_of_its_neurons(name: str) -> None:
    wiring = WIRINGS[name]
    ax = draw(wiring)
    inter = [circles(ax)[f"{neuron}"] for neuron in wiring.inter_neurons]
    over = [patch for gid, patch in ways(ax).items() if "-s" in gid and int(gid.split("-")[2]) < wiring.motor]
    assert over
    for patch, circle in itertools.product(over, inter):
        assert np.hypot(*(bezier(patch) - circle.get_center()).T).min() > circle.get_radius() + 0.5


def bezier(patch: PathPatch) -> Floats:
    """[101, 2] points along the curve."""
    t = np.linspace(0.0, 1.0, 101)[:, None]
    p = np.asarray(patch.get_path().vertices)
    curve: Floats = (1 - t) ** 3 * p[0] + 3 * t * (1 - t) ** 2 * p[1] + 3 * t**2 * (1 - t) * p[2] + t**3 * p[3]
    return curve


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_drawn_and_saved_twice_it_is_the_same_file(kind: str) -> None:
    metadata = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    files = []
    with matplotlib.rc_context({"svg.hashsalt": "lanekeep"}):
        for _ in range(2):
            file = io.BytesIO()
            figure = draw(WIRINGS["auto"]).figure
            figure.savefig(file, format=kind, metadata=metadata)
            files.append(file.getvalue())
    assert files[0] == files[1]
    if kind == "svg":  # vectors only, and every synapse can be found by its name
        assert b"<image" not in files[0]
        assert all(f'id="{gid}"'.encode() in files[0] for gid in ways(draw(WIRINGS["auto"])))


def test_it_draws_into_given_axes_only() -> None:
    figure = Figure(figsize=(9.0, 4.0))
    left, right = figure.subplots(1, 2)
    assert draw(WIRINGS["auto"], right) is right
    assert not left.patches and not left.texts
    assert len(ways(right)) == WIRINGS["auto"].synapses
    extent = right.get_window_extent()
    assert right.get_xlim()[1] == pytest.approx(72.0 * extent.width / figure.dpi)


def test_words_keep_apart_in_half_a_page_too() -> None:
    left, right = Figure(figsize=(9.0, 4.0)).subplots(1, 2)
    for ax, name in ((left, "paper"), (right, "random")):
        boxes = [text.get_window_extent() for text in draw(WIRINGS[name], ax).texts]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def luminance(colour: str) -> float:
    """Relative luminance of sRGB, as WCAG 2 counts it."""
    c = np.array(to_rgb(colour))
    return float(np.where(c > 0.04045, ((c + 0.055) / 1.055) ** 2.4, c / 12.92) @ (0.2126, 0.7152, 0.0722))


def test_polarities_differ_without_colours() -> None:
    excitatory, inhibitory = STROKES
    light, dark = luminance(excitatory.colour), luminance(inhibitory.colour)
    assert (light + 0.05) / (dark + 0.05) > 3.0  # the contrast asked of graphics
    assert excitatory.dashes is None and inhibitory.dashes is not None


@pytest.mark.parametrize("name", ["paper", "several motor neurons", "random"])
def test_crossings_are_counted_right_and_become_fewer(name: str) -> None:
    wiring = WIRINGS[name]
    joined = joins(wiring) + joins(wiring).T
    layers = list(layers_of(wiring).values())
    orders = best_orders(wiring, layers)
    assert [sorted(order) for order in orders] == [sorted(layer) for layer in layers]
    assert (orders[-1] == layers[-1]).all()
    counts = [crossings(joined, some) for some in (layers, orders)]
    assert counts == [crossings_one_by_one(joined, some) for some in (layers, orders)]
    assert counts[1] < 0.85 * counts[0]


def crossings_one_by_one(joined: Ints, orders: list[Ints]) -> int:
    total = 0
    for left, right in itertools.pairwise(orders):
        between = joined[np.ix_(left, right)]
        edges = [edge for edge in np.argwhere(between) for _ in range(between[tuple(edge)])]
        total += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in itertools.combinations(edges, 2))
    return total


def test_ends_on_a_rim_are_apart_and_as_near_as_can_be_to_where_they_came_from() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        angles = rng.uniform(-1.0, 1.0, 8)
        spread = _spread(angles, 0.1)
        assert (np.argsort(spread) == np.argsort(angles)).all()
        assert (np.diff(np.sort(spread)) >= 0.1 - 1e-12).all()
        assert spread.mean() == pytest.approx(angles.mean())  # nothing is gained by moving all of them
    np.testing.assert_array_equal(_spread(np.array([0.5, -0.5]), 0.1), [0.5, -0.5])
    np.testing.assert_allclose(_spread(np.array([0.0, 0.0]), 0.1), [-0.05, 0.05])


def test_wirings_can_be_used_without_loading_matplotlib() -> None:
    code = "import sys, lanekeep_policies.wiring as w; w.ncp_wiring(); sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
