"""The contracts of pyproject.toml between the rooms: each fails once an import breaks it."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
BREAKING = {  # contract -> the file that would break it, and the import in it
    "the use stands on the world and the drivers": ("envs/lanekeep_envs/elements.py", "lanekeep.errors"),
    "inside lanekeep the data flows one way": ("lanekeep/errors.py", "lanekeep.watch.watch"),
    "the world in floors": ("envs/lanekeep_envs/dynamics/vehicle.py", "lanekeep_envs.renderer.camera"),
    "the renderer in floors": ("envs/lanekeep_envs/renderer/camera.py", "lanekeep_envs.renderer.render"),
    "no circle between siblings": ("lanekeep/imitation/loss.py", "lanekeep.imitation.train"),
    "lanekeep sees the world through one door": ("lanekeep/export.py", "lanekeep_envs.dynamics.road"),
    "lanekeep sees the drivers through one door": ("lanekeep/export.py", "lanekeep_policies.cores.ltc"),
    "the world knows no torch, and a window only behind render_mode": ("envs/lanekeep_envs/scene.py", "torch"),
    "the drivers know nothing of roads": ("policies/lanekeep_policies/expert.py", "gymnasium"),
}


def linted(checkout: Path) -> str:
    """What import-linter says of a copy of the project."""
    rooms = os.pathsep.join(str(checkout / room) for room in ("", "envs", "policies"))
    run = (
        "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command(['--no-cache']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", run],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": rooms},
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(find_spec("importlinter") is None, reason="import-linter comes with the extra dev")
@pytest.mark.parametrize("contract", [*BREAKING, "exhaustive"])
def test_a_contract_fails_once_an_import_breaks_it(contract: str, tmp_path: Path) -> None:
    for name in ("lanekeep", "envs", "policies", "pyproject.toml"):
        source = CHECKOUT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    if contract == "exhaustive":  # a room without a place in the layers
        (tmp_path / "lanekeep" / "stray.py").write_text("")
        assert "lanekeep.stray" in linted(tmp_path)
        return
    assert f"{contract} KEPT" in linted(tmp_path)
    file, name = BREAKING[contract]
    with (tmp_path / file).open("a") as source_file:
        source_file.write(f"\nimport {name}\n")
    assert f"{contract} BROKEN" in linted(tmp_path)
