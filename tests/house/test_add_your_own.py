"""The page "Add your own": each of its examples, taken from the page and run."""

import re
from pathlib import Path
from typing import Any

import lanekeep
import lanekeep_envs
from lanekeep_envs import LaneKeepingEnv, load_scenario

PAGE = Path(lanekeep.__file__).parent / "README.md"


def example(file: str) -> str:
    """The code block of the page that stands below this file's name."""
    (code,) = re.findall(rf"`{re.escape(file)}`:\n\n```\w+\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(code)


def test_a_scenario_of_ones_own_is_driven(tmp_path: Path) -> None:
    path = tmp_path / "foggy.toml"
    path.write_text(example("foggy.toml"))
    assert load_scenario(str(path)).family == "own"
    env = LaneKeepingEnv(scenario=str(path))
    env.reset(seed=0)
    _, _, terminated, _, info = env.step([0.0])
    assert not terminated and info["scenario"] == "foggy"


def test_the_examples_of_the_worlds_page_run() -> None:
    page = (Path(lanekeep_envs.__file__).parent / "README.md").read_text()
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(code, names)
    assert names["frame"].shape == (48, 160, 3) and names["images"].shape == (1, 3, 48, 160, 3)
