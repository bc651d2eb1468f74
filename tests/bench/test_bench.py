"""Benchmarks: what is measured is what was asked for, and the whole of it; nonsense is refused before it begins."""

import json
import sys
from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest
import torch

from lanekeep.bench import cores, train
from lanekeep.bench.cores import RATIOS, BenchCores, bench_cores, digits, measure
from lanekeep.bench.measures import compared, in_turns
from lanekeep.bench.networks import IN_TORCH, NCP, NCPS_LTC, TORCH_LSTM, Network, Size, every_network
from lanekeep.bench.rl import PARTS, rollouts
from lanekeep.bench.train import BenchTrain, bench_train
from lanekeep.cli.main import main
from lanekeep.driving.threads import one_thread
from lanekeep.imitation.settings import TrainImitation
from lanekeep.imitation.train import Trainer
from lanekeep.reinforcement.settings import TrainRL
from lanekeep_policies import CORES


def test_a_whole_training_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    road = tmp_path / "short.toml"
    road.write_text('description = "a short road"\n[road]\nlength_m = 400\n')
    small = {"camera": "16x32", "batch": 4, "length": 4, "expert_frames": 640, "dagger_frames": 320}
    small |= {"segments": 2, "dagger_every": 2, "validation_km": 0.1, "scenario": str(road)}
    monkeypatch.setattr(train, "TrainImitation", lambda **given: TrainImitation(**small, **given))
    calls: list[str] = []
    for name in ("begin_round", "learn", "validate"):
        original = getattr(Trainer, name)
        monkeypatch.setattr(Trainer, name, lambda t, n=name, f=original: (calls.append(n), f(t))[1])
    bench_train(BenchTrain(frames=64, json=tmp_path / "out.json"))
    assert calls == ["begin_round", "learn", "learn", "begin_round", "learn", "learn", "validate"]
    measures = json.loads((tmp_path / "out.json").read_text())
    assert set(measures) == {"update_over_head_only", "time_over_head_only"}
    assert all(set(m) == {"median", "min", "max"} for m in measures.values())
    assert measures["time_over_head_only"]["median"] > measures["update_over_head_only"]["median"] > 0.0


SMALL = Size(batch=3, time=4)


@pytest.fixture(scope="module")
def networks() -> dict[str, Network]:
    return every_network(SMALL)


def test_a_step_is_the_first_of_a_pass(networks: dict[str, Network]) -> None:
    with torch.no_grad():
        for name, network in networks.items():
            outputs, _ = network.calls["step"]()
            torch.testing.assert_close(
                outputs.reshape(1, -1), network.calls["forward"]()[:1, 0], rtol=1e-5, atol=1e-6, msg=name
            )


def test_gradients_reach_the_active_parameters_and_no_others(networks: dict[str, Network]) -> None:
    for name in (NCP, "ncp-cfc", IN_TORCH, NCPS_LTC, "ncps CfC, NCP wiring"):
        network = networks[name]
        with torch.no_grad():
            of_features, *of_parameters = network.calls["forward_backward"]()
        assert of_features.shape == (*SMALL, 32) and of_features.count_nonzero() == of_features.numel()
        assert sum(gradient.numel() for gradient in of_parameters) == network.stored
        assert sum(int(gradient.count_nonzero()) for gradient in of_parameters) == network.active


def test_parameters_are_counted_as_in_the_papers(networks: dict[str, Network]) -> None:
    assert (networks[NCP].active, networks[NCP].stored) == (1_065 + 2 * 32, 1_065 + 2 * 32)
    # ncps' wiring has two synapses between neurons less, and an output map
    assert (networks[NCPS_LTC].active, networks[NCPS_LTC].stored) == (1_129 - 2 * 4 + 2, 3_999)
    assert networks["lstm"].stored == 24_897 - 65
    assert networks[TORCH_LSTM].stored == 25_088


def test_the_plain_form_is_the_same_network(networks: dict[str, Network]) -> None:
    with torch.no_grad():
        ours, plain = (networks[name].calls["forward"]() for name in (NCP, IN_TORCH))
    torch.testing.assert_close(ours, plain, rtol=0.0, atol=1e-6)


def test_everything_is_measured_in_turn_and_without_recording() -> None:
    calls: list[tuple[str, str, bool]] = []

    def fake(name: str, operation: str) -> Callable[[], None]:
        return lambda: calls.append((name, operation, torch.is_grad_enabled()))

    operations = ("forward", "forward_backward", "step")
    names = (NCP, IN_TORCH, NCPS_LTC, TORCH_LSTM)
    fakes = {name: Network(1, 1, {operation: fake(name, operation) for operation in operations}) for name in names}
    times = measure(fakes, repeats=3, window_s=1e-9)
    assert calls[-36:] == [(name, operation, False) for name in names for operation in operations] * 3
    assert set(times) == {f"{name}: {operation}" for name in names for operation in operations}
    assert all(len(seconds) == 3 for seconds in times.values())


