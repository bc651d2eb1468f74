"""Settings of an evaluation: the flags of `lanekeep evaluate`."""

from dataclasses import dataclass

from lanekeep.settings import CsvFile, JsonFile, Positional, check_outputs, in_range

FIRST_TEST_SEED = 10_000


@dataclass(frozen=True)
class Evaluate:
    """Measure how well drivers keep their lane on held-out roads."""

    drivers: Positional[tuple[str, ...]]
    """Checkpoint folders, or names of shipped drivers (ncp, lstm); `expert` is the privileged expert."""
    scenario: tuple[str, ...] = ("country",)
    """Roads to drive: names, paths of .toml files, or `held-out` for all that no driver may be trained on."""
    km: float = 20.0
    """Kilometres per driver and scenario; every driver drives the same roads."""
    seed: int = FIRST_TEST_SEED
    """Seed of the first road; from 10,000 on for tests, below for training."""
    allow_training_seeds: bool = False
    """Measure on roads that drivers may have been trained on."""
    difficulty: float = 1.0
    """The scenarios' dial: 1 is a scenario as written, 0 its roads on a fine, calm day."""
    cars: int = 16
    """Cars driving at once."""
    json: JsonFile = None
    """Also write the numbers to this file."""
    csv: CsvFile = None
    """Also write the table to this file, a line a row."""

    def __post_init__(self) -> None:
        check_outputs(self)
        in_range(self, "km", 0.1, 100_000)
        in_range(self, "difficulty", 0, 1)
        in_range(self, "cars", 1, 10_000)
