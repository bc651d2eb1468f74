"""The CT-GRU core against its equations in numpy, in float64, and the laws of its traces."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lanekeep_policies.cores.ct_gru import CTGRU

UNIT_S = 0.05
F64 = NDArray[np.float64]


def core_of(scales: int = 8) -> CTGRU:
    """A float64 core whose wanted scales spread over all there are."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core = CTGRU(6, 5, scales).double()
        core.input_map.bias.data[:10] = 8.0 * torch.rand(10, dtype=torch.float64)
    return core


def random_input(core: CTGRU, batch: int, time: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features, state, and elapsed times over four orders of magnitude."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(batch, time, core.input_size, dtype=torch.float64, generator=generator)
    state = torch.randn(batch, core.state_size, dtype=torch.float64, generator=generator)
    elapsed = 10.0 ** (4.0 * torch.rand(batch, time, dtype=torch.float64, generator=generator) - 1.0)
    return features, state, elapsed


def equations(core: CTGRU, features: F64, state: F64, elapsed: F64) -> tuple[F64, F64]:
    """One drive [T, F] from a state [M U], as the paper prints it: number by number, scale by scale."""
    units, tau = core.output_size, [10.0 ** (i / 2.0) for i in range(core.state_size // core.output_size)]
    weight = {name: parameter.detach().numpy() for name, parameter in core.named_parameters()}
    (w_r, w_s, w_q), (b_r, b_s, b_q) = (np.split(weight[f"input_map.{kind}"], 3) for kind in ("weight", "bias"))
    u_r, u_s = np.split(weight["scale_map.weight"], 2)
    traces, outputs = list(np.split(state, len(tau))), []
    for x, dt in zip(features, elapsed, strict=True):
        h = sum(traces)
        chosen = []
        for w, u, b in ((w_r, u_r, b_r), (w_s, u_s, b_s)):
            wanted = w @ x + u @ h + b
            near = [np.exp(-((wanted - np.log(scale)) ** 2)) for scale in tau]
            chosen.append([share / sum(near) for share in near])
        r, s = chosen
        q = np.tanh(w_q @ x + weight["event_map.weight"] @ sum(r[i] * traces[i] for i in range(len(tau))) + b_q)
        traces = [((1.0 - s[i]) * traces[i] + s[i] * q) * np.exp(-dt / tau[i]) for i in range(len(tau))]
        outputs.append(sum(traces))
    assert outputs[0].shape == (units,)
    return np.array(outputs), np.concatenate(traces)


@pytest.mark.parametrize("scales", [1, 3, 8])
def test_equals_the_papers_equations_at_the_times_of_each_row(scales: int) -> None:
    core = core_of(scales)
    features, state, elapsed = random_input(core, 3, 7)
    outputs, last = core(features, state, elapsed * UNIT_S)
    for row in range(3):
        expected, end = equations(core, features[row].numpy(), state[row].numpy(), elapsed[row].numpy())
        np.testing.assert_allclose(outputs[row].detach(), expected, rtol=0.0, atol=1e-12)
        np.testing.assert_allclose(last[row].detach(), end, rtol=0.0, atol=1e-12)


@torch.no_grad()
def test_the_traces_never_leave_their_start_or_1_and_a_long_time_empties_them() -> None:
    core = core_of()
    features, state, _ = random_input(core, 4, 60)
    bound = state.abs().clamp_min(1.0)
    for step in range(60):
        state = core(1e3 * features[:, step : step + 1], state, 0.01 * UNIT_S)[1]
        assert (state.abs() <= bound * (1.0 + 1e-12)).all()
    assert core(features[:, :1], state, 1e6 * UNIT_S)[1].abs().max() < 1e-12


@torch.no_grad()
def test_a_time_scale_forgets_by_its_own_time() -> None:
    """Of what two steps differ in by their length alone, each trace keeps exp(-time / tau)."""
    core = core_of()
    features, state, _ = random_input(core, 2, 1)
    short, long = (core(features, state, elapsed * UNIT_S)[1].view(2, 8, 5) for elapsed in (1.0, 3.0))
    kept = torch.exp(-2.0 / 10.0 ** (torch.arange(8, dtype=torch.float64) / 2.0))
    torch.testing.assert_close(long, short * kept[:, None], rtol=1e-10, atol=0.0)


def test_it_has_as_many_parameters_as_the_gru() -> None:
    assert CTGRU(32).stored_parameters == 3 * 64 * (32 + 64 + 1)


def test_a_core_without_a_time_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one time scale, not 0"):
        CTGRU(6, 5, 0)
