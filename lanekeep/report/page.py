"""The page: one file that opens from a disk, with its pictures, its numbers and its script in it."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep.effects import GROUPS, add_one_in, leave_one_out, shapley, title_of
from lanekeep.picture import png
from lanekeep.report.charts import Line, bar, lines
from lanekeep.report.drives import EVERY, Drive
from lanekeep.report.marks import EVERYWHERE, MARKS, interval_over_roads
from lanekeep.report.study import AFTER_STEPS, NOISES, Findings, Noisy
from lanekeep.report.verdict import LANE_COLUMNS, Row, sentence
from lanekeep.saliency import METHODS, scale_of
from lanekeep_envs import REMOVABLE
from lanekeep_envs.drive import CONTROL_STEP_S

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
COLOURS = ("a", "b")  # CSS classes of the two drivers
TRUTH = "effect"  # the layer of true effects
MOST_ELEMENTS, WORST = 10, 4
LOWER_IS_BETTER = ("nuisance_leak", "false_claim")
CONTROL_TITLES = {"noise": "control: noise", "flat": "control: flat", "edges": "control: edges (Sobel)"}


@dataclass(frozen=True)
class Study:
    """Everything that is on the page."""

    names: tuple[str, str]
    scenario: str
    command: str
    roads: list[int]
    judged: tuple[U8, U8]  # frames [I, H, W, 3]
    found: tuple[Findings, Findings]
    noisy: tuple[Noisy, Noisy]
    drives: tuple[Drive, Drive]
    known: Findings  # of a driver whose focus is known
    rows: list[Row]


def page(study: Study) -> str:
    """The whole file."""
    here = resources.files("lanekeep.report")
    style, script = (here.joinpath(name).read_text() for name in ("page.css", "page.js"))
    a, b = (escape(name) for name in study.names)
    instants, roads = len(study.roads), len(set(study.roads))
    sections = (
        _verdict(study), _drives(study), _effects(study), _memory(study), _marks(study), _sanity(study), _worst(study)
    )  # fmt: skip
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<meta name=color-scheme content='light dark'><title>lanekeep: {a} and {b}</title><style>{style}</style></head>"
        f"<body><main><h1><span class=a>{a}</span> and <span class=b>{b}</span></h1>"
        f"<p class=lead>{escape(sentence(study.rows, list(study.names)))}</p>"
        f"<p class=about>Scenario {escape(study.scenario)}: {instants} instants on {roads} test roads that an expert drove, "
        f"every one rendered again without each thing in it. <code>{escape(study.command)}</code></p>"
        f"{''.join(sections)}</main><script>{script}</script></body></html>\n"
    )


def picture(pixels: U8) -> str:
    """A picture [H, W, C] as the source of an <img>."""
    return f"data:image/png;base64,{b64encode(png(pixels)).decode()}"


def _section(title: str, about: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2><p class=about>{escape(about)}</p>{body}</section>"


def _wide(kind: str, head: str, body: str) -> str:
    """A table that may be wider than the window."""
    return f"<div class=wide><table class={kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _spanned(form: str, value: tuple[float, float, float]) -> str:
    middle, low, high = (form.format(v) for v in value)
    return f"{middle} <small>[{low}, {high}]</small>"


def _verdict(study: Study) -> str:
    a, b = (escape(name) for name in study.names)
    body = []
    for row in study.rows:
        apart = "yes" if row.told_apart else "no"
        body.append(
            f"<tr><th>{escape(row.title)}<small>{escape(row.about)}</small></th>"
            f"<td>{_spanned(row.form, row.values[0])}</td><td>{_spanned(row.form, row.values[1])}</td>"
            f"<td>{_spanned(row.form.replace('{:', '{:+'), row.difference)}</td><td class={apart}>{apart}</td></tr>"
        )
    head = f"<th></th><th class=a>{a}</th><th class=b>{b}</th><th>difference</th><th>told apart</th>"
    table = _wide("verdict", head, "".join(body))
    return _section(
        "Verdict",
        "95 % intervals from resampling roads, in brackets; the difference from the same roads for both. An effect is the "
        "change of the raw steering, in units of the largest curvature, when something is taken out of the picture.",
        table,
    )


def _drives(study: Study) -> str:
    chosen = elements_shown(study)
    methods = list(study.drives[0].maps)
    scale = max(float(np.abs(d.effects[:, chosen]).max(initial=0.0)) for d in study.drives) or 1.0
    layers: dict[str, Any] = {name: {"signed": METHODS[name].signed} for name in methods} | {TRUTH: {"signed": True}}
    sprites, told = [], []
    for i, drive in enumerate(study.drives):
        sprites.append(_sprite(f"frames{i}", drive.frames.reshape(-1, *drive.frames.shape[2:])))
        told.append(
            {
                "id": i, "count": len(drive.frames), "height": drive.frames.shape[1], "width": drive.frames.shape[2],
                "effects": np.round(drive.effects[:, chosen], 4).tolist(),
                "shares": {name: np.round(drive.shares[name][:, chosen], 4).tolist() for name in methods},
                "says": [_says(drive, k) for k in range(len(drive.frames))],
            }
        )  # fmt: skip
    for name in methods:
        scale_of_both = scale_of([drive.maps[name] for drive in study.drives])
        for i, drive in enumerate(study.drives):
            sprites.append(_sprite(f"{name}{i}", _as_bytes(drive.maps[name], scale_of_both, METHODS[name].signed)))
    for i, drive in enumerate(study.drives):
        sprites.append(_sprite(f"{TRUTH}{i}", _as_bytes(drive.truth, scale, True)))
    told_all = {
        "drives": told, "elements": [title_of(REMOVABLE[k]) for k in chosen], "scale": scale, "layers": layers,
        "seconds": EVERY * CONTROL_STEP_S,
    }  # fmt: skip
    radios = "".join(
        f"<label><input type=radio name=layer value='{value}'{' checked' if value == TRUTH else ''}>{escape(title)}</label>"
        for value, title in (
            ("none", "picture"), (TRUTH, "true effect"), *((name, METHODS[name].title) for name in methods)
        )
    )  # fmt: skip
    views = "".join(
        f"<figure><figcaption class={COLOURS[i]}>{escape(d.name)}</figcaption>"
        f"<canvas id=view{i} width={d.frames.shape[2]} height={d.frames.shape[1]}></canvas>"
        f"<p id=says{i} class=says></p></figure>"
        for i, d in enumerate(study.drives)
    )
    longest = max(len(d.frames) for d in study.drives) - 1
    controls = (
        f"<div class=controls><button id=play type=button>Play</button>"
        f"<input id=time type=range min=0 max={longest} value={longest // 3} aria-label=time>"
        f"<output id=clock></output></div>"
        f"<div class=layers role=radiogroup aria-label='layer over the picture'>{radios}</div>"
    )
    chart = lines(
        [
            Line(f"{d.name}, steering", COLOURS[i], d.times_s, d.actions) for i, d in enumerate(study.drives)
        ] + [
            Line(f"{d.name}, offset [m]", COLOURS[i], d.times_s, d.offsets_m, True) for i, d in enumerate(study.drives)
        ],
        "time [s]", "steering; offset [m]", cursor="cursor",
    )  # fmt: skip
    data = json.dumps(told_all).replace("<", "\\u003c")
    body = (
        f"{controls}<div class=views>{views}</div>{_bars(study, chosen)}{chart}"
        f"<div hidden>{''.join(sprites)}</div><script type='application/json' id=study>{data}</script>"
    )
    return _section(
        "Two drives",
        "The same road, each in its own car. Orange steers to the left, blue to the right; a layer has one scale for both. "
        "Bars: the true effect of each thing in the picture at this moment, beside the share of the map that lies on it.",
        body,
    )


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


def elements_shown(study: Study) -> list[int]:
    """The elements with the largest effects in these drives and at the judged instants."""
    size = sum(np.abs(f.effects).mean(0) for f in study.found) + sum(np.abs(d.effects).mean(0) for d in study.drives)
    order = np.argsort(-np.asarray(size))
    return [int(k) for k in order[:MOST_ELEMENTS] if np.asarray(size)[k] > 0.0]


def _effects(study: Study) -> str:
    chosen, roads = elements_shown(study), study.roads
    one_each = list(range(len(study.found[0].coalitions)))
    kinds: list[tuple[str, str, list[F64], list[int]]] = [
        ("now", "{:.3f}", [f.effects for f in study.found], roads),
        ("absent for 1 s", "{:.3f}", [f.remembered for f in study.found], one_each),
        ("3 s on, in metres", "{:.2f}", [f.displaced_m for f in study.found], one_each),
    ]
    head = "".join(f"<th>{title}</th>" for title, *_ in kinds)
    spans = [
        [[interval_over_roads(np.abs(t[:, k]), over) for t in tables] for k in chosen] for _, _, tables, over in kinds
    ]
    scales = [max((v[2] for both in kind for v in both), default=0.0) for kind in spans]
    body = ""
    for row, k in enumerate(chosen):
        cells = "".join(
            "<td>"
            + "".join(
                f"{bar(*spans[c][row][i], scales[c], COLOURS[i])}<small>{kinds[c][1].format(spans[c][row][i][0])}</small>"
                for i in range(2)
            )
            + "</td>"
            for c in range(len(kinds))
        )
        body += f"<tr><th>{escape(title_of(REMOVABLE[k]))}</th>{cells}</tr>"
    elements = _wide("effects", f"<th>mean |effect| of</th>{head}", body)
    return _section(
        "What each thing does to the steering",
        f"{study.names[0]} above, {study.names[1]} below, with 95 % intervals. Now: memory as it is. Absent for 1 s: the "
        "memory has not seen it either. 3 s on: how far the car is from where it would have been. What no one can see, a "
        "grey level more or less in every pixel, changes the steering by less than "
        f"{study.found[0].floor:.4f} and {study.found[1].floor:.4f} in 95 % of all cases.",
        elements + _groups(study),
    )


def _groups(study: Study) -> str:
    shown = [k for k in range(len(GROUPS)) if any(np.abs(shapley(f.coalitions)[:, k]).max() > 0.0 for f in study.found)]
    kinds = (("left out alone", leave_one_out), ("put in alone", add_one_in), ("Shapley", shapley))
    tables = [[np.abs(run(f.coalitions)) for f in study.found] for _, run in kinds]
    one_each = list(range(len(study.found[0].coalitions)))
    spans = [[[interval_over_roads(t[:, k], one_each) for t in both] for k in shown] for both in tables]
    scale = max((v[2] for kind in spans for both in kind for v in both), default=0.0)
    names, body = list(GROUPS), ""
    for row, k in enumerate(shown):
        cells = "".join(
            "<td>"
            + "".join(
                f"{bar(*spans[c][row][i], scale, COLOURS[i])}<small>{spans[c][row][i][0]:.3f}</small>" for i in range(2)
            )
            + "</td>"
            for c in range(len(kinds))
        )
        body += f"<tr><th>{escape(names[k])}</th>{cells}</tr>"
    head = "".join(f"<th>{title}</th>" for title, _ in kinds)
    return (
        "<p class='about groups'>Groups, in company and alone. Two lines back each other up: left out alone, each may look "
        "useless; put in alone, each may look like everything. Shapley values share the effect out.</p>"
        + _wide("effects", f"<th>mean |effect| of</th>{head}", body)
    )


def _memory(study: Study) -> str:
    series = []
    for i, found in enumerate(study.found):
        mean = np.abs(found.curves).mean((0, 1))
        series.append(
            Line(study.names[i], COLOURS[i], np.arange(AFTER_STEPS) * CONTROL_STEP_S, mean / max(mean[0], 1e-12))
        )
    chart = lines(series, "time after the frame [s]", "share of the effect that is left", top=1.0)
    return _section(
        "Memory",
        "Something is absent in a single frame; what is left later of the change of the steering, on average over all "
        "things that were to be seen.",
        chart,
    )


def _marks(study: Study) -> str:
    tables = "".join(
        f"<h3 class={COLOURS[i]}>{escape(study.names[i])}</h3>{_marks_of(study.found[i], study.roads)}"
        for i in range(2)
    )
    tables += (
        "<h3>What the marks are worth: a driver made by hand that steers by one line, painted magenta</h3>"
        "<p class=about>At one instant of each of the first roads. What acts through the contrast of the frame, below a "
        "quarter of what the line does, is not counted. A lift can be no larger than the frame is to what is causal in it: "
        "large for one line, smaller for the drivers above, whom trees and hills steer as well.</p>"
        f"{_marks_of(study.known, list(range(len(study.known.effects))))}"
    )
    return _section(
        "Do maps point at what steers?",
        "Marks of each kind of map against the true effects. Bold: the 95 % interval lies beyond the mean of every control: "
        "noise, a flat map, the edges of the picture, and (small, below) the same map of such a network untrained. "
        f"Things that change more than {100 * EVERYWHERE:.0f} % of the frame are left out. Causal lift 1 is what a flat map "
        "gets; leak and false claims are the better the lower.",
        tables,
    )


def _marks_of(found: Findings, roads: list[int]) -> str:
    rows = []
    for name, table in found.marks.items():
        title = METHODS[name].title if name in METHODS else CONTROL_TITLES[name]
        cells = []
        for m, mark in enumerate(MARKS):
            span = interval_over_roads(table[:, m], roads)
            if np.isnan(span[0]):
                cells.append("<td>–</td>")
                continue
            fresh = float("nan")
            if name in found.untrained:
                fresh = interval_over_roads(found.untrained[name][:, m], roads)[0]
            best = beyond_controls(found, name, m, mark, span, fresh)
            value = f"<b>{span[0]:.2f}</b>" if best else f"{span[0]:.2f}"
            below = "" if np.isnan(fresh) else f"<small>{fresh:.2f}</small>"
            cells.append(f"<td title='[{span[1]:.2f}, {span[2]:.2f}]'>{value}{below}</td>")
        kind = "" if name in METHODS else " class=control"
        rows.append(f"<tr{kind}><th>{escape(title)}</th>{''.join(cells)}</tr>")
    head = "".join(f"<th>{title}</th>" for title in MARKS.values())
    return _wide("marks", f"<th></th>{head}", "".join(rows))


def beyond_controls(
    found: Findings, name: str, m: int, mark: str, span: tuple[float, float, float], untrained: float
) -> bool:
    """Whether a mark of a map is better than of every control, by its whole interval."""
    if name not in METHODS:
        return False
    others = [
        float(np.nanmean(found.marks[c][:, m])) for c in CONTROL_TITLES if not np.isnan(found.marks[c][:, m]).all()
    ]
    others += [] if np.isnan(untrained) else [untrained]
    if mark in LOWER_IS_BETTER:
        return bool(others) and span[2] < min(others)
    return bool(others) and span[1] > max(others)


def _sanity(study: Study) -> str:
    charts = []
    x = np.array([0.0, *NOISES])
    for name in study.noisy[0].untrained:
        series = []
        for i, noisy in enumerate(study.noisy):
            series.append(Line(study.names[i], COLOURS[i], x, np.array([1.0, *noisy.ssim[name].mean(0)])))
            fresh = np.array([1.0, *noisy.untrained[name].mean(0)])
            series.append(Line(f"{study.names[i]} untrained", COLOURS[i], x, fresh, True))
        series.append(Line("edges", "c", x, np.array([1.0, *study.noisy[0].ssim["edges"].mean(0)])))
        charts.append(
            f"<div><h3>{escape(METHODS[name].title)}</h3>"
            f"{lines(series, 'noise, in full brightness', 'SSIM of the map', top=1.0)}</div>"
        )
    moved = [
        Line(study.names[i], COLOURS[i], x, np.array([0.0, *noisy.steering.mean(0)]))
        for i, noisy in enumerate(study.noisy)
    ]
    charts.append(
        f"<div><h3>the steering itself</h3>{lines(moved, 'noise, in full brightness', 'mean change of the action')}</div>"
    )
    rows = "".join(
        f"<tr><th>{escape(METHODS[name].title)}</th>"
        + "".join(f"<td>{np.nanmean(f.alike[name]):.2f}</td>" for f in study.found)
        + "</tr>"
        for name in study.found[0].alike
    )  # fmt: skip
    a, b = (escape(name) for name in study.names)
    head = f"<th>correlation with the map of the untrained network</th><th class=a>{a}</th><th class=b>{b}</th>"
    table = _wide("alike", head, rows)
    return _section(
        "Sanity checks",
        "A map that stays the same under noise proves nothing unless the map of an untrained network, or the edges of the "
        "picture, change more. A map that is nearly that of the untrained network shows the picture, not what was learned.",
        f"<div class=pair>{''.join(charts)}</div>{table}",
    )


def _worst(study: Study) -> str:
    figures = "".join(_worst_of(study, i) for i in range(2))
    return _section(
        "Worst frames",
        "The instants at which something that is not a lane marking did the most to the steering. It is tinted: orange if "
        "it steers to the left, blue if to the right.",
        figures,
    )


def _worst_of(study: Study, i: int) -> str:
    found, frames = study.found[i], study.judged[i]
    size = np.abs(found.effects)
    size[:, LANE_COLUMNS] = 0.0
    size[found.masks.mean((2, 3)) > EVERYWHERE] = 0.0
    places = np.argsort(-size.max(1))[:WORST]
    parts = []
    for pick in places:
        k = int(size[pick].argmax())
        effect, lane = found.effects[pick, k], np.abs(found.effects[pick, LANE_COLUMNS]).sum()
        tint = (255, 160, 30) if effect > 0.0 else (70, 170, 255)
        shown = frames[pick].astype(np.float64)
        shown[found.masks[pick, k]] = 0.45 * shown[found.masks[pick, k]] + 0.55 * np.array(tint)
        side = "left" if effect > 0.0 else "right"
        caption = f"{title_of(REMOVABLE[k])} steer {abs(effect):.3f} to the {side}; the markings together {lane:.3f}"
        parts.append(
            f"<figure><img alt='{escape(caption)}' src='{picture(shown.astype(np.uint8))}'>"
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )
    return f"<h3 class={COLOURS[i]}>{escape(study.names[i])}</h3><div class=gallery>{''.join(parts)}</div>"


def _sprite(name: str, pixels: U8) -> str:
    return f"<img class=sprite id={name} alt='' src='{picture(pixels)}'>"


def _as_bytes(maps: NDArray[np.float32], scale: float, signed: bool) -> U8:
    """Maps [n, H, W] as a strip [n H, W, 1]: 128 is zero if signed, 0 if not."""
    share = np.clip(maps / scale, -1.0, 1.0)
    numbers = 128.0 + 127.0 * share if signed else 255.0 * np.abs(share)
    strip: U8 = np.round(numbers).astype(np.uint8).reshape(-1, maps.shape[2], 1)
    return strip
