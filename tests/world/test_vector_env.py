"""Many cars: each is the single environment under its own seed, byte for byte, whatever the others do."""

import copy
import gc
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from lanekeep_envs import LaneKeepingEnv, LaneKeepingVectorEnv


def plan(steps: int, cars: int, size: float = 0.7) -> np.ndarray:
    return np.random.default_rng(7).uniform(-size, size, (steps, cars, 1)).astype(np.float32)


def same_info(infos: dict[str, Any], i: int, info: dict[str, Any]) -> None:
    for key, value in info.items():
        if key == "reward_terms":
            assert {term: infos[key][term][i] for term in value} == value
        else:
            assert np.array_equal(infos[key][i], value), key


def test_next_step_autoreset_is_the_single_car_with_reset_called() -> None:
    cars, steps, seed = 3, 160, 40
    many, actions = LaneKeepingVectorEnv(cars), plan(steps, cars)
    singles = [LaneKeepingEnv() for _ in range(cars)]
    frames, infos = many.reset(seed=seed)
    over, resets = [False] * cars, 0
    for i, one in enumerate(singles):
        frame, info = one.reset(seed=seed + i)
        assert frames[i].tobytes() == frame.tobytes()
        same_info(infos, i, info)
    for row in actions:
        frames, rewards, terminated, truncated, infos = many.step(row)
        for i, one in enumerate(singles):
            if over[i]:
                (frame, info), reward, ends = one.reset(), 0.0, (False, False)
                resets += 1
            else:
                frame, reward, *ends, info = one.step(row[i])
            assert frames[i].tobytes() == frame.tobytes()
            assert rewards[i] == reward and (terminated[i], truncated[i]) == tuple(ends)
            same_info(infos, i, info)
            over[i] = any(ends)
    assert resets >= 2 * cars


def test_same_step_autoreset_hands_over_the_last_observation_and_info() -> None:
    cars, resets = 3, 0
    many = LaneKeepingVectorEnv(cars, camera="16x40", autoreset_mode=AutoresetMode.SAME_STEP)
    singles = [LaneKeepingEnv(camera="16x40") for _ in range(cars)]
    many.reset(seed=[5, -6, 2**70])
    for one, seed in zip(singles, (5, -6, 2**70), strict=True):
        one.reset(seed=seed)
    for row in plan(150, cars):
        frames, rewards, terminated, truncated, infos = many.step(row)
        assert ("final_obs" in infos) == bool((terminated | truncated).any())
        for i, one in enumerate(singles):
            frame, reward, *ends, info = one.step(row[i])
            assert rewards[i] == reward and (terminated[i], truncated[i]) == tuple(ends)
            if any(ends):
                assert infos["_final_obs"][i] and infos["_final_info"][i]
                assert np.array_equal(infos["final_obs"][i], frame)
                same_info(infos["final_info"], i, info)
                frame, info = one.reset()
                resets += 1
            same_info(infos, i, info)
            assert np.array_equal(frames[i], frame)
    assert resets >= cars


def test_without_autoreset_a_finished_car_rests_until_its_mask_is_set() -> None:
    many = LaneKeepingVectorEnv(3, camera="16x40", autoreset_mode="Disabled")
    many.rest_when_finished = True
    single = LaneKeepingEnv(camera="16x40")
    many.reset(seed=9)
    actions = np.array([[1.0], [0.0], [0.0]], np.float32)
    terminated = np.zeros(3, bool)
    while not terminated[0]:
        frames, _, terminated, _, _ = many.step(actions)
    rested = frames[0].copy()
    frames, _, terminated, _, infos = many.step(actions)
    assert terminated[0] and np.array_equal(frames[0], rested)
    elapsed = infos["elapsed_s"]
    first, infos = many.reset(seed=[50, 60, 70], options={"reset_mask": np.array([True, False, False])})
    frame, info = single.reset(seed=50)
    assert np.array_equal(first[0], frame)
    same_info(infos, 0, info)
    assert np.array_equal(first[1:], frames[1:]) and np.array_equal(infos["elapsed_s"][1:], elapsed[1:])
    for row in plan(5, 3, 0.2):
        assert np.array_equal(many.step(row)[0][0], single.step(row[0])[0])


