"""A core and a map in a file of one's own are used as those of the project are; nothing is run that was not named."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from page_examples import example

from lanekeep import extensions
from lanekeep.cli.main import main
from lanekeep.compare import helper
from lanekeep.saliency import METHODS, maps
from lanekeep_policies import CORES, CheckpointError, Driver, DriverSpec, load_driver, save_driver

MINE = example("mine.py") + example("my_map.py") + "\n\ndef helper(images):\n    return images\n"


@pytest.fixture
def mine(tmp_path: Path, own_tables: None) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path / "mine.py"


def saved(folder: Path) -> Driver:
    spec = DriverSpec(core="leaky", camera_height=48, camera_width=160, curvature_limit_per_m=0.02)
    driver = Driver.build(spec, 0)
    save_driver(folder, driver, {})
    return driver


def test_the_ordinary_commands_take_a_core_of_a_file(mine: Path) -> None:
    assert extensions.taken_from(["export", "--with", str(mine), "it"]) == ["export", "it"]
    extensions.load()
    driver, folder = saved(mine.parent / "driver"), mine.parent / "driver"
    assert 'needs = "mine.py"' in (folder / "driver.toml").read_text()
    assert main(["export", str(folder), "--sb3", str(mine.parent / "it.zip"), f"--with={mine}"]) == 0
    words = ["train", "imitation", "--help", "--with", str(mine)]
    out = in_a_new_process(f"from lanekeep.cli.main import main; main({words})")
    assert "leaky" in out and "--with FILE" in out
    grey = np.random.default_rng(0).integers(0, 256, (2, 48, 160, 1), np.uint8)
    frames, contrast = np.repeat(grey, 3, -1), (grey - grey.mean((1, 2), keepdims=True))[..., 0] / 255.0
    found = maps("gradient-times-contrast", driver, frames, driver.initial_state(2))
    slope = maps("gradient", driver, frames, driver.initial_state(2))
    assert "helper" not in METHODS and np.abs(found).max() > 0.0
    np.testing.assert_allclose(found, slope * contrast, atol=1e-5 * np.abs(found).max())


def test_a_checkpoint_says_what_it_needs_and_runs_nothing(mine: Path) -> None:
    extensions.taken_from([f"--with={mine}"])
    extensions.load()
    saved(mine.parent / "driver")
    del CORES["leaky"]
    with pytest.raises(CheckpointError, match="its core 'leaky' is of mine.py, which is not here: give --with mine.py"):
        load_driver(mine.parent / "driver")
    assert "leaky" not in CORES


def test_a_process_that_a_command_starts_finds_the_file(mine: Path) -> None:
    class Told:
        def cancel_join_thread(self) -> None:
            pass

    extensions.taken_from(["compare", "--with", str(mine)])
    assert os.environ[extensions.WITH] == str(mine) and "leaky" not in CORES
    helper.begin(Told())
    assert "leaky" in CORES and "gradient-times-contrast" in METHODS


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = 1", "there is neither a table CORES in it nor a map"),
        ("x = nowhere", "cannot be imported: NameError: name 'nowhere' is not defined"),
        (MINE.replace('"leaky"', '"gru"'), "there is already a 'gru'; choose another name"),
        (MINE.replace("def gradient_times_contrast", "def gradient"), "there is already a 'gradient'"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    text: str, sentence: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine.write_text(text)
    assert main(["export", "ncp", "--with", str(mine)]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [(["--with"], "--with needs the name"), (["--with=no.py"], "there is no such file")],
)
def test_a_file_that_is_not_there(
    given: list[str], sentence: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "ncp", *given]) == 2
    assert sentence in capsys.readouterr().err
    assert extensions.taken_from(["drive", "--", "--with", "x"]) == ["drive", "--", "--with", "x"]


def in_a_new_process(code: str, *paths: Path) -> str:
    """What a Python program prints that finds modules and packages in these folders as well."""
    path = os.pathsep.join([*map(str, paths), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_core_of_a_file_is_trained_evaluated_watched_and_exported(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, road = mine.parent, mine.parent / "short.toml"
    road.write_text('description = "a short road"\n[road]\nlength_m = 400\n')
    tiny = "--camera 16x32 --batch 2 --length 4 --segments 2 --frames 16 --expert-frames 320 --dagger-every 0"
    commands = [
        f"train imitation {here}/driver --core leaky {tiny} --validation-km 0.1 --scenario {road} --with {mine}",
        f"evaluate {here}/driver --km 0.1 --scenario {road} --json {here}/it.json",
        f"watch {here}/driver --seconds 0.1 --every 2 --frames {here}/pictures --overlay gradient-times-contrast",
        f"saliency {here}/driver --video {here}/pictures --method gradient-times-contrast --out {here}/it.mp4",
        f"export {here}/driver --sb3 {here}/it.zip",
    ]
    in_a_new_process(
        f"from lanekeep.cli.main import main\nfor command in {commands}: assert main(command.split()) == 0, command"
    )
    made = [path.name for path in here.iterdir()]
    assert {"it.json", "it.mp4", "it.zip"} <= set(made) and len(list((here / "pictures").glob("*.png"))) == 1
    assert main(["evaluate", str(here / "driver"), "--km", "0.1"]) == 2
    said = capsys.readouterr().err
    assert "its core 'leaky' is of mine.py, which is not here: give --with mine.py" in said and said.count("\n") == 1


def test_a_package_that_is_installed_needs_no_flag(mine: Path, tmp_path: Path) -> None:
    package, folder = tmp_path / "site", tmp_path / "driver"
    (package / "leaky_cores-1.0.dist-info").mkdir(parents=True)
    mine.rename(package / "leaky_cores.py")
    (package / "leaky_cores-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: leaky-cores\nVersion: 1.0\n"
    )
    (package / "leaky_cores-1.0.dist-info" / "entry_points.txt").write_text(
        "[lanekeep.cores]\nany = leaky_cores\n[lanekeep.maps]\nany = leaky_cores\n"
    )
    code = f"""
from lanekeep.cli.main import main
from lanekeep.extensions import load
from lanekeep_policies import Driver, DriverSpec, save_driver
load()
spec = DriverSpec(core="leaky", camera_height=16, camera_width=32, curvature_limit_per_m=0.02)
save_driver({str(folder)!r}, Driver.build(spec, 0), {{}})
words = "watch {folder} --seconds 0.05 --frames {tmp_path}"
assert main([*words.split(), "--overlay", "gradient-times-contrast"]) == 0
"""
    in_a_new_process(code, package)
    with pytest.raises(CheckpointError, match="'leaky' is of leaky-cores, which is not here: install that package"):
        load_driver(folder)


@pytest.mark.parametrize(
    "text", ["CORES = [1]", "CORES = {'x': 3}", "import sys; sys.exit('bye')", "raise RuntimeError('boom')"]
)
def test_a_file_that_is_no_extension_is_refused_in_one_sentence(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(extensions.WITH, "")
    (tmp_path / "mine.py").write_text(text)
    assert main(["evaluate", "ncp", "--km", "0.1", "--with", str(tmp_path / "mine.py")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
