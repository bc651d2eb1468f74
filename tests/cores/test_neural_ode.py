"""The neural ODE against the matrix exponential, its order of convergence and its adaptive twin, in float64."""

import math
import sys
from typing import Any

import numpy as np
import pytest
import torch

from lanekeep_policies.cores.neural_ode import NeuralODE, dopri5, rk4_step

UNIT_S = 0.05


def core_of(**solver: Any) -> NeuralODE:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core = NeuralODE(6, 8, **solver).double()
        core.velocity.weight.data *= 4.0  # a flow that is well away from a straight line
    return core


def random_input(core: NeuralODE, batch: int, time: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(batch, time, core.input_size, dtype=torch.float64, generator=generator)
    return features, torch.randn(batch, core.state_size, dtype=torch.float64, generator=generator)


def linear_flow() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    matrix = torch.randn(5, 5, dtype=torch.float64, generator=generator)
    return matrix / torch.linalg.matrix_norm(matrix, 2), torch.randn(3, 5, dtype=torch.float64, generator=generator)


def test_the_velocity_is_the_equation() -> None:
    core = core_of(steps=1, tau=3.0)
    features, x = random_input(core, batch=4, time=1)
    layer = torch.tanh(torch.cat([features[:, 0], x], 1) @ core.hidden.weight.T + core.hidden.bias)
    velocity = layer @ core.velocity.weight.T + core.velocity.bias - x / 3.0
    step = 1e-6
    _, last = core(features, x, step * UNIT_S)
    torch.testing.assert_close((last - x) / step, velocity, rtol=0.0, atol=1e-5)


def test_one_step_of_a_linear_flow_is_the_exponential_series_to_fourth_order() -> None:
    matrix, x = linear_flow()
    series = sum(torch.linalg.matrix_power(matrix, k) / math.factorial(k) for k in range(5))
    torch.testing.assert_close(rk4_step(lambda x: x @ matrix.T, x, 1.0), x @ series.T, rtol=0.0, atol=1e-14)
    steps = np.array([0.2, 0.1, 0.05])
    errors = [
        float((rk4_step(lambda x: x @ matrix.T, x, step) - x @ torch.linalg.matrix_exp(step * matrix).T).abs().max())
        for step in steps
    ]
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(5.0, abs=0.1)


def test_the_adaptive_solver_equals_the_exponential_in_rows_of_their_own_duration() -> None:
    matrix, x = linear_flow()
    durations = torch.tensor([[0.0], [0.3], [20.0]], dtype=torch.float64)
    exact = torch.einsum("bij,bj->bi", torch.linalg.matrix_exp(durations[:, :, None] * matrix), x)
    solved = dopri5(lambda x: x @ matrix.T, x, durations, 1e-9)
    assert torch.equal(solved[0], x[0])
    assert (solved - exact).abs().max() < 1e-7 * exact.abs().max()


def test_solver_is_of_fourth_order() -> None:
    features, state = random_input(core_of(), batch=4, time=1)

    def solve(steps: int) -> torch.Tensor:
        with torch.inference_mode():
            return core_of(steps=steps)(features, state, 2 * UNIT_S)[1]  # type: ignore[no-any-return]

    steps = [8, 16, 32, 64]
    exact = (16 * solve(512) - solve(256)) / 15  # Richardson: the fourth-order error is gone
    errors = [float((solve(number) - exact).abs().max()) for number in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(-4.0, abs=0.1)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-9])