def test_a_car_does_not_depend_on_its_neighbours() -> None:
    few, many = LaneKeepingVectorEnv(2, camera="16x40"), LaneKeepingVectorEnv(5, camera="16x40")
    few.reset(seed=3)
    many.reset(seed=1)  # car 0 of the few is car 2 of the many
    for row in plan(80, 5):
        assert np.array_equal(many.step(row)[0][2:4], few.step(row[2:4])[0])


def test_gymnasium_makes_this_one() -> None:
    envs = gymnasium.make_vec("lanekeep_envs:LaneKeeping-v0", num_envs=3, camera="16x40")
    assert isinstance(envs.unwrapped, LaneKeepingVectorEnv)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    frames, _ = envs.reset(seed=np.int64(2))
    assert envs.observation_space.contains(frames)
    frames, rewards, terminated, truncated, _ = envs.step(envs.action_space.sample())
    assert envs.observation_space.contains(frames)
    assert (rewards.shape, terminated.dtype, truncated.dtype) == ((3,), np.bool_, np.bool_)
    envs.close()


def same(mine: Any, its: Any, told: Any = slice(None)) -> None:
    """Infos of one form: keys, masks, types and shapes; and the same values of the cars of which they tell."""
    if not isinstance(its, dict):
        assert (type(mine), mine.dtype, mine.shape) == (type(its), its.dtype, its.shape)
        for one, other in zip(mine[told], its[told], strict=True):
            assert np.array_equal(one, other)
        return
    assert set(mine) == set(its)
    for key, value in its.items():
        same(mine[key], value, its.get(f"_{key}", told))


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_gymnasiums_own_vector_of_single_cars_gives_the_same_also_in_infos(mode: AutoresetMode) -> None:
    arguments: dict[str, Any] = {"num_envs": 3, "camera": "16x40"}
    ours = gymnasium.make_vec("lanekeep_envs:LaneKeeping-v0", autoreset_mode=mode, **arguments)
    theirs = gymnasium.make_vec(
        "lanekeep_envs:LaneKeeping-v0", vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}, **arguments
    )
    both, ends = [envs.reset(seed=11) for envs in (ours, theirs)], 0
    for row in plan(150, 3):
        for mine, its in zip(both[0][:-1], both[1][:-1], strict=True):
            assert (mine.dtype, np.array_equal(mine, its)) == (its.dtype, True)
        same(both[0][-1], both[1][-1])
        over = np.logical_or(*both[1][2:4]) if len(both[1]) == 5 else np.zeros(3, np.bool_)
        ends += over.sum()
        if mode is AutoresetMode.DISABLED and over.any():
            both = [envs.reset(options={"reset_mask": over}) for envs in (ours, theirs)]
        else:
            both = [envs.step(row) for envs in (ours, theirs)]
    assert ends >= 3
    ours.close()
    theirs.close()


def test_snapshots_of_many_cars_restore_all_of_them() -> None:
    env = LaneKeepingVectorEnv(3, camera="16x40")
    env.reset(seed=0)
    for row in plan(30, 3):
        env.step(row)
    snapshot = env.snapshot()
    first = [env.step(row)[:4] for row in plan(90, 3)]
    assert any((step[2] | step[3]).any() for step in first)
    frames = env.restore(snapshot)
    for car in range(3):
        assert np.array_equal(env.view(snapshot, car=car).image, frames[car])
    for row, then in zip(plan(90, 3), first, strict=True):
        for mine, its in zip(env.step(row)[:4], then, strict=True):
            assert np.array_equal(mine, its)
    with pytest.raises(ValueError, match="3 car"):
        LaneKeepingVectorEnv(2, camera="16x40").restore(snapshot)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"num_envs": 0}, "num_envs"),
        ({"observation": "pixels"}, "observation"),
        ({"render_mode": "human"}, "render_mode"),
        ({"camera": "big"}, "camera"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        LaneKeepingVectorEnv(**arguments)


def test_bad_actions_and_seeds_are_refused_and_no_car_moves() -> None:
    env = LaneKeepingVectorEnv(3, camera="16x40")
    env.reset(seed=0)
    before = env.snapshot().state.cars.tobytes()
    actions = np.zeros((3, 1))
    actions[1] = np.nan
    with pytest.raises(ValueError, match="action of car 1 is not finite"):
        env.step(actions)
    with pytest.raises(ValueError, match=r"an array \[3, 1\], not \[3, 2\]"):
        env.step(np.zeros((3, 2)))
    for seeds in ([1, 2], [1, 2, 3, 4]):
        with pytest.raises(ValueError, match="3 seed"):
            env.reset(seed=seeds)
    with pytest.raises(ValueError, match="start_m must be"):
        env.reset(seed=5, options={"start_m": [None, 20.0, -4.0]})
    for seed in (0.5, "7", [1, 2.0, 3], {1, 2, 3}):
        with pytest.raises(ValueError, match="whole number"):
            env.reset(seed=seed)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="reset takes the options reset_mask and start_m, not 'start'"):
        env.reset(options={"start": [0.0] * 3})
    for key, wrong in (("start_m", 30.0), ("start_m", [30.0]), ("reset_mask", [True]), ("reset_mask", [1, 0, 0])):
        with pytest.raises(ValueError, match=f"{key} is"):
            env.reset(options={key: wrong})
    with pytest.raises(gymnasium.error.ResetNeeded):
        LaneKeepingVectorEnv(2, camera="16x40").snapshot()
    assert env.snapshot().state.cars.tobytes() == before


