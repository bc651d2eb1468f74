"""The policy: equal to the stock way, and its actor is the driver."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecTransposeImage

from lanekeep.reinforcement.lane_keeping_task import SB3VecEnv
from lanekeep.reinforcement.policy import DriverPolicy, PolicySettings
from lanekeep.reinforcement.rewards import Rewards
from lanekeep_policies import DriverSpec

SPEC = DriverSpec(core="ncp", camera_height=16, camera_width=24, curvature_limit_per_m=0.02)


def cars(number: int = 2, **settings: object) -> SB3VecEnv:
    return SB3VecEnv(number, Rewards(), scenario="country", camera="16x24", **settings)


def policy(core: str = "ncp", log_std_init: float = -1.0, **settings: object) -> DriverPolicy:
    env = VecTransposeImage(cars())
    spec = DriverSpec(core=core, camera_height=16, camera_width=24, curvature_limit_per_m=0.02)
    given = PolicySettings(**settings)  # type: ignore[arg-type]
    return DriverPolicy(env.observation_space, env.action_space, lambda _: 1e-3, spec, given, log_std_init)  # type: ignore[arg-type]


def sequences(
    p: DriverPolicy, rows: int = 3, frames: int = 7
) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(1)
    features = torch.rand(rows * frames, p.lstm_actor.input_size, generator=generator)
    state = torch.rand(1, rows, p.lstm_actor.hidden_size, generator=generator)
    return features, (state, torch.zeros_like(state))


def gradients(p: DriverPolicy, outputs: torch.Tensor) -> list[torch.Tensor]:
    weights = torch.linspace(-1.0, 1.0, outputs.numel()).view_as(outputs)
    learned = [q for q in p.lstm_actor.parameters() if q.requires_grad]
    return list(torch.autograd.grad((weights * outputs).sum(), learned, retain_graph=True))


@pytest.mark.parametrize("core", ["ncp", "lstm", "cfc", "gru"])
@pytest.mark.parametrize("begins", [[], [(0, 0), (2, 0)], [(0, 3), (1, 3), (2, 5)]])
def test_one_core_call_equals_the_stock_loop_over_time(core: str, begins: list[tuple[int, int]]) -> None:
    p = policy(core)
    features, states = sequences(p)
    starts = torch.zeros(3, 7)
    for row, frame in begins:
        starts[row, frame] = 1.0
    ours, (state, _) = p._process_sequence(features, states, starts.flatten(), p.lstm_actor)
    stock, (expected, _) = RecurrentActorCriticPolicy._process_sequence(
        features, states, starts.flatten(), p.lstm_actor
    )
    assert torch.allclose(ours, stock, atol=1e-6) and torch.allclose(state, expected, atol=1e-6)
    for mine, theirs in zip(gradients(p, ours), gradients(p, stock), strict=True):
        assert (mine - theirs).abs().max() <= 1e-4 * theirs.abs().max() + 1e-7


def test_a_gradient_goes_back_as_far_as_it_is_allowed_to_and_burn_in_has_none() -> None:
    p = policy("ncp", bptt=3, burn_in=1)
    features, states = sequences(p)
    features.requires_grad_()
    outputs, _ = p._process_sequence(features, states, torch.zeros(21), p.lstm_actor)
    last = outputs.view(3, 7, -1)[:, 6].sum()
    reached = torch.autograd.grad(last, features, retain_graph=True)[0].view(3, 7, -1).abs().sum((0, 2)) > 0.0
    assert reached.tolist() == [False, False, False, False, True, True, True]  # cuts at 1, 4, 7
    whole, _ = policy("ncp")._process_sequence(features, states, torch.zeros(21), p.lstm_actor)
    assert torch.equal(outputs, whole)
    gradient = torch.autograd.grad(outputs.sum(), features)[0].view(3, 7, -1).abs().sum((0, 2))
    assert gradient[0] == 0.0 and (gradient[1:] > 0.0).all()


def test_padding_is_looked_at_once_and_a_black_frame_is_a_frame() -> None:
    p, generator = policy(), torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (9, 3, 16, 24), dtype=torch.uint8, generator=generator)
    frames[[2, 5, 6]] = 0
    each = torch.cat([p.features_extractor.head(frame[None].permute(0, 2, 3, 1).contiguous()) for frame in frames])
    assert torch.allclose(p.extract_features(frames), each, atol=1e-6)


def test_the_actor_is_the_driver() -> None:
    p, rng = policy("lstm", seed=3), np.random.default_rng(0)
    frames = rng.integers(0, 256, (4, 2, 16, 24, 3)).astype(np.uint8)
    driver, state, memory = p.driver(), None, None
    for t in range(4):
        start = np.full(2, t == 0)
        mine, state = p.predict(frames[t].transpose(0, 3, 1, 2), state, start, deterministic=True)
        theirs, memory = driver.predict(frames[t], memory, start)
        assert np.allclose(mine, theirs, atol=1e-6)


def test_what_is_saved_predicts_the_same(tmp_path: Path) -> None:
    p = policy("cfc", seed=5, bptt=4, log_std_init=-2.0)
    p.save(str(tmp_path / "policy.zip"))
    again = DriverPolicy.load(str(tmp_path / "policy.zip"))
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, 16, 24)).astype(np.uint8)
    assert np.array_equal(p.predict(frames, deterministic=True)[0], again.predict(frames, deterministic=True)[0])
    assert again.given == p.given and torch.equal(again.log_std, p.log_std)


def test_the_anchor_pulls_back_to_where_it_was_dropped() -> None:
    p = policy(anchor=0.5)
    p.drop_anchor()
    frames = torch.randint(0, 256, (6, 3, 16, 24), dtype=torch.uint8)
    zero = torch.zeros(1, 2, p.lstm_actor.hidden_size)
    states, starts = RNNStates((zero, zero), (zero, zero)), torch.zeros(6)
    _, _, before = p.evaluate_actions(frames, torch.zeros(6, 1), states, starts)
    assert before.abs().max() == 0.0
    with torch.no_grad():
        p.action_net.bias += 0.1
    _, _, after = p.evaluate_actions(frames, torch.zeros(6, 1), states, starts)
    expected = -0.5 * 0.5 * (0.1 / torch.exp(p.log_std)) ** 2
    assert torch.allclose(after, expected.expand(6), rtol=1e-4)
    gradient = torch.autograd.grad(-after.sum(), p.action_net.bias)[0]
    assert gradient > 0.0  # descending leads back


def test_burn_in_leaves_a_learned_start_its_gradient() -> None:
    spec = DriverSpec(**{**{f: getattr(SPEC, f) for f in SPEC.__struct_fields__}, "core": "gru", "learned_start": True})
    env = VecTransposeImage(cars())
    p = DriverPolicy(env.observation_space, env.action_space, lambda _: 1e-3, spec, PolicySettings(burn_in=3))  # type: ignore[arg-type]
    features, states = sequences(p)
    starts = torch.zeros(3, 7)
    starts[1, 0] = 1.0
    outputs, _ = p._process_sequence(features, states, starts.flatten(), p.lstm_actor)
    assert p.lstm_actor.core.start is not None
    for row, wanted in ((0, False), (1, True), (2, False)):
        loss = outputs.reshape(3, 7, -1)[row].sum()
        gradient = torch.autograd.grad(loss, p.lstm_actor.core.start, retain_graph=True, allow_unused=True)[0]
        assert (gradient is not None and bool(gradient.any())) is wanted


def test_evaluate_policy_takes_a_driver_as_it_is() -> None:
    p = policy("gru")
    returns = [evaluate_policy(given, cars(), 3, warn=False, return_episode_rewards=True) for given in (p, p.driver())]
    assert returns[0] == returns[1] and len(returns[0][0]) == 3
