"""Weights to ncps and back: nothing changes on the way, and both sides make the same of them."""

from collections.abc import Callable
from typing import Any

import ncps.wirings
import numpy as np
import pytest
import torch
from ncps.torch import LTC as ReferenceLTC
from ncps.torch import CfC as ReferenceCfC
from ncps_models import INPUTS, NAMES, NCPS_MODES, WIRINGS, cfc, driver_of, ltc, wired_cfc
from ncps_reference import CLOSE, SYNAPSES, UNIT_S, SameWiring, answer, answer_row_by_row, random_input
from torch import Tensor, nn

from lanekeep.driving.drivers import open_driver
from lanekeep_policies import CORES, Driver, DriverSpec
from lanekeep_policies.cores.cfc import ACTIVATIONS
from lanekeep_policies.cores.ltc import LTC
from lanekeep_policies.cores.mixed_memory import MixedMemory
from lanekeep_policies.cores.wired_cfc import WiredCfC
from lanekeep_policies.ncps import CfCArguments, CoreAndReadout, LTCArguments, from_ncps, to_ncps
from lanekeep_policies.wiring import Wiring


@torch.no_grad()
def assert_drives_as(parts: CoreAndReadout, model: nn.Module) -> None:
    """Outputs and states of the imported core are those of the ncps model, without times and with irregular ones."""
    core, readout = parts
    features, state, elapsed = random_input(core)
    outputs, last = core(features, state, UNIT_S)
    expected, expected_last = answer(model, features, state)
    torch.testing.assert_close(readout(outputs), expected, **CLOSE)
    torch.testing.assert_close(last, expected_last, **CLOSE)
    outputs, last = core(features, state, elapsed * UNIT_S)
    expected, expected_last = answer_row_by_row(model, features, state, elapsed)
    torch.testing.assert_close(readout(outputs), expected, **CLOSE)
    torch.testing.assert_close(last, expected_last, **CLOSE)


def assert_same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    """Bit for bit, but for what an LTC's masks hide."""
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        parameter = name.removeprefix("rnn_cell.")
        mask = "rnn_cell.sensory_sparsity_mask" if parameter.startswith("sensory_") else "rnn_cell.sparsity_mask"
        if parameter.removeprefix("sensory_") in SYNAPSES:
            assert torch.equal(ours[name], torch.where(theirs[mask] == 1.0, tensor, 0.0)), name
        else:
            assert torch.equal(ours[name], tensor), name


@pytest.mark.parametrize("mixed_memory", [False, True])
@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("wiring", WIRINGS)
def test_an_ltc_drives_as_in_ncps_and_goes_back_unchanged(wiring: str, implicit: bool, mixed_memory: bool) -> None:
    model = ltc(wiring, implicit, mixed_memory=mixed_memory)
    parts = from_ncps(model.state_dict(), ltc=LTCArguments(implicit_param_constraints=implicit))
    assert_drives_as(parts, model)
    back = to_ncps(driver_of(parts))
    assert_same(back, model.state_dict())
    again = from_ncps(back, ltc=LTCArguments(implicit_param_constraints=implicit))
    assert_identical(parts.core.state_dict(), again.core.state_dict())
    assert_identical(to_ncps(driver_of(again)), back)
    features, state, _ = random_input(parts.core)
    expected = answer(model, features, state)[0]
    model.load_state_dict(back)
    assert torch.equal(answer(model, features, state)[0], expected)


def assert_identical(some: dict[str, Tensor], others: dict[str, Tensor]) -> None:
    assert some.keys() == others.keys()
    assert all(torch.equal(some[name], others[name]) for name in some)


@pytest.mark.parametrize("wiring", WIRINGS)
def test_the_wiring_of_an_ltc_is_read_off_its_masks(wiring: str) -> None:
    build, ours = WIRINGS[wiring]
    core = from_ncps(ReferenceLTC(INPUTS, build()).state_dict()).core
    assert isinstance(core, LTC)
    assert np.array_equal(core.wiring.adjacency, ours.adjacency)
    assert np.array_equal(core.wiring.sensory_adjacency, ours.sensory_adjacency)
    for layer in ("sensory", "inter", "command", "motor"):
        assert getattr(core.wiring, layer) == getattr(ours, layer), layer
    assert (ours.command > 0) == ("NCP" in wiring)


@pytest.mark.parametrize(
    "layers, layered",
    [
        ("cc", True),
        ("ic", True),
        ("cm", True),
        ("im", False),
        ("ii", False),
        ("ci", False),
        ("mm", False),
        ("mc", False),
    ],
)
def test_a_synapse_that_skips_a_layer_or_leads_back_leaves_no_layers(layers: str, layered: bool) -> None:
    tensors = ltc().state_dict()
    first = {"m": 0, "c": 2, "i": 6}  # of 2 motor, 4 command and 6 inter neurons
    tensors["rnn_cell.sparsity_mask"][first[layers[0]], first[layers[1]]] = 1.0
    core = from_ncps(tensors).core
    assert isinstance(core, LTC)
    assert (core.wiring.inter, core.wiring.command, core.wiring.motor) == ((6, 4, 2) if layered else (10, 0, 2))


