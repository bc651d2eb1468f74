"""Checkpoint: what is saved comes back bit for bit; what is damaged, foreign or newer is refused in one sentence."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from lanekeep.cli.main import main
from lanekeep_policies import CORES, Driver, DriverSpec
from lanekeep_policies.checkpoint import CheckpointError, load_driver, read_checkpoint, read_tensors, save_driver
from lanekeep_policies.cores.lstm import LSTM
from lanekeep_policies.cores.ltc import LTC
from lanekeep_policies.wiring import ncp_wiring


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
    """Every bit of [driver], every 13th elsewhere, where one may hit the provenance; never may the driver change."""
    whole, one = (folder / "driver.toml").read_bytes(), make()
    table = range(8 * whole.index(b"[driver]"), 8 * whole.index(b"[training]"))
    refused = set()
    for bit in sorted({*table, *range(0, 8 * len(whole), 13)}):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        (folder / "driver.toml").write_bytes(data)
        try:
            driver = load_driver(folder)
        except CheckpointError as error:
            assert "driver.toml" in str(error)
            refused.add(bit)
            continue
        assert driver.spec == one.spec
        assert all(torch.equal(v, driver.state_dict()[k]) for k, v in one.state_dict().items())
    assert refused.issuperset(table)


def edit(pattern: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "driver.toml"
        file.write_text(re.sub(pattern, text, file.read_text()))

    return change


def foreign(tensors: dict[str, torch.Tensor]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        data = save({name: value.contiguous() for name, value in tensors.items()})
        (folder / "weights.safetensors").write_bytes(data)
        edit('weights_sha256 = ".*"', f'weights_sha256 = "{hashlib.sha256(data).hexdigest()}"')(folder)

    return change


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda f: (f / "driver.toml").unlink(), "driver.toml is missing"),
        (lambda f: (f / "weights.safetensors").unlink(), "weights.safetensors is missing"),
        (lambda f: (f / "weights.safetensors").write_bytes(b"12"), "weights.safetensors is damaged"),
        (lambda f: (f / "driver.toml").write_text("[["), "is not TOML"),
        (lambda f: (f / "driver.toml").write_bytes(b"\xff\xfe"), "is not TOML"),
        (edit("schema_version = 2", "schema_version = 3"), "schema_version 3 is newer than this program reads (2)"),
        (edit("schema_version = 2", "schema_version = 1"), "schema_version 1 is older than this program reads (2)"),
        (edit("schema_version = 2", ""), "schema_version must be 2"),
        (edit("schema_version = 2", "schema_version = 2\ntrainin = 3"), "unknown key trainin; did you mean training"),
        (edit("driver_sha256 = .*", ""), "driver_sha256 is missing"),
        (edit("camera_height = 16", "camera_heigth = 16"), "camera_heigth"),
        (edit("camera_height = 16", "camera_height = 15"), "camera_height, camera_width: The conv head"),
        (edit("camera_width = 32", "camera_width = 31"), "differs from driver_sha256"),
        (edit("wiring_seed = 20190120", "wiring_seed = 20190121"), "differs from driver_sha256"),
        (edit("wiring_seed = 20190120", "wiring_seed = -1"), "[driver] wiring_seed must be from 0 to"),
        (edit("dt_s = 0.05", "dt_s = 0.15"), "differs from driver_sha256"),
        (edit("dt_s = 0.05", "dt_s = inf"), "[driver] dt_s must be a finite number"),
        (edit("dt_s = 0.05", "dt_s = nan"), "$.dt_s"),
        (edit("dt_s = 0.05", "dt_s = 0.0"), "$.dt_s"),
        (edit('core = "ncp"', 'core = "npc"'), "did you mean ncp"),
        (edit('core = "ncp"', 'core = "lstm"'), "differs from driver_sha256"),
        (foreign({"other": torch.zeros(2)}), "weights.safetensors: tensor"),
        (foreign(make(height=24).state_dict()), "weights.safetensors: tensor head.map_weight"),
    ],
)
def test_the_command_line_says_one_sentence(
    damage: Callable[[Path], object], sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder)
    assert main(["evaluate", str(folder), "--km", "1"]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1 and "Traceback" not in said


@pytest.mark.parametrize("file", ["driver.toml", "weights.safetensors", "training.safetensors"])
def test_a_failed_save_leaves_the_old_driver(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, old = Path.open, {"state": torch.arange(3.0)}

    def full(self: Path, *how: Any) -> Any:
        if file in self.name:
            raise OSError(28, "No space left on device")
        return usual(self, *how)

    save_driver(tmp_path, make(), {}, {"update": 7}, old)
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(CheckpointError, match=f"{file} cannot be written: No space left on device"):
        save_driver(tmp_path, make(height=24), {}, {"update": 8}, {"state": torch.zeros(3)})
    monkeypatch.undo()
    read = read_checkpoint(tmp_path)
    assert read.driver.spec.camera_height == 16 and read.resume["update"] == 7
    assert torch.equal(read_tensors(tmp_path, read.resume)["state"], old["state"])
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("renames", "sentence"), [(1, "training.safetensors is"), (2, "weights.safetensors is")])
def test_a_save_killed_between_two_renames_is_noticed(
    renames: int, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, left = Path.replace, iter(range(renames))

    def killed(self: Path, target: Path) -> Path:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return usual(self, target)

    save_driver(tmp_path, make(), {}, {}, {"state": torch.arange(3.0)})
    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save_driver(tmp_path, make(height=24), {}, {}, {"state": torch.zeros(3)})
    with pytest.raises(CheckpointError, match=f"{sentence} damaged or of another"):
        read_tensors(tmp_path, read_checkpoint(tmp_path).resume)


def test_a_core_from_elsewhere_is_not_saved_as_the_usual_one(tmp_path: Path) -> None:
    driver = make("ncp")
    for core in (LTC(ncp_wiring(seed=1)), LTC(ncp_wiring(), unfolds=5), LTC(ncp_wiring(), epsilon=1e-8), LSTM(32)):
        driver.core = core
        with pytest.raises(CheckpointError, match="would come back as another"):
            save_driver(tmp_path / "driver", driver, {})
    driver.core = LTC(ncp_wiring())
    save_driver(tmp_path / "driver", driver, {})
