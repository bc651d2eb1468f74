"""The page of `lanekeep compare`, in the system's own Chromium."""

import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from lanekeep.cli.main import main

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One page, spoken to over the DevTools pipe: file descriptors 3 and 4, messages that end with a zero.

    `problems` are console errors, exceptions and requests that leave the file."""

    def __init__(self, program: str, page: Path, width: int = 1280, height: int = 900) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()

        def hand_over() -> None:
            a, b = os.dup(to_read), os.dup(to_write)
            os.dup2(a, 3)
            os.dup2(b, 4)

        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run"]
        self._process = subprocess.Popen(
            [program, *flags, f"--window-size={width},{height}", "about:blank"],
            preexec_fn=hand_over, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self._number, self._kept, self.problems, self.requests = 0, b"", list[str](), list[str]()
        self._session: str | None = None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=page.resolve().as_uri())

    def call(self, method: str, **params: Any) -> Any:
        """Say something and wait for the answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") == self._number:
                assert "error" not in heard, heard
                return heard["result"]

    def ask(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, script: str, seconds: float = 60.0) -> None:
        """Until an expression is true."""
        end = time.monotonic() + seconds
        while not self.ask(script):
            assert time.monotonic() < end, f"{script} did not come true; {self.problems}"
            time.sleep(0.05)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def _hear(self) -> Any:
        while b"\0" not in self._kept:
            assert select.select([self._read], [], [], 60.0)[0], "the browser says nothing"
            part = os.read(self._read, 1 << 16)
            assert part, "the browser is gone"
            self._kept += part
        one, _, self._kept = self._kept.partition(b"\0")
        heard = json.loads(one)
        method, params = heard.get("method", ""), heard.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(params["exceptionDetails"])[:500])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.problems.append(json.dumps(params["args"])[:500])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"][:100])
        return heard


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


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here; install the system's package to test the page")
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_works_in_a_browser(compared: Path, width: int) -> None:
    assert CHROMIUM is not None
    with Browser(CHROMIUM, compared / "page.html", width) as browser:
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
