"""The slide's closed form against a numerical solution of its equation, and against what the code makes of it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike, NDArray

from lanekeep_policies.closed_form import bound, closed_form, sigmoid
from lanekeep_policies.cores.cfc import CfC, Pure

Floats = NDArray[np.float64]
TIMES = np.linspace(0.0, 6.0, 601)
CASES = [(2.0, 0.0, 2.0), (-1.0, 1.0, 0.5), (0.3, -2.0, 5.0), (0.0, 1.0, 1.0)]  # x0, A, tau
INPUTS: dict[str, Callable[[Floats], Floats]] = {
    "none": lambda t: 0.0 * t,
    "constant": lambda t: 0.0 * t - 1.3,
    "strong": lambda t: 0.0 * t + 8.0,
    "sine": np.sin,
    "fast sine": lambda t: 5.0 * np.sin(9.0 * t + 1.0),
    "ramp": lambda t: 3.0 - 2.0 * t,
    "late step": lambda t: np.where(t < 2.0, -6.0, 6.0),
}


def exact_for_constant_input(t: ArrayLike, x0: float, asymptote: float, tau: float, current: ArrayLike) -> Floats:
    """The equation's solution at time t for an input I that never changes: the slide's without its factor f(-I)."""
    return np.asarray((x0 - asymptote) * np.exp(-(1.0 / tau + sigmoid(current)) * np.asarray(t)) + asymptote)


def solve(x0: float, asymptote: float, tau: float, current: Callable[[Floats], Floats]) -> Floats:
    """The equation at TIMES by the classical Runge-Kutta method, 40 steps of 0.00025 between two of them."""
    fine = 40
    t = np.linspace(0.0, TIMES[-1], (len(TIMES) - 1) * fine * 2 + 1)  # the method reads the input at half steps as well
    rate = 1.0 / tau + sigmoid(current(t))
    h = 2.0 * (t[1] - t[0])
    x, states = x0, [x0]
    for i in range(0, len(t) - 1, 2):
        k1 = rate[i] * (asymptote - x)
        k2 = rate[i + 1] * (asymptote - x - h / 2 * k1)
        k3 = rate[i + 1] * (asymptote - x - h / 2 * k2)
        k4 = rate[i + 2] * (asymptote - x - h * k3)
        x += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        states.append(x)
    return np.array(states[::fine])


@pytest.mark.parametrize("current", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize(("x0", "asymptote", "tau"), CASES)
def test_error_stays_within_the_bound(
    x0: float, asymptote: float, tau: float, current: Callable[[Floats], Floats]
) -> None:
    error = np.abs(closed_form(TIMES, x0, asymptote, tau, current(TIMES)) - solve(x0, asymptote, tau, current))
    assert (error <= bound(TIMES, x0, asymptote, tau)).all()


def test_the_bound_is_nearly_reached() -> None:
    """A synapse that was open until just now, under an input that closes it: then nothing is left of (x0 - A) but in x~."""
    x0, asymptote, tau, t = 1.0, 0.0, 10.0, 4.0
    exact = (x0 - asymptote) * np.exp(-t / tau - 1.0 * t) + asymptote  # f = 1 until t
    error = closed_form(t, x0, asymptote, tau, -30.0) - exact
    assert 0.95 * bound(t, x0, asymptote, tau) < error < bound(t, x0, asymptote, tau)


@pytest.mark.parametrize("kind", ["none", "constant", "strong"])
@pytest.mark.parametrize(("x0", "asymptote", "tau"), CASES)
def test_solution_for_constant_input_is_exact(x0: float, asymptote: float, tau: float, kind: str) -> None:
    current = INPUTS[kind]
    exact = exact_for_constant_input(TIMES, x0, asymptote, tau, current(TIMES))
    np.testing.assert_allclose(exact, solve(x0, asymptote, tau, current), rtol=0.0, atol=1e-12)
    slide = closed_form(TIMES, x0, asymptote, tau, current(TIMES))
    np.testing.assert_allclose(slide - asymptote, (exact - asymptote) * sigmoid(-current(TIMES)), rtol=0.0, atol=1e-14)


def test_error_and_bound_for_one_constant_input() -> None:
    """x0 - A = 2, tau = 2, I = 0.8: by hand, |x0 - A| (1 - f(-I)) e^{-[1/tau + f(I)] t} against |x0 - A| e^{-t/tau}."""
    t = np.array([0.0, 2.0, 6.0])
    error = exact_for_constant_input(t, 2.0, 0.0, 2.0, 0.8) - closed_form(t, 2.0, 0.0, 2.0, 0.8)
    np.testing.assert_allclose(error, [1.380, 0.128, 0.0011], atol=5e-4)
    np.testing.assert_allclose(bound(t, 2.0, 0.0, 2.0), [2.0, 0.736, 0.0996], atol=5e-4)


def test_the_slide_does_not_start_at_x0() -> None:
    for x0, asymptote, tau in CASES:
        start = float(closed_form(0.0, x0, asymptote, tau, 0.7))
        assert start == pytest.approx((x0 - asymptote) * sigmoid(-0.7) + asymptote)
        assert abs(start - x0) > 0.1
        assert float(exact_for_constant_input(0.0, x0, asymptote, tau, 0.7)) == pytest.approx(x0, abs=1e-15)


def pure_core() -> tuple[CfC, Pure]:
    """A core of the code form without backbone, whose ff1 reads one feature and the state of three units."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core = CfC(1, 3, "pure", backbone_layers=0, time_unit_s=1.0).double()
    assert isinstance(core.mode, Pure)
    return core, core.mode


