"""The Liquid-S4 core: recurrence = convolution = matrix exponential, and what its products keep of the liquid recurrence."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lanekeep_policies.cores.liquid_s4 import BLOCK, LiquidS4

UNIT_S = 0.05


def core_of(degree: int = 2, channels: int = 5, states: int = 6) -> LiquidS4:
    """A float64 core away from its initial values, with products large enough to matter."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core = LiquidS4(3, channels, states, degree, time_unit_s=UNIT_S).double()
        for parameter in core.parameters():
            parameter.data += 0.3 * torch.randn_like(parameter)
        return core


def random_input(core: LiquidS4, batch: int, time: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(batch, time, core.input_size, dtype=torch.float64, generator=generator)
    return features, torch.randn(batch, core.state_size, dtype=torch.float64, generator=generator)


def close(ours: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(ours, expected, rtol=tolerance, atol=tolerance)


def complex_parts(core: LiquidS4, elapsed: float) -> tuple[NDArray[np.complex128], ...]:
    """Abar, Bbar, C of the docstring in numpy's complex numbers, [H, N/2]."""
    p = {name: parameter.detach().numpy() for name, parameter in core.named_parameters()}
    a = -np.exp(p["log_decay"]) + 1j * p["frequency"]
    abar = np.exp(a * np.exp(p["log_step"]) * elapsed)
    return abar, (abar - 1.0) / a * (p["b_re"] + 1j * p["b_im"]), p["c_re"] + 1j * p["c_im"]


def liquid_recurrence(core: LiquidS4, u: NDArray[np.float64], elapsed: float, liquid: float = 1.0) -> Tensor:
    """2 Re(C x) [T, H] of x_k = (Abar + Bbar u_k) x_{k-1} + Bbar u_k for u [T, H], from zero; S4D for `liquid` = 0."""
    abar, bbar, c = complex_parts(core, elapsed)
    x, outputs = np.zeros_like(abar), []
    for latest in u[:, :, None]:
        x = (abar + liquid * bbar * latest) * x + bbar * latest
        outputs.append(2.0 * (c * x).real.sum(1))
    return torch.from_numpy(np.array(outputs))


def without_feedthrough(core: LiquidS4, u: Tensor, elapsed: float) -> Tensor:
    """2 Re(C x) and the products, [T, H] of u [T, H], from zero."""
    y, _ = core.recur(u[None], core.initial_state(1), elapsed)
    return (y[0] - core.d * u).detach()


def gradients_of(outputs: Tensor, last: Tensor, features: Tensor, state: Tensor, core: LiquidS4) -> dict[str, Tensor]:
    leaves = {"features": features, "state": state, **dict(core.named_parameters())}
    gradients = torch.autograd.grad(outputs.square().sum() + last.square().sum(), list(leaves.values()))
    return dict(zip(leaves, gradients, strict=True))


@pytest.mark.parametrize("degree", [1, 2, 4])
@pytest.mark.parametrize("time", [2, 16, 2 * BLOCK, BLOCK + 1])
@pytest.mark.parametrize("elapsed", [0.01, 1.0, 30.0])
def test_convolution_equals_recurrence_in_values_and_every_gradient(degree: int, time: int, elapsed: float) -> None:
    core, twin = core_of(degree), core_of(degree)
    features, state = (tensor.requires_grad_() for tensor in random_input(core, 3, time))
    twin_features, twin_state = (tensor.detach().clone().requires_grad_() for tensor in (features, state))
    outputs, last = core(features, state, elapsed * UNIT_S)  # one constant dt: convolution
    spans = torch.full((3, time), elapsed * UNIT_S, dtype=torch.float64)
    expected_outputs, expected_last = twin(twin_features, twin_state, spans)  # dt per step: recurrence
    close(outputs, expected_outputs)
    close(last, expected_last)
    gradients = gradients_of(outputs, last, features, state, core)
    expected_gradients = gradients_of(expected_outputs, expected_last, twin_features, twin_state, twin)
    for name, gradient in gradients.items():
        assert gradient.abs().max() > 0, name
        close(gradient, expected_gradients[name])


def test_float32_convolution_equals_recurrence() -> None:
    core = LiquidS4(3).float()
    generator = torch.Generator().manual_seed(0)
    u, state = torch.randn(2, 64, 64, generator=generator), torch.randn(2, core.state_size, generator=generator)
    y, last = core.convolve(u, state, 1.0)
    expected, expected_last = core.recur(u, state, 1.0)
    assert (y - expected).norm() < 1e-5 * expected.norm()
    assert (last - expected_last).norm() < 1e-5 * expected_last.norm()


def test_a_single_step_equals_the_first_of_many() -> None:
    core = core_of(3)
    features, state = random_input(core, 2, 5)
    close(core(features[:, :1], state, 0.07)[0], core(features, state, 0.07)[0][:, :1])


def test_time_per_row_equals_one_row_at_a_time() -> None:
    core = core_of(3)
    features, state = random_input(core, 4, 5)
    dt_s = UNIT_S * torch.rand(4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    outputs, last = core(features, state, dt_s)
    for row in range(4):
        alone = state[[row]]
        for step in range(5):
            output, alone = core(features[[row], step : step + 1], alone, float(dt_s[row, step]))
            close(outputs[[row], step], output[:, 0], 1e-13)
        close(last[[row]], alone, 1e-13)


@pytest.mark.parametrize("dt_s", [0.0, torch.zeros(3, 4, dtype=torch.float64)])
def test_without_time_the_state_and_the_remembered_inputs_stay(dt_s: float | Tensor) -> None:
    core = core_of(3)
    features, state = random_input(core, 3, 4)
    outputs, last = core(features.requires_grad_(), state.requires_grad_(), dt_s)
    assert torch.equal(last, state)
    gradients = gradients_of(outputs, last, features, state, core)
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values())


def test_one_step_is_the_exact_solution_of_the_differential_equation() -> None:
    """Second source: the matrix exponential of [[A, B], [0, 0]], in real 2x2 blocks, is Abar and Bbar."""
    core = core_of(1)
    elapsed = 0.7
    abar, bbar, _ = complex_parts(core, elapsed)
    (a_re, a_im), (b_re, b_im) = core._discrete(elapsed)
    decay, turn = torch.exp(core.log_decay), core.frequency
    system = torch.zeros(*decay.shape, 3, 3, dtype=torch.float64)
    system[..., 0, 0] = system[..., 1, 1] = -decay
    system[..., 0, 1], system[..., 1, 0] = -turn, turn
    system[..., 0, 2], system[..., 1, 2] = core.b_re, core.b_im
    solution = torch.matrix_exp(system * (torch.exp(core.log_step) * elapsed)[..., None, None])
    for ours, expected in ((a_re, (0, 0)), (a_im, (1, 0)), (b_re, (0, 2)), (b_im, (1, 2))):
        close(ours, solution[..., expected[0], expected[1]], 1e-13)
    np.testing.assert_allclose((a_re + 1j * a_im).detach(), abar, atol=1e-14)
    np.testing.assert_allclose((b_re + 1j * b_im).detach(), bbar, atol=1e-14)


def test_the_input_of_a_short_step_does_not_cancel() -> None:
    core = core_of(1).float()
    elapsed = 1e-6
    expected = torch.exp(core.log_step) * elapsed * core.b_re  # Bbar -> B d
    torch.testing.assert_close(core._discrete(elapsed)[1][0], expected, rtol=1e-4, atol=0.0)


def test_an_input_that_is_held_may_be_stepped_through_in_any_way() -> None:
    """Zero-order hold is exact for it, whichever way the time is divided."""
    core = core_of(1)
    features, state = random_input(core, 2, 1)
    _, whole = core(features, state, 0.09)
    parts = torch.tensor([[0.03, 0.0, 0.01, 0.05], [0.05, 0.02, 0.02, 0.0]], dtype=torch.float64)
    _, in_parts = core(features.expand(2, 4, 3), state, parts)
    close(in_parts, whole, 1e-13)


def test_a_long_gap_is_forgotten() -> None:
    core = core_of(1)
    features, state = random_input(core, 2, 1)
    _, after_a_gap = core(features, state, 1e6)
    close(after_a_gap, core(features, core.initial_state(2), 1e6)[1], 1e-13)


def test_states_stay_bounded_for_bounded_inputs() -> None:
    """|x| <= |x_0| + |Bbar| max|u| / (1 - |Abar|), whatever the parameters."""
    core = core_of(2)
    features, state = random_input(core, 2, 300)
    with torch.inference_mode():
        core.log_decay.data += 3.0 * torch.randn(core.log_decay.shape, generator=torch.Generator().manual_seed(0))
        abar, bbar, _ = complex_parts(core, 1.0)
        assert (np.abs(abar) < 1.0).all()
        u = core.input_map(features)
        _, last = core.recur(u, state, 1.0)
    start, end = (np.hypot(*s[:, : 2 * bbar.size].numpy().reshape(2, 2, -1).swapaxes(0, 1)) for s in (state, last))
    reached = np.abs(bbar) * float(u.abs().max()) / (1.0 - np.abs(abar))
    assert (end <= start + reached.ravel()).all()


def test_degree_one_is_plain_s4d() -> None:
    core = core_of(1)
    u = torch.randn(20, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    close(without_feedthrough(core, u, 0.8), liquid_recurrence(core, u.numpy(), 0.8, liquid=0.0), 1e-12)


def test_layer_is_input_map_state_space_gelu_and_gated_output_map() -> None:
    core = core_of(1)
    features, _ = random_input(core, 1, 9)
    u = core.input_map(features)
    y = liquid_recurrence(core, u[0].detach().numpy(), 1.0, liquid=0.0) + core.d * u[0]
    value, gate = core.output_map(F.gelu(y)).chunk(2, 1)
    close(core(features, core.initial_state(1), UNIT_S)[0][0], value * torch.sigmoid(gate), 1e-12)


def test_products_equal_the_liquid_recurrence_for_two_steps_and_then_lack_those_with_abar() -> None:
    """x_2 = b u_2 + a b u_1 + a^2 b u_0 + b^2 u_2 u_1 + b^3 u_2 u_1 u_0, kept, + a b^2 (u_1 u_0 + u_2 u_0), dropped."""
    core = core_of(3)
    elapsed = 1.3
    u = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    exact, ours = liquid_recurrence(core, u.numpy(), elapsed), without_feedthrough(core, u, elapsed)
    close(ours[:2], exact[:2], 1e-12)
    abar, bbar, c = complex_parts(core, elapsed)
    dropped = 2.0 * (c * abar * bbar**2).real.sum(1) * (u[1] * u[0] + u[2] * u[0]).numpy()
    assert np.abs(dropped).max() > 1e-2
    close(exact[2] - ours[2], torch.from_numpy(dropped), 1e-12)


def test_products_equal_the_liquid_recurrence_without_abar() -> None:
    """Where nothing but the products is left, a degree of T holds them all for T steps."""
    core = core_of(6)
    with torch.no_grad():
        core.log_decay.fill_(math.log(1e5))  # Abar = exp(-1e5 step) = 0, Bbar = B / 1e5
        core.b_re.mul_(1e5)
        core.b_im.mul_(1e5)
    u = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert (complex_parts(core, 1.0)[0] == 0.0).all()
    close(without_feedthrough(core, u, 1.0), liquid_recurrence(core, u.numpy(), 1.0), 1e-12)


@pytest.mark.parametrize("degree", [1, 2, 4])
def test_for_small_inputs_products_are_as_far_from_the_liquid_recurrence_as_s4(degree: int) -> None:
    """An honest figure: what PB drops is of the second order, as is all that it keeps beyond S4."""
    core = core_of(degree)
    u = torch.randn(16, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    sizes = [1e-2, 1e-3]
    errors = [
        float((without_feedthrough(core, size * u, 1.0) - liquid_recurrence(core, size * u.numpy(), 1.0)).norm())
        for size in sizes
    ]
    assert math.log(errors[0] / errors[1]) / math.log(sizes[0] / sizes[1]) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(
    "bad", [{"states": 3}, {"states": 0}, {"degree": 0}, {"channels": 0}, {"input_size": 0}, {"time_unit_s": 0.0}]
)
def test_senseless_sizes_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="needs|must"):
        LiquidS4(**{"input_size": 3, **bad})  # type: ignore[arg-type]


def test_core_is_smaller_than_the_lstm() -> None:
    core = LiquidS4(32)
    assert sum(parameter.numel() for parameter in core.parameters()) == 13_632 < 24_832
    assert core.state_size == 64 * 17
