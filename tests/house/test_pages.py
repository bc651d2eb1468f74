"""The pages: the README is a door of 150 lines, every link leads somewhere, and every command exists with its flags."""

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lanekeep.cli.commands import COMMANDS
from lanekeep.cli.main import main

HOUSE = Path(__file__).parents[2]
FOLDERS = ("lanekeep", "envs", "policies", "checkpoints", "tests")
PAGES = [HOUSE / "README.md", *(page for folder in FOLDERS for page in sorted((HOUSE / folder).rglob("README.md")))]

pytestmark = pytest.mark.skipif(not PAGES[0].exists(), reason="the pages of a checkout; here there is only the package")
page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)


def commands_of(text: str) -> Iterator[str]:
    """The `lanekeep ...` commands of a page, in its prose and in its shell blocks."""
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"&&|\n", block):
            yield part.strip().removeprefix(".venv/bin/")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for span in re.findall(r"`([^`]+)`", prose):
        yield re.sub(r"\s+", " ", span)


def anchors_of(path: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_a_door() -> None:
    assert len(PAGES[0].read_text().splitlines()) <= 150


def test_the_moving_picture_is_light() -> None:
    (picture,) = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", PAGES[0].read_text())
    assert (HOUSE / picture).stat().st_size < 3_000_000


@page
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if not link.startswith(("http://", "https://")):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), f"{page} links to {link}"
            assert not anchor or anchor in anchors_of(target), f"{page} links to {link}"


@page
def test_every_command_exists_with_its_flags(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands_of(page.read_text()):
        words = shlex.split(command, comments=True)
        if words[:1] != ["lanekeep"] or words[1:2] in ([], ["COMMAND"]):
            continue
        name = next((" ".join(words[1:end]) for end in (3, 2) if " ".join(words[1:end]) in COMMANDS), words[1])
        with suppress(SystemExit):
            assert main([*name.split(), "--help"]) == 0, f"{page} names {command!r}"
        help_text = capsys.readouterr().out
        for flag in (word for word in words if word.startswith("--")):
            assert re.search(rf"{flag}\b", help_text), f"{page} names {command!r}, which has no {flag}"
