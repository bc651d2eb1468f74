"""The page: one file that opens from a disk, with its pictures, its numbers and its script in it.

`page.html` has the words and the order of the sections; here is what they are filled with.
"""

import numpy as np
from numpy.typing import NDArray

from lanekeep.compare.results import COLOURS, LEFTWARD, RIGHTWARD, Comparison
from lanekeep.compare.side_by_side import side_by_side
from lanekeep.compare.tables import METRIC_TITLES, effects_of_elements, effects_of_groups, metric_rows
from lanekeep.compare.verdict import LANE_COLUMNS, sentence
from lanekeep.faithfulness.instants import AFTER_STEPS
from lanekeep.faithfulness.metrics import EVERYWHERE
from lanekeep.faithfulness.noise import NOISES
from lanekeep.pages.charts import Chart, Line, chart
from lanekeep.pages.template import render
from lanekeep.saliency import METHODS
from lanekeep_envs import CONTROL_STEP_S, REMOVABLE

WORST = 4


def page(study: Comparison) -> str:
    """The whole file."""
    return render(
        "compare/page.html",
        c=study,
        colours=COLOURS,
        sentence=sentence(study.rows, list(study.names)),
        drives=side_by_side(study),
        effects=effects_of_elements(study),
        groups=effects_of_groups(study),
        memory=memory(study),
        everywhere=EVERYWHERE,
        metric_titles=METRIC_TITLES,
        metrics=[metric_rows(found, study.roads) for found in study.found],
        known_metrics=metric_rows(study.known, list(range(len(study.known.effects)))),
        noise=noise(study),
        likeness=[
            (METHODS[name].title, [float(np.nanmean(found.alike[name])) for found in study.found])
            for name in study.found[0].alike
        ],
        worst=[worst_frames(study, i) for i in range(2)],
    )


def memory(study: Comparison) -> Chart:
    """What is left of a pulse's effect, by time, as a share of what it was at first."""
    means = [np.abs(found.curves).mean((0, 1)) for found in study.found]
    times_s = np.arange(AFTER_STEPS) * CONTROL_STEP_S
    series = [Line(study.names[i], COLOURS[i], times_s, mean / max(mean[0], 1e-12)) for i, mean in enumerate(means)]
    return chart(series, "time after the frame [s]", "share of the effect that is left", top=1.0)


def noise(study: Comparison) -> list[tuple[str, Chart]]:
    """How alike maps of each method stay under noise, and how far the steering moves: titles and charts."""
    x, charts = np.array([0.0, *NOISES]), []
    drivers = list(zip(study.names, COLOURS, study.noisy, strict=True))
    for name in study.noisy[0].untrained:
        series = []
        for title, colour, noisy in drivers:
            series.append(Line(title, colour, x, np.array([1.0, *noisy.ssim[name].mean(0)])))
            fresh = np.array([1.0, *noisy.untrained[name].mean(0)])
            series.append(Line(f"{title} untrained", colour, x, fresh, dashed=True))
        series.append(Line("edges", "c", x, np.array([1.0, *study.noisy[0].ssim["edges"].mean(0)])))
        charts.append((METHODS[name].title, chart(series, "noise, in full brightness", "SSIM of the map", top=1.0)))
    moved = [Line(title, colour, x, np.array([0.0, *noisy.steering.mean(0)])) for title, colour, noisy in drivers]
    steering = chart(moved, "noise, in full brightness", "mean change of the action")
    return [*charts, ("the steering itself", steering)]


def worst_frames(study: Comparison, i: int) -> list[tuple[str, NDArray[np.uint8]]]:
    """Captions and tinted frames of the instants at which one element beside the markings did the most to a driver."""
    found, frames = study.found[i], study.judged[i]
    size = np.abs(found.effects)
    size[:, LANE_COLUMNS] = 0.0
    size[found.masks.mean((2, 3)) > EVERYWHERE] = 0.0
    worst = []
    for pick in np.argsort(-size.max(1))[:WORST]:
        k = int(size[pick].argmax())
        effect, lane = found.effects[pick, k], np.abs(found.effects[pick, LANE_COLUMNS]).sum()
        side, tint = ("left", LEFTWARD) if effect > 0.0 else ("right", RIGHTWARD)
        shown = frames[pick].astype(np.float64)
        shown[found.masks[pick, k]] = 0.45 * shown[found.masks[pick, k]] + 0.55 * np.array(tint)
        caption = f"{REMOVABLE[k].title} steer {abs(effect):.3f} to the {side}; the markings together {lane:.3f}"
        worst.append((caption, shown.astype(np.uint8)))
    return worst
