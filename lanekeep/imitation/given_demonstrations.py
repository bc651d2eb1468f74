"""Demonstrations that a training is given: recorded before, by the expert or by a person, and read where they lie.

Whatever does not fit the training is refused here, before anything is learned or written.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from lanekeep.demonstrations import DemonstrationError, Episode, read_dataset, verify
from lanekeep.driving.seeds import TRAINING_SEEDS
from lanekeep.errors import UserError
from lanekeep_envs import CONTROL_STEP_S, Camera, Scenario


def open_given(folder: Path, scenario: Scenario, camera: Camera) -> tuple[Episode, ...]:
    """Every episode of a dataset, each byte checked; DemonstrationError for a damaged one, UserError for a misfit."""
    dataset = read_dataset(folder)
    damaged = [*dataset.damaged, *verified(dataset.episodes)[1]]
    if damaged:  # refused, not left out as those of an own round: the user chose them to be learned from
        raise DemonstrationError(f"{damaged[0]}; take that episode out of the folder, or give another one")
    for episode in dataset.episodes:
        _check_fits(episode, scenario, camera)
    return dataset.episodes


def verified(episodes: Iterable[Episode]) -> tuple[list[Episode], list[str]]:
    """The episodes of which each byte is as it was recorded, and a sentence for each damaged one."""
    whole, damaged = list[Episode](), list[str]()
    for episode in episodes:
        try:
            verify(episode)
            whole.append(episode)
        except DemonstrationError as error:
            damaged.append(str(error))
    return whole, damaged


def origin_of(folder: Path, episodes: Sequence[Episode]) -> dict[str, object]:
    """What a checkpoint says of a dataset that it learned from; the sha256 stands for every byte of its episodes."""
    files = [stamp.sha256 for e in episodes for stamp in (e.record.frames, e.record.signals)]
    return {
        "folder": str(folder),
        "episodes": len(episodes),
        "frames": sum(map(len, episodes)),
        "scenarios": sorted({e.info.scenario for e in episodes}),
        "perturbations": sorted({e.info.perturbation for e in episodes}),
        "sha256": hashlib.sha256(" ".join([*(e.folder.name for e in episodes), *files]).encode()).hexdigest(),
    }


def check_unchanged(out: Path, then: object, now: list[dict[str, object]]) -> None:
    """Refuse to go on with a training whose given demonstrations are others than when it began."""
    before = {d.get("folder"): d for d in then if isinstance(d, dict)} if isinstance(then, list) else {}
    for origin in now:
        old = before.get(origin["folder"], {})
        if old.get("sha256") != origin["sha256"]:
            raise UserError(
                f"{origin['folder']} holds other demonstrations than those that {out} began to learn from "
                f"({old.get('episodes')} episodes then, {origin['episodes']} now); put them back, or choose another folder"
            )


def check_long_enough(episodes: Sequence[Episode], length: int, segments: int) -> None:
    """Refuse a dataset without a single place to learn from."""
    longest, needed = max(map(len, episodes)), length * segments
    if longest < needed:
        raise UserError(
            f"the longest of the demonstrations has {longest} frames, and one place to learn from {needed}, "
            f"--length {length} times --segments {segments}; record longer drives, or give fewer segments"
        )


def _check_fits(episode: Episode, scenario: Scenario, camera: Camera) -> None:
    """Refuse an episode of another camera, another meaning of an action, or a road that drivers are tested on."""
    info, where, ours = episode.info, episode.folder, asdict(camera)
    size = "x".join(map(str, episode.frame_shape[1:3]))
    if size != camera.size:
        raise UserError(
            f"{where} has frames of {size}, not {camera.size}; give --camera {size}, or other demonstrations"
        )
    for name, value in ours.items():
        if info.camera.get(name) != value:
            raise UserError(f"{where} was recorded by a camera with {name} = {info.camera.get(name)}, not {value}")
    limit = scenario.curvature_limit_per_m
    if info.curvature_limit_per_m != limit:
        raise UserError(
            f"{where}: an action of 1 is a curvature of {info.curvature_limit_per_m:g} 1/m there, and {limit:g} on "
            f"{scenario.name}; give the --scenario that was driven, {info.scenario}"
        )
    if info.dt_s != CONTROL_STEP_S:
        raise UserError(f"{where} has a frame every {info.dt_s:g} s, and a driver sees one every {CONTROL_STEP_S:g} s")
    if episode.signals["expert_action"].shape[1] != 1:
        raise UserError(f"{where} holds {episode.signals['expert_action'].shape[1]} actions a frame, not 1")
    if info.seed >= TRAINING_SEEDS:
        raise UserError(f"{where} was driven on road {info.seed}; from {TRAINING_SEEDS} on they are kept for tests")
