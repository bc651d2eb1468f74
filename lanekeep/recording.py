"""Record: an expert's drives as demonstrations, for any training that reads them."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import tyro
from rich.progress import track

from lanekeep.demonstrations import EpisodeInfo, Recorder
from lanekeep.flags import UserError
from lanekeep.rollout import ExpertPilot, label_stretches
from lanekeep_envs import Camera, load_scenario


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
    """Drives to record."""
    seconds: float = 20.0
    """Length of a drive."""
    noise: float = 0.15
    """Standard deviation of the disturbance on the driven action; the expert's own is recorded beside it."""
    seed: int = 0
    """Seed of roads and disturbance."""

    def run(self) -> int:
        """Drive and record."""
        record(self)
        return 0


def record(settings: Record) -> None:
    """Drive one episode after the other and write each when it is whole."""
    scenario, camera = load_scenario(settings.scenario), Camera.parse(settings.camera)
    steps = int(settings.seconds / 0.05)
    if settings.episodes < 1 or steps < 1 or settings.noise < 0.0:
        raise UserError("--episodes and --seconds must be positive and --noise must not be negative")
    limit = scenario.curvature_limit_per_m
    with Recorder(settings.out) as recorder:
        for k in track(range(settings.episodes), "recording"):
            generator = np.random.default_rng([abs(settings.seed), k])
            drives = label_stretches(
                lambda n: ExpertPilot(limit), scenario, camera, 1, steps, settings.noise, generator, 9_000
            )
            for stretch in drives:
                info = EpisodeInfo(
                    scenario=scenario.name,
                    seed=stretch.seed,
                    camera=asdict(camera),
                    dt_s=0.05,
                    curvature_limit_per_m=limit,
                    perturbation=f"Ornstein-Uhlenbeck, standard deviation {settings.noise:g}, 0.5 s",
                )
                recorder.write(stretch.frames, stretch.signals, info)
    print(f"{settings.out}: {settings.episodes} drives of {settings.seconds:g} s on {scenario.name}")
