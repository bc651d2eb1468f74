"""The section in which both drivers drive the same road, with a slider, layers over their pictures, and bars."""

import json
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep.compare.drives import EVERY, Drive
from lanekeep.compare.results import COLOURS, Study, elements_shown
from lanekeep.effects import title_of
from lanekeep.pages.charts import Line, lines
from lanekeep.pages.html import picture, section
from lanekeep.saliency import METHODS, scale_of
from lanekeep_envs import CONTROL_STEP_S, REMOVABLE

U8 = NDArray[np.uint8]
TRUTH = "effect"  # the layer of true effects


def two_drives(study: Study) -> str:
    """The section."""
    chosen = elements_shown(study)
    chart = lines(
        [
            Line(f"{d.name}, steering", COLOURS[i], d.times_s, d.actions) for i, d in enumerate(study.drives)
        ] + [
            Line(f"{d.name}, offset [m]", COLOURS[i], d.times_s, d.offsets_m, True) for i, d in enumerate(study.drives)
        ],
        "time [s]", "steering; offset [m]", cursor="cursor",
    )  # fmt: skip
    sprites, data = _sprites(study, chosen), json.dumps(_told(study, chosen)).replace("<", "\\u003c")
    body = (
        f"{_controls(study)}{_views(study)}{_bars(study, chosen)}{chart}"
        f"<div hidden>{sprites}</div><script type='application/json' id=study>{data}</script>"
    )
    return section(
        "Two drives",
        "The same road, each in its own car. Orange steers to the left, blue to the right; a layer has one scale for both. "
        "Bars: the true effect of each thing in the picture at this moment, beside the share of the map that lies on it.",
        body,
    )


def _scale(study: Study, chosen: Sequence[int]) -> float:
    """The effect at the end of a bar."""
    return max(float(np.abs(d.effects[:, chosen]).max(initial=0.0)) for d in study.drives) or 1.0


def _sprites(study: Study, chosen: Sequence[int]) -> str:
    """Frames and layers of both drives, each a strip of pictures, for the script to cut up."""
    sprites = [_sprite(f"frames{i}", d.frames.reshape(-1, *d.frames.shape[2:])) for i, d in enumerate(study.drives)]
    for name in study.drives[0].maps:
        scale_of_both = scale_of([drive.maps[name] for drive in study.drives])
        for i, drive in enumerate(study.drives):
            sprites.append(_sprite(f"{name}{i}", _as_bytes(drive.maps[name], scale_of_both, METHODS[name].signed)))
    for i, drive in enumerate(study.drives):
        sprites.append(_sprite(f"{TRUTH}{i}", _as_bytes(drive.truth, _scale(study, chosen), True)))
    return "".join(sprites)


def _told(study: Study, chosen: Sequence[int]) -> dict[str, Any]:
    """What the script reads."""
    methods = list(study.drives[0].maps)
    told = [
        {
            "id": i, "count": len(drive.frames), "height": drive.frames.shape[1], "width": drive.frames.shape[2],
            "effects": np.round(drive.effects[:, chosen], 4).tolist(),
            "shares": {name: np.round(drive.shares[name][:, chosen], 4).tolist() for name in methods},
            "says": [_says(drive, k) for k in range(len(drive.frames))],
        }
        for i, drive in enumerate(study.drives)
    ]  # fmt: skip
    layers: dict[str, Any] = {name: {"signed": METHODS[name].signed} for name in methods} | {TRUTH: {"signed": True}}
    return {
        "drives": told, "elements": [title_of(REMOVABLE[k]) for k in chosen], "scale": _scale(study, chosen),
        "layers": layers, "seconds": EVERY * CONTROL_STEP_S,
    }  # fmt: skip


def _controls(study: Study) -> str:
    """Play, slider, and the choice of a layer."""
    layers = (
        ("none", "picture"),
        (TRUTH, "true effect"),
        *((name, METHODS[name].title) for name in study.drives[0].maps),
    )
    radios = "".join(
        f"<label><input type=radio name=layer value='{value}'{' checked' if value == TRUTH else ''}>{escape(title)}</label>"
        for value, title in layers
    )
    longest = max(len(d.frames) for d in study.drives) - 1
    return (
        f"<div class=controls><button id=play type=button>Play</button>"
        f"<input id=time type=range min=0 max={longest} value={longest // 3} aria-label=time>"
        f"<output id=clock></output></div>"
        f"<div class=layers role=radiogroup aria-label='layer over the picture'>{radios}</div>"
    )


def _views(study: Study) -> str:
    views = "".join(
        f"<figure><figcaption class={COLOURS[i]}>{escape(d.name)}</figcaption>"
        f"<canvas id=view{i} width={d.frames.shape[2]} height={d.frames.shape[1]}></canvas>"
        f"<p id=says{i} class=says></p></figure>"
        for i, d in enumerate(study.drives)
    )
    return f"<div class=views>{views}</div>"


def _says(drive: Drive, k: int) -> str:
    side = "left" if drive.offsets_m[k] > 0.0 else "right"
    over = ", then it leaves its lane" if drive.departed and k == len(drive.frames) - 1 else ""
    return f"steers {drive.actions[k]:+.2f}, {abs(drive.offsets_m[k]):.2f} m {side} of the middle{over}"


def _bars(study: Study, chosen: Sequence[int]) -> str:
    heads = "".join(
        f"<span class='head {COLOURS[i]}'>{escape(name)}<small>true effect</small></span>"
        f"<span class='head {COLOURS[i]}'><small{' id=sharehead' if i == 0 else ''}>share of the map</small></span>"
        for i, name in enumerate(study.names)
    )
    rows = []
    for e, k in enumerate(chosen):
        cells = "".join(
            f"<span class='bar sided'><i id=effect{i}-{e} class=fill></i></span>"
            f"<span class=bar><i id=share{i}-{e} class='fill plain'></i></span>"
            for i in range(2)
        )
        rows.append(f"<span class=name>{escape(title_of(REMOVABLE[k]))}</span>{cells}")
    return f"<div class=bars><span></span>{heads}{''.join(rows)}</div>"


def _sprite(name: str, pixels: U8) -> str:
    return f"<img class=sprite id={name} alt='' src='{picture(pixels)}'>"


def _as_bytes(maps: NDArray[np.float32], scale: float, signed: bool) -> U8:
    """Maps [n, H, W] as a strip [n H, W, 1]: 128 is zero if signed, 0 if not."""
    share = np.clip(maps / scale, -1.0, 1.0)
    numbers = 128.0 + 127.0 * share if signed else 255.0 * np.abs(share)
    strip: U8 = np.round(numbers).astype(np.uint8).reshape(-1, maps.shape[2], 1)
    return strip
