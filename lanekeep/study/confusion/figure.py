"""The finding in one picture: every driver a point, its predictor across, its outcome up; an effect beside the maps."""

from typing import Any

from lanekeep.intervals import Span
from lanekeep.pages.png import COLOURS, as_png
from lanekeep.study.confusion.findings import PREDICTORS, Found, outcome_m, share_percent
from lanekeep.study.confusion.training import LEARNED

SHOWN = ("effect", "visual-backprop", "integrated-gradients")  # of PREDICTORS


def figure(found: Found, ranks: dict[str, Span], changed: str) -> bytes:
    """The picture as a .png file, of the outcome of going from the tied world into another, with each predictor's rank
    correlation."""
    from matplotlib.figure import Figure

    canvas: Any = Figure(figsize=(9.0, 3.0), dpi=160, layout="constrained")
    cores = list(dict.fromkeys(trained.core for trained in found))
    for axes, predictor in zip(canvas.subplots(1, len(SHOWN), sharey=True), SHOWN, strict=True):
        for trained, one in found.items():
            tied = trained.learned == LEARNED[0]
            axes.plot(
                share_percent(one, predictor),
                100.0 * outcome_m(one, changed),
                marker="osD^v"[cores.index(trained.core) % 5],
                color=COLOURS[not tied],
                markerfacecolor=COLOURS[0] if tied else "none",
                linestyle="none",
                label=f"{trained.core}, learned {trained.learned}" if trained.seed == 0 else None,
            )
        rank = ranks[predictor]
        axes.set_title(
            f"{PREDICTORS[predictor]}\nranks: {rank.value:+.2f} [{rank.low:+.2f}, {rank.high:+.2f}]",
            fontsize=9,
            loc="left",
        )
        axes.set_xlabel("share beforehand [%]", fontsize=9)
        axes.tick_params(labelsize=8)
        axes.axhline(0.0, color="#aaaaaa", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
    canvas.axes[0].set_ylabel(f"rise of lateral RMS,\n{changed} [cm]", fontsize=9)
    canvas.legend(*canvas.axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=8)
    return as_png(canvas)
