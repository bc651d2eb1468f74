"""Reinforcement learning: equal to the stock way, to a hand's sums, and to itself after an interruption."""

from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecTransposeImage

from lanekeep.cli.main import main
from lanekeep.errors import UserError
from lanekeep.reinforcement import DriverPolicy, Rewards, SB3VecEnv
from lanekeep.reinforcement.gymnasium_task import GymnasiumTask, made
from lanekeep.reinforcement.lane_keeping_task import LaneKeepingTask
from lanekeep.reinforcement.settings import TrainRL
from lanekeep.reinforcement.train import Training, train
from lanekeep_policies import DriverSpec
from lanekeep_policies.checkpoint import load_driver

SPEC = DriverSpec(core="ncp", camera_height=16, camera_width=24, curvature_limit_per_m=0.02)
SMALL = {"camera": "16x24", "cars": 2, "horizon": 16, "batch": 16, "epochs": 2, "validation_km": 0.1}


def cars(number: int = 2, **settings: object) -> SB3VecEnv:
    return SB3VecEnv(number, Rewards(), scenario="country", camera="16x24", **settings)


def policy(core: str = "ncp", **settings: object) -> DriverPolicy:
    env = VecTransposeImage(cars())
    spec = DriverSpec(core=core, camera_height=16, camera_width=24, curvature_limit_per_m=0.02)
    return DriverPolicy(env.observation_space, env.action_space, lambda _: 1e-3, spec, **settings)  # type: ignore[arg-type]


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
    assert again.settings == p.settings and torch.equal(again.log_std, p.log_std)


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


def test_a_road_that_ends_is_not_a_death_and_the_terms_are_the_reward(tmp_path: Path) -> None:
    road = tmp_path / "short.toml"
    road.write_text('description = "a short road"\n[road]\nlength_m = 100\n')
    world = SB3VecEnv(3, Rewards(), scenario=str(road), camera="16x24")
    world.begin([7])
    seen = {"departed": 0, "ended": 0}
    for _ in range(200):
        observation, reward, done, infos = world.step(np.array([[0.0], [0.3], [-0.2]], np.float32))
        assert reward == pytest.approx(np.sum([t for t in world.terms.values()], 0), abs=1e-6)
        for i in np.flatnonzero(done):
            info = infos[i]
            assert info["TimeLimit.truncated"] is not info["departed"]
            assert info["terminal_observation"].shape == (16, 24, 3)
            assert not np.array_equal(info["terminal_observation"], observation[i])
            assert world.terms["departure"][i] == (-1.0 if info["departed"] else 0.0)
            seen["departed" if info["departed"] else "ended"] += 1
    assert seen["departed"] > 5 and seen["ended"] > 0


def test_after_a_time_out_the_learner_goes_on_with_the_value_of_what_would_have_come(tmp_path: Path) -> None:
    road = tmp_path / "short.toml"
    road.write_text('description = "a short time"\ntime_limit_s = 0.5\n')
    training = Training(TrainRL(tmp_path / "a", scenario=str(road), **{**SMALL, "horizon": 32}))
    ppo, told = training.ppo, []
    with torch.no_grad():
        training.policy.value_net.bias.fill_(3.0)
    ppo._setup_learn(64, training)
    ppo.set_logger(configure(None, []))
    step, terms = training.task.vec_env.step_wait, []

    def note() -> object:
        result = step()
        told.append(result[3])
        terms.append(result[1].copy())
        return result

    training.task.vec_env.step_wait = note  # type: ignore[method-assign]
    ppo.collect_rollouts(ppo.env, training, ppo.rollout_buffer, 32)
    more = ppo.rollout_buffer.rewards - np.array(terms)
    ended = np.array([[info.get("TimeLimit.truncated", False) for info in infos] for infos in told])
    assert ended.any() and (more[ended] > 1.0).all() and np.abs(more[~ended]).max() < 1e-6


