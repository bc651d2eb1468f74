"""Numbers of an episode from the ranges of a scenario and uniform numbers `u` in [0, 1)."""

from typing import Any

from lanekeep_envs.scenario.schema import DisturbanceTable, SensorTable, SurfaceTable, WeatherTable


def uniform(pair: tuple[float, float], u: float) -> float:
    """Return the number of the range [low, high] at the share `u` of it."""
    return pair[0] + (pair[1] - pair[0]) * u


def present(
    table: WeatherTable | SurfaceTable | SensorTable | DisturbanceTable, key: str, u: float, chance: float
) -> float:
    """Return the number of a table's range; of the default range in the episodes in which it is not there."""
    there: Any = table if chance < table.presence else type(table)()
    return uniform(getattr(there, key), u)
