"""Lesions act on the running network of one driver, and leave nothing behind when they are let go."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from lanekeep.watch.show.actions import perform
from lanekeep.watch.show.show import Show
from lanekeep_envs import load_scenario
from lanekeep_policies import Driver
from lanekeep_policies.lesions import Lesions, lesioned

pytestmark = pytest.mark.usefixtures("one_thread")
Untrained = Callable[..., Driver]
ShowOf = Callable[..., Show]
Drive = Callable[[Show, int], NDArray[np.float64]]


def test_a_lesion_let_go_leaves_the_undisturbed_drive(
    untrained: Untrained, show_of: ShowOf, drive: Drive, circuit_ends: set[tuple[int, int]]
) -> None:
    """From a snapshot: drive on; come back, lesion, drive, heal, come back: the same drive, bit for bit."""
    show = show_of("ncp")
    drive(show, 6)
    here = show.car.saved()
    undisturbed = drive(show, 10)
    show.car.come_back(here)
    perform(show, "silence 0")
    perform(show, "cut 5 0") if (5, 0) in circuit_ends else None
    disturbed = drive(show, 10)
    perform(show, "heal")
    show.car.come_back(here)
    again = drive(show, 10)
    assert np.array_equal(again, undisturbed)
    assert not np.array_equal(disturbed, undisturbed)


def test_a_lesion_acts_on_one_of_two_drivers(show_of: ShowOf, drive: Drive) -> None:
    show, alone = show_of("ncp", "ncp"), show_of("ncp", "ncp")
    perform(show, "driver 2")
    perform(show, "clamp 0 0.9")
    a, b = drive(show, 8), drive(alone, 8)
    assert np.array_equal(a[:, 0], b[:, 0])
    assert not np.array_equal(a[:, 1], b[:, 1])


def test_a_lesioned_drive_is_the_drive_of_a_lesioned_driver(
    untrained: Untrained, show_of: ShowOf, drive: Drive
) -> None:
    show = show_of("ncp")
    perform(show, "silence 7")
    show.go_to_road(10_003)
    other = Show(["x"], [lesioned(untrained(), Lesions().silence(7))], load_scenario("country"), 10_003)
    assert np.array_equal(drive(show, 6), drive(other, 6))
