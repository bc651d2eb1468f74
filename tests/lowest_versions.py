"""Run the suite with the lowest declared version of every direct dependency, in a fresh virtual environment:

    python tests/lowest_versions.py                               # with the Python that runs this
    python tests/lowest_versions.py --python python3.13           # with another one
    python tests/lowest_versions.py --newest --python python3.13  # with the newest versions
    python tests/lowest_versions.py -- tests/drivers -x           # what comes after -- goes to pytest

Every `name>=version` of pyproject.toml, those of the extra `test` included, is pinned to that version; what they bring along
is left to pip.  The environment lies in --folder and is kept there, or in a temporary folder that is removed.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOUND = re.compile(r"\s*([\w.-]+)\s*(\[[\w,\s-]*\])?\s*>=\s*([\w.]+)")


def lowest(project: dict, extra: str) -> Iterator[str]:
    """The requirements of a project and of one of its extras, each pinned to its lower bound."""
    extras = project["optional-dependencies"]
    for requirement in (*project["dependencies"], *extras[extra]):
        own = re.fullmatch(rf"{project['name']}\[(.*)\]", requirement)
        if own:
            for name in own[1].split(","):
                yield from lowest({**project, "dependencies": []}, name.strip())
            continue
        bound = BOUND.match(requirement)
        if bound is None:
            raise SystemExit(f"pyproject.toml: {requirement!r} has no lower bound")
        yield f"{bound[1]}{bound[2] or ''}=={bound[3]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="the interpreter")
    parser.add_argument("--newest", action="store_true", help="pin nothing")
    parser.add_argument("--folder", type=Path, help="where the environment lies")
    parser.add_argument("pytest", nargs="*", default=["tests"], help="arguments of pytest, after --")
    arguments = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        subprocess.run([arguments.python, "-m", "venv", folder], check=True)
        pins = [] if arguments.newest else list(dict.fromkeys(lowest(project, "test")))
        print("\n".join(pins), flush=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-e", f"{ROOT}[test]", *pins], check=True)
        return subprocess.run([python, "-m", "pytest", *arguments.pytest], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
