"""Tasks: what is earned is what the terms say, elsewhere too, and a collapse is told from noise."""

from pathlib import Path

import numpy as np
import pytest
from gymnasium.spaces import Box
from stable_baselines3.common.evaluation import evaluate_policy

from lanekeep.cli.main import main
from lanekeep.reinforcement.gymnasium_task import GymnasiumTask, made
from lanekeep.reinforcement.lane_keeping_task import LaneKeepingTask, SB3VecEnv
from lanekeep.reinforcement.rewards import Rewards
from lanekeep.reinforcement.settings import TrainRL
from lanekeep.reinforcement.train import Training, train
from lanekeep_policies.checkpoint import load_driver

SMALL = {"camera": "16x24", "cars": 2, "horizon": 16, "batch": 16, "epochs": 2, "validation_km": 0.1}


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
    first.history = [[64.0, -1000.0, -0.5]]
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
