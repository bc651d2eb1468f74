"""The page: HTML and CSS around the pictures, all in one file.

A picture is shown at its column's width; a click makes it as large as the window, and another one small again, which is a
hidden check box and needs no script.  A picture that many figures share is written once, as a background of a CSS class.
"""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lanekeep.pages.png import AMPLIFIED, difference, overlay, png
from lanekeep_envs import Camera, Scenario, Table

U8 = NDArray[np.uint8]
LISTS = ("design_speeds_kmh", "kinds")  # every other pair of a scenario is a range
UNITS = {  # end of a key -> how people write it
    "_per_km": "1/km",
    "_per_m": "1/m",
    "_mps2": "m/s²",
    "_kmh": "km/h",
    "_deg": "°",
    "_percent": "%",
    "_m": "m",
    "_s": "s",
}
Captioned = Sequence[tuple[str, str]]  # picture and caption


class Page:
    """A page that grows from top to bottom."""

    def __init__(self, camera: Camera, seed: int) -> None:
        self.pictures = 0
        self._about = f"pictures of {camera.size}, roads from seed {seed} on"
        self._ratio = f"{camera.width_px} / {camera.height_px}"
        self._body: list[str] = []
        self._contents: list[tuple[int, str, str]] = []  # depth, anchor, title
        self._shared: dict[str, str] = {}  # source of a picture that is written once -> its CSS class
        self._open = False

    def picture(self, pixels: U8) -> str:
        """A picture [H, W, C] as the source of an <img>."""
        self.pictures += 1
        return f"data:image/png;base64,{b64encode(png(pixels)).decode()}"

    def share(self, pixels: U8) -> str:
        """The same, of a picture that is seen often and shall be written once."""
        source = self.picture(pixels)
        self._shared.setdefault(source, f"shared{len(self._shared)}")
        return source

    def section(self, title: str, about: str) -> None:
        """Begin a section."""
        self._close()
        self._open = True
        self._body.append(f"<section><header>{self._headline(2, title)}</header><p class=about>{escape(about)}</p>")

    def heading(self, title: str) -> None:
        """Begin a group of strips."""
        self._body.append(self._headline(3, title))

    def scenario(self, scenario: Scenario, pictures: Captioned) -> None:
        """A scenario with its description, and what it has beyond the plainest one."""
        self._body.append(f"<article>{self._headline(3, scenario.name)}<p>{escape(scenario.description)}</p>")
        facts = "".join(f"<li>{escape(name)} <b>{escape(value)}</b></li>" for name, value in peculiarities(scenario))
        self._body.append(f"<ul class=facts>{facts}</ul>{self._grid(pictures)}</article>")

    def strip(self, title: str, key: str, pictures: Captioned, pixelated: bool = False) -> None:
        """A row of pictures; `key` is how a scenario's file writes it."""
        code, kind = f" <code>{escape(key)}</code>" if key else "", " pixelated" if pixelated else ""
        head = f"<h4 id='{self._anchor(4, title)}'>{escape(title)}{code}</h4>"
        self._body.append(f"<div class='strip{kind}'>{head}{self._grid(pictures)}</div>")

    def scene(self, title: str) -> None:
        """Begin the interventions on one instant."""
        self._body.append(self._headline(3, title))
        columns = ("as it is", "without it", f"difference, {AMPLIFIED} times", "where it has a share")
        heads = "".join(f"<span>{column}</span>" for column in columns)
        self._body.append(f"<div class='grid four heads'>{heads}</div>")

    def intervention(self, name: str, whole: U8, without: U8, share: NDArray[np.bool_]) -> None:
        """One element of the last scene taken out, and what that changed."""
        differs = (whole != without).any(-1)
        numbers = f"changes {percent(differs)} of the pixels, has a share in {percent(share)}"
        scene = self.share(whole)
        figures = (
            self._figure(scene, "the scene as it is"),
            self._figure(self.picture(without), f"without {name}"),
            self._figure(self.picture(difference(whole, without)), f"what {name} changed"),
            self._figure(self.picture(overlay(share)), f"where {name} has a share", over=scene),
        )
        head = f"<h4 id='{self._anchor(4, name)}'>{escape(name)} <small>{numbers}</small></h4>"
        self._body.append(f"<div class=strip>{head}<div class='grid four'>{''.join(figures)}</div></div>")

    def absent(self, names: Sequence[str]) -> None:
        """Tell which elements there was nothing to show of."""
        if names:
            self._body.append(f"<p class=about>In none of these scenes: {escape(', '.join(names))}.</p>")

    def html(self) -> str:
        """The whole file."""
        self._close()
        shared = "".join(f".{name}{{background-image:url({source})}}" for source, name in self._shared.items())
        style = resources.files("lanekeep.gallery").joinpath("page.css").read_text()
        entries = "".join(f"<li class=d{d}><a href='#{a}'>{escape(t)}</a></li>" for d, a, t in self._contents)
        return (
            "<!doctype html><html lang=en><head><meta charset=utf-8>"
            "<meta name=viewport content='width=device-width, initial-scale=1'>"
            "<meta name=color-scheme content='light dark'><title>lanekeep: gallery</title>"
            f"<style>{style}:root{{--ratio:{self._ratio}}}{shared}</style></head><body>"
            f"<nav><a class=home href='#top'>lanekeep</a><ul>{entries}</ul></nav><main id=top>"
            "<h1>The world of lanekeep</h1>"
            f"<p class=about>Every scenario, every dial and every intervention; {escape(self._about)}. "
            f"{self.pictures} pictures; a click makes one as large as the window, the next click small again.</p>"
            f"{''.join(self._body)}</main></body></html>\n"
        )

    def _close(self) -> None:
        if self._open:
            self._body.append("</section>")
        self._open = False

    def _anchor(self, depth: int, title: str) -> str:
        """Enter a title in the table of contents; return what a link to it points at."""
        anchor = f"part{len(self._contents)}"
        self._contents.append((depth, anchor, title))
        return anchor

    def _headline(self, depth: int, title: str) -> str:
        return f"<h{depth} id='{self._anchor(depth, title)}'>{escape(title)}</h{depth}>"

    def _grid(self, pictures: Captioned) -> str:
        count = "four" if len(pictures) == 4 else "five"
        figures = "".join(self._figure(source, caption, caption) for source, caption in pictures)
        return f"<div class='grid {count}'>{figures}</div>"

    def _figure(self, source: str, alt: str, caption: str = "", over: str = "") -> str:
        """A picture, perhaps a layer `over` a shared one."""
        shared = self._shared.get(over or source, "")
        image = f"<img loading=lazy alt='{escape(alt)}' src='{source}'>" if over or not shared else ""
        below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
        toggle = f"<input type=checkbox aria-label='enlarge: {escape(alt)}'>"
        return f"<figure><label>{toggle}<span class='frame {shared}'>{image}</span></label>{below}</figure>"


