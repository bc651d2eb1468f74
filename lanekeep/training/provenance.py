"""Where a checkpoint comes from: the command that makes it again, the versions and the commit it was made with."""

import shlex
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from lanekeep.settings import as_recipe


def command_of(name: str, settings: Any, usual: Any) -> str:
    """The command line that trains this driver again: the folder, and the flags that differ from the `usual` settings."""
    defaults = as_recipe(usual)
    flags = [
        f"--{flag.replace('_', '-')} {shlex.join(map(str, value if isinstance(value, list) else [value]))}"
        for flag, value in as_recipe(settings).items()
        if defaults.get(flag) != value
    ]
    return " ".join([f"lanekeep {name}", settings.out.name, *flags])


def nothing_learned(training: dict[str, Any]) -> bool:
    """Whether a checkpoint is of a training that was stopped before its first update."""
    return bool(training.get("frames", training.get("steps")) == 0)


def versions(*packages: str) -> dict[str, str]:
    """Versions that the result depends on, those of these packages too."""
    return {name: metadata.version(name) for name in ("lanekeep", "torch", "numpy", "numba", *packages)}


def git_commit() -> str:
    """Commit of the checkout that this runs from, "-dirty" if files differ from it; empty outside one."""
    home = Path(__file__).resolve().parents[2]

    def ask(*question: str) -> str:
        try:
            answer = subprocess.run(["git", "-C", str(home), *question], capture_output=True, text=True, check=False)
        except OSError:  # no git here
            return ""
        return answer.stdout.strip()

    if ask("rev-parse", "--show-toplevel") != str(home):  # another repository, around an installed package
        return ""
    return ask("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
