"""The settings of `lanekeep compare`."""

from dataclasses import dataclass
from pathlib import Path

from lanekeep.errors import UserError
from lanekeep.evaluate.settings import FIRST_TEST_SEED
from lanekeep.settings import CsvFile, JsonFile, PageFile, PngFile, Positional, check_outputs, in_range


@dataclass(frozen=True)
class Compare:
    """Measure what two drivers steer by and what their saliency maps are worth; writes a page that opens from the disk."""

    drivers: Positional[tuple[str, ...]] = ("ncp", "lstm")
    """Two drivers: names of shipped ones or checkpoint folders."""
    scenario: str = "country"
    """Roads to drive: a name or the path of a .toml file."""
    out: PageFile = Path("compare.html")
    """The page."""
    roads: int = 12
    """Test roads on which they are judged; intervals are over roads."""
    seconds: float = 20.0
    """Length of the two drives that are shown [s]."""
    seed: int = FIRST_TEST_SEED
    """Seed of the first road; from 10,000 on no driver has been trained on it."""
    picture: PngFile = None
    """Also write the finding as one picture, a .png file."""
    csv: CsvFile = None
    """Also write the table to this file, a line a row."""
    json: JsonFile = None
    """Also write the numbers to this file."""

    def __post_init__(self) -> None:
        if len(self.drivers) != 2:
            raise UserError(f"compare takes two drivers, not {len(self.drivers)}; such as: lanekeep compare ncp lstm")
        check_outputs(self)
        in_range(self, "roads", 2, 1000)
        in_range(self, "seconds", 1.0, 60.0)
        in_range(self, "seed", FIRST_TEST_SEED)
