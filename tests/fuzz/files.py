"""Damaged checkpoints, data sets, recipes, scripts and videos, which are read and no more."""

import hashlib
import io
import json
import random
import shutil
import tomllib
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pygame
import torch
from fuzz.mutations import as_toml, damaged_bytes, damaged_table, near

from lanekeep.cli.flags import parse
from lanekeep.cli.recipe import with_recipe
from lanekeep.demonstrations import EpisodeInfo, Recorder, Windows, read_dataset
from lanekeep.imitation.settings import TrainImitation
from lanekeep.reinforcement.settings import TrainRL
from lanekeep.road_video import Recording
from lanekeep.settings import as_recipe
from lanekeep.video import Film
from lanekeep.watch.show.actions import words_of
from lanekeep.watch.show.script import read_script
from lanekeep_policies import Driver, DriverSpec, read_checkpoint, read_tensors, save_driver


class Checkpoints:
    """Checkpoint folders, whose seals are mended after the damage as often as not."""

    def __init__(self, folder: Path) -> None:
        self.whole, self.folder = folder / "whole", folder / "driver"
        driver = Driver.build(DriverSpec(core="ncp", camera_height=24, camera_width=80, curvature_limit_per_m=0.02), 0)
        tensors = {"adam.0.step": torch.tensor(3.0), "generator": torch.arange(16, dtype=torch.uint8)}
        save_driver(self.whole, driver, {"scenario": "country", "history": [[1.0, 2.0]]}, {"update": 3}, tensors)

    def attempt(self, dice: random.Random) -> None:
        """Read a damaged checkpoint, and what its training needs to go on."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.whole, self.folder)
        file = dice.choice(sorted(self.folder.iterdir()))
        toml = self.folder / "driver.toml"
        table = tomllib.loads(toml.read_text())
        if file.suffix == ".safetensors":
            data = damaged_safetensors(file.read_bytes(), dice)
            digest = hashlib.sha256(data).hexdigest()
            kind = file.name.partition("-")[0]
            (self.folder / f"{kind}-{digest[:16]}.safetensors").write_bytes(data)
            if kind == "weights":
                table["weights_sha256"] = digest
            else:
                table["resume"]["sha256"] = digest
        elif dice.random() < 0.3:
            toml.write_bytes(damaged_bytes(toml.read_bytes(), dice))
            table = {}
        else:
            table = damaged_table(table, dice)
        if table and dice.random() < 0.9:
            reseal(table)
        if table:
            toml.write_bytes(as_toml(table))
        checkpoint = read_checkpoint(self.folder)
        if checkpoint.resume:
            read_tensors(self.folder, checkpoint.resume)


def reseal(table: dict[str, Any]) -> None:
    """Make the seals of a driver.toml fit its tables again."""
    for name in ("driver", "training", "resume"):
        if isinstance(table.get(name), dict):
            with suppress(OverflowError, UnicodeEncodeError, TypeError):
                encoded = msgspec.json.encode(table[name], order="sorted")
                table[f"{name}_sha256"] = hashlib.sha256(encoded).hexdigest()


def damaged_safetensors(data: bytes, dice: random.Random) -> bytes:
    """A safetensors file with damaged bytes, or with a damaged header."""
    if dice.random() < 0.4:
        return damaged_bytes(data, dice)
    length = int.from_bytes(data[:8], "little")
    header = json.dumps(damaged_table(json.loads(data[8 : 8 + length]), dice)).encode("utf-8", "replace")
    told = len(header) if dice.random() < 0.9 else dice.choice((0, 1, 2**40, 2**63))
    return told.to_bytes(8, "little") + header + data[8 + length :]


class Datasets:
    """Folders of episodes, whose seals are mended after the damage as often as not."""

    def __init__(self, folder: Path) -> None:
        self.whole, self.folder = folder / "whole", folder / "data"
        info = EpisodeInfo(scenario="country", seed=1, camera={"height_px": 8}, dt_s=0.05, curvature_limit_per_m=0.02)
        signals = {name: np.zeros((12, 1), np.float32) for name in ("driven_action", "expert_action")}
        with Recorder(self.whole) as recorder:
            for _ in range(2):
                recorder.write(np.zeros((12, 8, 16, 3), np.uint8), signals, info)

    def attempt(self, dice: random.Random) -> None:
        """Open a damaged data set, and read windows of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.whole, self.folder)
        for shard in sorted(self.folder.glob("episode-*")):
            self._damage(shard, dice)
        windows = Windows(read_dataset(self.folder).episodes, 4)
        windows.read(np.array([windows.place(np.random.default_rng(0))]), 4)

    def _damage(self, shard: Path, dice: random.Random) -> None:
        file = dice.choice(sorted(shard.iterdir()))
        if file.name == "signals.npz" and dice.random() < 0.7:
            file.write_bytes(damaged_archive(file.read_bytes(), dice))
        elif file.name == "episode.json" and dice.random() < 0.7:
            file.write_text(json.dumps(damaged_table(json.loads(file.read_text()), dice)), "utf-8", "replace")
        else:
            file.write_bytes(damaged_bytes(file.read_bytes(), dice))
        if dice.random() < 0.9:
            self._reseal(shard)

    def _reseal(self, shard: Path) -> None:
        record = (shard / "episode.json").read_bytes()
        try:
            table = json.loads(record)
            for name in ("frames.npy", "signals.npz"):
                content = (shard / name).read_bytes()
                table[name.partition(".")[0]] |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            record = json.dumps(table).encode()
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        (shard / "episode.json").write_bytes(record)
        shard.rename(shard.with_name(f"{shard.name[:-8]}{hashlib.sha256(record).hexdigest()[:8]}"))


