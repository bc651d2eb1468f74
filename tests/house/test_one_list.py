"""One list of cores and one of maps: the texts of the source repeat neither."""

import ast
import re
from pathlib import Path

import pytest

import lanekeep
from lanekeep.saliency import METHODS
from lanekeep_policies.cores import CORES

LISTS = {"cores": list(CORES), "maps": list(METHODS)}


def repeats(text: str, names: list[str]) -> str | None:
    """Three or more of these names in a row, as a list in prose puts them: `a, b or c`."""
    name, comma = "|".join(sorted(map(re.escape, names), key=len, reverse=True)), r"(?:,? (?:and |or )?)"
    found = re.search(rf"(?<![\w-])(?:{name}){comma}(?:{name}){comma}(?:{name})(?![\w-])", text)
    return found and found[0]


def test_a_list_in_prose_is_seen() -> None:
    assert repeats("Core: ncp, ncp-cfc or lstm.", LISTS["cores"]) == "ncp, ncp-cfc or lstm"
    assert repeats("What ncp and lstm look at.", LISTS["cores"]) is None


@pytest.mark.parametrize("kind", LISTS)
def test_no_text_repeats_a_list(kind: str) -> None:
    for path in sorted(Path(lanekeep.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found = repeats(" ".join(node.value.split()), LISTS[kind])
                assert found is None, f"{path}:{node.lineno} names {found!r}; build the text from the table"
