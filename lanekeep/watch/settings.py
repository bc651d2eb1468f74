"""Settings of `lanekeep watch`: its only source of flags, help and recipes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from lanekeep.errors import UserError, did_you_mean
from lanekeep.evaluate.settings import FIRST_TEST_SEED
from lanekeep.settings import Output, Positional, check_outputs, helped, in_range
from lanekeep.video import ENCODINGS
from lanekeep.watch.driven_car import STEP_S
from lanekeep.watch.panels.layout import LARGEST, SMALLEST
from lanekeep.watch.panels.overlay import overlays


@dataclass(frozen=True)
class Watch:
    """See a driver drive, or two on the same road, with their neurons; H lists the keys.

    In the window: hold, step, slow motion, take the wheel, other roads and weather, things removed, neurons silenced or
    clamped and synapses cut by a click, pictures, films, and instants that --from opens again.
    """

    driver: Positional[str | None] = None
    """Name of a shipped driver, or a checkpoint folder; ncp, or those of --from."""
    against: str | None = None
    """A second driver, on the same road in step."""
    scenario: str | None = None
    """Roads to drive: a name or the path of a .toml file; country."""
    seed: int = FIRST_TEST_SEED
    """Seed of the first road; the next one follows at its end."""
    seconds: float | None = None
    """Length of the show [s]; left out, 30 s of video or the script's last line, and a window until it is closed."""
    overlay: str = helped("none", f"What lies over the drivers' pictures: {', '.join(overlays())}.")
    size: str = "1280x720"
    """Width x height of picture or window [pixels]."""
    video: Annotated[Path | None, Output(tuple(ENCODINGS))] = None
    """Write an .mp4 film, or a .webp that a page shows moving, instead of opening a window."""
    frames: Path | None = None
    """Write .png pictures into this folder instead of opening a window."""
    every: int = 20
    """Steps of 1/20 s between two pictures."""
    script: Path | None = None
    """A file of timed actions to do, a line for each: `2.5 remove trees`."""
    log: Annotated[Path | None, Output((".txt", ".log", ""))] = None
    """Write everything that was done as such a script, a .txt or .log file."""
    from_: Path | None = None
    """Go on from an instant that was saved with I."""

    def __post_init__(self) -> None:
        check_outputs(self)
        in_range(self, "seconds", STEP_S, 1_000_000)
        in_range(self, "every", 1, 20_000_000)
        if self.overlay not in overlays():
            raise UserError(
                f"there is no overlay {self.overlay!r}; {did_you_mean(self.overlay, overlays(), ', '.join(overlays()))}"
            )
        if self.from_ is not None and self.scenario is not None:
            raise UserError("--from has a scenario of its own; leave out --scenario")
        size_of(self.size)


def size_of(text: str) -> tuple[int, int]:
    """Width and height [pixels] of `1280x720`; UserError for a size that no dashboard fits into."""
    words = text.split("x")
    if len(words) == 2 and all(word.isdecimal() for word in words):
        width, height = map(int, words)
        if all(low <= got <= high for low, got, high in zip(SMALLEST, (width, height), LARGEST, strict=True)):
            return width, height
    low, high = ("x".join(map(str, pair)) for pair in (SMALLEST, LARGEST))
    raise UserError(f"--size is WIDTHxHEIGHT from {low} to {high}, not {text!r}")