def damaged_archive(data: bytes, dice: random.Random) -> bytes:
    """An archive with other numbers, shapes or headers, or with a member that unpacks to very much."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as whole, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        members = {name: whole.read(name) for name in whole.namelist()}
        name = dice.choice(list(members))
        way = dice.randrange(4)
        if way == 0:
            shape = dice.choice(((12, 10**8), (10**9,), (2**62, 4), (12, 0), (), (12, 1, 1, 1)))
            header = io.BytesIO()
            np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
            members[name] = header.getvalue() + bytes(dice.choice((0, 48, 20_000_000)))
        elif way == 1:
            number = float(near(1.0, dice))
            array = np.full((12, 1), number, dice.choice((np.float32, np.float64)))
            file = io.BytesIO()
            np.save(file, array)
            members[name] = file.getvalue()
        elif way == 2:
            members[name] = damaged_bytes(members[name], dice)
        else:
            members[dice.choice(("x.npy", "x.txt", "a/b.npy", ".npy"))] = damaged_bytes(members[name], dice)
        for member, content in members.items():
            archive.writestr(member, content)
    return packed.getvalue()


class Recipes:
    """Recipes of both trainings."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "mine.toml"
        self.settings: list[tuple[str, Callable[..., Any]]] = [
            ("train imitation", TrainImitation),
            ("train rl", TrainRL),
        ]
        self.tables = [as_recipe(kind(out=Path("out"))) for _, kind in self.settings]

    def attempt(self, dice: random.Random) -> None:
        """Read a damaged recipe as the flags that it stands for."""
        which = dice.randrange(2)
        table = as_toml(damaged_table(self.tables[which], dice))
        self.file.write_bytes(damaged_bytes(table, dice) if dice.random() < 0.5 else table)
        command, settings = self.settings[which]
        parse(command, settings, with_recipe(settings, ["out", f"--recipe={self.file}"]))  # type: ignore[arg-type]


class Scripts:
    """Scripts of timed actions."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "mine.txt"
        self.text = (
            b"0.0 overlay none\n2 remove trees # a comment\n3.5 silence 7\n4 clamp 3 -0.5\n5 strength fog 0.5\n6 gust\n"
        )

    def attempt(self, dice: random.Random) -> None:
        """Read a damaged script."""
        self.file.write_bytes(damaged_bytes(self.text, dice))
        for timed in read_script(self.file):
            words_of(timed.line)


class Videos:
    """Films and pictures."""

    def __init__(self, folder: Path) -> None:
        film = Film(folder / "whole.mp4", (64, 48), 20, (0, 0, 0))
        for k in range(12):
            picture = pygame.Surface((64, 48))
            picture.fill((20 * k, 40, 80))
            film.add(picture)
        film.finish()
        self.originals = {".mp4": (folder / "whole.mp4").read_bytes()}
        for suffix in (".png", ".jpg", ".bmp"):
            file = io.BytesIO()
            pygame.image.save(pygame.Surface((64, 48)), file, suffix)
            self.originals[suffix] = file.getvalue()
        self.folder = folder

    def attempt(self, dice: random.Random) -> None:
        """Read a damaged film or picture to its end."""
        suffix = dice.choice((".mp4", ".mp4", *self.originals))
        file = self.folder / f"mine{suffix}"
        file.write_bytes(damaged_bytes(self.originals[suffix], dice))
        for _ in Recording(file, None):
            pass
