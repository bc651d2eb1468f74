"""The page: parts from top to bottom, each with a title, words and pictures; `page.html` draws them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lanekeep.pages.png import data_uri
from lanekeep_envs import Camera, Scenario, Table

U8 = NDArray[np.uint8]
AMPLIFIED = 4  # times that a difference is shown as
SHARE, REST = (255, 140, 0, 150), (12, 14, 18, 150)  # RGBA over the pixels of an element, and over all others
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


class Picture(NamedTuple):
    """A picture, or a layer `over` a shared one."""

    source: str
    alt: str
    caption: str = ""
    over: str = ""


class Part(NamedTuple):
    """A part of the page, with an entry in the table of contents."""

    depth: int  # 2 a section, 3 a scenario or the head of strips, 4 a strip of pictures
    title: str
    about: str = ""
    figures: Sequence[Picture] = ()
    key: str = ""  # how a scenario's file writes the title
    facts: Sequence[tuple[str, str]] = ()
    columns: Sequence[str] = ()  # heads over all strips that follow
    pixelated: bool = False


class Page:
    """A page that grows from top to bottom."""

    def __init__(self, camera: Camera, seed: int) -> None:
        self.camera, self.seed, self.pictures = camera, seed, 0
        self.parts: list[Part] = []
        self.shared: dict[str, str] = {}  # source of a picture that is written once -> its CSS class
        self.absent: list[str] = []  # elements that no scene shows

    def add(self, depth: int, title: str, about: str = "", **rest: Any) -> None:
        """Add a part."""
        self.parts.append(Part(depth, title, about, **rest))

    def source(self, pixels: U8) -> str:
        """A picture [H, W, C] as the source of an <img>."""
        self.pictures += 1
        return data_uri(pixels)

    def share(self, pixels: U8) -> str:
        """The source of a picture that is seen often and is written once."""
        source = self.source(pixels)
        self.shared.setdefault(source, f"shared{len(self.shared)}")
        return source

    def captioned(self, pixels: U8, caption: str) -> Picture:
        """A picture over its caption."""
        return Picture(self.source(pixels), caption, caption)

    def intervention(self, name: str, whole: U8, without: U8, share: NDArray[np.bool_]) -> None:
        """Add the strip of an element that is taken out, and of what that changed."""
        scene = self.share(whole)
        figures = (
            Picture(scene, "the scene as it is"),
            Picture(self.source(without), f"without {name}"),
            Picture(self.source(difference(whole, without)), f"what {name} changed"),
            Picture(self.source(overlay(share)), f"where {name} has a share", over=scene),
        )
        differs = (whole != without).any(-1)
        about = f"changes {percent(differs)} of the pixels, has a share in {percent(share)}"
        self.add(4, name, about, figures=figures)


def difference(whole: U8, without: U8) -> U8:
    """How far two pictures are apart, amplified; black where they are the same."""
    apart = np.abs(whole.astype(np.int16) - without)
    amplified: U8 = np.minimum(AMPLIFIED * apart, 255).astype(np.uint8)
    return amplified


def overlay(share: NDArray[np.bool_]) -> U8:
    """A layer [H, W, 4] over a picture: bright where an element has a share in it, dark elsewhere."""
    layer: U8 = np.where(share[..., None], SHARE, REST).astype(np.uint8)
    return layer


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
