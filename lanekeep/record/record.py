"""Record: the drives of the expert, or of a person, as demonstrations for any training that reads them."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lanekeep.demonstrations import Recorder, next_number
from lanekeep.driving.controllers import ExpertController
from lanekeep.driving.disturbance import described
from lanekeep.driving.labelled_drives import about, label_stretches
from lanekeep.driving.seeds import scenario_to_learn_on
from lanekeep.errors import UserError
from lanekeep.progress import progress
from lanekeep.settings import Positional, in_range
from lanekeep.terminal import say
from lanekeep_envs import CONTROL_STEP_S, Camera, Scenario
from lanekeep_files.locks import held

BY_HAND = "none: a person drove"


@dataclass(frozen=True)
class Record:
    """Record the expert's drives, or with --human your own, into a folder; run it again to add more."""

    out: Positional[Path]
    """Folder of the dataset."""
    scenario: str = "country"
    """Roads to drive: a name or the path of a .toml file."""
    camera: str = "48x160"
    """Rows x columns of the frames."""
    episodes: int = 16
    """Drives to record; one of the expert's is several episodes if the car departs or its road ends, as it then goes on
    elsewhere."""
    seconds: float = 20.0
    """Length of a drive [s]."""
    human: bool = False
    """Drive yourself, in a window, with the arrow keys, A and D, or a gamepad.  Leaving the lane ends a drive, and its last
    two seconds are not kept."""
    noise: float = 0.15
    """Standard deviation of the disturbance on the driven action; the expert's own is recorded beside it."""
    seed: int = 0
    """Seed of roads and disturbance, together with the number of the next episode in the folder."""

    def __post_init__(self) -> None:
        in_range(self, "episodes", 1, 1_000_000)
        in_range(self, "seconds", CONTROL_STEP_S, 10_000)
        in_range(self, "noise", 0, 10)
        if self.human and self.noise != type(self).noise:
            raise UserError(
                "--noise disturbs the expert, and a person drives undisturbed; leave out --noise or --human"
            )


def record(settings: Record) -> None:
    """Record the drives of the expert, or of a person."""
    (record_person if settings.human else record_expert)(settings)


def record_expert(settings: Record) -> None:
    """Drive one drive after the other and write each episode when it is whole."""
    scenario, camera, steps = what_to_drive(settings)
    limit, lengths = scenario.curvature_limit_per_m, list[int]()
    with (
        held(settings.out, "recording"),  # two at once would drive the same roads
        Recorder(settings.out) as recorder,
        progress("recording", settings.episodes, stays=True) as bar,
    ):
        first = next_number(settings.out)
        for k in range(settings.episodes):
            # a drive is at least one episode: no number comes twice, however often one comes back to add more
            generator = np.random.default_rng([abs(settings.seed), first + k])
            for stretch in label_stretches(
                lambda n: ExpertController(limit), scenario, camera, 1, steps, settings.noise, generator
            ):
                info = about(stretch, scenario, camera, described(settings.noise))
                recorder.write(stretch.frames, stretch.signals, info)
                lengths.append(len(stretch.frames))
            bar.advance()
    drives = f"{settings.episodes} of {steps * CONTROL_STEP_S:g} s"
    say(f"{settings.out}: drives on {scenario.name}: {drives}; {written(lengths)}")


def record_person(settings: Record) -> None:
    """Let a person drive, and write each drive when it ends."""
    from lanekeep.record.human_drive import LEAST_S, Cockpit, drive_by_hand

    if settings.seconds < LEAST_S:  # no drive would ever be kept, and there would be no end
        raise UserError(f"--seconds {settings.seconds:g}: a person's drive is kept from {LEAST_S:g} s on")
    scenario, camera, steps = what_to_drive(settings)
    lengths = list[int]()
    with (
        closing(Cockpit(f"lanekeep record --human: {scenario.name}")) as cockpit,
        held(settings.out, "recording"),
        Recorder(settings.out) as recorder,
    ):
        generator = np.random.default_rng([abs(settings.seed), next_number(settings.out)])
        for stretch in drive_by_hand(cockpit, scenario, camera, settings.episodes, steps, generator):
            recorder.write(stretch.frames, stretch.signals, about(stretch, scenario, camera, BY_HAND))
            lengths.append(len(stretch.frames))
    say(f"{settings.out}: driven by hand on {scenario.name}; {written(lengths)}")


def what_to_drive(settings: Record) -> tuple[Scenario, Camera, int]:
    """Scenario, camera, and steps of a drive."""
    scenario, camera = scenario_to_learn_on(settings.scenario), Camera.parse(settings.camera)
    return scenario, camera, round(settings.seconds / CONTROL_STEP_S)


def written(lengths: list[int]) -> str:
    """The number and the lengths of the episodes, in words."""
    if not lengths:
        return "no episode was kept"
    return (
        f"episodes written: {len(lengths)} of {min(lengths) * CONTROL_STEP_S:g} to {max(lengths) * CONTROL_STEP_S:g} s"
    )