def test_a_collapse_is_told_from_noise() -> None:
    random = np.random.default_rng(0)
    elsewhere = GymnasiumTask(TrainRL(Path("nowhere"), env_id="Pendulum-v1", cars=1, horizon=32, batch=32), None)
    elsewhere.returns = list(random.normal(-1200.0, 300.0, 20_000))
    assert elsewhere.collapse([]) == ""
    elsewhere.returns[200:500] = list(random.normal(-300.0, 100.0, 300))
    assert "after -2" in elsewhere.collapse([])
    here = LaneKeepingTask(TrainRL(Path("nowhere"), **SMALL), None)  # type: ignore[arg-type]
    assert here.collapse([60.0] * 20 + [1.0] * 10 + [2.0] * 10) == ""
    assert here.collapse([60.0] * 20 + [1.0] * 10 + [30.0] * 10) == "30.0 departures per km after 1.0"


def test_burn_in_leaves_a_learned_start_its_gradient() -> None:
    spec = DriverSpec(**{**{f: getattr(SPEC, f) for f in SPEC.__struct_fields__}, "core": "gru", "learned_start": True})
    env = VecTransposeImage(cars())
    p = DriverPolicy(env.observation_space, env.action_space, lambda _: 1e-3, spec, burn_in=3)  # type: ignore[arg-type]
    features, states = sequences(p)
    starts = torch.zeros(3, 7)
    starts[1, 0] = 1.0
    outputs, _ = p._process_sequence(features, states, starts.flatten(), p.lstm_actor)
    assert p.lstm_actor.core.start is not None
    for row, wanted in ((0, False), (1, True), (2, False)):
        loss = outputs.reshape(3, 7, -1)[row].sum()
        gradient = torch.autograd.grad(loss, p.lstm_actor.core.start, retain_graph=True, allow_unused=True)[0]
        assert (gradient is not None and bool(gradient.any())) is wanted


def test_advantages_are_those_of_a_sum_by_hand(tmp_path: Path) -> None:
    training = Training(TrainRL(tmp_path / "a", **SMALL))
    ppo = training.ppo
    ppo._setup_learn(32, training)
    assert ppo.collect_rollouts(ppo.env, training, ppo.rollout_buffer, 16)
    buffer, s = ppo.rollout_buffer, training.settings
    for car in range(2):
        advantage = 0.0
        for t in reversed(range(15)):  # the last step's successor is not in the buffer
            alive = 1.0 - buffer.episode_starts[t + 1, car]
            surprise = buffer.rewards[t, car] + s.gamma * alive * buffer.values[t + 1, car] - buffer.values[t, car]
            advantage = surprise + s.gamma * s.gae_lambda * alive * (
                buffer.advantages[t + 1, car] if t == 14 else advantage
            )
            assert buffer.advantages[t, car] == pytest.approx(advantage, abs=1e-5)


def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(TrainRL(whole, steps=128, warm_up=1, entropy=0.01, **SMALL))
    stop = Training(TrainRL(cut, steps=128, warm_up=1, entropy=0.01, **SMALL), lambda: stop.rollout == 2)
    stop.ppo.set_logger(configure(None, []))
    stop.ppo.learn(128, stop, reset_num_timesteps=False)
    assert stop.rollout == 2 and stop.stopped
    train(TrainRL(cut, steps=128, warm_up=1, entropy=0.01, **SMALL))
    for name in ("weights.safetensors", "training.safetensors"):
        assert (whole / name).read_bytes() == (cut / name).read_bytes()
    train(TrainRL(cut, steps=128, warm_up=1, entropy=0.01, **SMALL))  # nothing left to do
    with pytest.raises(UserError, match="was trained with gamma"):
        train(TrainRL(cut, steps=128, warm_up=1, entropy=0.01, gamma=0.5, **SMALL))


def test_evaluate_policy_takes_a_driver_as_it_is() -> None:
    p = policy("gru")
    returns = [evaluate_policy(given, cars(), 3, warn=False, return_episode_rewards=True) for given in (p, p.driver())]
    assert returns[0] == returns[1] and len(returns[0][0]) == 3


def test_a_learned_initial_state_is_where_episodes_begin_and_learns(tmp_path: Path) -> None:
    train(TrainRL(tmp_path / "a", steps=64, core="gru", learned_start=True, **SMALL))
    driver = load_driver(tmp_path / "a")
    assert driver.core.start is not None and bool((driver.core.start != 0.0).any())
    frame, start = np.zeros((2, 16, 24, 3), np.uint8), np.array([True, False])
    _, (state,) = driver.predict(frame, (np.zeros((2, driver.state_size), np.float32),), start)
    _, (first,) = driver.predict(frame)
    assert np.array_equal(state[0], first[0]) and not np.allclose(state[1], first[1])


