"""What the tests of the watch room share: drivers that learned nothing, shows of them, and drives of shows."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from lanekeep.watch.panels import circuit
from lanekeep.watch.show.show import Show
from lanekeep_envs import load_scenario
from lanekeep_policies import Driver, DriverSpec


@pytest.fixture(scope="session")
def untrained() -> Callable[..., Driver]:
    """A function that makes an untrained driver of a core."""

    def untrained(core: str = "ncp") -> Driver:
        return Driver.build(DriverSpec(core=core, camera_height=48, camera_width=160, curvature_limit_per_m=0.02), 0)

    return untrained


@pytest.fixture(scope="session")
def circuit_ends(untrained: Callable[..., Driver]) -> set[tuple[int, int]]:
    """Where the synapses of the untrained circuit begin and end, by the numbers of neurons."""
    wiring = circuit.wiring_of(untrained().core)
    assert wiring is not None
    return set(zip(wiring.source.tolist(), wiring.target.tolist(), strict=True))


@pytest.fixture
def show_of(untrained: Callable[..., Driver]) -> Callable[..., Show]:
    """A function that makes a show of untrained drivers."""

    def show_of(*cores: str, scenario: str = "country") -> Show:
        return Show(list(cores), [untrained(core) for core in cores], load_scenario(scenario), 10_000)

    return show_of


@pytest.fixture
def drive() -> Callable[[Show, int], NDArray[np.float64]]:
    """A function that lets ticks of a show pass and tells where the cars are, tick after tick [ticks, N, 2]."""

    def drive(show: Show, ticks: int) -> NDArray[np.float64]:
        places = []
        for _ in range(ticks):
            show.tick()
            places.append([(car.past[-1].x, car.past[-1].y) for car in show.cars])
        return np.array(places)

    return drive
