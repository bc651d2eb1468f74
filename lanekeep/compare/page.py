"""The page: one file that opens from a disk, with its pictures, its numbers and its script in it."""

from html import escape
from importlib import resources

import numpy as np

from lanekeep.compare.effect_tables import effects
from lanekeep.compare.faithfulness_tables import marks
from lanekeep.compare.results import COLOURS, Study
from lanekeep.compare.side_by_side import two_drives
from lanekeep.compare.verdict import LANE_COLUMNS, sentence
from lanekeep.effects import title_of
from lanekeep.faithfulness.examine import AFTER_STEPS, NOISES
from lanekeep.faithfulness.metrics import EVERYWHERE
from lanekeep.pages.charts import Line, lines
from lanekeep.pages.html import picture, section, spanned, wide
from lanekeep.saliency import METHODS
from lanekeep_envs import CONTROL_STEP_S, REMOVABLE

WORST = 4


def page(study: Study) -> str:
    """The whole file."""
    here = resources.files("lanekeep.compare.compare")
    style, script = (here.joinpath(name).read_text() for name in ("page.css", "page.js"))
    a, b = (escape(name) for name in study.names)
    instants, roads = len(study.roads), len(set(study.roads))
    sections = (
        _verdict(study), two_drives(study), effects(study), _memory(study), marks(study), _sanity(study), _worst(study)
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


def _verdict(study: Study) -> str:
    a, b = (escape(name) for name in study.names)
    body = []
    for row in study.rows:
        apart = "yes" if row.told_apart else "no"
        body.append(
            f"<tr><th>{escape(row.title)}<small>{escape(row.about)}</small></th>"
            f"<td>{spanned(row.form, row.values[0])}</td><td>{spanned(row.form, row.values[1])}</td>"
            f"<td>{spanned(row.form.replace('{:', '{:+'), row.difference)}</td><td class={apart}>{apart}</td></tr>"
        )
    head = f"<th></th><th class=a>{a}</th><th class=b>{b}</th><th>difference</th><th>told apart</th>"
    table = wide("verdict", head, "".join(body))
    return section(
        "Verdict",
        "95 % intervals from resampling roads, in brackets; the difference from the same roads for both. An effect is the "
        "change of the raw steering, in units of the largest curvature, when something is taken out of the picture.",
        table,
    )


def _memory(study: Study) -> str:
    series = []
    for i, found in enumerate(study.found):
        mean = np.abs(found.curves).mean((0, 1))
        series.append(
            Line(study.names[i], COLOURS[i], np.arange(AFTER_STEPS) * CONTROL_STEP_S, mean / max(mean[0], 1e-12))
        )
    chart = lines(series, "time after the frame [s]", "share of the effect that is left", top=1.0)
    return section(
        "Memory",
        "Something is absent in a single frame; what is left later of the change of the steering, on average over all "
        "things that were to be seen.",
        chart,
    )


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
    table = wide("alike", head, rows)
    return section(
        "Sanity checks",
        "A map that stays the same under noise proves nothing unless the map of an untrained network, or the edges of the "
        "picture, change more. A map that is nearly that of the untrained network shows the picture, not what was learned.",
        f"<div class=pair>{''.join(charts)}</div>{table}",
    )


def _worst(study: Study) -> str:
    figures = "".join(_worst_of(study, i) for i in range(2))
    return section(
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