@pytest.mark.parametrize("acceleration", [False, True])
def test_an_action_has_the_shape_of_its_space_and_no_other(acceleration: bool) -> None:
    many = LaneKeepingVectorEnv(4, camera="16x40", acceleration=acceleration)
    one, numbers = LaneKeepingEnv(camera="16x40", acceleration=acceleration), 1 + acceleration
    many.reset(seed=0)
    one.reset(seed=0)
    for shape in ((2, 4), (8,), (4,), (1, 4), (4, numbers, 1), (5, numbers), (4, 3 - numbers)):
        with pytest.raises(ValueError, match=rf"an array \[4, {numbers}\]"):
            many.step(np.zeros(shape))
    for shape in ((), (1, numbers), (numbers, 1), (3 - numbers,), (0,)):
        with pytest.raises(ValueError, match=rf"an array \[{numbers}\]"):
            one.step(np.zeros(shape))


def test_a_finished_car_is_not_driven_on_alone_or_among_others() -> None:
    """Its reward would be given a second time."""
    many, one = LaneKeepingVectorEnv(2, camera="16x40", autoreset_mode="Disabled"), LaneKeepingEnv(camera="16x40")
    many.reset(seed=9)
    one.reset(seed=9)
    while not many.step([[1.0], [0.0]])[2][0]:
        one.step([1.0])
    assert one.step([1.0])[2]
    for env, action in ((many, [[0.0], [0.0]]), (one, [0.0])):
        with pytest.raises(gymnasium.error.ResetNeeded, match="car 0 is over"):
            env.step(action)
    many.reset(options={"reset_mask": np.array([True, False])})
    one.reset()
    assert np.array_equal(many.step([[0.0], [0.0]])[0][0], one.step([0.0])[0])


def test_a_reset_of_some_shows_the_others_as_they_were() -> None:
    """Whatever has been done to the frames that were handed out."""
    cars = LaneKeepingVectorEnv(3, camera="16x32", autoreset_mode="Disabled")
    cars.reset(seed=5)
    for _ in range(4):
        before, *_ = cars.step(np.full((3, 1), 0.2))
    kept = before.copy()
    before[:] = 0
    after, _ = cars.reset(seed=[0, 9, 0], options={"reset_mask": np.array([False, True, False])})
    alone, _ = LaneKeepingVectorEnv(1, camera="16x32").reset(seed=9)
    assert np.array_equal(after[[0, 2]], kept[[0, 2]]) and np.array_equal(after[1], alone[0])
    assert np.array_equal(after, cars.restore(cars.snapshot()))


def test_a_copied_renderer_sees_the_same_when_the_first_is_gone() -> None:
    env = LaneKeepingVectorEnv(2)
    seen, _ = env.reset(seed=3)
    copied = copy.deepcopy(env._renderer)
    state = env._state.copied()
    del env
    gc.collect()
    assert np.array_equal(copied.images(state), seen)