def percent(pixels: NDArray[np.bool_]) -> str:
    """Share of pixels in words: a few of many are not called none."""
    share = 100.0 * float(pixels.mean())
    return "none" if share == 0.0 else "under 0.1 %" if share < 0.1 else f"{share:.1f} %"


def peculiarities(scenario: Scenario) -> list[tuple[str, str]]:
    """Keys and values in which a scenario differs from the one of an empty file."""
    plain, found = Scenario(description=""), []
    for name in scenario.__struct_fields__:
        table, usual = getattr(scenario, name), getattr(plain, name)
        if isinstance(table, Table):
            keys = table.__struct_fields__
            found += [(key, getattr(table, key)) for key in keys if getattr(table, key) != getattr(usual, key)]
        elif table != usual and name not in ("name", "description"):
            found.append((name, table))
    return [(title_of(name), in_words(value, name not in LISTS)) for name, value in found]


def title_of(key: str) -> str:
    """`visibility_m` -> `visibility [m]`."""
    for end, unit in UNITS.items():
        if key.endswith(end):
            return f"{key.removesuffix(end).replace('_', ' ')} [{unit}]"
    return key.replace("_", " ")


def in_words(value: Any, is_range: bool = True) -> str:
    """A value of a scenario's file, a range as `low to high`."""
    if not isinstance(value, tuple):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if is_range and value[0] == value[1]:
        return in_words(value[0])
    return (" to " if is_range else ", ").join(map(in_words, value))
