"""Driver: a sequence equals its steps, memory is per car, stable-baselines3 takes it as it is, wrong frames are refused."""

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3.common.evaluation import evaluate_policy

from lanekeep_policies import CORES, Driver, DriverSpec


def make(core: str = "ncp", seed: int = 0) -> Driver:
    return Driver.build(DriverSpec(core=core, camera_height=16, camera_width=32, curvature_limit_per_m=0.02), seed)


def frames(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*shape, 16, 32, 3), np.uint8)


@pytest.mark.parametrize("core", CORES)
def test_a_sequence_equals_its_steps(core: str) -> None:
    driver, sight = make(core), frames(3, 7)
    with torch.no_grad():
        whole, end = driver(torch.from_numpy(sight), driver.initial_state(3))
    state = driver.initial_state(3)
    for t in range(7):
        action, state = driver.step(sight[:, t], state)
        assert np.abs(action - whole[:, t].numpy()).max() < 1e-5
    assert torch.allclose(state, end, atol=1e-5)


@pytest.mark.parametrize("core", CORES)
def test_a_stepper_takes_the_same_steps(core: str) -> None:
    driver, sight = make(core), frames(3, 4)
    state = same = driver.initial_state(3)
    step = driver.stepper()
    for t in range(4):
        action, state = driver.step(sight[:, t], state)
        again, same = step(sight[:, t], same)
        np.testing.assert_allclose(again, action, rtol=0.0, atol=1e-6)
    with pytest.raises(FloatingPointError, match="not finite"):
        driver.readout.bias.data.fill_(torch.nan)
        step(sight[:, 0], state)


@pytest.mark.parametrize("core", CORES)
def test_predict_keeps_one_memory_per_row_and_resets_single_rows(core: str) -> None:
    driver, sight = make(core), frames(4, 5)
    _, state = driver.predict(sight[:, 0])
    _, state = driver.predict(sight[:, 1], state)
    fresh = np.array([False, True, False, False])
    mixed, _ = driver.predict(sight[:, 2], state, fresh)
    kept, _ = driver.predict(sight[:, 2], state)
    anew, _ = driver.predict(sight[:, 2])
    assert np.array_equal(mixed[~fresh], kept[~fresh]) and np.array_equal(mixed[fresh], anew[fresh])
    assert np.array_equal(kept[fresh], anew[fresh]) == (driver.state_size == 0)
    one, _ = driver.predict(sight[0, 0])
    assert one.shape == (1,) and np.abs(mixed).max() <= 1.0


class Flashes(gymnasium.Env[np.ndarray, np.ndarray]):
    """Random frames; the reward is the action, so that evaluate_policy returns what the driver did."""

    observation_space = gymnasium.spaces.Box(0, 255, (16, 32, 3), np.uint8)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, object] | None = None):  # type: ignore[no-untyped-def]
        self.t = 0
        return frames(6)[0], {}

    def step(self, action: np.ndarray):  # type: ignore[no-untyped-def]
        self.t += 1
        return frames(6)[self.t % 6], float(action[0]), self.t == 5, False, {}


@pytest.mark.filterwarnings("ignore:Evaluation environment is not wrapped with a ``Monitor``")
@pytest.mark.parametrize("core", CORES)
def test_evaluate_policy_drives_it_with_its_memory(core: str) -> None:
    driver = make(core)
    mean, _ = evaluate_policy(driver, Flashes(), n_eval_episodes=2)  # type: ignore[arg-type]
    state, total = driver.initial_state(1), 0.0
    for t in range(5):
        action, state = driver.step(frames(6)[None, t], state)
        total += float(np.clip(action, -1.0, 1.0)[0, 0])
    assert mean == pytest.approx(total, abs=1e-5)


def test_weights_follow_from_the_seed_alone_and_leave_torchs_generator_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    one, other, third = make(seed=3).state_dict(), make(seed=3).state_dict(), make(seed=4).state_dict()
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert any(not torch.equal(one[name], third[name]) for name in one)


def test_what_is_wrong_is_refused_with_a_sentence() -> None:
    driver = make()
    with pytest.raises(ValueError, match="reads uint8 frames of 16x32x3, not torch.uint8 of 48x160x3"):
        driver.step(np.zeros((1, 48, 160, 3), np.uint8), driver.initial_state(1))
    with pytest.raises(ValueError, match="reads uint8 frames"):
        driver.step(np.full((1, 16, 32, 3), np.nan, np.float32), driver.initial_state(1))  # type: ignore[arg-type]
    with pytest.raises(FloatingPointError, match="not finite"):
        driver.step(frames(1), driver.initial_state(1) + torch.inf)
    with pytest.raises(ValueError, match="hold NaN"):
        driver.step(frames(1), driver.initial_state(1) * torch.nan)
    with pytest.raises(ValueError, match="unknown core 'npc': did you mean ncp"):
        make("npc")


def test_calibrated_actions_have_the_mean_and_twice_the_deviation_of_the_answers() -> None:
    """Whatever the seed: the untrained circuit rests anywhere and hardly moves."""
    sight = torch.from_numpy(frames(4, 6))
    answers = torch.from_numpy(np.random.default_rng(1).normal(0.1, 0.3, (4, 6, 1)).astype(np.float32))
    for seed in range(3):
        driver = make(seed=seed)
        driver.calibrate(sight, answers)
        with torch.no_grad():
            actions, _ = driver(sight, driver.initial_state(4))
        settled = actions[:, 3:]
        assert float(settled.mean()) == pytest.approx(float(answers.mean()), abs=1e-4)
        assert float(settled.std()) == pytest.approx(2.0 * float(answers.std()), rel=1e-3)
    lstm = make("lstm")
    before = lstm.readout.weight.clone()
    lstm.calibrate(sight, answers)
    assert torch.equal(lstm.readout.weight, before)
