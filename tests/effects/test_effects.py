"""Effects: laws that hold whatever a driver has learned, and a driver whose focus is known."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from lanekeep.driving.controllers import DriverController, ExpertController
from lanekeep.driving.drivers import open_driver, states_along
from lanekeep.effects import (
    RecordedDrive,
    ReRenderer,
    add_one_in,
    changed,
    closed_loop,
    coalitions,
    half_life_s,
    leave_one_out,
    now,
    placebo_threshold,
    placebos,
    pulse,
    record_drive,
    removal_of,
    seen_in,
    shapley,
    with_memory,
)
from lanekeep.faithfulness.known_driver import known_driver, painted
from lanekeep_envs import (
    CONTROL_STEP_S,
    GROUPS,
    REMOVABLE,
    Camera,
    Element,
    KeepOnly,
    LaneKeepingVectorEnv,
    load_scenario,
)
from lanekeep_policies import Driver, DriverSpec

COUNTRY = load_scenario("country")
CAMERA = Camera(height_px=24, width_px=80)
MARKINGS = (Element.LEFT_MARKING, Element.CENTRE_MARKING, Element.RIGHT_MARKING)


def driver_of(core: str) -> Driver:
    spec = DriverSpec(core=core, camera_height=24, camera_width=80, curvature_limit_per_m=COUNTRY.curvature_limit_per_m)
    return Driver.build(spec, 0).eval()


@pytest.fixture(scope="module")
def tape() -> RecordedDrive:
    return record_drive(ExpertController(COUNTRY.curvature_limit_per_m), COUNTRY, None, 10_000, 40)


def seen_by(driver: Driver, tape: RecordedDrive) -> tuple[ReRenderer, Any]:
    projector = ReRenderer(COUNTRY, CAMERA)
    return projector, states_along(driver, projector.frames(tape.snapshots)[:, 0])


def test_the_groups_hold_every_removable_element_once() -> None:
    assert sorted(e for group in GROUPS.values() for e in group) == sorted(REMOVABLE) and len(GROUPS) == 8


def test_a_tape_shows_what_was_seen(tape: RecordedDrive) -> None:
    env = LaneKeepingVectorEnv(1, COUNTRY, CAMERA, autoreset_mode="Disabled")
    frames, _ = env.reset(seed=[10_000])
    for shown, action in zip(ReRenderer(COUNTRY, CAMERA).frames(tape.snapshots)[:, 0], tape.actions, strict=True):
        assert np.array_equal(frames[0], shown)
        frames, *_ = env.step(np.full((1, 1), action))


@pytest.mark.parametrize("core", ["ncp", "lstm", "cnn"])
def test_the_effect_now_is_that_of_asking_twice(core: str, tape: RecordedDrive) -> None:
    driver = driver_of(core).double()  # else frames together and one by one differ by how a processor adds them up
    projector, states = seen_by(driver, tape)
    variants = [removal_of([Element.RIGHT_MARKING]), removal_of([Element.TREES, Element.SHADOWS])]
    effects = now(driver, projector, tape.snapshots[10:14], states[10:14], variants)
    for i in range(4):
        for v, variant in enumerate(variants):
            whole = projector.frame(tape.snapshots[10 + i]).image
            without = projector.frame(tape.snapshots[10 + i], variant).image
            actions = [float(driver.step(frame[None], states[10 + i : 11 + i])[0][0, 0]) for frame in (whole, without)]
            assert effects[i, v] == pytest.approx(actions[0] - actions[1], abs=1e-10)


def test_what_cannot_be_seen_has_no_effect_at_all(tape: RecordedDrive) -> None:
    """To the last bit: now, with memory, later, and in closed loop."""
    driver = driver_of("ncp")
    projector, states = seen_by(driver, tape)
    part = tape.snapshots[10:20]
    seen = {e for s in part for e in seen_in(projector.frame(s))}
    unseen = [removal_of([e]) for e in REMOVABLE if e not in seen]
    assert len(unseen) > 5 and Element.LAMP not in seen
    assert not now(driver, projector, part, states[10:20], unseen).any()
    assert not with_memory(driver, projector, part, states[10:11], unseen).any()
    assert not pulse(driver, projector, part, states[10:11], unseen).any()
    lamp = closed_loop(driver, CAMERA, tape, 10, states[10:11], [removal_of([Element.LAMP])])
    assert not lamp.offsets_m.any()


@pytest.mark.parametrize("core", ["ncp", "lstm", "cnn"])
def test_one_frame_of_memory_is_now_and_so_is_the_first_frame_of_a_pulse(core: str, tape: RecordedDrive) -> None:
    driver = driver_of(core)
    projector, states = seen_by(driver, tape)
    variants = [removal_of([e]) for e in MARKINGS]
    at_once = now(driver, projector, tape.snapshots[20:21], states[20:21], variants)[0]
    one = with_memory(driver, projector, tape.snapshots[20:21], states[20:21], variants)
    curves = pulse(driver, projector, tape.snapshots[20:30], states[20:21], variants)
    assert np.abs(at_once).max() > 1e-5
    np.testing.assert_allclose(one, at_once, atol=1e-6)
    np.testing.assert_allclose(curves[:, 0], at_once, atol=1e-6)
    if core == "cnn":
        assert not curves[:, 1:].any()
    else:
        assert np.abs(curves[:, 1]).max() > 1e-7


def test_with_memory_is_the_drive_seen_without_it(tape: RecordedDrive) -> None:
    driver, variant = driver_of("lstm"), removal_of([Element.RIGHT_MARKING])
    projector, states = seen_by(driver, tape)
    films = [projector.frames(tape.snapshots[10:30], [v])[:, 0] for v in ((), variant)]
    last = []
    for film in films:
        state = states[10:11]
        for frame in film:
            action, state = driver.step(frame[None], state)
        last.append(float(action[0, 0]))
    found = with_memory(driver, projector, tape.snapshots[10:30], states[10:11], [variant])
    assert found[0] == pytest.approx(last[0] - last[1], abs=1e-6)


def test_a_fork_without_an_intervention_is_the_drive_itself() -> None:
    """And one in which the car sees no marking is another one."""
    driver = open_driver("ncp")
    camera = Camera.parse("48x160")
    tape = record_drive(DriverController(driver, 1), COUNTRY, camera, 10_003, 70)
    states = states_along(driver, ReRenderer(COUNTRY, camera).frames(tape.snapshots)[:, 0])
    variants = [(), removal_of(MARKINGS)]
    forks = closed_loop(driver, camera, tape, 9, states[9:10], variants)
    assert np.abs(forks.offsets_m[0]).max() < 1e-6 and not forks.undisturbed_departed
    assert np.abs(forks.offsets_m[1]).max() > 0.05
    env = LaneKeepingVectorEnv(1, COUNTRY, camera, autoreset_mode="Disabled")
    env.reset(seed=[10_003])
    env.restore(tape.snapshots[9].forked(1))
    assert np.array_equal(env.snapshot().state.cars, tape.snapshots[9].state.cars)


def test_shapley_values_are_those_of_all_orders() -> None:
    table = np.random.default_rng(0).standard_normal((3, 16))
    brute = np.zeros((3, 4))
    orders = list(permutations(range(4)))
    for order in orders:
        present = 0
        for k in order:
            brute[:, k] += table[:, present | 1 << k] - table[:, present]
            present |= 1 << k
    np.testing.assert_allclose(shapley(table), brute / len(orders), atol=1e-12)
    np.testing.assert_allclose(shapley(table).sum(1), table[:, -1] - table[:, 0], atol=1e-12)


def test_two_that_back_each_other_up() -> None:
    """Leave-one-out calls both useless, add-one-in gives the whole to each, Shapley half to each."""
    table = np.array([0.0, 1.0, 1.0, 1.0])
    assert leave_one_out(table).tolist() == [0.0, 0.0]
    assert add_one_in(table).tolist() == [1.0, 1.0]
    assert shapley(table).tolist() == [0.5, 0.5]


def test_coalitions_are_pictures_with_those_groups_only(tape: RecordedDrive) -> None:
    groups = {name: GROUPS[name] for name in ("right marking", "things", "shadows")}
    rest = [e for name in GROUPS if name not in groups for e in GROUPS[name]]
    projector = ReRenderer(COUNTRY, CAMERA, removal_of(rest))
    shown = projector.frames(tape.snapshots[5:6], coalitions(list(groups.values())))[0]
    for present in range(8):
        kept = [e for k, group in enumerate(groups.values()) if present >> k & 1 for e in group]
        alone = ReRenderer(COUNTRY, CAMERA).frame(tape.snapshots[5], [KeepOnly(tuple(kept))]).image
        assert np.array_equal(shown[present], alone)
    with pytest.raises(ValueError, match="at most 8"):
        coalitions([(e,) for e in REMOVABLE[:9]])


def test_a_placebo_cannot_be_seen_and_sets_a_floor(tape: RecordedDrive) -> None:
    driver = driver_of("ncp")
    projector, states = seen_by(driver, tape)
    frames = projector.frames(tape.snapshots[:3])[:, 0]
    drawn = placebos(frames)
    assert set(np.unique(drawn.astype(int) - frames[:, None])) == {-1, 0, 1}
    assert np.array_equal(drawn, placebos(frames))
    floor = placebo_threshold(driver, frames, states[:3])
    effects = now(driver, projector, tape.snapshots[:3], states[:3], [removal_of([Element.SHADOWS])])
    assert 0.0 < floor < np.abs(effects).max()


@pytest.mark.parametrize("rate", [1.0, 7.0])
def test_half_life_of_an_exponential(rate: float) -> None:
    t = np.arange(200) * CONTROL_STEP_S
    curves = np.exp(-rate * t) * np.array([[1.0], [-2.0]])
    assert half_life_s(curves) == pytest.approx(np.log(2.0) / rate, abs=0.01)
    assert half_life_s(np.eye(1, 10)) == pytest.approx(0.5 * CONTROL_STEP_S)
    assert half_life_s(np.ones((2, 10))) == np.inf and np.isnan(half_life_s(np.zeros((2, 10))))


@pytest.mark.parametrize("marking", MARKINGS)
def test_a_driver_of_one_cue_is_recovered(marking: Element, tape: RecordedDrive) -> None:
    camera = Camera.parse("48x160")
    driver = known_driver(camera, COUNTRY.curvature_limit_per_m)
    projector = ReRenderer(COUNTRY, camera, painted(marking))
    states = states_along(driver, projector.frames(tape.snapshots)[:, 0])
    seen = sorted({e for s in tape.snapshots[::8] for e in seen_in(projector.frame(s))})
    effects = now(driver, projector, tape.snapshots[::8], states[:-1:8], [removal_of([e]) for e in seen])
    strength = dict(zip(seen, np.abs(effects).mean(0), strict=True))
    others = [value for e, value in strength.items() if e != marking]
    assert strength[marking] > 5.0 * max(others)


def test_changed_pixels_are_those_that_differ(tape: RecordedDrive) -> None:
    projector = ReRenderer(COUNTRY, CAMERA)
    frame = projector.frame(tape.snapshots[0])
    without = projector.frame(tape.snapshots[0], removal_of([Element.RIGHT_MARKING])).image
    mask = changed(frame.image, without)
    assert mask.any() and not (mask & (frame.contributors & (1 << Element.RIGHT_MARKING) == 0)).any()
