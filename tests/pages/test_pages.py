"""Pages: pictures hold the very pixels, ticks are round, and a hostile name stays a name."""

import io
import json
from html.parser import HTMLParser

import numpy as np
import pygame
import pytest

from lanekeep.compare.drives import ShownDrive
from lanekeep.compare.page import page
from lanekeep.compare.results import Comparison
from lanekeep.compare.verdict import verdict
from lanekeep.faithfulness.examine import Findings
from lanekeep.faithfulness.instants import AFTER_STEPS
from lanekeep.faithfulness.metrics import METRICS
from lanekeep.faithfulness.noise import NOISES, NoiseResponse
from lanekeep.gallery.page import Page
from lanekeep.pages.charts import nice_ticks
from lanekeep.pages.png import png
from lanekeep.pages.template import render
from lanekeep_envs import GROUPS, REMOVABLE, Camera

HOSTILE = "<script>alert(\"1\")</script><img src=x onerror='alert(2)'>"
K = len(REMOVABLE)


class Tags(HTMLParser):
    """Notes the tags of a page and their attributes, the text, and what is in scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text, self.scripts = "", list[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "script":
            self.scripts[-1] += data
        self.text += data


def findings(generator: np.random.Generator) -> Findings:
    marks = {name: generator.random((4, len(METRICS))) for name in ("noise", "flat", "edges", "gradient")}
    return Findings(
        effects=generator.normal(size=(4, K)),
        placebo_threshold=0.01,
        masks=generator.random((4, K, 6, 8)) < 0.1,
        remembered=generator.normal(size=(2, K)),
        curves=generator.normal(size=(2, K, 1)) * 0.7 ** np.arange(AFTER_STEPS),
        coalitions=generator.normal(size=(2, 1 << len(GROUPS))),
        displaced_m=generator.normal(size=(2, K)),
        metrics=marks,
        untrained={"gradient": marks["noise"]},
        alike={"gradient": generator.random(4)},
    )


def comparison(names: tuple[str, str]) -> Comparison:
    """A comparison of two drivers that nobody ever measured."""
    generator = np.random.default_rng(0)
    pair = [findings(generator) for _ in names]
    like = {"gradient": generator.random((2, len(NOISES)))}
    noisy = [NoiseResponse({**like, "edges": like["gradient"]}, like, like["gradient"]) for _ in names]
    frames = generator.integers(0, 256, (4, 6, 8, 3), np.uint8)
    maps = {"gradient": generator.normal(size=(4, 6, 8)).astype(np.float32)}
    effects, row = generator.normal(size=(4, K)), generator.normal(size=4)
    drives = [
        ShownDrive(name, np.arange(4.0), frames, row, row, effects, maps, {"gradient": effects}, maps["gradient"], True)
        for name in names
    ]
    return Comparison(
        names=names,
        scenario=HOSTILE,
        command=f"lanekeep compare {HOSTILE}",
        roads=[0, 0, 1, 1],
        judged=(frames, frames),
        found=(pair[0], pair[1]),
        noisy=(noisy[0], noisy[1]),
        drives=(drives[0], drives[1]),
        known=pair[0],
        rows=verdict(pair, noisy, [0, 0, 1, 1]),
    )


def test_a_hostile_name_on_the_page_of_compare_is_a_name_and_no_more() -> None:
    harmless, hostile = Tags(page(comparison(("a", "b")))), Tags(page(comparison((HOSTILE, "b"))))
    assert hostile.tags == harmless.tags and hostile.attributes == harmless.attributes
    assert "onerror" not in hostile.attributes and HOSTILE in hostile.text
    assert len(hostile.scripts) == 2 and json.loads(hostile.scripts[0])["elements"]


def test_a_hostile_scenario_on_the_page_of_the_gallery_is_a_name_and_no_more() -> None:
    found = []
    for name in ("plain", HOSTILE):
        gallery = Page(Camera(height_px=8, width_px=8), 0)
        figures = [gallery.captioned(np.zeros((6, 8, 3), np.uint8), name)]
        gallery.add(2, name, name)
        gallery.add(3, name, name, figures=figures, facts=[(name, name)])
        gallery.add(4, name, name, figures=figures, key=name)
        gallery.absent = [name]
        found.append(Tags(render("gallery/page.html", page=gallery)))
    assert found[1].tags == found[0].tags and found[1].attributes == found[0].attributes
    assert not found[1].scripts and found[1].text.count(HOSTILE) == found[0].text.count("plain") > 8


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_holds_the_very_pixels(channels: int) -> None:
    generator = np.random.default_rng(channels)
    smooth = np.add.outer(np.arange(37), 3 * np.arange(21))[..., None] + np.arange(channels)
    for pixels in (generator.integers(0, 256, (5, 9, channels)), smooth % 256, np.zeros((1, 1, channels))):
        pixels = pixels.astype(np.uint8)
        decoded = pygame.surfarray.array3d(pygame.image.load(io.BytesIO(png(pixels)), "picture.png")).swapaxes(0, 1)
        assert np.array_equal(decoded, np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
        assert png(pixels) == png(pixels.copy())


def test_ticks_are_round_and_reach_around() -> None:
    assert nice_ticks(0.0, 1.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    for low, high in ((0.0, 0.0131), (-0.37, 0.22), (0.0, 20.0)):
        ticks = nice_ticks(low, high)
        assert ticks[0] <= low and ticks[-1] >= high and 3 <= len(ticks) <= 7