def test_ratios_are_those_of_the_rows() -> None:
    operations = ("forward", "forward_backward", "step")
    seconds = {NCP: (2.0, 3.0, 5.0), IN_TORCH: (7.0, 11.0, 13.0), NCPS_LTC: (17.0, 19.0, 23.0)}
    seconds |= {TORCH_LSTM: (29.0, 31.0, 37.0)}
    times = {
        f"{name}: {operation}": [each, 2.0 * each]
        for name, of_network in seconds.items()
        for operation, each in zip(operations, of_network, strict=True)
    }
    times[f"{NCP}: step"] = [5.0, 23.0]  # a ratio of each repeat, not of the medians
    assert compared(times, RATIOS) == {
        "ltc_forward_vs_ncps": [17 / 2] * 2,
        "ltc_forward_backward_vs_ncps": [19 / 3] * 2,
        "lstm64_vs_ltc_forward_backward": [31 / 3] * 2,
        "ltc_step_vs_ncps": [23 / 5, 2.0],
        "torch_forward_vs_ncps": [17 / 7] * 2,
        "torch_forward_backward_vs_ncps": [19 / 11] * 2,
    }


def test_every_core_is_in_the_table_and_the_ratios_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], networks: dict[str, Network]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    threads: list[int] = []
    monkeypatch.setattr(cores, "every_network", lambda _: (threads.append(torch.get_num_threads()), networks)[1])
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        bench_cores(BenchCores(repeats=2, json=tmp_path / "out.json"), SMALL, window_s=1e-6)
        assert (threads, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)
    printed = capsys.readouterr().out
    rows = [line for line in printed.splitlines() if ".." in line and "median" not in line]
    assert {row[:24].strip() for row in rows} == {*CORES, *networks} and len(rows) == len(networks)
    assert "…" not in printed and max(map(len, printed.splitlines())) <= 100
    written = json.loads((tmp_path / "out.json").read_text())
    assert set(written) == set(RATIOS)
    for spread in written.values():
        assert (
            set(spread) == {"median", "min", "max"} and 0.0 < spread["min"] <= spread["median"] <= spread["max"] < inf
        )


def test_an_interrupted_measurement_gives_the_threads_back() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt), one_thread():
        raise KeyboardInterrupt
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("number", "printed"), [(0.123, "0.12"), (9.994, "9.99"), (9.996, "10.0"), (99.96, "100"), (1234.5, "1234")]
)
def test_numbers_take_four_characters(number: float, printed: str) -> None:
    assert digits(number) == printed


def test_without_ncps_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("ncps", "ncps.torch", "ncps.wirings"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["bench", "cores"]) == 2
    assert capsys.readouterr().err == "lanekeep: ncps is missing: pip install 'lanekeep[bench]'\n"


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["env", "--repeats", "0"], "--repeats must be from 1 to"),
        *((["env", "--seconds", seconds], "--seconds must be from 0.01 to") for seconds in ("nan", "inf", "0")),
        (["env", "--json", "/nowhere/out.json"], "there is no folder for /nowhere/out.json"),
        (["cores", "--repeats", "0"], "--repeats must be from 1 to"),
        (["cores", "--json", "/nowhere/out.json"], "there is no folder for /nowhere/out.json"),
        (["train", "--frames", "0"], "--frames must be from 1 to"),
        (["train", "--json", "/nowhere/out.json"], "there is no folder for /nowhere/out.json"),
    ],
)
def test_refusals(argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *argv]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


@pytest.mark.parametrize("observation", ["camera", "state"])
def test_the_parts_of_reinforcement_learning_are_no_more_than_the_whole(observation: str) -> None:
    camera = {"camera": "16x24"} if observation == "camera" else {}
    settings = TrainRL(Path("nowhere"), observation=observation, cars=2, horizon=16, batch=16, **camera)  # type: ignore[arg-type]
    measured = in_turns(rollouts(settings), 2)
    names = [f"{observation}, {name}" for name in ("ncp", "stock LSTM")]
    assert list(dict.fromkeys(row.partition(":")[0] for row in measured)) == names
    for name in names:
        shares = [measured[f"{name}: {part}, %"] for part in PARTS]
        assert all(share > 0.0 for values in shares for share in values)
        assert all(10.0 < sum(turn) < 100.0 for turn in zip(*shares, strict=True))


def test_looking_is_timed_beside_driving(tmp_path: Path) -> None:
    assert main(["bench", "saliency", "lstm", "--frames", "2", "--json", str(tmp_path / "out.json")]) == 0
    told = json.loads((tmp_path / "out.json").read_text())
    assert len(told) == 5 and all(
        one["median"] > told["driving"]["min"] for name, one in told.items() if name != "driving"
    )
