"""Both drivers on the same road, with a slider, layers over their pictures, and bars: what fills `side_by_side.html`.

A layer travels as a strip of pictures, all frames of a drive below each other, from which the script cuts the present one.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep.compare.drives import EVERY, ShownDrive
from lanekeep.compare.results import COLOURS, Comparison, elements_shown
from lanekeep.pages.charts import Chart, Line, chart
from lanekeep.saliency import METHODS, scale_of
from lanekeep_envs import CONTROL_STEP_S, REMOVABLE

U8 = NDArray[np.uint8]
TRUTH = "effect"  # the layer of true effects


class SideBySide(NamedTuple):
    """All that the section shows beside the drives' own numbers."""

    last: int  # position of the slider
    layers: dict[str, str]  # name -> title
    chart: Chart
    strips: dict[str, U8]  # id -> pictures [n H, W, C]
    for_script: dict[str, Any]


def side_by_side(study: Comparison) -> SideBySide:
    """Fill the section."""
    drives, chosen = study.drives, elements_shown(study)
    series = [Line(f"{d.name}, steering", COLOURS[i], d.times_s, d.actions) for i, d in enumerate(drives)]
    series += [
        Line(f"{d.name}, offset [m]", COLOURS[i], d.times_s, d.offsets_m, dashed=True) for i, d in enumerate(drives)
    ]
    scale = max(float(np.abs(drive.effects[:, chosen]).max(initial=0.0)) for drive in drives) or 1.0
    methods = list(drives[0].maps)
    return SideBySide(
        last=max(len(drive.frames) for drive in drives) - 1,
        layers={"none": "picture", TRUTH: "true effect", **{name: METHODS[name].title for name in methods}},
        chart=chart(series, "time [s]", "steering; offset [m]", cursor="cursor"),
        strips=strips(study, scale),
        for_script={
            "drives": [for_script(i, drive, chosen) for i, drive in enumerate(drives)],
            "elements": [REMOVABLE[k].title for k in chosen],
            "scale": scale,
            "layers": {TRUTH: {"signed": True}}
            | {name: {"signed": METHODS[name].signed, "title": METHODS[name].title} for name in methods},
            "seconds": EVERY * CONTROL_STEP_S,
        },
    )


def strips(study: Comparison, scale: float) -> dict[str, U8]:
    """Frames and layers of both drives, by the id under which the script finds them; `scale` is of the true effects."""
    found = {}
    for i, drive in enumerate(study.drives):
        found[f"frames{i}"] = drive.frames.reshape(-1, *drive.frames.shape[2:])
        found[f"{TRUTH}{i}"] = as_bytes(drive.truth, scale, True)
        for name, shown in drive.maps.items():
            scale_of_both = scale_of([one.maps[name] for one in study.drives])
            found[f"{name}{i}"] = as_bytes(shown, scale_of_both, METHODS[name].signed)
    return found


def for_script(i: int, drive: ShownDrive, chosen: list[int]) -> dict[str, Any]:
    """What the script reads of a drive."""
    return {
        "id": i,
        "count": len(drive.frames),
        "height": drive.frames.shape[1],
        "width": drive.frames.shape[2],
        "effects": np.round(drive.effects[:, chosen], 4).tolist(),
        "shares": {name: np.round(share[:, chosen], 4).tolist() for name, share in drive.shares.items()},
        "says": [in_words(drive, k) for k in range(len(drive.frames))],
    }


def in_words(drive: ShownDrive, k: int) -> str:
    """What a driver does at a kept frame."""
    side = "left" if drive.offsets_m[k] > 0.0 else "right"
    over = ", then it leaves its lane" if drive.departed and k == len(drive.frames) - 1 else ""
    return f"steers {drive.actions[k]:+.2f}, {abs(drive.offsets_m[k]):.2f} m {side} of the middle{over}"


def as_bytes(maps: NDArray[np.float32], scale: float, signed: bool) -> U8:
    """Maps [n, H, W] as a strip [n H, W, 1]: 128 is zero if signed, 0 if not."""
    share = np.clip(maps / scale, -1.0, 1.0)
    numbers = 128.0 + 127.0 * share if signed else 255.0 * np.abs(share)
    strip: U8 = np.round(numbers).astype(np.uint8).reshape(-1, maps.shape[2], 1)
    return strip
