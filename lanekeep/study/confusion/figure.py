"""The finding in one picture: every driver a point, its share beforehand across, the harm up; an effect beside the maps."""

import io
from typing import Any

from lanekeep.compare.figure import COLOURS
from lanekeep.study.confusion.tables import WAYS, Found, foretold, harm_m, share_percent
from lanekeep.study.confusion.training import LEARNED

SHOWN = ("effect", "visual-backprop", "integrated-gradients")  # of WAYS


def figure(found: Found, changed: str) -> bytes:
    """The picture as a .png file, of the harm of going from the tied world into another."""
    from matplotlib.figure import Figure

    canvas: Any = Figure(figsize=(9.0, 3.0), dpi=160, layout="constrained")
    cores = list(dict.fromkeys(pupil.core for pupil in found))
    for axes, way in zip(canvas.subplots(1, len(SHOWN), sharey=True), SHOWN, strict=True):
        for pupil, one in found.items():
            tied = pupil.learned == LEARNED[0]
            axes.plot(
                share_percent(one, way),
                100.0 * harm_m(one, changed),
                marker="osD^v"[cores.index(pupil.core) % 5],
                color=COLOURS[not tied],
                markerfacecolor=COLOURS[0] if tied else "none",
                linestyle="none",
                label=f"{pupil.core}, learned {pupil.learned}" if pupil.seed == 0 else None,
            )
        rank = foretold(found, way, changed)
        axes.set_title(
            f"{WAYS[way]}\nranks: {rank.value:+.2f} [{rank.low:+.2f}, {rank.high:+.2f}]",
            fontsize=9,
            loc="left",
        )
        axes.set_xlabel("share beforehand [%]", fontsize=9)
        axes.tick_params(labelsize=8)
        axes.axhline(0.0, color="#aaaaaa", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
    canvas.axes[0].set_ylabel(f"rise of lateral RMS,\n{changed} [cm]", fontsize=9)
    canvas.legend(*canvas.axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=8)
    file = io.BytesIO()
    canvas.savefig(file, format="png")
    return file.getvalue()
