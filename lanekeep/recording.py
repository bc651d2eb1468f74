"""Record: an expert's drives as demonstrations, for any training that reads them."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import tyro
from rich.progress import track

from lanekeep.demonstrations import EpisodeInfo, Recorder, next_number
from lanekeep.flags import in_range
from lanekeep.rollout import ExpertPilot, label_stretches, scenario_to_learn_on
from lanekeep_envs import Camera
from lanekeep_envs.drive import CONTROL_STEP_S


@dataclass(frozen=True)
class Record:
    """Record the expert's drives into a folder; run it again to add more."""

    out: tyro.conf.Positional[Path]
    """Folder of the dataset."""
    scenario: str = "country"
    """Roads to drive: a name or the path of a .toml file."""
    camera: str = "48x160"
    """Rows x columns of the frames."""
    episodes: int = 16
    """Drives to record; one is several episodes if the car departs or its road ends, as it then goes on elsewhere."""
    seconds: float = 20.0
    """Length of a drive [s]."""
    noise: float = 0.15
    """Standard deviation of the disturbance on the driven action; the expert's own is recorded beside it."""
    seed: int = 0
    """Seed of roads and disturbance, together with the number of the next episode in the folder."""

    def __post_init__(self) -> None:
        in_range(self, "episodes", 1, 1_000_000)
        in_range(self, "seconds", CONTROL_STEP_S, 10_000)
        in_range(self, "noise", 0, 10)

    def run(self) -> int:
        """Drive and record."""
        record(self)
        return 0


def record(settings: Record) -> None:
    """Drive one drive after the other and write each episode when it is whole."""
    scenario, camera = scenario_to_learn_on(settings.scenario), Camera.parse(settings.camera)
    steps, limit = round(settings.seconds / CONTROL_STEP_S), scenario.curvature_limit_per_m
    lengths = []
    with Recorder(settings.out) as recorder:
        first = next_number(settings.out)
        for k in track(range(settings.episodes), "recording"):
            # a drive is at least one episode: no number comes twice, however often one comes back to add more
            generator = np.random.default_rng([abs(settings.seed), first + k])
            drives = label_stretches(
                lambda n: ExpertPilot(limit), scenario, camera, 1, steps, settings.noise, generator, 9_000
            )
            for stretch in drives:
                info = EpisodeInfo(
                    scenario=scenario.name,
                    seed=stretch.seed,
                    camera=asdict(camera),
                    dt_s=CONTROL_STEP_S,
                    curvature_limit_per_m=limit,
                    perturbation=f"Ornstein-Uhlenbeck, standard deviation {settings.noise:g}, 0.5 s",
                )
                recorder.write(stretch.frames, stretch.signals, info)
                lengths.append(len(stretch.frames))
    print(
        f"{settings.out}: drives on {scenario.name}: {settings.episodes} of {steps * CONTROL_STEP_S:g} s; "
        f"episodes written: {len(lengths)} of {min(lengths) * CONTROL_STEP_S:g} to {max(lengths) * CONTROL_STEP_S:g} s"
    )
