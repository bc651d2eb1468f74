"""How long a whole training by imitation takes, in wall time, compared with its conv head alone on as many frames."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lanekeep.bench.env import many_cars
from lanekeep.bench.measures import report, seconds_of
from lanekeep.imitation.settings import TrainImitation
from lanekeep.imitation.train import Trainer
from lanekeep.progress import progress
from lanekeep.settings import JsonFile, check_outputs, in_range
from lanekeep_policies import LTC, ConvHead, ncp_wiring


@dataclass(frozen=True)
class BenchTrain:
    """How long a whole training by imitation takes, compared with its conv head alone."""

    core: str = "ncp"
    """Core, as for `train imitation`."""
    frames: int = 60_000
    """Training frames to pass through the driver."""
    json: JsonFile = None
    """Also write the measures to this file."""

    def __post_init__(self) -> None:
        check_outputs(self)
        in_range(self, "frames", 1, 1_000_000_000)


def bench_train(settings: BenchTrain) -> None:
    """Train as `imitation.train` does; every update is followed by one of the conv head alone, on as many frames."""
    next(many_cars(1, "8x8"))  # what is compiled once per installation is not training
    LTC(ncp_wiring())(torch.zeros(1, 1, 32), torch.zeros(1, 19), 0.05)[0].sum().backward()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        trainer = Trainer(TrainImitation(out=Path(folder) / "driver", core=settings.core, frames=settings.frames))
        bar = stack.enter_context(progress("training", trainer.settings.updates, "first demonstrations"))
        driving, update, alone = [seconds_of(trainer.begin_round)], list[float](), list[float]()
        head_only = head_alone(trainer)
        while not trainer.finished:
            if trainer.round_due:
                driving.append(seconds_of(trainer.begin_round))
            else:
                update.append(seconds_of(trainer.learn))
                alone.append(seconds_of(head_only))
            note = f"{(sum(update) + sum(driving)) / sum(alone):.2f} times the conv head alone"
            bar.reach(trainer.update, note=note)
        driving.append(seconds_of(trainer.validate))
    ratios = {
        "update_over_head_only": [sum(update) / sum(alone)],
        "time_over_head_only": [(sum(update) + sum(driving)) / sum(alone)],
    }
    rows = {"update": update, "conv head alone": alone, "driving in all": [sum(driving)], **ratios}
    report(f"seconds, {settings.core}, {trainer.frames_seen:,} frames", rows, list(ratios), settings.json)


def head_alone(trainer: Trainer) -> Callable[[], None]:
    """A function that trains a conv head on one batch's worth of the first demonstrations; called once already."""
    at_once = trainer.settings.frames_of_update
    frames = torch.from_numpy(np.concatenate([e.frames for e in trainer.episodes])[:at_once])
    head = ConvHead(trainer.camera.height_px, trainer.camera.width_px)
    optimiser = torch.optim.Adam(head.parameters(), foreach=True)

    def head_only() -> None:
        optimiser.zero_grad(set_to_none=True)
        head(frames).square().mean().backward()
        optimiser.step()

    head_only()
    return head_only