def test_polarity_is_the_sign_of_the_trained_reversal_potential() -> None:
    model = ltc("FullyConnected")
    erev = model.rnn_cell.erev.data
    erev[:] = torch.linspace(-3.0, 3.0, 49).view(7, 7)
    assert erev[3, 3] == 0.0
    core = from_ncps(model.state_dict()).core
    assert isinstance(core, LTC)
    assert np.array_equal(core.wiring.adjacency, np.where(np.arange(49).reshape(7, 7) < 24, -1, 1))
    assert torch.equal(core.erev.data, erev.T.flatten())  # packed by target, then source


@pytest.mark.parametrize("output", ["affine", "linear", None])
@pytest.mark.parametrize("input", ["affine", "linear", None])
def test_mappings_that_an_ltc_is_without_are_the_identity(input: str | None, output: str | None) -> None:
    model = ltc(input_mapping=input, output_mapping=output)
    parts = from_ncps(model.state_dict(), ltc=LTCArguments(motor=None if output else 2))
    assert_drives_as(parts, model)
    full = ltc()
    full.load_state_dict(to_ncps(driver_of(parts)))
    assert_drives_as(parts, full)


def test_arguments_of_an_ltc_that_weights_do_not_tell() -> None:
    model = ltc(ode_unfolds=3, epsilon=0.1)
    assert_drives_as(from_ncps(model.state_dict(), ltc=LTCArguments(ode_unfolds=3, epsilon=0.1)), model)


def test_the_unit_of_time_is_a_time_span_of_one() -> None:
    model = ltc()
    core, readout = from_ncps(model.state_dict(), time_unit_s=0.2)
    features, state, _ = random_input(core)
    torch.testing.assert_close(readout(core(features, state, 0.2)[0]), model(features, state)[0], **CLOSE)


@pytest.mark.parametrize("mixed_memory", [False, True])
@pytest.mark.parametrize("layers", [0, 1, 3])
@pytest.mark.parametrize("mode", NCPS_MODES)
def test_a_cfc_drives_as_in_ncps_and_goes_back_unchanged(mode: str, layers: int, mixed_memory: bool) -> None:
    model = cfc(mode, backbone_layers=layers, mixed_memory=mixed_memory)
    parts = from_ncps(model.state_dict(), cfc=CfCArguments("no-gate" if mode == "no-gate" else None))
    assert_drives_as(parts, model)
    assert_identical(to_ncps(driver_of(parts)), model.state_dict())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_activation_of_a_backbone_is_an_argument(activation: str) -> None:
    model = cfc(activation=activation, backbone_layers=2)
    assert_drives_as(from_ncps(model.state_dict(), cfc=CfCArguments(activation=activation)), model)


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_dropout_in_a_backbone_is_left_out(layers: int) -> None:
    model = cfc(backbone_layers=layers, backbone_dropout=0.5).eval()
    assert_drives_as(from_ncps(model.state_dict()), model)


@pytest.mark.parametrize("mixed_memory", [False, True])
@pytest.mark.parametrize("mode", NCPS_MODES)
def test_a_wired_cfc_drives_as_in_ncps_and_goes_back_unchanged(mode: str, mixed_memory: bool) -> None:
    model = wired_cfc(mode, mixed_memory=mixed_memory)
    parts = from_ncps(model.state_dict(), cfc=CfCArguments("no-gate" if mode == "no-gate" else None))
    assert_drives_as(parts, model)
    assert_identical(to_ncps(driver_of(parts)), model.state_dict())


@pytest.mark.parametrize("build", [cfc, wired_cfc])
def test_a_cfc_without_projection_has_the_identity_as_read_out(build: Callable[..., nn.Module]) -> None:
    model = build(proj_size=None)
    parts = from_ncps(model.state_dict())
    assert torch.equal(parts.readout.weight, torch.eye(parts.core.output_size, dtype=torch.float64))
    assert_drives_as(parts, model)


def ncps_model_of(driver: Driver, wiring: Callable[[Wiring], ncps.wirings.Wiring]) -> nn.Module:
    """As `to_ncps` says, with its weights."""
    core = driver.core.core if isinstance(driver.core, MixedMemory) else driver.core
    mixed: Any = {"mixed_memory": isinstance(driver.core, MixedMemory)}
    if isinstance(core, LTC):
        model = ReferenceLTC(core.input_size, wiring(core.wiring), epsilon=0.0, **mixed)
    elif isinstance(core, WiredCfC):
        model = ReferenceCfC(core.input_size, wiring(core.wiring), proj_size=1, **mixed)
    else:
        mode = {"cfc-pure": "pure", "cfc-no-gate": "no_gate"}.get(driver.spec.core, "default")
        model = ReferenceCfC(core.input_size, 64, proj_size=1, mode=mode, **mixed)
    model.to(driver.readout.weight).load_state_dict(to_ncps(driver))
    return model


