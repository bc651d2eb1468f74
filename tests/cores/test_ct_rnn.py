"""The CT-RNN core against the paper's Euler steps in float64, and the laws of its equation."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from lanekeep_policies.cores.ct_rnn import CTRNN

UNIT_S = 0.05


def core_of(unfolds: int = 6, units: int = 64) -> CTRNN:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core = CTRNN(32, units, unfolds).double()
        core.layer.weight.data *= 2.0  # strong enough to saturate some units
    return core


def random_input(core: CTRNN, batch: int, time: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(batch, time, core.input_size, dtype=torch.float64, generator=generator)
    return features, torch.randn(batch, core.state_size, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("elapsed", [1e-3, 1.0, 7.0])
def test_equals_six_euler_steps_of_a_tenth_with_tau_1(elapsed: float) -> None:
    core = core_of()
    features, state = random_input(core, batch=3, time=5)
    outputs, last = core(features, state, elapsed * UNIT_S)
    x, tau, step = state, 1.0, 0.1 * elapsed
    for time in range(5):
        for _ in range(6):
            layer = torch.tanh(torch.cat([features[:, time], x], 1) @ core.layer.weight.T + core.layer.bias)
            x = x + step * (-x / tau + layer)
        torch.testing.assert_close(outputs[:, time], x, rtol=0.0, atol=1e-13)
    torch.testing.assert_close(last, x, rtol=0.0, atol=1e-13)


def test_core_and_read_out_have_the_parameters_of_the_papers_table_2() -> None:
    core = CTRNN(32)
    assert sum(parameter.numel() for parameter in core.parameters()) == 6_208
    assert sum(parameter.numel() for parameter in nn.ModuleList([core, nn.Linear(64, 1)]).parameters()) == 6_273


def test_two_half_steps_of_half_the_unfolds_are_one_step() -> None:
    features, state = random_input(core_of(), batch=2, time=1)
    _, whole = core_of(unfolds=6)(features, state, UNIT_S)
    _, halves = core_of(unfolds=3)(features.repeat(1, 2, 1), state, UNIT_S / 2)
    torch.testing.assert_close(halves, whole, rtol=0.0, atol=1e-15)


def test_solver_is_of_first_order() -> None:
    features, state = random_input(core_of(), batch=4, time=1)

    def solve(unfolds: int) -> torch.Tensor:
        with torch.inference_mode():
            return core_of(unfolds)(features, state, UNIT_S)[1]  # type: ignore[no-any-return]

    unfolds = [64, 128, 256, 512]
    exact = 2 * solve(8192) - solve(4096)  # Richardson: the first-order error is gone
    errors = [float((solve(number) - exact).abs().max()) for number in unfolds]
    slope = np.polyfit(np.log(unfolds), np.log(errors), 1)[0]
    assert slope == pytest.approx(-1.0, abs=0.02)


@pytest.mark.parametrize("elapsed", [1e-3, 1.0, 10.0, 25.0, 1e6])
@pytest.mark.parametrize("start", [0.0, 1.0, 50.0])
def test_the_state_stays_within_its_start_or_1(elapsed: float, start: float) -> None:
    core = core_of()
    features, state = random_input(core, batch=8, time=20)
    state = state * start
    bound = max(float(state.abs().max()), 1.0)
    outputs, _ = core(features * 1e3, state, torch.full((8, 20), elapsed * UNIT_S))
    assert outputs.abs().max() <= bound * (1 + 1e-6)


def test_a_time_of_more_than_unfolds_tau_is_taken_as_that_long() -> None:
    core = core_of()
    features, state = random_input(core, batch=2, time=3)
    longest, _ = core(features, state, 10.0 * UNIT_S)
    torch.testing.assert_close(core(features, state, 9.9 * UNIT_S)[0], longest, rtol=0.0, atol=0.2)
    assert not torch.allclose(core(features, state, 9.9 * UNIT_S)[0], longest, atol=1e-6)
    torch.testing.assert_close(core(features, state, 1e3 * UNIT_S)[0], longest, rtol=0.0, atol=1e-13)


@pytest.mark.parametrize(("unfolds", "tau"), [(0, 1.0), (6, 0.0), (6, -1.0), (6, math.nan), (6, math.inf)])
def test_senseless_solvers_are_refused(unfolds: int, tau: float) -> None:
    with pytest.raises(ValueError, match="unfolds >= 1|positive and finite time constant"):
        CTRNN(32, unfolds=unfolds, tau=tau)
