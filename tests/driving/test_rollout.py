"""A rollout drives its cars as their environment would, puts some down without touching the others, and forks exactly."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lanekeep.driving.controllers import DriverController, ExpertController
from lanekeep.driving.disturbance import DisturbedController
from lanekeep.driving.rollout import Outcome, Rollout, cars_on
from lanekeep.driving.seeds import Place
from lanekeep_envs import Camera, Element, LaneKeepingEnv, Remove, load_scenario
from lanekeep_policies import Driver, DriverSpec

COUNTRY = load_scenario("country")
LIMIT = COUNTRY.curvature_limit_per_m
CAMERA = Camera(height_px=16, width_px=32)
PLACES = [Place(3), Place(4, 200.0), Place(5)]


def untrained() -> Driver:
    return Driver.build(DriverSpec(core="lstm", camera_height=16, camera_width=32, curvature_limit_per_m=LIMIT), 0)


def rollout_of_drivers() -> tuple[Rollout, DriverController]:
    controller = DriverController(untrained(), len(PLACES))
    rollout = Rollout(cars_on(COUNTRY, CAMERA, len(PLACES)), controller)
    rollout.put_down(PLACES)
    return rollout, controller


class ZeroController:
    """Drives straight on."""

    def act(self, frames: NDArray[Any], infos: dict[str, Any]) -> NDArray[np.float64]:
        return np.zeros((len(frames), 1))

    def forget(self, cars: NDArray[np.bool_]) -> None:
        pass


def test_each_car_is_driven_as_it_would_be_alone() -> None:
    rollout = Rollout(cars_on(COUNTRY, CAMERA, len(PLACES)), ExpertController(LIMIT))
    rollout.put_down(PLACES)
    outcomes = [rollout.step() for _ in range(20)]
    for car, place in enumerate(PLACES):
        env = LaneKeepingEnv(COUNTRY, CAMERA)
        frame, info = env.reset(seed=place.seed, options={} if place.start_m is None else {"start_m": place.start_m})
        for outcome in outcomes:
            frame, _, _, _, info = env.step(outcome.actions[car])
            assert info["distance_m"] == outcome.distance_m[car]
        assert np.array_equal(frame, rollout.frames[car])


def test_a_car_that_is_put_down_leaves_the_others_and_their_memories_alone() -> None:
    rollout, controller = rollout_of_drivers()
    for _ in range(3):
        rollout.step()
    frames, state = rollout.frames.copy(), controller.state.clone()
    rollout.put_down([None, Place(9, 100.0), None])
    assert rollout.infos["road_seed"].tolist() == [3, 9, 5] and rollout.infos["distance_m"][1] == pytest.approx(100.0)
    assert np.array_equal(rollout.frames[[0, 2]], frames[[0, 2]]) and (controller.state[[0, 2]] == state[[0, 2]]).all()
    assert (controller.state[1] == untrained().initial_state(1)[0]).all() and (state[1] != 0.0).any()


def test_from_a_snapshot_it_drives_on_as_it_would_have() -> None:
    rollout, controller = rollout_of_drivers()
    rollout.step()
    snapshot, state = rollout.env.snapshot(), controller.state.clone()
    infos = rollout.infos
    expected = [rollout.step() for _ in range(5)]
    rollout.restore(snapshot)
    controller.state = state
    assert all(np.array_equal(rollout.infos[name], infos[name]) for name in ("distance_m", "curvature_preview_per_m"))
    for outcome in expected:
        again = rollout.step()
        assert all(np.array_equal(a, b) for a, b in zip(again, outcome, strict=True))


def test_under_interventions_each_car_sees_its_own_world() -> None:
    rollout, _ = rollout_of_drivers()
    plain = rollout.frames.copy()
    rollout.variants = [(), (Remove(Element.RIGHT_MARKING),), ()]
    rollout.decide()
    assert np.array_equal(rollout.frames[[0, 2]], plain[[0, 2]]) and not np.array_equal(rollout.frames[1], plain[1])


@pytest.mark.parametrize(
    ("departed", "finished", "distance_m", "over", "back_m"),
    [
        (False, False, 50.0, False, None),
        (True, False, 50.0, False, 51.0),
        (True, False, 99.5, True, 100.5),  # it would be put back beyond the end
        (False, False, 100.0, True, None),
        (False, True, 50.0, True, None),
    ],
)
def test_a_car_goes_on_a_metre_further_until_its_road_is_over(
    departed: bool, finished: bool, distance_m: float, over: bool, back_m: float | None
) -> None:
    outcome = Outcome(np.zeros((1, 1)), np.array([departed]), np.array([finished]), np.array([distance_m]))
    assert outcome.is_over(0, 100.0) == over
    assert outcome.put_back(0, 7) == (None if back_m is None else Place(7, back_m))


def test_the_disturbance_has_its_deviation_and_its_correlation_and_is_forgotten() -> None:
    controller = DisturbedController(ZeroController(), 4000, 0.1, np.random.default_rng(0))
    drawn = np.stack([controller.act(np.empty(4000), {})[:, 0] for _ in range(60)])
    assert drawn[-1].std() == pytest.approx(0.1, rel=0.05)
    assert np.corrcoef(drawn[-1], drawn[-11])[0, 1] == pytest.approx(np.exp(-1.0), abs=0.05)  # half a second apart
    controller.forget(np.arange(4000) < 2000)
    following = controller.act(np.empty(4000), {})[:, 0]
    assert following[:2000].std() < 0.06 < 0.09 < following[2000:].std()
