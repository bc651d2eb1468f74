"""The liquid core against ncps in float64, and against the laws of its equation."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from ncps.torch import LTC as ReferenceLTC
from ncps.wirings import Wiring as ReferenceWiring

from lanekeep_policies.cores.ltc import LTC
from lanekeep_policies.wiring import Wiring, ncp_wiring

UNIT_S = 0.05
NEURON_PARAMETERS = ("gleak", "vleak", "cm", "input_w", "input_b")
SYNAPSE_PARAMETERS = ("w", "mu", "sigma", "erev")
SENSORY_PARAMETERS = ("sensory_w", "sensory_mu", "sensory_sigma", "sensory_erev")


class SameWiring(ReferenceWiring):
    """Our wiring as one of ncps."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring.neurons)
        self.set_output_dim(wiring.motor)
        self.adjacency_matrix = wiring.adjacency.astype(np.int32)
        self._sensory = wiring.sensory_adjacency.astype(np.int32)

    def build(self, input_dim: int) -> None:
        super().build(input_dim)
        self.sensory_adjacency_matrix = self._sensory


def core_of(seed: int = 0, unfolds: int = 6, **wiring: int) -> LTC:
    """A float64 core away from its initial values, so that no parameter is 0 or 1 by chance."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        core = LTC(ncp_wiring(**wiring, seed=seed), unfolds=unfolds, time_unit_s=UNIT_S).double()
        for parameter in core.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    return core


def reference_of(core: LTC) -> ReferenceLTC:
    """ncps' LTC with the same weights: packed synapses spread over its dense matrices."""
    wiring = core.wiring
    reference = ReferenceLTC(
        wiring.sensory, SameWiring(wiring), output_mapping=None, ode_unfolds=core.unfolds, epsilon=0.0
    ).double()
    places = _places(core)
    with torch.no_grad():
        for name, parameter in core.named_parameters():
            getattr(reference.rnn_cell, name).data[places[name]] = parameter
    return reference


def _places(core: LTC) -> dict[str, object]:
    """Where in ncps' tensor of that name our parameter lies."""
    wiring = core.wiring
    places: dict[str, object] = dict.fromkeys(NEURON_PARAMETERS, slice(None))
    places |= dict.fromkeys(SYNAPSE_PARAMETERS, (torch.tensor(wiring.source), torch.tensor(wiring.target)))
    sensory = (torch.tensor(wiring.sensory_source), torch.tensor(wiring.sensory_target))
    return places | dict.fromkeys(SENSORY_PARAMETERS, sensory)


