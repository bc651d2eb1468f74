"""What travels with the program: its version, its licence, its pages and its drivers; and a citation of that version."""

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest

import lanekeep
import lanekeep_envs
import lanekeep_policies

HOUSE = Path(__file__).parents[2]


def test_the_version_is_the_installed_one() -> None:
    assert lanekeep.__version__ == distribution("lanekeep").version
    with pytest.raises(AttributeError, match="no attribute 'version'"):
        lanekeep.version  # noqa: B018


def test_the_text_of_the_licence_is_installed() -> None:
    licence = distribution("lanekeep").read_text("licenses/LICENSE")
    assert licence is not None and "Apache License" in licence and "END OF TERMS AND CONDITIONS" in licence


def test_the_pages_of_the_rooms_are_installed() -> None:
    for package in (lanekeep, lanekeep_envs, lanekeep_policies):
        assert (Path(package.__file__).parent / "README.md").is_file()


@pytest.mark.skipif(not (HOUSE / "CITATION.cff").exists(), reason="no checkout")
def test_the_citation_is_of_this_version() -> None:
    (cited,) = re.findall(r"^version: (.+)$", (HOUSE / "CITATION.cff").read_text(), re.MULTILINE)
    (declared,) = re.findall(r'^version = "(.+)"$', (HOUSE / "pyproject.toml").read_text(), re.MULTILINE)
    assert cited == declared