def test_adaptive_agrees_with_fine_fixed_steps_within_its_tolerance(tolerance: float) -> None:
    adaptive, fine = core_of(method="dopri5", tolerance=tolerance), core_of(steps=200)
    features, state = random_input(fine, batch=4, time=3)
    dt_s = UNIT_S * 3.0 * torch.rand(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    dt_s[1] = 0.0
    outputs, last = adaptive(features, state, dt_s)
    expected = fine(features, state, dt_s)[0].detach()
    assert torch.equal(last[1], state[1])
    # what a solver's step may err by, times the few steps that the outputs are made of
    torch.testing.assert_close(
        outputs.detach(), expected, rtol=0.0, atol=10 * tolerance * (1 + float(expected.abs().max()))
    )


def test_gradients_of_the_adaptive_solver_are_those_of_fine_fixed_steps() -> None:
    gradients = []
    for core in (core_of(method="dopri5", tolerance=1e-9), core_of(steps=100)):
        features, state = (tensor.requires_grad_() for tensor in random_input(core, batch=3, time=2))
        dt_s = UNIT_S * torch.tensor([[1.0, 0.0], [0.0, 0.0], [2.5, 0.2]])
        core(features, state, dt_s)[0].square().sum().backward()
        gradients.append([features.grad, state.grad, *(parameter.grad for parameter in core.parameters())])
    for adaptive, fixed in zip(*gradients, strict=True):
        torch.testing.assert_close(adaptive, fixed, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("no_time", [0.0, torch.zeros(4, 3)])
@pytest.mark.parametrize("method", ["rk4", "dopri5"])
def test_no_time_changes_nothing(method: str, no_time: float | torch.Tensor) -> None:
    core = core_of(method=method)
    features, state = (tensor.requires_grad_() for tensor in random_input(core, batch=4, time=3))
    outputs, last = core(features, state, no_time)
    assert torch.equal(last, state) and torch.equal(outputs, state[:, None].expand(4, 3, 8))
    last.sum().backward()
    assert torch.equal(state.grad, torch.ones_like(state))
    assert all(torch.isfinite(p.grad).all() for p in core.parameters() if p.grad is not None)


@pytest.mark.parametrize("elapsed", [1e-3, 1.0, 10.0, 1e6])
@pytest.mark.parametrize("start", [0.0, 1.0, 100.0])
def test_the_leak_bounds_the_state(elapsed: float, start: float) -> None:
    core = core_of()
    features, state = random_input(core, batch=8, time=40)
    with torch.no_grad():
        core.hidden.weight.mul_(100.0)  # the network's velocity jumps from one end of its range to the other
        network = (core.velocity.weight.abs().sum(1) + core.velocity.bias.abs()) * core.tau
        outputs, _ = core(features, state * start, elapsed * UNIT_S)
    bound = torch.maximum((state * start).abs(), network)[:, None]
    assert (outputs.abs() <= bound * (1 + 1e-12)).all()


def test_longer_times_take_more_steps_and_beyond_6_tau_none() -> None:
    core, fine = core_of(), core_of(steps=300)
    features, state = random_input(core, batch=2, time=1)
    with torch.inference_mode():
        for elapsed, margin in ((1.0, 0.05), (10.0, 0.5)):
            expected = fine(features, state, elapsed * UNIT_S)[1]
            assert 1e-6 < (core(features, state, elapsed * UNIT_S)[1] - expected).abs().max() < margin
        longest = core(features, state, 10.0 * UNIT_S)[1]
        torch.testing.assert_close(core(features, state, 1e3 * UNIT_S)[1], longest, rtol=0.0, atol=1e-12)


def test_without_a_leak_the_state_may_drift_and_no_time_is_cut_off() -> None:
    core = core_of(tau=math.inf)
    with torch.no_grad():
        core.velocity.weight.zero_()
        features, state = random_input(core, batch=2, time=1)
        _, last = core(features, state, 1e3 * UNIT_S)
        torch.testing.assert_close(last, state + 1e3 * core.velocity.bias, rtol=1e-12, atol=1e-12)


def test_single_precision_reaches_the_default_tolerance() -> None:
    adaptive, fine = core_of(method="dopri5").float(), core_of(steps=100)
    features, state = random_input(fine, batch=4, time=5)
    outputs, _ = adaptive(features.float(), state.float(), UNIT_S)
    expected = fine(features, state, UNIT_S)[0].detach()
    torch.testing.assert_close(outputs.double(), expected, rtol=0.0, atol=1e-5 * (1 + float(expected.abs().max())))


def test_a_missing_torchdiffeq_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchdiffeq", None)
    NeuralODE(6, 8)  # the fixed steps do not need it
    with pytest.raises(ModuleNotFoundError, match=r"needs torchdiffeq: pip install 'lanekeep\[ode\]'"):
        NeuralODE(6, 8, method="dopri5")


@pytest.mark.parametrize(
    "solver", [{"method": "euler"}, {"steps": 0}, {"tau": 0.0}, {"tau": math.nan}, {"tolerance": 0.0}]
)
def test_senseless_solvers_are_refused(solver: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="A neural ODE needs|methods of a neural ODE"):
        NeuralODE(6, 8, **solver)
