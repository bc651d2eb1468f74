"""Checkpoint: what is saved comes back bit for bit; what is damaged, foreign or newer is refused in one sentence."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from kills.killing import kill_at
from safetensors.torch import save

from lanekeep.cli.main import main
from lanekeep.driving.drivers import shipped_folder
from lanekeep_policies import CORES, Driver, DriverSpec, checkpoint
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
@pytest.mark.parametrize("file", ["weights", "training"])
def test_a_flipped_bit_anywhere_is_refused(where: float, file: str, tmp_path: Path) -> None:
    save_driver(tmp_path, make(), {}, {}, {"state": torch.arange(300.0)})
    (path,) = tmp_path.glob(f"{file}-*.safetensors")
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= 4
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=f"{path.name} is damaged"):
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


def weights_of(folder: Path) -> Path:
    (path,) = folder.glob("weights-*.safetensors")
    return path


def foreign(tensors: dict[str, torch.Tensor]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        data = save({name: value.contiguous() for name, value in tensors.items()})
        weights_of(folder).unlink()
        digest = hashlib.sha256(data).hexdigest()
        (folder / f"weights-{digest[:16]}.safetensors").write_bytes(data)
        edit('weights_sha256 = ".*"', f'weights_sha256 = "{digest}"')(folder)

    return change


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda f: (f / "driver.toml").unlink(), "driver.toml is missing"),
        (lambda f: weights_of(f).unlink(), ".safetensors is missing"),
        (lambda f: weights_of(f).write_bytes(b"12"), ".safetensors is damaged"),
        (edit('weights_sha256 = ".*"', 'weights_sha256 = "../../a"'), "weights tensors must be 64 hexadecimal digits"),
        (
            edit("seed = 3", "seed = 4"),
            "driver.toml: [training] is damaged or was edited: it differs from training_sha256",
        ),
        (edit("training_sha256 = .*", ""), "[training] is damaged or was edited"),
        (lambda f: (f / "driver.toml").write_text("[["), "is not TOML"),
        (lambda f: (f / "driver.toml").write_bytes(b"\xff\xfe"), "is not TOML"),
        (edit("schema_version = 3", "schema_version = 4"), "schema_version 4 is newer than this program reads (3)"),
        (edit("schema_version = 3", "schema_version = 1"), "schema_version 1 is older than this program reads (3)"),
        (edit("schema_version = 3", ""), "schema_version must be 3"),
        (edit("schema_version = 3", "schema_version = 3\ntrainin = 3"), "unknown key trainin; did you mean training"),
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
        (foreign({"other": torch.zeros(2)}), ".safetensors: tensor"),
        (foreign(make(height=24).state_dict()), ".safetensors: tensor head.map_weight"),
    ],
)
def test_the_command_line_says_one_sentence(
    damage: Callable[[Path], object], sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder)
    assert main(["evaluate", str(folder), "--km", "1"]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1 and "Traceback" not in said


def test_an_edited_place_of_a_training_is_refused(tmp_path: Path) -> None:
    save_driver(tmp_path, make(), {}, {"update": 7}, {"state": torch.arange(3.0)})
    edit("update = 7", "update = 8")(tmp_path)
    with pytest.raises(CheckpointError, match=r"driver.toml: \[resume\] is damaged or was edited"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("file", ["driver.toml", "weights", "training"])
def test_a_failed_save_leaves_the_old_driver(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, old = Path.open, {"state": torch.arange(3.0)}

    def full(self: Path, *how: Any, **more: Any) -> Any:
        if f".{file}" in self.name:
            raise OSError(28, "No space left on device")
        return usual(self, *how, **more)

    save_driver(tmp_path, make(), {}, {"update": 7}, old)
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(CheckpointError, match=f"{file}.* cannot be written: No space left on device"):
        save_driver(tmp_path, make(height=24), {}, {"update": 8}, {"state": torch.zeros(3)})
    monkeypatch.undo()
    assert_is_the_old_one(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def assert_is_the_old_one(folder: Path) -> None:
    read = read_checkpoint(folder)
    assert read.driver.spec.camera_height == 16 and read.resume["update"] == 7
    assert torch.equal(read_tensors(folder, read.resume)["state"], torch.arange(3.0))


def test_a_save_that_is_killed_anywhere_leaves_the_old_driver_or_the_new_one(tmp_path: Path) -> None:
    """A process of its own kills itself at the k-th call that writes, and the next save sweeps away what is left."""
    kept = []
    for call in range(1, 100):
        folder = tmp_path / str(call)
        save_driver(folder, make(), {}, {"update": 7}, {"state": torch.arange(3.0)})
        if os.fork() == 0:  # torch is not imported again
            kill_at(call)
            save_driver(folder, make(height=24), {}, {"update": 8}, {"state": torch.zeros(3)})
            os._exit(0)
        over = os.waitstatus_to_exitcode(os.wait()[1]) == 0
        new = read_checkpoint(folder).resume["update"] == 8
        if new:
            read = read_checkpoint(folder)
            assert read.driver.spec.camera_height == 24
            assert torch.equal(read_tensors(folder, read.resume)["state"], torch.zeros(3))
        else:
            assert_is_the_old_one(folder)
        kept.append(new)
        save_driver(folder, make(), {}, {"update": 7}, {"state": torch.arange(3.0)})
        names = sorted(re.sub("-.*", "", path.name) for path in folder.iterdir())
        assert names == ["driver.toml", "training", "weights"]
        if over:
            break
    assert over and len(kept) > 20 and kept == sorted(kept) and 2 < kept.count(True) < len(kept) - 10


def test_a_checkpoint_of_the_first_release_is_read_and_replaced_by_one_of_now(tmp_path: Path) -> None:
    shipped = tmp_path / "ncp"
    shutil.copytree(shipped_folder() / "ncp", shipped)
    driver = read_checkpoint(shipped).driver
    save_driver(shipped, driver, {})
    again = load_driver(shipped)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in driver.state_dict().items())
    assert sorted(re.sub("-.*", "", path.name) for path in shipped.iterdir()) == [
        "driver.toml",
        "metrics.json",
        "weights",
    ]


def test_who_reads_while_a_training_saves_reads_the_new_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the toml named are gone when they are to be read."""
    fill, saved = checkpoint._make_driver, []

    def saving(*table: Any) -> Driver:
        if not saved:
            saved.append(True)
            save_driver(folder, Driver.build(make().spec, 1), {"seed": 4})
        return fill(*table)

    monkeypatch.setattr(checkpoint, "_make_driver", saving)
    assert read_checkpoint(folder).training == {"seed": 4}


def test_a_core_from_elsewhere_is_not_saved_as_the_usual_one(tmp_path: Path) -> None:
    driver = make("ncp")
    for core in (LTC(ncp_wiring(seed=1)), LTC(ncp_wiring(), unfolds=5), LTC(ncp_wiring(), epsilon=1e-8), LSTM(32)):
        driver.core = core
        with pytest.raises(CheckpointError, match="would come back as another"):
            save_driver(tmp_path / "driver", driver, {})
    driver.core = LTC(ncp_wiring())
    save_driver(tmp_path / "driver", driver, {})
