"""The page of `lanekeep compare`, in a browser."""

import json
from pathlib import Path

import pytest
from browser import Browser, in_a_browser

from lanekeep.cli.main import main


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    arguments = [
        "--roads",
        "2",
        "--seconds",
        "2",
        "--out",
        str(folder / "page.html"),
        "--json",
        str(folder / "out.json"),
    ]
    assert main(["compare", *arguments]) == 0
    return folder


def test_the_numbers_for_machines(compared: Path) -> None:
    told = json.loads((compared / "out.json").read_text())
    assert set(told["drivers"]) == {"ncp", "lstm"} and told["roads"] == 2
    lane = told["verdict"]["lane share, now"]["drivers"]
    assert all(0.0 < one["low"] <= one["value"] <= one["high"] < 100.0 for one in lane)
    assert told["drivers"]["ncp"]["marks"]["flat"]["causal_lift"][0] == pytest.approx(1.0, abs=1e-6)
    assert told["drivers"]["ncp"]["effects_now"]["lamp"] == [0.0, 0.0, 0.0]


@in_a_browser
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_works_in_a_browser(compared: Path, width: int) -> None:
    with Browser(compared / "page.html", width) as browser:
        browser.wait("document.body?.dataset.ready === 'yes'")
        assert browser.ask("document.documentElement.scrollWidth <= window.innerWidth"), "it is wider than the window"
        see = "[0, 1].map(i => document.getElementById('view' + i).toDataURL())"
        bars = "[...document.querySelectorAll('.bars i')].map(bar => bar.style.width + bar.style.left)"
        first, first_bars = browser.ask(see), browser.ask(bars)
        browser.ask(
            "{const s = document.getElementById('time'); s.value = s.max; s.dispatchEvent(new Event('input')); 0}"
        )
        later, later_bars = browser.ask(see), browser.ask(bars)
        assert all(a != b for a, b in zip(first, later, strict=True)) and first_bars != later_bars
        views = {}
        for layer in browser.ask("[...document.querySelectorAll('input[name=layer]')].map(one => one.value)"):
            browser.ask(f"document.querySelector('input[value=\"{layer}\"]').click()")
            views[layer] = browser.ask(see)
        assert len(views) == 6 and len({tuple(v) for v in views.values()}) == 6
        assert browser.ask("document.getElementById('clock').textContent") == "1.8 s"
        assert not browser.problems
        assert all(url.startswith(("file:", "data:")) for url in browser.requests)


@in_a_browser
def test_whatever_is_chosen_every_heading_is_of_what_is_shown(compared: Path) -> None:
    """From every layer to every other: a layer without shares leaves no word of the map before it."""
    heads = "[...document.querySelectorAll('.bars .share')].map(head => head.textContent)"
    bars = "[...document.querySelectorAll('.bars .plain')].some(bar => parseFloat(bar.style.width) > 0)"
    titles = "Object.fromEntries(layers.map(one => [one.value, one.parentElement.textContent.trim()]))"
    with Browser(compared / "page.html") as browser:
        browser.wait("document.body?.dataset.ready === 'yes'")
        assert browser.ask(heads) == ["share of a map (choose one)"] * 2
        for first in (named := browser.ask(titles)):
            for layer in named:
                for one in (first, layer):
                    browser.ask(f"document.querySelector('input[value=\"{one}\"]').click()")
                is_map = layer not in ("none", "effect")
                assert browser.ask(heads) == [f"share of {named[layer] if is_map else 'a map (choose one)'}"] * 2
                assert browser.ask(bars) == is_map
        assert len(named) == 6
        browser.ask("slider.value = slider.max; slider.dispatchEvent(new Event('input')); 0")
        field = "document.getElementById('cursor').ownerSVGElement.querySelector('.rule').getAttribute('x2')"
        assert float(browser.ask("document.getElementById('cursor').getAttribute('x1')")) == float(browser.ask(field))