def stand_in(wiring: Wiring) -> ncps.wirings.Wiring:
    """Another wiring of the same neurons."""
    if wiring.command == 0:
        return ncps.wirings.FullyConnected(wiring.neurons, wiring.motor)
    return ncps.wirings.NCP(wiring.inter, wiring.command, wiring.motor, 1, 1, 0, 1)


@pytest.mark.parametrize("wiring", [SameWiring, stand_in])
@pytest.mark.parametrize("name", [name for name in CORES if name.startswith(NAMES)])
@torch.no_grad()
def test_a_new_driver_drives_in_ncps(name: str, wiring: Callable[[Wiring], ncps.wirings.Wiring]) -> None:
    driver = Driver.build(DriverSpec(core=name, camera_height=16, camera_width=32, curvature_limit_per_m=0.1), 3)
    driver = driver.double()
    features, state, _ = random_input(driver.core)
    model = ncps_model_of(driver, wiring)
    curvature, last = driver.act(features, state)
    expected, expected_last = answer(model, features, state)
    torch.testing.assert_close(curvature, expected, **CLOSE)
    torch.testing.assert_close(last, expected_last, **CLOSE)


@torch.no_grad()
def test_sparse_gates_are_zeros_in_ncps() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core = WiredCfC(WIRINGS["NCP"][1]).double()
        for parameter in core.parameters():  # also where no synapse is
            parameter += 0.3 * torch.randn_like(parameter)
        parts = CoreAndReadout(core, nn.Linear(2, 1).double())
    tensors = to_ncps(driver_of(parts))
    model = ReferenceCfC(INPUTS, SameWiring(core.wiring), proj_size=1).double()
    model.load_state_dict(tensors)
    assert_drives_as(parts, model)
    for sparse_gates in (False, True):
        assert_identical(to_ncps(driver_of(from_ncps(tensors, cfc=CfCArguments(sparse_gates=sparse_gates)))), tensors)
    with pytest.raises(ValueError, match="The gates of time of these weights are dense: they need sparse_gates=False"):
        from_ncps(wired_cfc().state_dict(), cfc=CfCArguments(sparse_gates=True))


@pytest.mark.parametrize("wiring", [SameWiring, stand_in])
@torch.no_grad()
def test_the_shipped_driver_drives_in_ncps(wiring: Callable[[Wiring], ncps.wirings.Wiring]) -> None:
    """In single precision, 32 sequences: potentials and curvature (1/m) within 1e-6.

    The action is the potential times a gain of 21, and its rounding too: each side is 1.8e-6 from double precision.
    """
    driver = open_driver("ncp")
    assert driver.spec.dt_s == driver.core.time_unit_s
    features = torch.rand(32, 50, 32, generator=torch.Generator().manual_seed(0))
    actions, last = driver.act(features, driver.initial_state(32))
    expected, expected_last = ncps_model_of(driver, wiring)(features)
    difference = float((actions - expected).abs().max())
    assert actions.std() > 0.1
    assert difference < 1e-6 * float(driver.readout.weight.abs())
    assert difference * driver.spec.curvature_limit_per_m < 1e-6
    torch.testing.assert_close(last, expected_last, rtol=0.0, atol=1e-6)
    driver.double()
    exact, _ = driver.act(features.double(), driver.initial_state(32))
    expected, _ = ncps_model_of(driver, wiring)(features.double(), driver.initial_state(32))
    torch.testing.assert_close(exact, expected, **CLOSE)


def test_single_precision_stays_single() -> None:
    for model in (ltc(), cfc(mixed_memory=True), wired_cfc()):
        core, readout = from_ncps(model.float().state_dict())
        assert {p.dtype for p in (*core.parameters(), *core.buffers(), *readout.parameters())} == {torch.float32}
        outputs, _ = core(*(tensor.float() for tensor in random_input(core)))
        assert readout(outputs).dtype == torch.float32


def test_the_state_dict_and_torchs_generator_are_left_alone() -> None:
    for model in (ltc(mixed_memory=True), cfc(), wired_cfc()):
        before, seed = {name: tensor.clone() for name, tensor in model.state_dict().items()}, torch.get_rng_state()
        parts = from_ncps(model.state_dict())
        exported = to_ncps(driver_of(parts))
        with torch.no_grad():
            for parameter in (*parts.core.parameters(), *parts.readout.parameters()):
                parameter += 1.0
        assert_identical(model.state_dict(), before)
        assert_identical(to_ncps(driver_of(from_ncps(before))), exported)
        assert torch.equal(torch.get_rng_state(), seed)
