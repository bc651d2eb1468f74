"""The liquid core against ncps in float64, and against the laws of its equation."""

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from ncps.torch import LTC as ReferenceLTC
from ncps_reference import (
    UNIT_S,
    SameWiring,
    assert_equals_ncps,
    assert_single_precision_is_close_to_ncps,
    give_weights,
    random_input,
)

from lanekeep_policies.cores.ltc import LTC, kernel_backward, kernel_forward, torch_solver
from lanekeep_policies.wiring import Fans, ncp_wiring

Constraint: TypeAlias = Literal["softplus", "clip"]


def core_of(seed: int = 0, unfolds: int = 6, constraint: Constraint = "softplus", **wiring: Any) -> LTC:
    """A float64 core away from its initial values, so that no parameter is 0 or 1 by chance."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        core = LTC(ncp_wiring(**wiring, seed=seed), unfolds, UNIT_S, constraint, epsilon=1e-8).double()
        for parameter in core.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
        core.constrain()
    return core


def reference_of(core: LTC) -> ReferenceLTC:
    """ncps' LTC with the same weights: packed synapses spread over its dense matrices."""
    wiring = core.wiring
    reference = ReferenceLTC(
        wiring.sensory,
        SameWiring(wiring),
        output_mapping=None,
        ode_unfolds=core.unfolds,
        implicit_param_constraints=core.constraint == "softplus",
    ).double()
    give_weights(core, reference)
    return reference


def test_parameters_are_those_of_the_paper() -> None:
    core = LTC(ncp_wiring())
    count = sum(parameter.numel() for parameter in core.parameters())
    assert count - core.input_w.numel() - core.input_b.numel() == 1_065
    assert (core.input_size, core.state_size, core.output_size) == (32, 19, 1)


@pytest.mark.parametrize("constraint", ["softplus", "clip"])
@pytest.mark.parametrize("elapsed", [1e-3, 0.1, 1.0, 10.0, "per step"])
@pytest.mark.parametrize(
    "wiring",
    [
        {},
        {
            "sensory": 5,
            "inter": 4,
            "command": 3,
            "motor": 2,
            "fans": Fans(sensory_fanout=2, inter_fanout=2, motor_fanin=2),
        },
    ],
)
def test_equals_ncps_in_values_and_every_gradient(
    elapsed: float | str, wiring: dict[str, Any], constraint: Constraint
) -> None:
    core = core_of(**wiring, constraint=constraint)
    assert_equals_ncps(core, reference_of(core), elapsed)


def test_equals_ncps_without_a_state() -> None:
    core = core_of()
    assert_equals_ncps(core, reference_of(core), 1.0, given=False)


@pytest.mark.parametrize("constraint", ["softplus", "clip"])
def test_single_precision_is_single_precision(constraint: Constraint) -> None:
    """Gradients of 32 rows and 32 steps within 1e-5 of the largest of each tensor: sums that cancel would show in `cm`."""
    core = core_of(constraint=constraint)
    reference = reference_of(core)
    features, state, _ = random_input(core, 32, 32)
    assert_single_precision_is_close_to_ncps(core.float(), reference, features, state)


