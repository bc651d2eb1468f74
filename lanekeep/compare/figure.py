"""The finding in one picture: what each of the two saw at one moment, tinted by true effect, and what steers on average."""

from typing import Any

import numpy as np

from lanekeep.compare.results import LEFTWARD, RIGHTWARD, Comparison, elements_shown
from lanekeep.intervals import interval_over_roads
from lanekeep.pages.png import COLOURS, as_png
from lanekeep_envs import REMOVABLE

SHOWN = 8  # elements


def figure(study: Comparison) -> bytes:
    """The picture as a .png file."""
    from matplotlib.figure import Figure

    canvas: Any = Figure(figsize=(10.0, 3.9), dpi=160, layout="constrained")
    left, right = canvas.subfigures(1, 2, width_ratios=(1.0, 0.92))
    count = min(len(drive.times_s) for drive in study.drives)
    size = np.sum([np.abs(drive.effects[:count]).sum(1) for drive in study.drives], 0)
    k = int(size.argmax())
    scale = max(float(np.abs(drive.truth).max()) for drive in study.drives) or 1.0
    for axes, drive in zip(left.subplots(2, 1), study.drives, strict=True):
        grey = 0.75 * (drive.frames[k] @ np.array([0.299, 0.587, 0.114]))[..., None]
        share = np.minimum(1.15 * np.abs(drive.truth[k]) / scale, 1.0)[..., None]
        over = np.where(drive.truth[k][..., None] > 0.0, LEFTWARD, RIGHTWARD)
        axes.imshow((share * over + (1.0 - share) * grey).astype(np.uint8))
        axes.set_title(
            f"{plain(drive.name)} at {drive.times_s[k]:.1f} s: orange steers left, blue right",
            fontsize=9,
            loc="left",
        )
        axes.set_axis_off()
    axes, chosen = right.subplots(), elements_shown(study)[:SHOWN]
    for i, found in enumerate(study.found):
        spans = np.array([interval_over_roads(np.abs(found.effects[:, e]), study.roads) for e in chosen])
        y = np.arange(len(chosen)) + 0.2 * (2 * i - 1)
        errors = np.abs(spans[:, 1:].T - spans[:, 0])
        axes.barh(
            y,
            spans[:, 0],
            0.36,
            xerr=errors,
            color=COLOURS[i],
            ecolor="#444444",
            label=study.names[i],
        )
    axes.set_yticks(range(len(chosen)), [REMOVABLE[e].title for e in chosen])
    axes.invert_yaxis()
    axes.set_xlabel("mean |change of the steering| when it is taken away", fontsize=9)
    axes.tick_params(labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return as_png(canvas)


def plain(name: str) -> str:
    """A name that matplotlib does not take for a formula."""
    return name.replace("$", r"\$")