def random_input(core: LTC, batch: int, time: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    features = torch.rand(batch, time, core.input_size, dtype=torch.float64, generator=generator)
    return features, torch.randn(batch, core.state_size, dtype=torch.float64, generator=generator)


def test_parameters_are_those_of_the_paper() -> None:
    core = LTC(ncp_wiring())
    count = sum(parameter.numel() for parameter in core.parameters())
    assert count - core.input_w.numel() - core.input_b.numel() == 1_065
    assert (core.input_size, core.state_size, core.output_size) == (32, 19, 1)


@pytest.mark.parametrize("elapsed", [1e-3, 0.1, 1.0, 10.0])
@pytest.mark.parametrize(
    "wiring",
    [
        {},
        {"sensory": 5, "inter": 4, "command": 3, "motor": 2, "sensory_fanout": 2, "inter_fanout": 2, "motor_fanin": 2},
    ],
)
def test_equals_ncps_in_values_and_every_gradient(elapsed: float, wiring: dict[str, int]) -> None:
    core = core_of(**wiring)
    reference = reference_of(core)
    features, state = (tensor.requires_grad_() for tensor in random_input(core, batch=3, time=6))
    twin_features, twin_state = (tensor.detach().clone().requires_grad_() for tensor in (features, state))

    outputs, last = core(features, state, elapsed * UNIT_S)
    # ncps reads per-row time spans wrongly when B > 1 (its issues 81-83): one row at a time
    spans = torch.full((1, 6), elapsed, dtype=torch.float64)
    rows = [reference(twin_features[[row]], twin_state[[row]], spans) for row in range(3)]
    expected_outputs, expected_last = (torch.cat(parts) for parts in zip(*rows, strict=True))

    close = {"rtol": 1e-10, "atol": 1e-10}
    torch.testing.assert_close(outputs, expected_outputs, **close)
    torch.testing.assert_close(last, expected_last, **close)
    (outputs.square().sum() + last.square().sum()).backward()
    (expected_outputs.square().sum() + expected_last.square().sum()).backward()
    torch.testing.assert_close(features.grad, twin_features.grad, **close)
    torch.testing.assert_close(state.grad, twin_state.grad, **close)
    places = _places(core)
    for name, parameter in core.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name
        expected = getattr(reference.rnn_cell, name).grad[places[name]]
        torch.testing.assert_close(parameter.grad, expected, **close, msg=lambda text, name=name: f"{name}: {text}")


def test_time_per_row_equals_one_row_at_a_time() -> None:
    core = core_of()
    features, state = random_input(core, batch=4, time=3)
    dt_s = UNIT_S * torch.rand(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    outputs, last = core(features, state, dt_s)
    for row in range(4):
        alone = state[[row]]
        for step in range(3):
            output, alone = core(features[[row], step : step + 1], alone, float(dt_s[row, step]))
            torch.testing.assert_close(outputs[[row], step], output[:, 0], rtol=0.0, atol=1e-14)
        torch.testing.assert_close(last[[row]], alone, rtol=0.0, atol=1e-14)


def test_two_half_steps_of_half_the_unfolds_are_one_step() -> None:
    core, half = core_of(unfolds=6), core_of(unfolds=3)
    features, state = random_input(core, batch=2, time=1)
    _, whole = core(features, state, UNIT_S)
    _, halves = half(features.repeat(1, 2, 1), state, UNIT_S / 2)
    torch.testing.assert_close(halves, whole, rtol=0.0, atol=1e-15)


def test_solver_is_of_first_order() -> None:
    features, state = random_input(core_of(), batch=4, time=1)

    def solve(unfolds: int) -> torch.Tensor:
        with torch.inference_mode():
            return core_of(unfolds=unfolds)(features, state, UNIT_S)[1]  # type: ignore[no-any-return]

    unfolds = [64, 128, 256, 512]
    exact = 2 * solve(16384) - solve(8192)  # Richardson: the first-order error is gone
    errors = [float((solve(number) - exact).abs().max()) for number in unfolds]
    slope = np.polyfit(np.log(unfolds), np.log(errors), 1)[0]
    assert slope == pytest.approx(-1.0, abs=0.02)


@pytest.mark.parametrize("dt_s", [UNIT_S, 1e3])
def test_potentials_stay_within_the_reversal_potentials(dt_s: float) -> None:
    core = core_of()
    features, state = random_input(core, batch=8, time=50)
    features = (features - 0.5) * 1e6
    bound = torch.cat([state.flatten(), core.vleak, core.erev, core.sensory_erev]).abs().max()
    for step in range(50):
        state = core(features[:, step : step + 1], state, dt_s)[1]
        assert state.abs().max() <= bound * (1 + 1e-12)


@pytest.mark.parametrize("no_time", [0.0, torch.zeros(2, 3)])
def test_no_time_changes_nothing(no_time: float | torch.Tensor) -> None:
    core = core_of()
    features, state = random_input(core, batch=2, time=3)
    outputs, last = core(features, state, no_time)
    assert torch.equal(last, state)
    assert torch.equal(outputs, state[:, None, :1].expand(2, 3, 1))
    last.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in core.parameters() if p.grad is not None)


@pytest.mark.parametrize(
    "dt_s", [-0.1, math.nan, math.inf, torch.tensor([[0.1, -0.1]]), torch.tensor([[math.nan, 0.1]])]
)
def test_impossible_times_are_refused(dt_s: float | torch.Tensor) -> None:
    core = core_of()
    with pytest.raises(ValueError, match="dt_s, the time between two frames, must be finite and not negative"):
        core(*random_input(core, batch=1, time=2), dt_s)


@pytest.mark.parametrize("shape", [(3,), (2, 3, 1), (3, 2), (1, 3), ()])
def test_times_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    core = core_of()
    with pytest.raises(ValueError, match=r"must be one number or \[2, 3\]"):
        core(*random_input(core, batch=2, time=3), torch.full(shape, UNIT_S))


def test_a_sequence_in_two_halves_is_the_whole() -> None:
    core = core_of()
    features, state = random_input(core, batch=3, time=8)
    outputs, last = core(features, state, UNIT_S)
    first, middle = core(features[:, :5], state, UNIT_S)
    second, end = core(features[:, 5:], middle, UNIT_S)
    torch.testing.assert_close(torch.cat([first, second], 1), outputs, rtol=0.0, atol=1e-14)
    torch.testing.assert_close(end, last, rtol=0.0, atol=1e-14)


def test_rows_do_not_know_each_other() -> None:
    core = core_of()
    features, state = random_input(core, batch=3, time=4)
    outputs, _ = core(features, state, UNIT_S)
    features[0], state[0] = math.inf, 1e30
    disturbed, _ = core(features, state, UNIT_S)
    torch.testing.assert_close(disturbed[1:], outputs[1:], rtol=0.0, atol=1e-14)


def test_effective_values_start_in_the_ranges_of_ncps() -> None:
    """Its own implicit constraints turn the range 0.4..0.6 of cm into 0.9..1.0: ours are the values after softplus."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core = LTC(ncp_wiring())
    ranges = {"w": (0.001, 1.0), "sensory_w": (0.001, 1.0), "gleak": (0.001, 1.0), "cm": (0.4, 0.6)}
    for name, (low, high) in ranges.items():
        effective = F.softplus(core.get_parameter(name))
        assert effective.min() > low - 1e-6 and effective.max() < high + 1e-6
        assert abs(effective.mean() - (low + high) / 2) < 0.25 * (high - low)


@pytest.mark.parametrize(("unfolds", "time_unit_s"), [(0, 0.05), (6, 0.0), (6, math.nan)])
def test_senseless_solvers_are_refused(unfolds: int, time_unit_s: float) -> None:
    with pytest.raises(ValueError, match="unfolds >= 1|unit of time must be positive"):
        LTC(ncp_wiring(), unfolds, time_unit_s)
