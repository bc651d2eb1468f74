"""The gallery: one file that needs no other, whose pictures are those of the world."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pygame
import pytest
from browser import Browser, in_a_browser

from lanekeep.cli.main import main
from lanekeep.gallery.exhibits import FINE_DAY, LED_M, SCENES, SHARES, DrivenInstants, changed, dials
from lanekeep.gallery.page import difference, overlay, peculiarities, title_of
from lanekeep_envs import STRENGTHS, Camera, Scenario, load_scenario

VOID = ("meta", "img", "input", "link", "br")


class Reader(HTMLParser):
    """Notes what a page is made of, and refuses tags that are not closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attributes}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def decoded(data: bytes) -> np.ndarray:
    return pygame.surfarray.array3d(pygame.image.load(io.BytesIO(data), "picture.png")).swapaxes(0, 1)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("gallery") / "page.html"
    assert main(["gallery", str(path), "--camera", "18x32", "--scenario", "country", "--seed", "7"]) == 0
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]
    return path.read_text()


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    return reader


def test_a_difference_is_black_where_nothing_changed_and_clipped_where_much_did() -> None:
    one = np.array([[[10, 200, 30], [5, 5, 5]]], np.uint8)
    other = np.array([[[13, 20, 30], [5, 5, 5]]], np.uint8)
    assert np.array_equal(difference(one, other), difference(other, one))
    assert difference(one, other).tolist() == [[[12, 255, 0], [0, 0, 0]]]
    assert len(np.unique(overlay(np.array([[True, False]])).reshape(-1, 4), axis=0)) == 2


def test_the_page_is_whole_and_needs_nothing_else(page: str, read: Reader) -> None:
    assert not re.search(r"https?:|<script|<link|@import", page)
    for tag, attributes in read.tags:
        assert (
            not {"href", "src"} & set(attributes)
            or attributes.get("src", "").startswith("data:image/png;base64,")
            or (tag == "a" and attributes["href"].startswith("#"))
        )
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"][1:] for tag, attributes in read.tags if tag == "a"}
    assert links == set(ids)  # every place has an entry in the table of contents
    shared = set(re.findall(r"class='frame (shared\d+)'", page))
    assert shared and all(page.count(f".{name}{{background-image:url(data:image/png") == 1 for name in shared)
    images = [attributes for tag, attributes in read.tags if tag == "img"]
    assert len(images) > 50 and all(image["alt"] for image in images)
    for image in images[:: len(images) // 12]:
        assert decoded(base64.b64decode(image["src"].partition(",")[2])).shape in ((18, 32, 3), (48, 160, 3))


def test_the_page_has_every_strength_and_says_what_removals_change(page: str) -> None:
    for table, names in STRENGTHS.items():
        for name in names:
            assert f"<code>[{table}] {name}</code>" in page
    for name in ("left marking", "trees", "noise"):
        assert re.search(rf">{name} <small>changes [\d.]+ % of the pixels, has a share in [\d.]+ %<", page)
    assert len(dials()) == len({(dial.table, dial.key) for dial in dials()})


def test_the_same_arguments_write_the_same_page_again(tmp_path: Path, page: str) -> None:
    argv = ["--camera", "18x32", "--scenario", "country", "--seed"]
    assert main(["gallery", str(tmp_path / "again.html"), *argv, "7"]) == 0
    assert (tmp_path / "again.html").read_text() == page


@in_a_browser
@pytest.mark.parametrize("width", [400, 1280])
def test_pictures_begin_within_the_first_screen_and_contents_lead_on(page: str, tmp_path: Path, width: int) -> None:
    (tmp_path / "page.html").write_text(page)
    links, head = "document.querySelectorAll('nav li a')", "document.querySelector('section:last-of-type h2')"
    with Browser(tmp_path / "page.html", width) as browser:
        browser.wait("document.readyState === 'complete'")
        assert browser.ask("document.querySelector('.frame').getBoundingClientRect().bottom <= window.innerHeight")
        assert browser.ask("document.documentElement.scrollWidth <= window.innerWidth")
        if width == 400:
            assert not browser.ask(f"{links}[0].checkVisibility({{contentVisibilityAuto: true}})")
            browser.ask("document.querySelector('summary').click()")
        assert browser.ask(f"[...{links}].every(link => link.getBoundingClientRect().height > 0)")
        browser.ask("document.documentElement.style.scrollBehavior = 'auto'; 0")
        browser.ask(f"document.querySelector(`nav a[href='#${{{head}.id}}']`).click()")
        browser.wait(f"Math.abs({head}.getBoundingClientRect().top) < 100")
        assert not browser.problems


def test_dials_turn_one_number_and_leave_the_instant_alone() -> None:
    day = changed(load_scenario("country"), FINE_DAY)
    plain = DrivenInstants(day, [3], [LED_M])
    assert plain.snapshot.state.appearances[0]["sunshine"] == 0.9
    strengths = [dial for dial in dials() if dial.values == SHARES and dial.table in STRENGTHS]
    for dial in strengths:
        turned = DrivenInstants(changed(day, {dial.table: {dial.key: 0.75}}), [3], [LED_M])
        assert turned.snapshot.state.appearances[0][dial.key] == 0.75
        assert np.array_equal(turned.snapshot.state.roads, plain.snapshot.state.roads)
        assert turned.snapshot.state.cars["x"] == plain.snapshot.state.cars["x"]
    assert plain.frame(Camera(height_px=18, width_px=32)).image.any()


def test_every_scene_is_a_scenario_and_what_sets_it_apart_is_told() -> None:
    for tables in SCENES.values():
        assert changed(load_scenario("country"), tables) != load_scenario("country")
    told = changed(Scenario(description=""), {"weather": {"fog": 0.5}, "look": {"visibility_m": (60.0, 80.0)}})
    assert peculiarities(told) == [("visibility [m]", "60 to 80"), ("fog", "0.5")]
    assert title_of("trees_per_km") == "trees [1/km]" and title_of("car_ahead") == "car ahead"


REFUSED = {
    ("nowhere/page.html",): "there is no folder for nowhere/page.html",
    (".",): ". is a folder; expected the name of a file",
    ("page.pdf",): "page.pdf: expected a name that ends in .html or .htm",
    ("page.html", "--scenario", "cuontry"): "unknown scenario 'cuontry': did you mean country?",
    ("page.html", "--camera", "big"): "a camera is written ROWSxCOLUMNS, such as 48x160, not 'big'",
    ("page.html", "--sede", "3"): "gallery has no flag --sede; did you mean --seed?",
}


@pytest.mark.parametrize("argv", REFUSED)
def test_what_cannot_be_is_refused_in_one_sentence(
    argv: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["gallery", *argv]) == 2
    assert capsys.readouterr().err == f"lanekeep: {REFUSED[argv]}\n" and not list(tmp_path.iterdir())