def test_another_world_is_learned_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = TrainRL(tmp_path / "a", env_id="Pendulum-v1", steps=800, cars=2, horizon=200, batch=400, epochs=1)
    train(elsewhere)
    assert "mean return of 5 new episodes" in capsys.readouterr().out
    driver = load_driver(tmp_path / "a")
    assert driver.spec.numbers == 3 and driver.spec.env_id == "Pendulum-v1"
    assert evaluate_policy(driver, made("Pendulum-v1"), 1, warn=False)[0] < 0.0
    assert main(["evaluate", str(tmp_path / "a")]) == 2
    assert "made for 'Pendulum-v1', not for lane keeping" in capsys.readouterr().err


def test_an_action_that_lasts_earns_what_its_steps_would() -> None:
    once, lasting = made("Pendulum-v1"), made("Pendulum-v1", action_repeat=4)
    once.reset(seed=3), lasting.reset(seed=3)
    for action in (np.array([0.5], np.float32), np.array([-1.0], np.float32)):
        steps = [once.step(action) for _ in range(4)]
        seen, earned, *_ = lasting.step(action)
        assert np.array_equal(seen, steps[-1][0])
        assert earned == pytest.approx(sum(float(step[1]) for step in steps))
    ended = [lasting.step(action)[3] for _ in range(48)]
    assert ended == [False] * 47 + [True]  # 200 steps are 50 actions


def test_elsewhere_rewards_are_scaled_to_learn_from_and_returns_are_told_as_they_are() -> None:
    settings = TrainRL(Path("nowhere"), env_id="Pendulum-v1", cars=2, horizon=32, batch=32)
    elsewhere, plain = GymnasiumTask(settings, None), made("Pendulum-v1")
    elsewhere.vec_env.reset(), plain.reset(seed=0)
    learned, total = [], 0.0
    for _ in range(200):
        rewards = elsewhere.vec_env.step(np.zeros((2, 1), np.float32))[1]
        elsewhere.count()
        learned.append(rewards)
        total += float(plain.step(np.zeros(1, np.float32))[1])
    assert elsewhere.returns[0] == pytest.approx(total, rel=1e-5)
    assert total < -500.0 and np.abs(learned).max() <= 10.0 and np.abs(learned[100:]).mean() < 1.0


def test_the_scale_of_rewards_elsewhere_is_kept_when_a_training_is_gone_on_with(tmp_path: Path) -> None:
    settings = TrainRL(tmp_path / "a", env_id="Pendulum-v1", steps=128, cars=2, horizon=32, batch=64, epochs=1)
    first = Training(settings)
    first.task.vec_env.reset()
    for _ in range(40):
        first.task.vec_env.step(np.zeros((2, 1), np.float32))
    first.rollout, first.history = 1, [[64.0, -1000.0, -0.5]]
    first.save()
    again = Training(settings)
    assert vars(again.task.vec_env.ret_rms) != vars(first.task.vec_env.ret_rms)  # type: ignore[attr-defined]
    again.resume()
    assert vars(again.task.vec_env.ret_rms) == vars(first.task.vec_env.ret_rms)  # type: ignore[attr-defined]


def test_the_actions_of_another_world_are_brought_to_ours() -> None:
    env = made("Pendulum-v1")
    assert env.action_space == Box(-1.0, 1.0, (1,))
    env.reset(seed=0)
    env.step(np.array([-1.0], np.float32))
    assert env.unwrapped.last_u == -2.0  # type: ignore[attr-defined]


@pytest.mark.parametrize("observation", ["camera", "state"])
def test_a_driver_from_nothing_begins_near_straight_on(tmp_path: Path, observation: str) -> None:
    for seed in range(3):
        training = Training(TrainRL(tmp_path, observation=observation, seed=seed, cars=8))  # type: ignore[arg-type]
        driver, state, seen, actions = training.policy.driver(), None, training.task.begin([9]), []
        for _ in range(40):
            action, state = driver.predict(seen, state)
            actions.append(action)
            seen = training.task.vec_env.step(np.zeros_like(action))[0]
        assert abs(np.mean(actions[20:])) < training.settings.std


