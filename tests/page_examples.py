"""The examples that the page "Add your own" prints, for the tests that run them."""

import re
from pathlib import Path

import lanekeep

PAGE = Path(lanekeep.__file__).parent / "README.md"


def example(file: str) -> str:
    """The code block of the page that stands below this file's name."""
    (code,) = re.findall(rf"`{re.escape(file)}`:\n\n```\w+\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(code)
