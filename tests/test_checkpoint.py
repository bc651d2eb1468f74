"""Checkpoint: what is saved comes back bit for bit; what is damaged, foreign or newer is refused in one sentence."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lanekeep.cli import main
from lanekeep_policies.checkpoint import CheckpointError, load_driver, read_checkpoint, read_tensors, save_driver
from lanekeep_policies.driver import CORES, Driver, DriverSpec


def make(core: str = "ncp", height: int = 16) -> Driver:
    return Driver.build(DriverSpec(core=core, camera_height=height, camera_width=32, curvature_limit_per_m=0.02), 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_driver(tmp_path / "driver", make(), {"seed": 3})
    return tmp_path / "driver"


@pytest.mark.parametrize("core", CORES)
def test_what_is_saved_comes_back_bit_for_bit(core: str, tmp_path: Path) -> None:
    driver = make(core)
    save_driver(tmp_path, driver, {"seed": 3}, {"update": 7}, {"state": torch.arange(3.0)})
    read = read_checkpoint(tmp_path)
    assert read.driver.spec == driver.spec and read.training == {"seed": 3} and read.resume["update"] == 7
    assert torch.equal(read_tensors(tmp_path, read.resume)["state"], torch.arange(3.0))
    one, other = driver.state_dict(), read.driver.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("where", [0.0, 0.01, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("file", ["weights.safetensors", "training.safetensors"])
def test_a_flipped_bit_anywhere_is_refused(where: float, file: str, tmp_path: Path) -> None:
    save_driver(tmp_path, make(), {}, {}, {"state": torch.arange(300.0)})
    data = bytearray((tmp_path / file).read_bytes())
    data[int(where * len(data))] ^= 4
    (tmp_path / file).write_bytes(data)
    with pytest.raises(CheckpointError, match=f"{file} is damaged"):
        read_tensors(tmp_path, read_checkpoint(tmp_path).resume)


def test_every_flipped_bit_of_the_toml_is_refused_or_harmless(folder: Path) -> None:
    """A flip may hit a comment-like value (the provenance); never may the driver come back changed."""
    whole, one = (folder / "driver.toml").read_bytes(), make()
    generator = np.random.default_rng(0)
    for place in generator.choice(len(whole), 60, replace=False):
        data = bytearray(whole)
        data[place] ^= 1 << int(generator.integers(7))
        (folder / "driver.toml").write_bytes(data)
        try:
            driver = load_driver(folder)
        except CheckpointError as error:
            assert "driver.toml" in str(error)
            continue
        assert all(torch.equal(v, driver.state_dict()[k]) for k, v in one.state_dict().items())


def edit(pattern: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "driver.toml"
        file.write_text(re.sub(pattern, text, file.read_text()))

    return change


def foreign(folder: Path) -> None:
    save_file({"other": torch.zeros(2)}, folder / "weights.safetensors")
    import hashlib

    digest = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    edit('weights_sha256 = ".*"', f'weights_sha256 = "{digest}"')(folder)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda f: (f / "driver.toml").unlink(), "driver.toml is missing"),
        (lambda f: (f / "weights.safetensors").unlink(), "weights.safetensors is missing"),
        (lambda f: (f / "weights.safetensors").write_bytes(b"12"), "weights.safetensors is damaged"),
        (lambda f: (f / "driver.toml").write_text("[["), "is not TOML"),
        (lambda f: (f / "driver.toml").write_bytes(b"\xff\xfe"), "is not TOML"),
        (edit("schema_version = 1", "schema_version = 2"), "schema_version 2 is newer"),
        (edit("schema_version = 1", ""), "schema_version must be 1"),
        (edit("schema_version = 1", "schema_version = 1\ntrainin = 3"), "unknown key trainin; did you mean training"),
        (edit("camera_height = 16", "camera_heigth = 16"), "camera_heigth"),
        (edit("camera_height = 16", "camera_height = 24"), "map_weight"),
        (edit('core = "ncp"', 'core = "npc"'), "did you mean ncp"),
        (edit('core = "ncp"', 'core = "lstm"'), "weights.safetensors: tensor"),
        (foreign, "weights.safetensors: tensor"),
    ],
)
def test_the_command_line_says_one_sentence(
    damage: Callable[[Path], object], sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder)
    assert main(["evaluate", str(folder), "--km", "1"]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1 and "Traceback" not in said


def test_a_failed_save_leaves_the_old_driver(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(CheckpointError, match="cannot be written: No space left on device"):
        save_driver(folder, make(height=24), {})
    monkeypatch.undo()
    assert load_driver(folder).spec.camera_height == 16