def test_while_the_critic_warms_up_the_driver_stays_as_it_was(tmp_path: Path) -> None:
    train(TrainRL(tmp_path / "a", steps=64, warm_up=2, start=None, **{**SMALL, "horizon": 32}))
    untrained = Training(TrainRL(tmp_path / "b", **{**SMALL, "horizon": 32})).policy.driver()  # type: ignore[arg-type]
    trained = load_driver(tmp_path / "a").state_dict()
    assert trained and all(torch.equal(value, untrained.state_dict()[name]) for name, value in trained.items())


def test_core_and_critic_learn_at_rates_of_their_own(tmp_path: Path) -> None:
    """The first step of Adam is as long as the learning rate, whatever the gradient."""
    rates = {"learning_rate": 1e-3, "core_learning_rate": 4e-3, "critic_learning_rate": 2e-3}
    p = Training(TrainRL(tmp_path, core="gru", **rates, **SMALL)).policy  # type: ignore[arg-type]
    before = {name: value.detach().clone() for name, value in p.named_parameters()}
    for parameter in p.parameters():
        parameter.grad = torch.ones_like(parameter)
    p.optimizer.step()
    moved = {name: float((before[name] - value.detach()).abs().max()) for name, value in p.named_parameters()}
    for name, length in moved.items():
        part = "core" if name.startswith(("lstm_actor", "action_net")) else "critic"
        rate = 1e-3 if name.startswith(("features_extractor", "log_std")) else rates[f"{part}_learning_rate"]
        assert length == (0.0 if not p.get_parameter(name).requires_grad else pytest.approx(rate, rel=1e-3)), name
    assert TrainRL(tmp_path, start="ncp").rate == 3e-4 and TrainRL(tmp_path).core_rate(liquid=True) == 5e-3


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--anchor needs a driver"):
        TrainRL(tmp_path, anchor=1.0)
    with pytest.raises(UserError, match="--batch must be from 2 to 32"):
        TrainRL(tmp_path, **{**SMALL, "batch": 64})
    with pytest.raises(UserError, match="held out for tests"):
        train(TrainRL(tmp_path / "b", scenario="night", **SMALL))
    with pytest.raises(UserError, match="no shipped driver"):
        train(TrainRL(tmp_path / "b", start="nonsense"))
    with pytest.raises(UserError, match="--camera is that of the driver it starts from"):
        TrainRL(tmp_path, start="ncp", camera="16x24")
    with pytest.raises(UserError, match="--scenario belongs to lane keeping, not to CarRacing-v3"):
        TrainRL(tmp_path, env_id="CarRacing-v3", scenario="rain")
    with pytest.raises(UserError, match="leaves a minibatch of a single step of the 33"):
        TrainRL(tmp_path, cars=3, horizon=11, batch=16)
    with pytest.raises(UserError, match="--burn-in must be from 0 to 15"):
        TrainRL(tmp_path, **{**SMALL, "burn_in": 20})
    with pytest.raises(UserError, match="--camera belongs to a driver that sees frames"):
        TrainRL(tmp_path, observation="state", camera="16x24")
    with pytest.raises(ValueError, match="without a memory"):
        train(TrainRL(tmp_path / "b", core="cnn", learned_start=True, **{**SMALL, "camera": "78x200"}))
    elsewhere = {"steps": 32, "cars": 1, "horizon": 32, "batch": 32}
    with pytest.raises(UserError, match=r"--env-id Pendelum-v1: .*Did you mean"):
        train(TrainRL(tmp_path / "b", env_id="Pendelum-v1", **elsewhere))
    with pytest.raises(UserError, match="bounded box"):
        train(TrainRL(tmp_path / "b", env_id="CartPole-v1", **elsewhere))
    with pytest.raises(UserError, match="made for lane keeping, not for Pendulum-v1"):
        train(TrainRL(tmp_path / "b", env_id="Pendulum-v1", start="ncp", **elsewhere))


def test_a_training_that_diverges_says_so_and_keeps_the_last_driver(tmp_path: Path) -> None:
    training = Training(TrainRL(tmp_path / "a", **SMALL))
    training.save()
    with torch.no_grad():
        training.policy.action_net.bias.fill_(np.nan)
    with pytest.raises(UserError, match="diverged in rollout 0"):
        training._on_rollout_start()
    assert bool(load_driver(tmp_path / "a").readout.bias.isfinite().all())