@pytest.mark.parametrize("rows", [1, 3, 32, 70])  # the compiled form goes through blocks of 32
@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("constraint", ["softplus", "clip"])
def test_compiled_equals_torch(rows: int, timed: bool, constraint: Constraint) -> None:
    core = core_of(constraint=constraint, motor=2)
    elapsed: torch.Tensor | float = 1.3
    if timed:
        elapsed = 3.0 * torch.rand(rows, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
        elapsed[0, 1] = 0.0
    found = []
    for run in (core.run, core.run_in_torch):
        features, state = (tensor.requires_grad_() for tensor in random_input(core, rows, 4)[:2])
        outputs, last = run(features, state, elapsed)
        inputs = (features, state, *core.parameters())
        found.append((outputs, last, *torch.autograd.grad(outputs.sin().sum() + last.cos().sum(), inputs)))
        with torch.no_grad():  # without a trace of the states
            found[-1] += run(features, state, elapsed)
    for compiled, plain in zip(*found, strict=True):
        torch.testing.assert_close(compiled, plain, rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch.func.jvp uses it itself
def test_torch_operations_run_where_they_must_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    core, seen = core_of(), []
    plain = torch_solver.solve
    monkeypatch.setattr(torch_solver, "solve", lambda *a: (seen.append(1), plain(*a))[1])
    features, state, _ = random_input(core, 2, 3)
    times = torch.full((2, 3), UNIT_S, dtype=torch.float64)

    def in_torch(call: Callable[[], object]) -> bool:
        seen.clear()
        call()
        return bool(seen)

    assert not in_torch(lambda: core(features, state, times))
    assert not in_torch(lambda: copy.deepcopy(core).float()(features.float(), state.float(), UNIT_S))
    assert in_torch(lambda: core(features, state, times.clone().requires_grad_()))
    assert in_torch(lambda: torch.func.vmap(lambda f: core(f[None], state[:1], UNIT_S))(features))
    assert in_torch(lambda: torch.func.jvp(lambda f: core(f, state, UNIT_S), (features,), (features,)))


def test_gradients_of_gradients() -> None:
    core = core_of(sensory=3, inter=3, command=2, fans=Fans(2, 2, 2, 2))
    inputs = [tensor.requires_grad_() for tensor in random_input(core, 2, 2)[:2]]
    torch.autograd.gradgradcheck(lambda f, s: core(f, s, UNIT_S), inputs)


def test_gradients_of_gradients_through_two_calls() -> None:
    core = core_of()
    features, state = (tensor.requires_grad_() for tensor in random_input(core, 2, 2)[:2])
    found = []
    for create_graph in (False, True):
        middle = core(features, state, UNIT_S)[1]
        loss = core(features, middle, UNIT_S)[1].square().sum()
        found.append(torch.autograd.grad(loss, (features, state, *core.parameters()), create_graph=create_graph))
    for plain, graph in zip(*found, strict=True):
        torch.testing.assert_close(graph, plain, rtol=1e-10, atol=1e-12)


def test_a_copy_and_other_strides_compile_nothing_anew() -> None:
    core = core_of()

    def use(core: LTC, features: torch.Tensor, state: torch.Tensor) -> None:
        core(features.detach().requires_grad_(), state, UNIT_S)[0].sum().backward()

    features, state, _ = random_input(core, 3, 4)
    use(core, features, state)
    before = [len(kernel.signatures) for kernel in (kernel_forward.forward, kernel_backward.backward)]
    for copied in (copy.deepcopy(core), pickle.loads(pickle.dumps(core))):
        use(copied, features.transpose(0, 1).contiguous().transpose(0, 1), state.T.contiguous().T)
    assert [len(kernel.signatures) for kernel in (kernel_forward.forward, kernel_backward.backward)] == before


def test_a_stepper_is_the_core_with_the_weights_it_was_made_with() -> None:
    core = core_of()
    features, state, _ = random_input(core, batch=3, time=4)
    outputs, last = core(features, state, 0.03)
    step = core.stepper()
    with torch.no_grad():
        for parameter in core.parameters():
            parameter.add_(1.0)
    for t in range(4):
        output, state = step(features[:, t], state, 0.03)
        torch.testing.assert_close(output, outputs[:, t], rtol=0.0, atol=1e-15)
    torch.testing.assert_close(state, last, rtol=0.0, atol=1e-15)


def test_clipped_weights_are_put_back_to_zero() -> None:
    core = core_of(constraint="clip")
    with torch.no_grad():
        core.w[0], core.sensory_w[1], core.cm[2], core.gleak[3], core.erev[4] = -1.0, -2.0, -3.0, -4.0, -5.0
    core.constrain()
    assert core.w[0] == core.sensory_w[1] == core.gleak[3] == 0.0
    assert core.erev[4] == -5.0
    assert core(*random_input(core, 2, 3)[:2], UNIT_S)[1].isfinite().all()  # a capacitance of 0 would not


def test_time_per_row_equals_one_row_at_a_time() -> None:
    core = core_of()
    features, state, _ = random_input(core, batch=4, time=3)
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
    features, state, _ = random_input(core, batch=2, time=1)
    _, whole = core(features, state, UNIT_S)
    _, halves = half(features.repeat(1, 2, 1), state, UNIT_S / 2)
    torch.testing.assert_close(halves, whole, rtol=0.0, atol=1e-15)


def test_solver_is_of_first_order() -> None:
    features, state, _ = random_input(core_of(), batch=4, time=1)

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
    features, state, _ = random_input(core, batch=8, time=50)
    features = (features - 0.5) * 1e6
    bound = torch.cat([state.flatten(), core.vleak, core.erev, core.sensory_erev]).abs().max()
    for step in range(50):
        state = core(features[:, step : step + 1], state, dt_s)[1]
        assert state.abs().max() <= bound * (1 + 1e-12)


@pytest.mark.parametrize("no_time", [0.0, torch.zeros(2, 3)])
def test_no_time_changes_nothing(no_time: float | torch.Tensor) -> None:
    core = core_of()
    features, state, _ = random_input(core, batch=2, time=3)
    outputs, last = core(features, state, no_time)
    assert torch.equal(last, state)
    assert torch.equal(outputs, state[:, None, :1].expand(2, 3, 1))
    last.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in core.parameters() if p.grad is not None)


def test_a_sequence_in_two_halves_is_the_whole() -> None:
    core = core_of()
    features, state, _ = random_input(core, batch=3, time=8)
    outputs, last = core(features, state, UNIT_S)
    first, middle = core(features[:, :5], state, UNIT_S)
    second, end = core(features[:, 5:], middle, UNIT_S)
    torch.testing.assert_close(torch.cat([first, second], 1), outputs, rtol=0.0, atol=1e-14)
    torch.testing.assert_close(end, last, rtol=0.0, atol=1e-14)


def test_rows_do_not_know_each_other() -> None:
    core = core_of()
    features, state, _ = random_input(core, batch=3, time=4)
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
    with pytest.raises(ValueError, match="softplus or clip, not 'relu'"):
        LTC(ncp_wiring(), constraint="relu")  # type: ignore[arg-type]