def code_form(core: CfC, feature: float, state: torch.Tensor, elapsed: float) -> tuple[Floats, Floats]:
    """The state after one step, and the ff1 it came from, [3] both."""
    features = torch.full((1, 1, 1), feature, dtype=torch.float64)
    ff1 = core.heads(torch.cat([features[0], state], 1))
    return core(features, state, elapsed)[1][0].detach().numpy(), ff1[0].detach().numpy()


STATE = torch.tensor([[0.4, -1.2, 0.9]], dtype=torch.float64)


@pytest.mark.parametrize("elapsed", [1e-9, 0.3, 2.0, 50.0])
def test_the_code_is_the_slide_with_x0_zero_and_one_signed_number_for_both_synapses(elapsed: float) -> None:
    core, mode = pure_core()
    new, ff1 = code_form(core, 1.7, STATE, elapsed)
    w_tau, asymptote = mode.w_tau.detach().numpy(), mode.A.detach().numpy()

    def same_number(current: Floats) -> Floats:  # f(I) -> |ff1|, f(-I) -> ff1
        return np.where(current > 0.0, np.abs(ff1), ff1)

    slide = closed_form(elapsed, 0.0, asymptote, 1.0 / np.abs(w_tau), 1.0, same_number)
    np.testing.assert_allclose(new, slide, rtol=0.0, atol=1e-14)


def test_the_code_keeps_the_asymptote_and_a_rate_that_input_only_raises() -> None:
    core, mode = pure_core()
    far, _ = code_form(core, 1.7, STATE, 1e6)
    np.testing.assert_allclose(far, mode.A.detach().numpy(), rtol=1e-12)
    for feature in (-3.0, 0.0, 3.0):
        (early, ff1), (late, _) = (code_form(core, feature, STATE, t) for t in (1.0, 1.5))
        asymptote = mode.A.detach().numpy()
        rate = np.log((early - asymptote) / (late - asymptote)) / 0.5
        np.testing.assert_allclose(rate, mode.w_tau.detach().abs().numpy() + np.abs(ff1), rtol=1e-9)


def test_the_code_does_not_start_at_the_old_state_either() -> None:
    core, mode = pure_core()
    new, ff1 = code_form(core, 1.7, STATE, 1e-12)
    np.testing.assert_allclose(new, mode.A.detach().numpy() * (1.0 - ff1), atol=1e-10)
    assert (np.abs(new - STATE.numpy()[0]) > 0.03).all()
    kept, _ = code_form(core, 1.7, STATE, 0.0)  # only where no time passes at all: the law of every core here
    assert (kept == STATE.numpy()[0]).all()


def test_the_code_knows_the_old_state_through_ff1_alone() -> None:
    core, _ = pure_core()
    core.heads.weight.data[:, 1:] = 0.0  # ff1 no longer reads the state
    new, _ = code_form(core, 1.7, STATE, 0.3)
    other, _ = code_form(core, 1.7, -5.0 * STATE, 0.3)
    assert (new == other).all()
    slides = [closed_form(0.3, x0, 1.0, 2.0, 1.7) for x0 in (0.4, -2.0)]
    assert slides[0] != slides[1]


def test_the_code_drops_the_bound() -> None:
    core, mode = pure_core()
    mode.A.data[:] = 1.0
    mode.w_tau.data[:] = 0.5
    core.heads.weight.data[:] = 0.0
    core.heads.bias.data[:] = -3.0  # as f(-I) it would have to lie in 0..1
    new, _ = code_form(core, 1.7, torch.zeros_like(STATE), 0.1)
    # the equation takes x from x0 = 0 to A = 1: every x~ within the bound is in -e^{-t/tau}..1 + e^{-t/tau}
    assert (new > 1.0 + bound(0.1, 0.0, 1.0, 2.0)).all()


def test_sigmoid_is_one_and_zero_far_away_without_overflow() -> None:
    np.testing.assert_allclose(sigmoid([-1e9, 0.0, 1e9]), [0.0, 0.5, 1.0], atol=0.0)
    np.testing.assert_allclose(sigmoid(2.0), 1.0 / (1.0 + np.exp(-2.0)), rtol=1e-15)


@pytest.mark.parametrize(("t", "tau", "sentence"), [(-1.0, 1.0, "not be negative"), (1.0, 0.0, "tau must be positive")])
def test_impossible_times_are_refused(t: float, tau: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        closed_form(t, 0.0, 1.0, tau, 0.0)
