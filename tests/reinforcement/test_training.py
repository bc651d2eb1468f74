"""A training by reward: equal to a hand's sums, and to itself after an interruption."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3.common.logger import configure

from lanekeep.cli.main import main
from lanekeep.errors import UserError
from lanekeep.reinforcement.settings import TrainRL
from lanekeep.reinforcement.train import Training, train
from lanekeep_files.locks import HeldError, held
from lanekeep_policies.checkpoint import load_driver

SMALL = {"camera": "16x24", "cars": 2, "horizon": 16, "batch": 16, "epochs": 2, "validation_km": 0.1}


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


def stop_after(rollouts: int, settings: TrainRL) -> None:
    """Train as if Ctrl-C had been pressed in the last of so many rollouts."""
    training = Training(settings, lambda: training.rollout == rollouts)
    training.ppo.set_logger(configure(None, []))
    training.ppo.learn(settings.steps, training, reset_num_timesteps=False)
    assert training.rollout == rollouts and training.stopped


def test_a_training_resumed_after_any_number_of_rollouts_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    train(TrainRL(whole, steps=128, warm_up=1, entropy=0.01, **SMALL))
    for rollouts in range(4):
        cut = tmp_path / str(rollouts)
        stop_after(rollouts, TrainRL(cut, steps=128, warm_up=1, entropy=0.01, **SMALL))
        train(TrainRL(cut, steps=128, warm_up=1, entropy=0.01, **SMALL))
        names = [{path.name for path in out.glob("*.safetensors")} for out in (whole, cut)]  # their digests
        assert len(names[0]) == 2 and names[0] == names[1]
    train(TrainRL(cut, steps=128, warm_up=1, entropy=0.01, **SMALL))  # nothing left to do
    with pytest.raises(UserError, match="was trained with gamma"):
        train(TrainRL(cut, steps=128, warm_up=1, entropy=0.01, gamma=0.5, **SMALL))


@pytest.mark.parametrize("start", [False, True])
def test_a_training_stopped_before_its_first_rollout_leaves_no_driver_and_the_folder_is_free(
    start: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A driver that it starts from is as little trained here as a new one."""
    new: dict[str, Any] = {"camera": "16x24"}
    if start:
        train(TrainRL(tmp_path / "first", steps=32, **SMALL))
        new = {"start": f"{tmp_path}/first"}
    small = {**{name: value for name, value in SMALL.items() if name != "camera"}, **new}
    stop_after(0, TrainRL(tmp_path / "a", steps=64, **small))
    for command in ("evaluate {} --km 0.1", "watch {} --seconds 0.1 --video a.mp4", "train rl b --start {}"):
        assert main(command.format(tmp_path / "a").split()) == 2
        assert "a holds an untrained driver" in capsys.readouterr().err
    train(TrainRL(tmp_path / "a", steps=32, gamma=0.5, **small))
    train(TrainRL(tmp_path / "b", steps=32, gamma=0.5, **small))
    names = [{path.name for path in (tmp_path / name).glob("*.safetensors")} for name in "ab"]
    assert names[0] == names[1]


def test_a_second_training_in_a_folder_is_told_who_trains_there(tmp_path: Path) -> None:
    settings = TrainRL(tmp_path / "a", steps=32, **SMALL)
    with held(tmp_path / "a", "a training"):
        sentence = f"a is in use for a training, by process {os.getpid()} on .*, since 20"
        with pytest.raises(HeldError, match=sentence):
            train(settings)
        assert not (tmp_path / "a" / "driver.toml").exists()
    train(settings)


def test_a_learned_initial_state_is_where_episodes_begin_and_learns(tmp_path: Path) -> None:
    train(TrainRL(tmp_path / "a", steps=64, core="gru", learned_start=True, **SMALL))
    driver = load_driver(tmp_path / "a")
    assert driver.core.start is not None and bool((driver.core.start != 0.0).any())
    frame, start = np.zeros((2, 16, 24, 3), np.uint8), np.array([True, False])
    _, (state,) = driver.predict(frame, (np.zeros((2, driver.state_size), np.float32),), start)
    _, (first,) = driver.predict(frame)
    assert np.array_equal(state[0], first[0]) and not np.allclose(state[1], first[1])


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
