"""Settings of a training by imitation: the flags of `lanekeep train imitation`."""

from dataclasses import dataclass
from pathlib import Path

from lanekeep.errors import UserError
from lanekeep.settings import Positional, helped, in_range
from lanekeep_policies import CORES

CARS = 32  # that drive side by side in a round
MOST_FRAMES = 10**12


@dataclass(frozen=True)
class TrainImitation:
    """Train a driver from nothing on demonstrations; run it again to resume."""

    out: Positional[Path]
    """Folder of the checkpoint; what is driven for the training goes to its subfolder `demonstrations`."""
    core: str = helped("ncp", f"Core: {', '.join(CORES)}.")
    head: str | None = None
    """Driver whose conv head to take and leave as it is, so that drivers differ by what comes after it: a shipped one or a
    folder."""
    scenario: str = "country"
    """Roads to learn on: a name or the path of a .toml file."""
    camera: str = "48x160"
    """Rows x columns of the frames; 78x200 is the NCP paper's."""
    demonstrations: tuple[Path, ...] | None = None
    """Folders that `lanekeep record` made, to learn from instead of an expert that demonstrates at the start; they stay
    where they are.  There is no DAgger then unless --dagger-every asks for it: the answers would be the expert's."""
    frames: int = 60_000
    """Training frames to pass through the driver (sequences x length), counted with repetition."""
    batch: int = 8
    """Sequences per update."""
    length: int = 16
    """Frames per sequence."""
    segments: int = 4
    """Sequences that a row follows one drive before it jumps to another."""
    learning_rate: float = 1e-3
    """Adam's learning rate for the conv head; it falls to 2 % along a cosine."""
    core_learning_rate: float | None = None
    """Learning rate of core and read-out; unless given 1e-2 for a core that holds an LTC, such as ncp, else 1e-3."""
    alpha: float = 3.0
    """Weight of bends in the loss: exp(alpha |action|)."""
    noise: float = 0.15
    """Standard deviation of the disturbance while demonstrating [action units]."""
    expert_frames: int = 6_400
    """Frames that the expert demonstrates at the start."""
    dagger_every: int | None = None
    """Updates between two DAgger rounds, 0 for none at all; unless given 120, and with --demonstrations 0."""
    dagger_frames: int = 3_200
    """Frames that the driver drives in a DAgger round."""
    validation_km: float = 1.0
    """Held-out kilometres driven at the end."""
    good_rms_m: float = 0.0
    """Validate before every DAgger round too, and stop after two validations in a row without departure and with a
    lateral RMS below this; 0: never."""
    seed: int = 0
    """Seed of everything."""
    recipe: Path | None = None
    """TOML file with these flags; what the command line says as well wins."""

    def __post_init__(self) -> None:
        in_range(self, "frames", 1, MOST_FRAMES)
        for name in ("batch", "length", "segments"):
            in_range(self, name, 1, 100_000)
        in_range(self, "dagger_every", 0, MOST_FRAMES)
        for name in ("expert_frames", "dagger_frames"):
            in_range(self, name, CARS, MOST_FRAMES)
        needed = CARS * self.length * self.segments
        if self.demonstrations is None and self.expert_frames < needed:
            raise UserError(
                f"--expert-frames {self.expert_frames}: the expert's {CARS} cars need {needed} for each to have a place to "
                f"learn from, --length {self.length} times --segments {self.segments}; give more, or fewer segments"
            )
        for name in ("learning_rate", "core_learning_rate", "noise"):
            in_range(self, name, 0.0, 1.0)
        in_range(self, "alpha", 0.0, 20.0)
        in_range(self, "validation_km", 0.1, 900.0)  # there are 1,000 roads for it
        in_range(self, "good_rms_m", 0.0, 100.0)
        in_range(self, "seed", 0, 2**63 - 1)
        if self.demonstrations == ():
            raise UserError("--demonstrations needs a folder; lanekeep record makes one")
        given = [folder.resolve() for folder in self.demonstrations or ()]
        if len(set(given)) < len(given):
            raise UserError("--demonstrations takes each folder once")
        if self.good_rms_m > 0.0 and self.rounds_every == 0:
            raise UserError(
                "--good-rms-m is looked at before every DAgger round, and there are none; give --dagger-every"
            )

    @property
    def frames_of_update(self) -> int:
        """Training frames of an update."""
        return self.batch * self.length

    @property
    def updates(self) -> int:
        """Updates in all."""
        return max(1, self.frames // self.frames_of_update)

    @property
    def rounds_every(self) -> int:
        """Updates between two DAgger rounds; 0: there are none."""
        usual = 120 if self.demonstrations is None else 0
        return usual if self.dagger_every is None else self.dagger_every
