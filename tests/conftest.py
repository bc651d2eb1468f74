"""What several files of tests share: the mirrored world, torch on one thread, a HUP that is heard, and the tables as they
were before a test put cores and maps of its own into them.
"""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture
def mirrored() -> Callable[[Any], Any]:
    """A function that exchanges left and right in a snapshot of one car; nothing of the traffic's records has a side."""

    def mirrored(snapshot: Any) -> Any:
        other = snapshot.forked(1)
        for table, names in (
            (other.state.cars, ("y", "yaw", "lateral_speed", "yaw_rate", "wheel_angle", "lateral_acceleration_mps2")),
            (other.state.roads, ("y", "heading", "curvature", "tangent_y")),
            (other.state.appearances, ("sun_y", "mirror", "yaw_error_deg", "roll_error_deg")),
            (other.state.objects, ("y", "twist")),
        ):
            for name in names:
                table[name] *= -1.0
        return other

    return mirrored


@pytest.fixture
def one_thread() -> Iterator[None]:
    """A single frame is too little for two threads, which only wait for each other where the cores are busy."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def hangup() -> Iterator[None]:
    """HUP ends what is run here, also where the tests themselves were begun under nohup, which ignores it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def own_tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test may add cores, maps and commands; afterwards the tables are what they were."""
    from lanekeep import extensions
    from lanekeep.cli.commands import COMMANDS
    from lanekeep.saliency import METHODS
    from lanekeep_policies import CORES

    tables: tuple[dict[str, Any], ...] = (CORES, METHODS, COMMANDS)
    before, loaded = [dict(table) for table in tables], set(extensions._loaded)
    monkeypatch.setenv(extensions.WITH, "")
    yield
    for table, rows in zip(tables, before, strict=True):
        table.clear()
        table.update(rows)
    extensions._loaded = loaded
